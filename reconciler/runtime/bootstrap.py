"""Where everything is wired together, and nowhere else. A dry run is wired without anything that could write."""

import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from reconciler.core.model import Side
from reconciler.runtime.daemon import Daemon
from reconciler.runtime.leadership import Leadership
from reconciler.runtime.program import Program
from reconciler.runtime.report import Collector
from reconciler.runtime.reporter import Reporter
from reconciler.runtime.schedule import Schedule
from reconciler.runtime.worker import Worker
from reconciler.settings import Settings
from reconciler.sources.hints import Hints
from reconciler.store.database import open_database
from reconciler.store.read_only import open_read_only
from reconciler.vendors.http import Http, RequestRecord, SystemClock
from reconciler.vendors.ports import Clock
from reconciler.vendors.rate_limiter import RateLimiter

if TYPE_CHECKING:
    from reconciler.observability.metrics import Metrics

Vendor = Literal["Opsgenie", "PagerDuty"]
PAGERDUTY_PER_MINUTE = 960
"""PagerDuty's documented limit per key, until its headers say otherwise. Opsgenie publishes none."""


@dataclass(frozen=True, slots=True)
class Assembled:
    """A program, and the parts that a command runs it with."""

    program: Program
    worker: Worker
    collector: Collector

    def daemon(self, reporter: Reporter) -> Daemon:
        """The daemon of this program."""


def assemble(settings: Settings, stop: threading.Event | None = None) -> "Wiring":
    """The whole program. The database is opened, not yet migrated."""
    database = open_database(settings.database_url.get_secret_value())
    return Wiring(settings, stop or threading.Event(), database, _metrics(settings))


def assemble_dry_run(settings: Settings) -> "DryWiring":
    """A program that can only read: no writers, no deliveries, a database that cannot be written to."""
    return DryWiring(settings, threading.Event(), open_read_only(settings.database_url.get_secret_value()))


class _Reading:
    """What every program has: both vendors' readers, the queue, the sources and the planner.

    Tests give a clock of their own, and override `http`.
    """

    is_whole = False
    """Whether a poll of the sweep takes everything, as `once` does."""

    def __init__(
        self,
        settings: Settings,
        stop: threading.Event,
        database: Database,
        metrics: "Metrics | None" = None,
        clock: Clock | None = None,
    ) -> None:
        self.settings = settings
        self.stop = stop
        self.database = database
        self.metrics = metrics
        self.clock = clock or SystemClock(stop)
        self.limiters = {
            Side.OPSGENIE: self._limiter(Side.OPSGENIE),
            Side.PAGERDUTY: self._limiter(Side.PAGERDUTY, PAGERDUTY_PER_MINUTE),
        }
        report = _report_bad_row()
        self._sessions = {side: self.http(side) for side in Side}
        self.opsgenie = OpsgenieClient(
            self._sessions[Side.OPSGENIE], settings.opsgenie_query, settings.opsgenie_api_url, on_bad_row=report
        )
        self.pagerduty = PagerDutyClient(
            self._sessions[Side.PAGERDUTY],
            settings.pagerduty_service_id,
            settings.pagerduty_email,
            settings.pagerduty_user,
            on_bad_row=report,
        )
        self.interval = timedelta(seconds=settings.poll_interval_seconds)
        self.horizons = Horizons(
            lookback=timedelta(seconds=settings.initial_lookback_seconds),
            sweep_interval=timedelta(seconds=settings.sweep_interval_seconds),
            retention=timedelta(seconds=settings.retention_seconds),
            query=settings.opsgenie_query,
        )
        self.queue = WorkQueue(self.clock)
        self.problems = Problems()
        self.breakers = ReadBreakers(self.clock)
        self.fetcher = Fetcher(
            self.opsgenie, self.pagerduty, database, self.breakers, self.clock, self.stop.is_set
        )
        configured = Person(settings.pagerduty_user, settings.pagerduty_user)
        identity = Identity(self.pagerduty, configured, self.clock, self.horizons.sweep_interval)
        self.account = Account(identity, _policy(settings), self.fetcher, self.problems, self.write_breakers())
        self.planner = Planner(database, self.fetcher, self.clock, self.account.policy)

    def http(self, side: Side) -> Http:
        """The session with one vendor."""
        settings = self.settings
        url, key, name = (
            (settings.opsgenie_api_url, f"GenieKey {_secret(settings.opsgenie_api_key)}", "Opsgenie")
            if side is Side.OPSGENIE
            else (settings.pagerduty_api_url, f"Token token={_secret(settings.pagerduty_api_key)}", "PagerDuty")
        )
        return Http(
            url,
            {"Authorization": key},
            name=name,
            clock=self.clock,
            budget=self.limiters[side],
            on_request=self._on_request,
        )

    def write_breakers(self) -> WriteBreakers | None:
        """Nothing is written."""
        return None

    def sources(self, intake: Intake, retention: Retention | None) -> tuple["Sources", ...]:
        """All sources but the account, in the order of their first poll."""
        raise NotImplementedError

    def _limiter(self, side: Side, per_minute: int | None = None) -> Budget:
        made = Budget(self.clock, per_minute)
        if self.metrics:
            self.metrics.limiter(side.value, made)
        return made

    def _on_request(self, record: RequestRecord) -> None:
        if self.metrics:
            self.metrics.request(record)

    def is_busy(self) -> bool:
        """Whether so much of a rate is used that what can wait should wait."""
        return any(limiter.is_busy() for limiter in self.limiters.values())


def _metrics(settings: Settings) -> "Metrics | None":
    """What counts, where anybody can ask for it."""
    if settings.http_listen is None:
        return None
    from reconciler.observability.health import Health  # noqa: PLC0415 - a tenth of a second that most can do without
    from reconciler.observability.metrics import Metrics  # noqa: PLC0415 - the same

    return Metrics(Health(settings.poll_interval_seconds), SystemClock())


def _policy(settings: Settings) -> Policy:
    return Policy(
        on_opsgenie_unacknowledge=settings.on_opsgenie_unacknowledge,
        on_opsgenie_close=settings.on_opsgenie_close,
        on_opsgenie_priority=settings.on_opsgenie_priority,
        high_urgency=frozenset(settings.high_urgency_priorities),
        on_pagerduty_ack_timeout=settings.on_pagerduty_ack_timeout,
        staleness=timedelta(seconds=settings.staleness_seconds),
        sweep_interval=timedelta(seconds=settings.sweep_interval_seconds),
        retention=timedelta(seconds=settings.retention_seconds),
    )


def _secret(value: SecretStr) -> str:
    return value.get_secret_value()


def _report_bad_row() -> Callable[[str, str], None]:
    """Log once per kind of row that one could not be read: the same odd row comes back with every poll."""
    logged: set[tuple[str, str]] = set()
    log = get_logger(__name__)

    def report(vendor: str, what: str) -> None:
        if (vendor, what) not in logged and len(logged) < 1000:  # noqa: PLR2004 - memory stays bounded
            logged.add((vendor, what))
            log.warning("a row could not be read and was left out", vendor=vendor, row=what)

    return report
