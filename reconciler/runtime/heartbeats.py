"""Heartbeats: reports of a process at work that all is well, whose absence alerts somebody.

One is due once an interval, after a good round: both change feeds have been polled since the last one, no vendor
refuses us, and pages can be made. One that fails is tried again soon, and delays nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from reconciler.core.model import Side
from reconciler.errors import ReconcilerError
from reconciler.runtime.rounds import Polls
from reconciler.vendors.ports import Clock, Heartbeat

BETWEEN_TRIES = 10.0
"""Seconds after which a heartbeat that has failed is tried again at the earliest."""
SHORTEST_PAUSE = 0.1
"""Seconds between two checks whether a heartbeat is due at least."""


class Events(Protocol):
    """Counts heartbeats."""

    def beat(self, name: str, *, ok: bool) -> None:
        """Count one."""


@dataclass(slots=True)
class _Beats:
    """The beats of one heartbeat. `polls` are the good polls before the last one; times are monotonic."""

    heartbeat: Heartbeat
    due: float
    polls: dict[Side, int] = field(default_factory=lambda: dict.fromkeys(Side, 0))
    error: str = ""


class Heartbeats:
    """All heartbeats, as one source. `objection`: why all is not well; empty if it is. For one thread.

    `say` is called with what is wrong with the heartbeats themselves.
    """

    name = "heartbeat"
    side: Side | None = None

    def __init__(
        self,
        heartbeats: Sequence[Heartbeat],
        rounds: Polls,
        objection: Callable[[], str],
        clock: Clock,
        interval: float,
        say: Callable[[str], None],
        events: Events | None = None,
    ) -> None:
        self._rounds = rounds
        self._objection = objection
        self._clock = clock
        self._interval = interval
        self._say = say
        self._events = events
        self._all = [_Beats(each, clock.monotonic()) for each in heartbeats]

    def next_in(self, pause: float) -> float:
        """Seconds until the next check; `pause` while a good round is waited for."""
        wait = min((each.due for each in self._all), default=pause) - self._clock.monotonic()
        return max(wait, SHORTEST_PAUSE) if wait > 0 else pause

    def poll(self) -> bool:
        """Beat where that is due. Returns whether anything was asked."""
        asked = [each for each in self._all if self._is_due(each)]
        if not asked or self._objection():
            return False
        for each in asked:
            self._beat(each)
        self._say("; ".join(each.error for each in self._all if each.error))
        return True

    def _is_due(self, beats: _Beats) -> bool:
        feeds = {side: self._rounds.feed(side) for side in Side}
        is_good = all(feed.is_good and feed.polls > beats.polls[side] for side, feed in feeds.items())
        return is_good and self._clock.monotonic() >= beats.due

    def _beat(self, beats: _Beats) -> None:
        now, polls = self._clock.monotonic(), {side: self._rounds.feed(side).polls for side in Side}
        try:
            beats.heartbeat.ping()
        except ReconcilerError as error:
            beats.error, beats.due = str(error), now + min(BETWEEN_TRIES, self._interval)
        else:
            beats.error, beats.due, beats.polls = "", now + self._interval, polls
        if self._events is not None:
            self._events.beat(beats.heartbeat.name, ok=not beats.error)
