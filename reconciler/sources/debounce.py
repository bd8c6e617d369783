"""Debouncing of webhooks' hints: several for the same object are taken once, and once more after the last.

The first hint for an object is due at once. Those that follow closely form a burst, which is due when no more have
come for a moment, or when it has lasted long. Hints are lost with the process; the feeds show the same objects.
"""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Condition

from reconciler.core.hints import Hint

BURST = 0.25
"""Seconds within which two hints for the same object belong to one burst."""
QUIET = 0.1
"""Seconds without a further hint after which a burst is over."""
LONGEST_BURST = 10.0
"""Seconds after which a burst is taken even if it continues."""
BETWEEN_ROUNDS = 0.05
"""The least pause in seconds between two rounds; never shorter than the last round."""
MOST_WAITING_HINTS = 10_000
"""The most objects for which hints wait. Further ones are left to the feeds."""


@dataclass(slots=True)
class _Wait:
    """The time since which an object's hint waits, and the time at which it is due."""

    since: float
    due: float
    burst: bool


class Debounce:
    """Hints from any thread, taken in rounds by one thread. Nothing here waits for a vendor or the database."""

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
            if wait is None and len(self._waiting) >= MOST_WAITING_HINTS:
                return
            follows = now - self._heard.get(hint, float("-inf")) < BURST
            self._heard[hint] = now
            if wait is None:
                self._waiting[hint] = _Wait(now, now + QUIET if follows else now, follows)
                self._changed.notify_all()
            elif wait.burst:
                wait.due = min(now + QUIET, wait.since + LONGEST_BURST)

    def take(self) -> tuple[Hint, ...]:
        """Begin a round with the hints that are due now. The caller ends it with `done`."""
        with self._changed:
            now = self._began = self._monotonic()
            due = () if now < self._rested else tuple(h for h, wait in self._waiting.items() if wait.due <= now)
            for hint in due:
                del self._waiting[hint]
            self._heard = {hint: at for hint, at in self._heard.items() if now - at < BURST}
            return due

    def done(self) -> None:
        """End a round. The next one begins after a pause at least as long as this round."""
        with self._changed:
            now = self._monotonic()
            self._rested = now + max(BETWEEN_ROUNDS, now - self._began)

    def next_due(self) -> float | None:
        """Seconds until hints can be taken, 0 if they can be now; None if none wait."""
        with self._changed:
            return self._next_due()

    def wait(self, seconds: float) -> None:
        """Wait until hints can be taken, at most so many seconds."""
        with self._changed:
            due = self._next_due()
            left = seconds if due is None else min(seconds, due)
            if left > 0:
                self._changed.wait(left)

    def wake(self) -> None:
        """Wake the waiting thread, because the program is to stop."""
        with self._changed:
            self._changed.notify_all()

    def _next_due(self) -> float | None:
        if not self._waiting:
            return None
        first = min(wait.due for wait in self._waiting.values())
        return max(0.0, max(first, self._rested) - self._monotonic())
