"""Polling interval of the feeds: shorter for a while after a change."""

from collections.abc import Callable

LIVELY = 120.0
"""Seconds after a change during which the feeds are polled faster."""
FASTER = 10
"""The factor by which they are polled faster then."""
FASTEST = 1.0
"""The shortest interval that polling faster leads to, in seconds; a shorter configured one stays."""
SHARE = 0.1
"""The share of a vendor's rate that polling faster may use."""


class Pace:
    """The interval of both feeds. Times are monotonic seconds; `rate` is the number of calls allowed a second."""

    def __init__(self, interval: float, rate: Callable[[], float]) -> None:
        self._interval = interval
        self._rate = rate
        self._changed: float | None = None

    def noticed(self, now: float) -> None:
        """Note that something has changed on either side."""
        self._changed = now

    def interval(self, now: float) -> float:
        """Seconds between two polls of a feed."""
        if self._changed is None or now - self._changed >= LIVELY:
            return self._interval
        affordable = 1 / max(SHARE * self._rate(), 1e-9)
        return min(self._interval, max(self._interval / FASTER, FASTEST, affordable))
