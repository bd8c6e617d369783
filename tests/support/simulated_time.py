"""Time that passes as fast as it can: hours of simulated waiting for several threads in a moment.

A thread that waits gives its turn away; when every thread waits, time jumps to the earliest of their ends. What
a computation takes does not count: only waiting does.
"""

import heapq
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LOOK = 0.01
"""Simulated seconds after which a lock is tried again."""


class ThreadsClock:
    """The product's clock and the sandbox's in one. Whatever happens `at` a time happens as it passes."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self._seconds = 0.0
        self._lock = threading.RLock()  # what happens may make more happen
        self._busy = 1
        self._due: list[tuple[float, int, Callable[[], object]]] = []
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

    def at(self, seconds: float, happens: Callable[[], object]) -> None:
        """Something that happens at that second, whoever waits meanwhile."""
        with self._lock:
            self._put(max(seconds, self._seconds), happens)

    def enter(self) -> None:
        """Another thread begins: time does not pass without it."""
        with self._lock:
            self._busy += 1

    def leave(self) -> None:
        """A thread has ended."""
        with self._lock:
            self._busy -= 1
            self._pass_time()

    def _put(self, due: float, happens: Callable[[], object]) -> None:
        self._count += 1
        heapq.heappush(self._due, (due, self._count, happens))

    def _pass_time(self) -> None:
        while self._busy == 0 and self._due:
            due, _, happens = heapq.heappop(self._due)
            self._seconds = max(self._seconds, due)
            happens()


class SimThreads:
    """Threads that are known to the clock. `failures` are what they raised."""

    def __init__(self, clock: ThreadsClock) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self.running = 0
        self.failures: list[Exception] = []

    def start(self, work: Callable[[], None]) -> None:
        """Do it in a thread of its own."""
        with self._guard:
            self.running += 1
        self._clock.enter()
        threading.Thread(target=self._run, args=(work,), daemon=True).start()

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as failure:  # noqa: BLE001 - raised by the main thread
            self.failures.append(failure)
        with self._guard:
            self.running -= 1
        self._clock.leave()


class SimLock:
    """A lock that may be held while simulated time passes: who waits for it gives its turn away."""

    def __init__(self, clock: ThreadsClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        while not self._lock.acquire(blocking=False):
            self._clock.wait(LOOK)

    def __exit__(self, *_: object) -> None:
        self._lock.release()
