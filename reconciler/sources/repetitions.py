"""Recurring alerts: their time stamp moves again and again, and nothing else about them changes.

A note that somebody adds also moves only the time stamp, so that the notes are read for it. After several reads in
a row without a new note, they are read only every few seconds.
"""

from dataclasses import dataclass, replace
from threading import Lock

from reconciler.core.work import WorkItem
from reconciler.vendors.ports import Clock

FRUITLESS = 3
"""Consecutive reads without a new note after which the next one is no longer made at once."""
READ_EVERY = 10.0
"""Seconds between two reads of such an alert's notes."""
FORGOTTEN = 60.0
"""Seconds without a recurrence after which the next one is read at once."""
REMEMBERED_ALERTS = 10_000
"""The most alerts remembered; the one that recurred longest ago is dropped first."""


@dataclass(frozen=True, slots=True)
class _Reads:
    fruitless: int
    at: float


class Repetitions:
    """Decides when the notes of recurring alerts may be read. For any thread; lost with the process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._reads: dict[str, _Reads] = {}

    def is_wanted(self, item: WorkItem) -> bool:
        """Whether to take in an item: any except a recurrence that may not be read now."""
        return not item.request.repeated or self.may_read(item.alert_id)

    def may_read(self, alert_id: str) -> bool:
        """Whether the notes may be read now for a recurrence; if so, the caller reads them.

        The read counts as fruitless until `read` says otherwise, so that a failed one is not repeated at once.
        """
        now = self._clock.monotonic()
        with self._lock:
            last = self._reads.pop(alert_id, None)
            if last is None or now - last.at >= FORGOTTEN:
                last = _Reads(0, now)
            elif last.fruitless >= FRUITLESS and now - last.at < READ_EVERY:
                self._reads[alert_id] = last
                return False
            self._reads[alert_id] = _Reads(last.fruitless + 1, now)
            if len(self._reads) > REMEMBERED_ALERTS:
                del self._reads[next(iter(self._reads))]
            return True

    def read(self, alert_id: str, *, fruitful: bool) -> None:
        """Note that the notes were read for a recurrence, and whether there was a new one."""
        with self._lock:
            last = self._reads.get(alert_id)
            if fruitful and last is not None:
                self._reads[alert_id] = replace(last, fruitless=0)
