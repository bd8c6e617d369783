"""Leadership of one process: it holds the route's lock, and the database fits this version.

A new leader reads the work queue again: its table, every open action, and every pair that is not settled. A
process that has lost the lead forgets all of them.
"""

import threading
from collections.abc import Callable
from datetime import timedelta

from reconciler.core.follow_up import Left, next_item, outbox_item
from reconciler.core.model import Action
from reconciler.core.policy import Policy
from reconciler.core.product import OPSGENIE
from reconciler.core.work import WorkItem
from reconciler.errors import Misconfigured
from reconciler.reconcile.work_queue import WorkQueue
from reconciler.runtime.pauses import Pauses
from reconciler.store import standbys, troubles
from reconciler.store.database import Database
from reconciler.store.lock import Lock
from reconciler.store.migrate import check, upgrade
from reconciler.store.source import OtherSource, check_source
from reconciler.vendors.ports import Clock


class Leadership:
    """Leadership of one route. `confirm` is for one thread, everything else for any."""

    def __init__(
        self,
        database: Database,
        lock: Lock,
        queue: WorkQueue,
        clock: Clock,
        interval: timedelta,
        pauses: Pauses,
        source: str = OPSGENIE.key,
        route: str = "",
    ) -> None:
        """`route` is its name where there are several: then the database says why this one is not led."""
        self._source = source
        self._leaving = threading.Lock()
        self._has_left = False
        self._route = route
        self._first: Callable[[], None] = lambda: None
        self._database = database
        self._lock = lock
        self._queue = queue
        self._clock = clock
        self._interval = interval
        self._pauses = pauses
        self._was_follower = False
        self._noted_at: float | None = None
        self._leader = ""
        self.leads = False
        self.epoch = 0
        self.since = clock.now()
        self.news: list[str] = []
        """Findings at the beginning of the lead, one line each, for the daemon's log."""

    def do_first(self, first: Callable[[], None]) -> None:
        """Call this whenever this process begins to lead, before any work is given out."""
        self._first = first

    def confirm(self, policy: Policy) -> bool:
        """Take or keep the lead; returns whether this process leads. ReconcilerError if that fails.

        A process that cannot lead releases the lock: one of a version that knows the schema, or with a routes file
        that names the source, may be able to.
        """
        if not self._acquire():
            return self._follow()
        self._database.check_file()
        try:
            return self.leads or self._begin(policy)
        except Misconfigured as error:
            try:
                if self._route and isinstance(error, OtherSource):
                    troubles.hold(self._database, "database", str(error), self._clock.now())
            finally:
                self._release(self._lock.decline)
            raise

    def lose(self) -> None:
        """Give the lead up until it is confirmed again, because the database fails or another process leads."""
        self.leads = False

    def give_up(self) -> None:
        """Release the lock, because another process has taken over, or is to."""
        self._follow()
        self._release(self._lock.release)

    def leave(self) -> None:
        """Release the lock for good. What still runs takes and releases nothing more.

        Afterwards another run of the route in this process may lead, which has the same lock.
        """
        with self._leaving:
            self._follow()
            if not self._has_left:
                self._has_left = True
                self._lock.release()

    def stand_by(self) -> str:
        """Note in the database, at most once a minute, that this process stands by; returns who leads."""
        now = self._clock.monotonic()
        if self._noted_at is None or now - self._noted_at >= standbys.RENEWED.total_seconds():
            self._leader = standbys.note(self._database, self._clock.now())
            self._noted_at = now
        return self._leader

    def _follow(self) -> bool:
        self.leads, self._was_follower = False, True
        self._queue.clear()
        return False

    def _begin(self, policy: Policy) -> bool:
        """Begin to lead, if the lock is still ours: this process may have been suspended since the last check."""
        found = check(self._database)
        check_source(self._database, self._source, self._route)
        revision = upgrade(self._database)
        with self._leaving:  # so that the next run of the route in this process begins the later epoch
            if self._has_left or not self._lock.acquire():
                return self._follow()
            self.epoch, self.since = self._database.lead(), self._clock.now()
        if found is None:
            self.news.append("new database: nothing is known yet, a first start follows")
        elif found != revision:
            self.news.append(f"database migrated from revision {found} to {revision}")
        if self._noted_at is not None:
            self._noted_at = None
            with self._database.writing() as unit:
                standbys.forget(unit, self._database.holder)
        self._pauses.take_in()
        self._first()
        self._queue.clear()
        self._queue.add(stored_work(self._database, policy, self._clock, self._interval))
        with self._leaving:
            if self._has_left:
                return self._follow()
            self.leads = True
        if self._was_follower:
            self._was_follower = False
            self.news.append(
                f"took over in epoch {self.epoch}: the other reconciler has let go, this one leads now"
            )
        return True

    def _acquire(self) -> bool:
        with self._leaving:
            return not self._has_left and self._lock.acquire()

    def _release(self, release: Callable[[], None]) -> None:
        with self._leaving:
            if not self._has_left:
                release()


def stored_work(database: Database, policy: Policy, clock: Clock, interval: timedelta) -> list[WorkItem]:
    """All work that is left according to the database."""
    now = clock.now()
    with database.reading() as unit:
        items = unit.work.all()
        pairs = {pair.alert_id: pair for pair in unit.snapshot.unsettled()}
        mine: dict[str, list[Action]] = {alert_id: [] for alert_id in pairs}
        for action in unit.outbox.open():
            mine.setdefault(action.alert_id, []).append(action)
    for alert_id, actions in mine.items():
        item = outbox_item(alert_id, actions, now)
        left = next_item(alert_id, pairs.get(alert_id), actions, Left(), policy, now, interval)
        items.append(item if left is None else item.merged(left))
    return items
