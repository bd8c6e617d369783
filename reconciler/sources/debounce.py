"""Webhooks' hints that wait to be taken: however many name one thing, it is taken once, and once after the last.

The first hint for a thing is due at once. Those that follow closely are one burst: due when no more have come for
a moment, or when the burst has lasted long. Hints are lost with the process: the feeds show what they named.
"""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Condition

from reconciler.core.hints import Hint

BURST = 0.25
"""Seconds within which two hints for the same thing belong to one burst."""
QUIET = 0.1
"""Seconds without a further hint after which a burst is over."""
LONGEST_DELAY = 10.0
"""Seconds after which a burst is taken although it lasts on."""
REST = 0.05
"""Seconds between two rounds at least; never less than the last round took."""
MOST = 10_000
"""The most things that may wait at the same time. What comes beyond that is left to the feeds."""


@dataclass(slots=True)
class _Wait:
    """Since when something waits, and until when."""

    since: float
    due: float
    burst: bool


class Debounce:
    """Hints from any thread, taken in rounds by one. Nothing here waits for a vendor or for the database."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._changed = Condition()
        self._waiting: dict[Hint, _Wait] = {}
        self._heard: dict[Hint, float] = {}
        self._began = 0.0
        self._rested = float("-inf")

    def put(self, hint: Hint) -> None:
        """Add a hint."""
        with self._changed:
            now = self._monotonic()
            wait = self._waiting.get(hint)
            if wait is None and len(self._waiting) >= MOST:
                return
            follows = now - self._heard.get(hint, float("-inf")) < BURST
            self._heard[hint] = now
            if wait is None:
                self._waiting[hint] = _Wait(now, now + QUIET if follows else now, follows)
                self._changed.notify_all()
            elif wait.burst:
                wait.due = min(now + QUIET, wait.since + LONGEST_DELAY)

    def take(self) -> tuple[Hint, ...]:
        """Begin a round with what is due now; the caller says `done` at its end."""
        with self._changed:
            now = self._began = self._monotonic()
            due = () if now < self._rested else tuple(h for h, wait in self._waiting.items() if wait.due <= now)
            for hint in due:
                del self._waiting[hint]
            self._heard = {hint: at for hint, at in self._heard.items() if now - at < BURST}
            return due

    def done(self) -> None:
        """End a round: the next one begins no sooner than after as long again."""
        with self._changed:
            now = self._monotonic()
            self._rested = now + max(REST, now - self._began)

    def next_due(self) -> float | None:
        """Seconds until there is something to take, 0 when there is; None when nothing waits."""
        with self._changed:
            return self._next_due()

    def wait(self, seconds: float) -> None:
        """Wait until there is something to take, at most so long."""
        with self._changed:
            due = self._next_due()
            left = seconds if due is None else min(seconds, due)
            if left > 0:
                self._changed.wait(left)

    def wake(self) -> None:
        """Let the thread that waits return: the program is to stop."""
        with self._changed:
            self._changed.notify_all()

    def _next_due(self) -> float | None:
        if not self._waiting:
            return None
        first = min(wait.due for wait in self._waiting.values())
        return max(0.0, max(first, self._rested) - self._monotonic())
