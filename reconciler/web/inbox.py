"""Hints that wait to be looked at. However many come for one thing, it is looked at once, and once after the last.

The first hint for a thing is due at once. Those that follow closely are one burst: due when it has been quiet
for a moment, or has lasted long. Nothing here has to survive: what is lost is seen by the next cycle.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from reconciler.feeds import Hint

BURST = 0.25
"""Seconds within which two hints for the same thing belong to one burst."""
QUIET = 0.1
"""Seconds without a further hint after which a burst is over."""
LONGEST = 10.0
"""Seconds after which a burst is looked at though it goes on."""
REST = 0.05
"""Seconds between two looks at least; never less than the last look took: webhooks alone fill no rate limit."""
MOST = 10_000
"""Things that may wait at the same time. Beyond that the next cycle sees what there is."""


@dataclass(slots=True)
class _Wait:
    """Since when something waits, and until when."""

    since: float
    due: float
    burst: bool


class Inbox:
    """The hints. `wake` is asked for a look in so many seconds; rather once too often than too seldom.

    It may wait for a lock of its own, which whoever comes here may hold: it is never asked under ours.
    """

    def __init__(self, wake: Callable[[float], None], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._wake = wake
        self._monotonic = monotonic
        self._lock = Lock()
        self._waiting: dict[Hint, _Wait] = {}
        self._heard: dict[Hint, float] = {}
        self._woken = float("inf")
        self._began: float | None = None
        self._rested = 0.0

    def put(self, hint: Hint) -> None:
        """Something may have happened there."""
        with self._lock:
            after = self._put(hint, self._monotonic())
        self._ask(after)

    def _put(self, hint: Hint, now: float) -> float | None:
        wait = self._waiting.get(hint)
        if wait is None and len(self._waiting) >= MOST:
            return None
        follows = now - self._heard.get(hint, -BURST) < BURST
        self._heard[hint] = now
        if wait is None:
            due = now + QUIET if follows else now
            self._waiting[hint] = _Wait(now, due, follows)
            return self._arm(now, due)
        if wait.burst:
            wait.due = min(now + QUIET, wait.since + LONGEST)
        return None

    def take(self) -> tuple[Hint, ...]:
        """What is due now. Whoever takes something says when it is `done`."""
        with self._lock:
            now = self._monotonic()
            self._woken = float("inf")
            due = () if now < self._rested else tuple(h for h, wait in self._waiting.items() if wait.due <= now)
            for hint in due:
                del self._waiting[hint]
            self._heard = {hint: at for hint, at in self._heard.items() if now - at < BURST}
            self._began = now if due else None
            after = self._arm_for_first(now)
        self._ask(after)
        return due

    def done(self) -> None:
        """The look is over; what has come meanwhile is next."""
        with self._lock:
            now = self._monotonic()
            took = now - (self._began if self._began is not None else now)
            self._began = None
            self._rested = now + max(REST, took)
            after = self._arm_for_first(now)
        self._ask(after)

    def _arm_for_first(self, now: float) -> float | None:
        if not self._waiting:
            return None
        return self._arm(now, min(wait.due for wait in self._waiting.values()))

    def _arm(self, now: float, due: float) -> float | None:
        """In how many seconds to be woken; None: something earlier is asked already, or a look is under way."""
        at = max(self._rested, due)
        if self._began is not None or at >= self._woken:
            return None
        self._woken = at
        return max(0.0, at - now)

    def _ask(self, after: float | None) -> None:
        if after is not None:
            self._wake(after)
