"""Simulated time for several threads: hours of waiting pass in a moment.

A thread that waits yields; when every thread waits, time jumps to the earliest end of a wait. Computation takes no
simulated time.
"""

import heapq
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LOOK = 0.01
"""Simulated seconds between two attempts to take a lock."""


class ThreadsClock:
    """The clock of both the product and the sandbox. Acts scheduled with `at` run as their time passes."""

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
        """Let simulated time pass. Returns False, as there is no request to stop."""
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
        """Schedule an act for that second; it runs whichever thread is waiting."""
        with self._lock:
            self._put(max(seconds, self._seconds), happens)

    def enter(self) -> None:
        """Register a thread: time does not pass while it runs."""
        with self._lock:
            self._busy += 1

    def leave(self) -> None:
        """Remove a thread that has ended."""
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
    """Threads that are registered with the clock. `failures` are the exceptions that they raised."""

    def __init__(self, clock: ThreadsClock) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self.running = 0
        self.failures: list[Exception] = []

    def start(self, work: Callable[[], None]) -> None:
        """Run it in a thread of its own."""
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
    """A lock that may be held while simulated time passes: a thread that waits for it yields."""

    def __init__(self, clock: ThreadsClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        while not self._lock.acquire(blocking=False):
            self._clock.wait(LOOK)

    def __exit__(self, *_: object) -> None:
        self._lock.release()
