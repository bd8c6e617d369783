"""The work queue: which pair is reconciled next. A key is an alert's id; each occurs at most once.

The table `work` keeps the items across restarts; this is its image in memory, from which workers lease. Only one
process at a time leads, so that a lease needs no row of its own: it ends with the process. Due times follow the
monotonic clock: changes of the wall clock neither delay nor hasten anything.
"""

import heapq
import math
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum
from itertools import count

from reconciler.core.work import Priority, Reason, WorkItem
from reconciler.vendors.ports import Clock

LONGEST_DELAY = timedelta(hours=1)
"""The longest delay of a key: a stored due time further ahead comes from a wrong clock."""


class Hold(Enum):
    """The condition for which parked keys wait: an open circuit breaker, or writes that the account forbids."""

    READ_ALERTS = "opsgenie reads"
    READ_PAGERDUTY = "pagerduty reads"
    WRITE_PAGES = "pages writes"
    WRITE_PAGERDUTY = "pagerduty writes"
    WRITE_ALERTS = "opsgenie writes"

    @property
    def is_of_reads(self) -> bool:
        """Whether reads, rather than writes, wait for it."""
        return self in {Hold.READ_ALERTS, Hold.READ_PAGERDUTY}


class Passage(Enum):
    """Number of parked keys that a circuit breaker lets through now."""

    NONE = "open"
    ONE = "half-open"
    ALL = "closed"


@dataclass(slots=True)
class _Entry:
    """One key. `added` is what was requested while it is leased. `parked` are the holds for which it waits."""

    item: WorkItem
    due: float
    version: int
    leased: bool = False
    added: WorkItem | None = None
    added_due: float = 0.0
    parked: frozenset[Hold] = frozenset()


