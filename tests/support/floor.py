"""The floor: a bare loop that sends the same writes as fast as the limits allow, with no state and no doubts."""

from collections import deque
from collections.abc import Sequence


def finish(ready: Sequence[float], *limits: int, latency: float = 0.0, period: float = 60.0) -> list[float]:
    """When each write is done at the earliest, in order, where so many a minute are allowed.

    `ready` is when each may be sent at the earliest; a limit of 0 is none.
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
