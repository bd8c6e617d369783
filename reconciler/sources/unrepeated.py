"""An intake that drops repeated requests while their key is still in the queue.

A feed reads back as far as the search index may be late, so that it meets each row several times. While the pair
of a row waits, for example in a back-off, the same row must neither hasten it nor cause another read.
"""

from collections.abc import Collection, Iterable
from typing import Any

from reconciler.core.work import ReadRequest, WorkItem
from reconciler.reconcile.work_queue import WorkQueue
from reconciler.sources.intake import Intake
from reconciler.vendors.ports import Clock

AGAIN = 10.0
"""Seconds after which a repeated request is taken in although its key is still in the queue."""


class UnrepeatedIntake:
    """Wraps an intake and drops requests that were taken in a moment ago and whose key is still in the queue.

    Each source has its own; it is not shared between threads.
    """

    def __init__(self, intake: Intake, queue: WorkQueue, clock: Clock) -> None:
        self._intake = intake
        self._queue = queue
        self._clock = clock
        self._taken: dict[str, tuple[float, ReadRequest]] = {}

    def accept(self, items: Collection[WorkItem], **moved: Any) -> None:
        """Take in the items that are not waiting already, and move the cursor."""
        now = self._clock.monotonic()
        self._taken = {key: taken for key, taken in self._taken.items() if now - taken[0] < AGAIN}
        merged = _by_key(items)
        same = [key for key, item in merged.items() if key in self._taken and self._taken[key][1] == item.request]
        waiting = self._queue.known(same)
        asked = [item for key, item in merged.items() if key not in waiting]
        self._intake.accept(asked, **moved)
        self._taken.update((item.alert_id, (now, item.request)) for item in asked)


def _by_key(items: Iterable[WorkItem]) -> dict[str, WorkItem]:
    merged: dict[str, WorkItem] = {}
    for item in items:
        known = merged.get(item.alert_id)
        merged[item.alert_id] = item if known is None else known.merged(item)
    return merged
