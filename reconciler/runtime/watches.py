"""What tells the outside how the work goes, wired to one program: the heartbeats, and an outage's incident."""

from collections.abc import Callable
from datetime import timedelta
from math import inf
from typing import TYPE_CHECKING

from reconciler.core.product import PRODUCTS
from reconciler.observability.health import refusals
from reconciler.operations.paging import objections
from reconciler.reconcile.write_breakers import WriteBreakers
from reconciler.runtime.heartbeats import BETWEEN_TRIES, Heartbeats
from reconciler.runtime.outage_watch import BETWEEN_CHECKS, OutageWatch
from reconciler.runtime.program import Program, Timed
from reconciler.runtime.reporter import Reporter
from reconciler.settings import Settings
from reconciler.store.overview import paging
from reconciler.vendors.heartbeat_url import HeartbeatUrl
from reconciler.vendors.http import Http
from reconciler.vendors.opsgenie.heartbeat import OpsgenieHeartbeat
from reconciler.vendors.ports import Heartbeat, PagerDutyReader, PagerDutyWriter

if TYPE_CHECKING:  # imported only with an HTTP listener
    from reconciler.observability.metrics import Metrics

Say = Callable[[str], None]
"""Takes what is wrong with a watch itself; an empty text ends that."""


class Watches:
    """The watches of one program."""

    def __init__(
        self,
        settings: Settings,
        opsgenie: Http,
        pagerduty: PagerDutyReader,
        to_pagerduty: PagerDutyWriter,
        breakers: WriteBreakers,
        program: Program,
    ) -> None:
        self._settings = settings
        self._opsgenie = opsgenie
        self._pagerduty = pagerduty
        self._to_pagerduty = to_pagerduty
        self._breakers = breakers
        self._program = program
        url = settings.heartbeat_url
        self._url = HeartbeatUrl(url.get_secret_value()) if url else None

    def use_heartbeat_url(self, settings: Settings) -> None:
        """Ask the HEARTBEAT_URL of these settings from now on."""
        if self._url is not None and settings.heartbeat_url is not None:
            self._url.use(settings.heartbeat_url.get_secret_value())

    def of_daemon(self, reporter: Reporter, metrics: "Metrics | None") -> tuple[Timed, ...]:
        """The daemon's, each with its interval."""
        interval = self._program.interval.total_seconds()
        outage = self._outage(lambda words: reporter.say("outage", words))
        checked = Timed(outage, lambda: min(interval, BETWEEN_CHECKS))
        if not (self._settings.heartbeat_url or self._settings.opsgenie_heartbeat):
            return (checked,)
        heartbeats = self._heartbeats(reporter.unpaged, lambda words: reporter.say("heartbeat", words), metrics)
        return (checked, Timed(heartbeats, lambda: heartbeats.next_in(min(interval, BETWEEN_TRIES))))

    def after_once(self, say: Say) -> None:
        """Each once, after a run of `once`."""
        self._outage(say).poll()
        self._heartbeats(self.unpaged, say, None).poll()

    def _heartbeats(self, unpaged: Callable[[], str], say: Say, metrics: "Metrics | None") -> Heartbeats:
        """The configured heartbeats. `unpaged`: why somebody is not paged; empty if everybody is."""
        settings, program = self._settings, self._program
        found: list[Heartbeat] = []
        if self._url is not None:
            found.append(self._url)
        if settings.opsgenie_heartbeat:
            found.append(OpsgenieHeartbeat(self._opsgenie, settings.opsgenie_heartbeat))
        if metrics:
            metrics.expect("reconciler_heartbeat_failures_total", ((each.name,) for each in found))

        def objection() -> str:
            return refusals(program.wrong()) or unpaged()

        interval = settings.heartbeat_interval_seconds
        return Heartbeats(found, program.rounds, objection, program.clock, interval, say, metrics)

    def _outage(self, say: Say) -> OutageWatch:
        settings, program = self._settings, self._program
        return OutageWatch(
            self._pagerduty,
            self._to_pagerduty,
            program.database,
            program.rounds,
            self._breakers,
            program.clock,
            settings.outage_page_seconds or inf,
            timedelta(seconds=settings.staleness_seconds),
            say,
            PRODUCTS[settings.alert_source],
        )

    def unpaged(self) -> str:
        """Why somebody is not paged, by the database; empty if everybody is."""
        now = self._program.clock.now()
        with self._program.database.reading() as unit:
            return "; ".join(words for _, words in objections(paging(unit, now), now))
