"""The lower bound: a stateless loop that sends the same writes as fast as the limits allow, without checks."""

from collections import deque
from collections.abc import Sequence


def finish(ready: Sequence[float], *limits: int, latency: float = 0.0, period: float = 60.0) -> list[float]:
    """The earliest time at which each write is done, in order, under this many a minute.

    `ready` is the earliest time at which each may be sent; 0 means no limit.
    """
    windows = [deque[float](maxlen=limit) for limit in limits if limit]
    sent: list[float] = []
    for moment in sorted(ready):
        at = moment
        for window in windows:
            if len(window) == window.maxlen:
                at = max(at, window[0] + period)
        for window in windows:
            window.append(at)
        sent.append(at + latency)
    return sent
