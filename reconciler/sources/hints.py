"""Lookup of the objects that webhooks name. A webhook's body never counts as the state of anything."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from reconciler.core.hints import Hint
from reconciler.core.listings import hinted_alerts, hinted_incidents
from reconciler.core.model import Pair, Side
from reconciler.core.work import Reason, WorkItem
from reconciler.errors import ReconcilerError
from reconciler.reconcile.work_queue import WorkQueue
from reconciler.sources import comparisons
from reconciler.sources.alert_feed import AlertFeed
from reconciler.sources.debounce import Debounce
from reconciler.sources.intake import Intake
from reconciler.store import key_routes
from reconciler.store.database import Database, DatabaseDown
from reconciler.vendors.call_context import CallPriority, calling
from reconciler.vendors.ports import Clock, PagerDutyReader

WITHIN = 5.0
"""Seconds for reading one incident that no pair follows."""


@dataclass(frozen=True, slots=True)
class _Named:
    """The objects that hints name. `unknown` are alerts that no route has, `others` incidents that no pair has."""

    alerts: tuple[Pair, ...]
    incidents: tuple[Pair, ...]
    unknown: frozenset[str]
    others: tuple[str, ...]


class Hints:
    """A source. Web threads put hints into `waiting`, which never blocks; one other thread polls.

    `busy`: the rate limits are needed for more urgent calls. Hints wait meanwhile, so that webhooks alone never
    fill a rate limit; the feeds show the same.
    """

    name = "webhooks"
    side = Side.PAGERDUTY

    def __init__(
        self,
        reader: PagerDutyReader,
        database: Database,
        intake: Intake,
        queue: WorkQueue,
        clock: Clock,
        feed: AlertFeed,
        busy: Callable[[], bool],
    ) -> None:
        self.waiting = Debounce(clock.monotonic)
        self._reader = reader
        self._database = database
        self._intake = intake
        self._queue = queue
        self._clock = clock
        self._feed = feed
        self._busy = busy

    def is_busy(self) -> bool:
        """Whether hints wait, because the rate limits are needed for more urgent calls."""
        return self._busy()

    def poll(self) -> bool:
        """Take in the due hints. Returns whether PagerDuty was called and answered, which is rare.

        An unknown alert must be one that the feed shows, so that the feed is asked for a poll.
        """
        hints = () if self._busy() else self.waiting.take()
        if not hints:
            return False
        try:
            return self._take_in(hints)
        finally:
            self.waiting.done()

    def _take_in(self, hints: Collection[Hint]) -> bool:
        now = self._clock.now()
        named = self._looked_up(hints)
        self._intake.accept([*hinted_alerts(named.alerts, now), *hinted_incidents(named.incidents, now)])
        if named.unknown - self._queue.known(named.unknown):
            self._feed.ask()
        self._take_others(named.others, now)
        return bool(named.others)

    def _looked_up(self, hints: Collection[Hint]) -> _Named:
        """The pairs and unknown objects for these hints.

        A key that is a known alert's id names its incident, or if it has none, one to be adopted. If the alert has
        another incident, the named one is read: a second one may be open.
        """
        alerts = {hint.id for hint in hints if hint.side is Side.ALERTS}
        keys = {hint.id: hint.key for hint in hints if hint.side is Side.PAGERDUTY}
        with self._database.reading() as unit:
            known = unit.snapshot.pairs_by_key(alerts | {key for key in keys.values() if key})
            ours = unit.snapshot.pairs_of_incidents([incident_id for incident_id in keys if incident_id])
            unknown = alerts - known.keys()
            unknown -= key_routes.owners(unit, unknown).keys()
        keyed = [known[key] for key in sorted(set(keys.values()) & known.keys())]
        others = []
        for incident_id, key in sorted(keys.items()):
            follows = known[key].incident_id if key in known else None
            if incident_id and follows not in (None, incident_id) and incident_id not in ours:
                others.append(incident_id)
        return _Named(
            alerts=tuple(known[alert_id] for alert_id in sorted(alerts & known.keys())),
            incidents=(*(pair for pairs in ours.values() for pair in pairs), *keyed),
            unknown=frozenset(unknown),
            others=tuple(others),
        )

    def _take_others(self, incident_ids: Collection[str], now: datetime) -> None:
        failures: list[ReconcilerError] = []
        for incident_id in incident_ids:
            try:
                self._intake.accept(self._compared(incident_id, now))
            except DatabaseDown:
                raise
            except ReconcilerError as error:
                failures.append(error)
        if failures:
            raise failures[0]

    def _compared(self, incident_id: str, now: datetime) -> list[WorkItem]:
        with calling(CallPriority.CHANGED, WITHIN):
            return comparisons.of_stranger(self._reader, self._database, incident_id, now, Reason.WEBHOOK)
