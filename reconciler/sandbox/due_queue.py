"""Effects that are due later. Applied lazily, in order, each with its own due time as stamp: no threads."""

import heapq
from collections.abc import Callable
from datetime import datetime

Effect = Callable[[datetime], None]
"""Something that happens; it is told when."""


class DueQueue:
    """A queue of (due, effect). Effects of one moment keep the order in which they were put in."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, int, Effect]] = []
        self._count = 0

    def put(self, due: datetime, effect: Effect) -> None:
        """Add an effect."""
        self._count += 1
        heapq.heappush(self._heap, (due, self._count, effect))

    def apply(self, now: datetime) -> None:
        """Apply all that is due by now, also what these effects add."""
        while self._heap and self._heap[0][0] <= now:
            due, _, effect = heapq.heappop(self._heap)
            effect(due)

    def __len__(self) -> int:
        return len(self._heap)
