"""Simulated time for several threads: one runs at a time, next the one whose wait ends first."""

import heapq
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class Timeline:
    """The clock of all threads that `run` starts."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self._due: list[tuple[float, int, threading.Event]] = []
        self._count = 0

    def now(self) -> datetime:
        return datetime(2026, 11, 23, 9, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def wait(self, seconds: float) -> bool:
        turn = self._at(self.seconds + seconds)
        self._next()
        turn.wait()
        return False

    def run(self, jobs: list[tuple[float, Callable[[], None]]]) -> None:
        """Start each job after its number of seconds, and return when all have ended."""
        threads = [
            threading.Thread(target=self._job, args=(self._at(self.seconds + at), job), daemon=True)
            for at, job in jobs
        ]
        for thread in threads:
            thread.start()
        self._next()
        for thread in threads:
            thread.join(30)
            assert not thread.is_alive()

    def _job(self, turn: threading.Event, job: Callable[[], None]) -> None:
        turn.wait()
        try:
            job()
        finally:
            self._next()

    def _at(self, due: float) -> threading.Event:
        self._count += 1
        event = threading.Event()
        heapq.heappush(self._due, (due, self._count, event))
        return event

    def _next(self) -> None:
        if self._due:
            due, _, event = heapq.heappop(self._due)
            self.seconds = max(self.seconds, due)
            event.set()
