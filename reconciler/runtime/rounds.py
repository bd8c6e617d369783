"""Polls of both change feeds: how many have succeeded, and since when each side fails."""

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Protocol

from reconciler.core.model import Side
from reconciler.errors import ReconcilerError
from reconciler.vendors.ports import Clock

FEEDS: Mapping[str, Side] = {"opsgenie feed": Side.ALERTS, "pagerduty feed": Side.PAGERDUTY}
"""The names of both change feeds."""


@dataclass(frozen=True, slots=True)
class Feed:
    """One feed: `since` is the monotonic time of its last good poll, or of the beginning of this process's lead.

    `polls` counts the good ones. `error` is the last poll's, and `is_good` whether that was good; neither is set
    before the first poll of the lead.
    """

    since: float
    polls: int = 0
    error: ReconcilerError | None = None
    is_good: bool = False


class Polls(Protocol):
    """The polls of both feeds, of one route or of several."""

    def feed(self, side: Side) -> Feed:
        """The feed of one side."""


class Rounds:
    """The polls of both feeds. For any thread. `leads` counts how often this process has begun to lead."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._feeds = {side: Feed(clock.monotonic()) for side in Side}
        self.leads = 0

    def begin(self) -> None:
        """Forget earlier failures, because this process begins to lead."""
        with self._lock:
            self.leads += 1
            self._feeds = {side: Feed(self._clock.monotonic(), feed.polls) for side, feed in self._feeds.items()}

    def polled(self, source: str, error: ReconcilerError | None = None) -> None:
        """Note a poll of a source; one that is no feed does not matter."""
        side = FEEDS.get(source)
        if side is None:
            return
        with self._lock:
            before = self._feeds[side]
            if error is None:
                self._feeds[side] = Feed(self._clock.monotonic(), before.polls + 1, is_good=True)
            else:
                self._feeds[side] = Feed(before.since, before.polls, error)

    def feed(self, side: Side) -> Feed:
        """The feed of one side."""
        with self._lock:
            return self._feeds[side]
