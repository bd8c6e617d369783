"""Where everything is wired together, and nowhere else. A dry run is wired without anything that could write."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from pydantic import SecretStr

from reconciler.core.model import Person, Policy, Side
from reconciler.observability.logs import NullEvents, get_logger
from reconciler.reconcile.commit import Committer
from reconciler.reconcile.deliver import Deliverer
from reconciler.reconcile.fetch import Fetcher
from reconciler.reconcile.identity import Identity
from reconciler.reconcile.in_flight import InFlight
from reconciler.reconcile.pair import DryRun, Planner, Reconciler
from reconciler.reconcile.problems import Problems
from reconciler.reconcile.read_breakers import ReadBreakers
from reconciler.reconcile.vendor_calls import Vendors
from reconciler.reconcile.work_queue import WorkQueue
from reconciler.reconcile.write_breakers import WriteBreakers
from reconciler.runtime.account import Account
from reconciler.runtime.daemon import Daemon
from reconciler.runtime.leadership import Leadership
from reconciler.runtime.program import Program, errors_of
from reconciler.runtime.report import Collector
from reconciler.runtime.reporter import Reporter
from reconciler.runtime.schedule import Schedule
from reconciler.runtime.worker import Worker
from reconciler.settings import Settings
from reconciler.sources.first_start import FirstStart
from reconciler.sources.hints import Hints
from reconciler.sources.intake import DryIntake, DurableIntake, Intake
from reconciler.sources.opsgenie_feed import OpsgenieFeed
from reconciler.sources.pagerduty_feed import PagerDutyFeed
from reconciler.sources.sweep import Sweep
from reconciler.store.database import Database, open_database
from reconciler.store.lock import lock_for
from reconciler.store.read_only import open_read_only
from reconciler.vendors.http import Http, RequestRecord, SystemClock
from reconciler.vendors.opsgenie.client import OpsgenieClient, OpsgenieWriting
from reconciler.vendors.pagerduty.client import PagerDutyClient, PagerDutyWriting
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
    reporter: Reporter
    leadership: Leadership
    collector: Collector
    hints: Hints | None = None

    def daemon(self) -> Daemon:
        """The daemon of this program."""
        return Daemon(self.program, self.reporter, self.leadership, self.worker, Schedule(self.program.clock))


def assemble(settings: Settings, stop: threading.Event | None = None) -> Assembled:
    """The whole program. The database is opened, not yet migrated."""
    stop = stop or threading.Event()
    wiring = Wiring(settings, stop, _metrics(settings))
    return wiring.assembled(open_database(settings.database_url.get_secret_value()))


def assemble_dry_run(settings: Settings) -> Assembled:
    """A program that can only read: no writers, no deliveries, a database that cannot be written to."""
    wiring = Wiring(settings, threading.Event(), None)
    return wiring.dry(open_read_only(settings.database_url.get_secret_value()))


class Wiring:
    """Both vendors' clients, and everything that is built on them. Tests replace `clock` and `http`."""

    def __init__(self, settings: Settings, stop: threading.Event, metrics: "Metrics | None" = None) -> None:
        self.settings = settings
        self.metrics = metrics
        self.stop = stop
        self.clock: Clock = SystemClock(stop)
        self.limiters = {
            Side.OPSGENIE: RateLimiter(self.clock),
            Side.PAGERDUTY: RateLimiter(self.clock, PAGERDUTY_PER_MINUTE),
        }
        self.policy = _policy(settings)
        self.interval = timedelta(seconds=settings.poll_interval_seconds)

    def http(self, side: Side) -> Http:
        """The session with one vendor."""
        settings = self.settings
        url, key = (
            (settings.opsgenie_api_url, f"GenieKey {_secret(settings.opsgenie_api_key)}")
            if side is Side.OPSGENIE
            else (settings.pagerduty_api_url, f"Token token={_secret(settings.pagerduty_api_key)}")
        )
        return Http(
            url,
            {"Authorization": key},
            name="Opsgenie" if side is Side.OPSGENIE else "PagerDuty",
            clock=self.clock,
            limiter=self.limiters[side],
            on_request=self._on_request,
        )

    def _on_request(self, record: RequestRecord) -> None:
        if self.metrics:
            self.metrics.request(record)
