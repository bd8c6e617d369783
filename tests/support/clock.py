"""A clock for tests in one thread: time passes only when a test advances it, or when the product waits."""

from datetime import UTC, datetime, timedelta

NINE = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class SimClock:
    """`passed` seconds since `start`; the time of day may be set `off` by some seconds, as by NTP.

    `waits` lists the durations of all waits. While `stopped`, a wait ends at once, as when the program stops.
    """

    def __init__(self, passed: float = 60.0, start: datetime = NINE) -> None:
        self.start = start
        self.passed = passed
        self.off = 0.0
        self.waits: list[float] = []
        self.stopped = False

    def now(self) -> datetime:
        """The simulated time of day."""
        return self.start + timedelta(seconds=self.passed + self.off)

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return self.passed

    def wait(self, seconds: float) -> bool:
        """Let time pass unless the program is to stop; returns whether it is."""
        self.waits.append(seconds)
        if not self.stopped:
            self.advance(max(0.0, seconds))
        return self.stopped

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.passed += seconds
