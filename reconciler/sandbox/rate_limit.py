"""A sliding rate limit of one minute."""

from collections import deque
from datetime import datetime, timedelta

_MINUTE = timedelta(seconds=60)


class SlidingMinute:
    """Remembers the calls of the last minute. The limit is given per call, as settings may change; 0 is none."""

    def __init__(self) -> None:
        self._calls: deque[datetime] = deque()

    def admit(self, now: datetime, limit: int) -> bool:
        """Count this call, or refuse it uncounted when the last minute is full."""
        self._forget(now)
        if limit and len(self._calls) >= limit:
            return False
        self._calls.append(now)
        return True

    def remaining(self, now: datetime, limit: int) -> int:
        """How many more calls fit."""
        self._forget(now)
        return max(0, limit - len(self._calls))

    def reset_in(self, now: datetime) -> int:
        """Whole seconds, rounded up, until the oldest call leaves the window."""
        self._forget(now)
        if not self._calls:
            return 0
        left = (self._calls[0] + _MINUTE - now).total_seconds()
        return max(1, int(-(-left // 1)))

    def _forget(self, now: datetime) -> None:
        while self._calls and self._calls[0] <= now - _MINUTE:
            self._calls.popleft()
