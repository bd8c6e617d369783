"""Time that passes as fast as it can: hours of simulated waiting for several threads in a moment.

A thread that waits gives its turn away; when every thread waits, time jumps to the earliest of their ends. What
a computation takes does not count: only waiting does.
"""

import heapq
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")
START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class SimClock:
    """The product's clock and the sandbox's in one. Whatever happens `at` a time happens as it passes."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self._seconds = 0.0
        self._lock = threading.RLock()  # what happens may make more happen
        self._busy = 1
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0

    def now(self) -> datetime:
        """The simulated time of day."""
        return self._start + timedelta(seconds=self._seconds)

    def monotonic(self) -> float:
        """Simulated seconds since the beginning."""
        return self._seconds

    def wait(self, seconds: float) -> bool:
        """Let simulated time pass. Nobody is ever told to stop."""
        if seconds > 0:
            woken = threading.Event()

            def wake() -> None:
                self._busy += 1
                woken.set()

            with self._lock:
                self._put(self._seconds + seconds, wake)
                self._busy -= 1
                self._pass_time()
            woken.wait()
        return False

    def at(self, seconds: float, happens: Callable[[], None]) -> None:
        """Something that happens at that second, whoever waits meanwhile."""
        with self._lock:
            self._put(max(seconds, self._seconds), happens)

    def join(self, threads: int) -> None:
        """The caller waits for so many threads from now on, and they take its turn."""
        with self._lock:
            self._busy += threads - 1

    def leave(self, *, last: bool) -> None:
        """One of those threads is done; the last one gives the turn back to the caller."""
        if not last:
            with self._lock:
                self._busy -= 1
                self._pass_time()

    def _put(self, due: float, happens: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._due, (due, self._count, happens))

    def _pass_time(self) -> None:
        while self._busy == 0 and self._due:
            due, _, happens = heapq.heappop(self._due)
            self._seconds = max(self._seconds, due)
            happens()


class SimCrew:
    """As many hands as the product's crew, known to the clock."""

    def __init__(self, hands: Callable[[], int], clock: SimClock) -> None:
        self._hands = hands
        self._clock = clock

    def each(self, work: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """The results in the items' order. An exception is passed on once the others are done."""
        todo = list(items)
        hands = min(self._hands(), len(todo))
        if hands <= 1:
            return [work(item) for item in todo]
        results: list[Any] = [None] * len(todo)
        failures: list[BaseException] = []
        left, numbers, guard = hands, iter(range(len(todo))), threading.Lock()

        def hand() -> None:
            nonlocal left
            while True:
                with guard:
                    number = next(numbers, None)
                if number is None:
                    break
                try:
                    results[number] = work(todo[number])
                except Exception as failure:  # noqa: BLE001 - passed on below
                    failures.append(failure)
            with guard:
                left -= 1
                last = left == 0
            self._clock.leave(last=last)

        self._clock.join(hands)
        threads = [threading.Thread(target=hand, daemon=True) for _ in range(hands)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]
        return results
