"""A clock that moves only when a test moves it."""

from datetime import datetime

from tests.support.builders import at


class StillClock:
    """Both clocks start together: `seconds` after nine o'clock."""

    def __init__(self, seconds: float = 60) -> None:
        self.seconds: float = seconds

    def now(self) -> datetime:
        return at(self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def wait(self, seconds: float) -> bool:
        self.seconds += seconds
        return False
