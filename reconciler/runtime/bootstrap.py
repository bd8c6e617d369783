"""Where everything is wired together, and nowhere else. A dry run is wired without any hand that could write."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from pydantic import SecretStr

from reconciler.apply import Applier
from reconciler.aside import Aside, at_once
from reconciler.core.model import Person, Policy
from reconciler.crew import Crew, Pace
from reconciler.engine import Engine
from reconciler.gate import Gate
from reconciler.looks import Horizons
from reconciler.observability.logs import NOBODY, get_logger
from reconciler.observe import Observer
from reconciler.reconcile.identity import Identity
from reconciler.reconcile.vendor_calls import Remotes
from reconciler.settings import Settings
from reconciler.store.database import Database, open_database
from reconciler.store.lock import Lock, lock_for
from reconciler.store.read_only import open_read_only
from reconciler.vendors.http import Clock, Http, RequestRecord, SystemClock
from reconciler.vendors.opsgenie.client import OpsgenieClient, OpsgenieWriting
from reconciler.vendors.pagerduty.client import PagerDutyClient, PagerDutyWriting
from reconciler.vendors.rate_limiter import Budget

if TYPE_CHECKING:
    from reconciler.observability.metrics import Metrics

Vendor = Literal["Opsgenie", "PagerDuty"]
PAGERDUTY_PER_MINUTE = 960
"""PagerDuty's documented limit per key, until its headers say otherwise. Opsgenie publishes none."""


@dataclass(frozen=True, slots=True)
class Program:
    """A wired program: the engine, and what has to be opened, migrated, locked and closed around it."""

    engine: Engine
    database: Database
    lock: Lock
    clock: Clock
    stop: threading.Event
    gate: Gate
    metrics: "Metrics | None" = None


def assemble(settings: Settings, stop: threading.Event | None = None) -> Program:
    """The whole program, with both hands. The database is opened, not yet migrated."""
    stop = stop or threading.Event()
    metrics = _metrics(settings, SystemClock(stop))
    wires = _Wires(settings, stop, metrics)
    database = open_database(settings.database_url.get_secret_value())
    remotes = Remotes(wires.opsgenie, wires.pagerduty, wires.to_opsgenie(), wires.to_pagerduty())
    gate = Gate()
    applier = Applier(remotes, database, wires.clock, stop.is_set, wires.crew, metrics or NOBODY, gate)
    return Program(
        wires.engine(database, applier),
        database,
        lock_for(settings.database_url.get_secret_value()),
        wires.clock,
        stop,
        gate,
        metrics,
    )


def assemble_dry_run(settings: Settings) -> Engine:
    """An engine that can only look: no writers, no applier, a database that cannot be written to."""
    return _Wires(settings, threading.Event()).engine(
        open_read_only(settings.database_url.get_secret_value()), None
    )


class _Wires:
    """Both vendors' readers, and the writers for those who may have them."""

    def __init__(self, settings: Settings, stop: threading.Event, metrics: "Metrics | None" = None) -> None:
        self.settings = settings
        self.metrics = metrics
        self.stop = stop
        self.clock = SystemClock(stop)
        self.budgets = {
            "Opsgenie": self._budget("Opsgenie"),
            "PagerDuty": self._budget("PagerDuty", PAGERDUTY_PER_MINUTE),
        }
        self.pace = Pace(self.budgets["PagerDuty"].rate)
        self.crew = Crew(self.pace.hands)
        self._opsgenie = self._http(
            "Opsgenie",
            settings.opsgenie_api_url,
            {"Authorization": f"GenieKey {_secret(settings.opsgenie_api_key)}"},
        )
        self._pagerduty = self._http(
            "PagerDuty",
            settings.pagerduty_api_url,
            {"Authorization": f"Token token={_secret(settings.pagerduty_api_key)}"},
        )
        report = _report_bad_row()
        self.opsgenie = OpsgenieClient(
            self._opsgenie, settings.opsgenie_query, settings.opsgenie_api_url, on_bad_row=report
        )
        self.pagerduty = PagerDutyClient(
            self._pagerduty,
            settings.pagerduty_service_id,
            settings.pagerduty_email,
            settings.pagerduty_user,
            on_bad_row=report,
        )

    def to_opsgenie(self) -> OpsgenieWriting:
        return OpsgenieWriting(self._opsgenie)

    def to_pagerduty(self) -> PagerDutyWriting:
        return PagerDutyWriting(self._pagerduty, self.settings.pagerduty_service_id, self.settings.pagerduty_email)

    def engine(self, database: Database, applier: Applier | None) -> Engine:
        settings = self.settings
        horizons = Horizons(
            lookback=timedelta(seconds=settings.initial_lookback_seconds),
            sweep_interval=timedelta(seconds=settings.sweep_interval_seconds),
            retention=timedelta(seconds=settings.retention_seconds),
            query=settings.opsgenie_query,
        )
        policy = Policy(
            on_opsgenie_unacknowledge=settings.on_opsgenie_unacknowledge,
            on_opsgenie_close=settings.on_opsgenie_close,
            on_opsgenie_priority=settings.on_opsgenie_priority,
            high_urgency=frozenset(settings.high_urgency_priorities),
            on_pagerduty_ack_timeout=settings.on_pagerduty_ack_timeout,
            staleness=timedelta(seconds=settings.staleness_seconds),
        )
        configured = Person(settings.pagerduty_user, settings.pagerduty_user)
        return Engine(
            Observer(
                self.opsgenie,
                self.pagerduty,
                database,
                horizons,
                self.stop.is_set,
                self.crew,
                self._is_busy,
                Aside() if applier else at_once,
            ),
            applier,
            database,
            self.clock,
            policy,
            Identity(self.pagerduty, configured, self.clock, horizons.sweep_interval),
            self.metrics or NOBODY,
            self.budgets["PagerDuty"].expect_pages,
        )

    def _budget(self, vendor: Vendor, per_minute: int | None = None) -> Budget:
        if self.metrics:
            return self.metrics.budget(vendor, self.clock, per_minute)
        return Budget(self.clock, per_minute)

    def _is_busy(self) -> bool:
        return any(budget.is_busy() for budget in self.budgets.values())

    def _http(self, name: Vendor, url: str, headers: dict[str, str]) -> Http:
        metrics = self.metrics

        def on_request(record: RequestRecord) -> None:
            self.pace.learn(record.seconds)
            if metrics:
                metrics.request(record)

        return Http(url, headers, name=name, clock=self.clock, budget=self.budgets[name], on_request=on_request)


def _metrics(settings: Settings, clock: Clock) -> "Metrics | None":
    """What counts, where anybody can ask for it."""
    if settings.http_listen is None:
        return None
    from reconciler.observability.health import Vitals  # noqa: PLC0415 - the same
    from reconciler.observability.metrics import Metrics  # noqa: PLC0415 - a tenth of a second that most can do without

    return Metrics(Vitals(settings.poll_interval_seconds), clock)


def _secret(value: SecretStr) -> str:
    return value.get_secret_value()


def _report_bad_row() -> Callable[[str, str], None]:
    """Say once per kind of row that one could not be read: the same odd row comes back in every cycle."""
    told: set[tuple[str, str]] = set()
    log = get_logger(__name__)

    def report(vendor: str, what: str) -> None:
        if (vendor, what) not in told and len(told) < 1000:  # noqa: PLR2004 - memory stays bounded
            told.add((vendor, what))
            log.warning("a row could not be read and was left out", vendor=vendor, row=what)

    return report
