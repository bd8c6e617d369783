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
