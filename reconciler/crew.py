"""Several hands for work on different pairs: what waits for a vendor's answer waits side by side."""

import math
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

FEWEST, MOST = 4, 32
CALLS = 4
"""What one mirrored act may take in a row: its alert, the notes, a look before the write, the write."""
HASTE = 2
"""How many times the allowed rate is aimed at, to catch up with what came between two polls."""


class Pace:
    """How many hands keep an allowed rate busy: what is under way is that rate times how long an act takes.

    `rate` tells how many calls a second are allowed by now.
    """

    def __init__(self, rate: Callable[[], float]) -> None:
        self._rate = rate
        self._latency = 0.1

    def learn(self, seconds: float) -> None:
        """A call took so long."""
        self._latency += (seconds - self._latency) / 16

    def hands(self) -> int:
        """Enough for writes to use the rate up while others still look; a few in any case, as one may be slow."""
        return max(FEWEST, math.ceil(min(self._rate() * HASTE * CALLS * self._latency, MOST)))


class Crew:
    """Does one thing to many items, with as many hands as are told of each time. With one hand: one by one."""

    def __init__(self, hands: Callable[[], int]) -> None:
        self._hands = hands
        self._pool: ThreadPoolExecutor | None = None

    def each(self, work: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """The results in the items' order. The first item's exception is passed on once the others are done.

        When the caller itself is interrupted, no further item is begun.
        """
        todo = list(items)
        hands = min(self._hands(), len(todo))
        if hands <= 1:
            return [work(item) for item in todo]
        waiting, results, failures = deque(enumerate(todo)), dict[int, R](), dict[int, Exception]()

        def hand() -> None:
            while True:
                try:
                    number, item = waiting.popleft()
                except IndexError:
                    return
                try:
                    results[number] = work(item)
                except Exception as failure:  # noqa: BLE001 - passed on below
                    failures[number] = failure

        try:
            for done in [self._threads().submit(hand) for _ in range(hands)]:
                done.result()
        except BaseException:
            waiting.clear()
            raise
        if failures:
            raise failures[min(failures)]
        return [results[number] for number in range(len(todo))]

    def _threads(self) -> ThreadPoolExecutor:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(2 * MOST, thread_name_prefix="hand")
        return self._pool