class WorkQueue:
    """Keys by priority, then by due time. For any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._changed: Callable[[], None] = _nobody
        self._entries: dict[str, _Entry] = {}
        self._ready: list[tuple[int, float, int, str]] = []  # priority, due, version, key
        self._later: list[tuple[float, int, str]] = []  # due, version, key
        self._parked: dict[Hold, dict[str, None]] = {hold: {} for hold in Hold}  # in the order of parking
        self._versions = count()

    def add(self, items: Iterable[WorkItem]) -> None:
        """Add keys, or merge the requests with existing ones.

        A key that waits to be read stays parked; one of which only the outbox waits becomes due, to be read.
        """
        with self._lock:
            for item in items:
                self._add(item, self._due(item))
            self._changed()

    def lease(self, *, pages_only: bool = False) -> WorkItem | None:
        """Lease the most urgent due key, exclusively until it is given back; None if none is due."""
        with self._lock:
            self._ripen()
            while self._ready:
                priority, _, version, key = self._ready[0]
                entry = self._entries.get(key)
                if entry is None or entry.version != version or entry.leased or entry.parked:
                    heapq.heappop(self._ready)
                    continue
                if pages_only and priority != Priority.PAGE:
                    return None
                heapq.heappop(self._ready)
                entry.leased = True
                return entry.item
            return None

    def lease_for(self, reason: Reason) -> WorkItem | None:
        """Lease a due key that is in the queue for this reason; None if none is due."""
        with self._lock:
            now = self._clock.monotonic()
            due = (
                entry
                for entry in self._entries.values()
                if reason in entry.item.reasons and not entry.leased and not entry.parked and entry.due <= now
            )
            entry = min(due, key=lambda entry: entry.due, default=None)
            if entry is None:
                return None
            entry.leased = True
            return entry.item

    def done(self, alert_id: str) -> None:
        """Finish a leased key, except for what was requested meanwhile."""
        self._release(alert_id, None, 0.0)

    def again(self, item: WorkItem) -> None:
        """Make a leased key due again at the item's time, or sooner if something was requested meanwhile."""
        self._release(item.alert_id, item, self._due(item))

    def fail(self, item: WorkItem, delay: float) -> None:
        """Let a leased key back off for so many seconds, despite new requests except for a new page."""
        failed = replace(item, attempts=item.attempts + 1)
        with self._lock:
            entry = self._entries.get(item.alert_id)
            if entry is None:
                return
            merged = failed if entry.added is None else failed.merged(entry.added)
            self._put(entry, merged, self._clock.monotonic() + delay)
            self._changed()

    def park(self, item: WorkItem, holds: frozenset[Hold]) -> None:
        """Park a leased key until these holds end, with the requests made meanwhile that need them."""
        with self._lock:
            entry = self._entries.get(item.alert_id)
            if entry is None:  # cleared meanwhile
                return
            added = entry.added
            self._put(entry, item if added is None else item.merged(added), self._clock.monotonic())
            if added is None or _stays_parked(added, holds):
                entry.parked = holds
                for hold in holds:
                    self._parked[hold][item.alert_id] = None
            self._changed()

    def end_hold(self, hold: Hold, most: int | None = None) -> int:
        """End a hold for all keys that wait for it, or for the `most` most urgent ones. Returns how many."""
        with self._lock:
            held = [self._entries[key] for key in self._parked[hold]]
            held.sort(key=lambda entry: (entry.item.priority, entry.due))
            for entry in held[:most]:
                self._parked[hold].pop(entry.item.alert_id, None)
                entry.parked -= {hold}
                if not entry.parked:
                    self._put(entry, entry.item, entry.due)
            if held:
                self._changed()
            return len(held[:most])

    def is_parked_for(self, hold: Hold) -> bool:
        """Whether any key waits for this hold."""
        return bool(self._parked[hold])

    def any_parked(self) -> bool:
        """Whether any key waits for a hold."""
        return any(self._parked.values())

    def listen(self, changed: Callable[[], None]) -> None:
        """Call this function whenever a key may be due sooner than `until_lease` has said.

        It is called while the queue is locked, by any thread: it must return at once and not use the queue.
        """
        self._changed = changed

    def until_lease(self, *, pages_only: bool = False) -> float:
        """Seconds until a key, or a page, may be leased, 0 if one can be now; infinite without any."""
        with self._lock:
            soonest = self._soonest(pages_only=pages_only)
            return math.inf if soonest is None else max(0.0, soonest - self._clock.monotonic())

    def next_due(self, reason: Reason | None = None) -> float | None:
        """Seconds until a key (with this reason) can be leased, 0 if one can be now; None without any."""
        with self._lock:
            dues = (
                entry.due
                for entry in self._entries.values()
                if not entry.leased and not entry.parked and (reason is None or reason in entry.item.reasons)
            )
            soonest = min(dues, default=None)
            return None if soonest is None else max(0.0, soonest - self._clock.monotonic())

    def due(self) -> int:
        """Number of keys that are due and not leased, including those parked for a circuit breaker."""
        with self._lock:
            now = self._clock.monotonic()
            return sum(not entry.leased and entry.due <= now for entry in self._entries.values())

    def is_idle(self) -> bool:
        """Whether no key is leased or due."""
        with self._lock:
            self._ripen()
            return not any(
                entry.leased or (not entry.parked and entry.due <= self._clock.monotonic())
                for entry in self._entries.values()
            )

    def holds(self, alert_id: str) -> bool:
        """Whether the key is in the queue."""
        return alert_id in self._entries

    def known(self, alert_ids: Collection[str]) -> set[str]:
        """Which of these keys are in the queue."""
        with self._lock:
            return {alert_id for alert_id in alert_ids if alert_id in self._entries}

    def size(self) -> int:
        """Number of keys."""
        return len(self._entries)

    def oldest(self) -> float:
        """Seconds for which the longest waiting due key has been due; 0 if none is due."""
        with self._lock:
            now = self._clock.monotonic()
            return max((now - entry.due for entry in self._entries.values() if not entry.leased), default=0.0)

    def counts(self) -> Counter[Priority]:
        """Number of keys by priority."""
        with self._lock:
            return Counter(entry.item.priority for entry in self._entries.values())

    def clear(self) -> None:
        """Remove all keys, because another process leads or the table is read again."""
        with self._lock:
            self._entries.clear()
            self._ready.clear()
            for keys in self._parked.values():
                keys.clear()
            self._later.clear()

    def _add(self, item: WorkItem, due: float) -> None:
        entry = self._entries.get(item.alert_id)
        if entry is None:
            entry = self._entries[item.alert_id] = _Entry(item, due, 0)
            self._put(entry, item, due)
        elif entry.leased:
            entry.added_due = due if entry.added is None else min(due, entry.added_due)
            entry.added = item if entry.added is None else entry.added.merged(item)
        else:
            if not _stays_parked(item, entry.parked):
                for hold in entry.parked:
                    self._parked[hold].pop(item.alert_id, None)
                entry.parked = frozenset()
            self._put(entry, entry.item.merged(item), min(due, entry.due))

    def _due(self, item: WorkItem) -> float:
        """The item's due time by the monotonic clock."""
        delay = min(max(item.due_at - self._clock.now(), timedelta()), LONGEST_DELAY)
        return self._clock.monotonic() + delay.total_seconds()

    def _release(self, alert_id: str, left: WorkItem | None, due: float) -> None:
        with self._lock:
            entry = self._entries.get(alert_id)
            if entry is None:  # cleared meanwhile
                return
            added = entry.added
            if left is None and added is None:
                del self._entries[alert_id]
                return
            if left is None and added is not None:
                self._put(entry, added, entry.added_due)
            elif left is not None:
                merged = left if added is None else left.merged(added)
                self._put(entry, merged, due if added is None else min(due, entry.added_due))
            self._changed()

    def _put(self, entry: _Entry, item: WorkItem, due: float) -> None:
        entry.item, entry.due, entry.version = item, due, next(self._versions)
        entry.leased, entry.added = False, None
        heapq.heappush(self._later, (due, entry.version, item.alert_id))

    def _ripen(self) -> None:
        """Move keys that have become due to the heap from which they are leased."""
        now = self._clock.monotonic()
        while self._later and self._later[0][0] <= now:
            due, version, key = heapq.heappop(self._later)
            entry = self._entries.get(key)
            if entry is not None and entry.version == version:
                heapq.heappush(self._ready, (entry.item.priority, due, version, key))

    def _soonest(self, *, pages_only: bool = False) -> float | None:
        """The time at which a key can first be leased. Outdated heads of the heaps are dropped."""
        self._ripen()
        while self._ready and self._is_stale(self._ready[0][3], self._ready[0][2]):
            heapq.heappop(self._ready)
        if self._ready and not (pages_only and self._ready[0][0] != Priority.PAGE):
            return self._ready[0][1]
        while self._later and self._is_stale(self._later[0][2], self._later[0][1]):
            heapq.heappop(self._later)
        return self._later[0][0] if self._later else None

    def _is_stale(self, key: str, version: int) -> bool:
        entry = self._entries.get(key)
        return entry is None or entry.version != version or entry.leased or bool(entry.parked)


def _nobody() -> None:
    """Tell nobody: no pool of workers listens."""


def _stays_parked(news: WorkItem, holds: frozenset[Hold]) -> bool:
    """Whether a parked key stays parked despite this new item: pages need no read, and writes do not wait."""
    return news.priority is not Priority.PAGE and any(hold.is_of_reads for hold in holds)
