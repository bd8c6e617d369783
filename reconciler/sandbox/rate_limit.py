"""A rate limit over a sliding window of one minute."""

from collections import deque
from datetime import datetime, timedelta

_MINUTE = timedelta(seconds=60)


class SlidingMinute:
    """The calls of the last minute. The limit is an argument, because settings may change it; 0 is no limit."""

    def __init__(self) -> None:
        self._calls: deque[datetime] = deque()

    def admit(self, now: datetime, limit: int) -> bool:
        """Count a call; False, and the call is not counted, when the last minute has `limit` calls."""
        self._forget(now)
        if limit and len(self._calls) >= limit:
            return False
        self._calls.append(now)
        return True

    def remaining(self, now: datetime, limit: int) -> int:
        """How many more calls are admitted."""
        self._forget(now)
        return max(0, limit - len(self._calls))

    def reset_in(self, now: datetime) -> int:
        """Whole seconds, rounded up, until the oldest call leaves the window; 0 when there is none."""
        self._forget(now)
        if not self._calls:
            return 0
        left = (self._calls[0] + _MINUTE - now).total_seconds()
        return max(1, int(-(-left // 1)))

    def _forget(self, now: datetime) -> None:
        while self._calls and self._calls[0] <= now - _MINUTE:
            self._calls.popleft()
