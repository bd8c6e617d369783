"""What tells the outside how the work goes, wired to one program: the heartbeats."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from reconciler.observability.health import refusals
from reconciler.operations.paging import objections
from reconciler.runtime.heartbeats import BETWEEN_TRIES, Heartbeats
from reconciler.runtime.program import Program, Timed
from reconciler.runtime.reporter import Reporter
from reconciler.settings import Settings
from reconciler.store.overview import paging
from reconciler.vendors.heartbeat_url import HeartbeatUrl
from reconciler.vendors.http import Http
from reconciler.vendors.opsgenie.heartbeat import OpsgenieHeartbeat
from reconciler.vendors.ports import Heartbeat

if TYPE_CHECKING:  # imported only with an HTTP listener
    from reconciler.observability.metrics import Metrics

Say = Callable[[str], None]
"""Takes what is wrong with a watch itself; an empty text ends that."""


class Watches:
    """The watches of one program."""

    def __init__(self, settings: Settings, opsgenie: Http, program: Program) -> None:
        self._settings = settings
        self._opsgenie = opsgenie
        self._program = program

    def of_daemon(self, reporter: Reporter, metrics: "Metrics | None") -> tuple[Timed, ...]:
        """The daemon's, each with its interval."""
        if not (self._settings.heartbeat_url or self._settings.opsgenie_heartbeat):
            return ()
        heartbeats = self._heartbeats(reporter.unpaged, lambda words: reporter.say("heartbeat", words), metrics)
        pause = min(self._program.interval.total_seconds(), BETWEEN_TRIES)
        return (Timed(heartbeats, lambda: heartbeats.next_in(pause)),)

    def after_once(self, say: Say) -> None:
        """Each once, after a run of `once`."""
        self._heartbeats(self._unpaged, say, None).poll()

    def _heartbeats(self, unpaged: Callable[[], str], say: Say, metrics: "Metrics | None") -> Heartbeats:
        """The configured heartbeats. `unpaged`: why somebody is not paged; empty if everybody is."""
        settings, program = self._settings, self._program
        found: list[Heartbeat] = []
        if settings.heartbeat_url:
            found.append(HeartbeatUrl(settings.heartbeat_url.get_secret_value()))
        if settings.opsgenie_heartbeat:
            found.append(OpsgenieHeartbeat(self._opsgenie, settings.opsgenie_heartbeat))
        if metrics:
            metrics.expect("reconciler_heartbeat_failures_total", ((each.name,) for each in found))

        def objection() -> str:
            return refusals(program.wrong()) or unpaged()

        interval = settings.heartbeat_interval_seconds
        return Heartbeats(found, program.rounds, objection, program.clock, interval, say, metrics)

    def _unpaged(self) -> str:
        now = self._program.clock.now()
        with self._program.database.reading() as unit:
            return "; ".join(words for _, words in objections(paging(unit, now), now))
