"""Effects that take place later.

They are applied lazily, when a call comes in, so that no threads are needed: in the order of their due times, each
with its own due time as time stamp.
"""

import heapq
from collections.abc import Callable
from datetime import datetime

Effect = Callable[[datetime], None]
"""Called with the time at which the effect takes place."""


class DueQueue:
    """Effects by due time. Effects that are due at the same time keep the order in which they were added."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, int, Effect]] = []
        self._count = 0

    def put(self, due: datetime, effect: Effect) -> None:
        """Add an effect."""
        self._count += 1
        heapq.heappush(self._heap, (due, self._count, effect))

    def apply(self, now: datetime) -> None:
        """Apply all effects that are due by now, including those that these effects add."""
        while self._heap and self._heap[0][0] <= now:
            due, _, effect = heapq.heappop(self._heap)
            effect(due)
