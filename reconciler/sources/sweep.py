"""The sweep: every open pair is read once an interval, spread evenly, at the rate that is left.

It finds what the feeds have missed. Finished pairs are read at growing intervals: see `core.follow_up.next_look`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from reconciler.core.listings import swept
from reconciler.core.model import Side
from reconciler.core.work import Priority
from reconciler.reconcile.work_queue import WorkQueue
from reconciler.sources.horizons import Horizons
from reconciler.sources.intake import Intake
from reconciler.sources.listings import OpenListing
from reconciler.store.cursors import Positions, earlier
from reconciler.store.database import Database
from reconciler.store.snapshot import DuePair
from reconciler.vendors.ports import PAGE, Clock

EVERYTHING = 10_000_000
"""The quota of a sweep without bounds."""
MOST_WAITING = 300
"""The most keys of the sweep in the queue: the others are still due when these are done."""
FLUSHED_AFTER = 15.0
"""Seconds after which a read is stored at the latest: see `Committer.flush`."""


@dataclass(frozen=True, slots=True)
class Retention:
    """Deletes finished pairs after the retention. A dry run has none."""

    database: Database
    horizons: Horizons

    def apply(self, now: datetime) -> None:
        """Delete some of them, with their notes, actions and journal."""
        before = earlier(now, self.horizons.retention)
        with self.database.writing() as unit:
            unit.snapshot.forget(before)
            unit.journal.forget_general(before)


class Sweep:
    """A source: the pairs that are due. It also starts the listings, which are sources of their own.

    `busy`: the rate limits are needed for more urgent calls. `whole`: a poll takes everything that is due, however
    busy the rate limits are, as `once` does.
    """

    name = "sweep"
    side: Side | None = None

    def __init__(
        self,
        database: Database,
        intake: Intake,
        queue: WorkQueue,
        clock: Clock,
        horizons: Horizons,
        listings: Sequence[OpenListing],
        busy: Callable[[], bool],
        retention: Retention | None,
        *,
        whole: bool = False,
    ) -> None:
        self._database = database
        self._intake = intake
        self._queue = queue
        self._clock = clock
        self._horizons = horizons
        self._listings = listings
        self._busy = busy
        self._retention = retention
        self._whole = whole
        self._polling = Lock()
        self._polled_at = clock.monotonic()
        self._taken: dict[str, float] = {}

    def poll(self) -> bool:
        """Take in the due pairs. Returns False before the first start and while a rate limit is busy."""
        with self._polling:
            monotonic, now = self._clock.monotonic(), self._clock.now()
            elapsed, self._polled_at = monotonic - self._polled_at, monotonic
            if self._busy() and not self._whole:
                return False
            with self._database.reading() as unit:
                positions = unit.cursors.load(now)
            if positions.origin is None:
                return False
            self._begin_listings(positions, now)
            self._take_due(elapsed, now)
            return True

    def _begin_listings(self, positions: Positions, now: datetime) -> None:
        """Start the listings once an interval; sooner if the feed has set the cursor back."""
        began = positions.sweep
        is_early = began is not None and now - began < self._horizons.sweep_interval
        if is_early or any(listing.is_under_way for listing in self._listings):
            return
        if self._retention is not None:
            self._retention.apply(now)
        self._intake.accept((), sweep=now)
        for listing in self._listings:
            listing.begin()

    def _take_due(self, elapsed: float, now: datetime) -> None:
        monotonic = self._clock.monotonic()
        queued = self._queue.known(self._taken)
        self._taken = {
            alert_id: taken
            for alert_id, taken in self._taken.items()
            if alert_id in queued or monotonic - taken < FLUSHED_AFTER
        }
        due = self._due(elapsed, now)
        state_of = frozenset(listing.side for listing in self._listings if listing.is_failing)
        self._intake.accept(
            [
                swept(
                    pair.alert_id,
                    now,
                    tracked=pair.tracked,
                    has_incident=pair.incident_id is not None,
                    state_of=state_of,
                )
                for pair in due
            ]
        )
        self._taken.update((pair.alert_id, monotonic) for pair in due)

    def _due(self, elapsed: float, now: datetime) -> list[DuePair]:
        """The pairs to take: as many open ones as fall due in that time, and a few finished ones.

        A pair that was taken stays due until its read is stored, so that the query returns it as well.
        """
        with self._database.reading() as unit:
            snapshot = unit.snapshot
            open_quota, finished_quota = self._quotas(elapsed, snapshot.open_pairs())
            more = len(self._taken)
            opened = snapshot.due(now, open_quota + more, is_open=True) if open_quota else []
            finished = snapshot.due(now, finished_quota + more, is_open=False) if finished_quota else []
        return [*self._not_queued(opened, open_quota), *self._not_queued(finished, finished_quota)]

    def _quotas(self, elapsed: float, open_pairs: int) -> tuple[int, int]:
        """Number of open and of finished pairs to take."""
        if self._whole:
            return EVERYTHING, EVERYTHING
        share = min(elapsed / self._horizons.sweep_interval.total_seconds(), 1.0)
        room = max(0, MOST_WAITING - self._queue.counts()[Priority.SWEEP])
        opened = min(1 + int(open_pairs * share), room)
        return opened, min(1 + int(PAGE * share), room - opened)

    def _not_queued(self, due: list[DuePair], quota: int) -> list[DuePair]:
        queued = self._queue.known([pair.alert_id for pair in due])
        return [pair for pair in due if pair.alert_id not in queued and pair.alert_id not in self._taken][:quota]
