"""One rate limit: at most so many calls in so many seconds, and the calls that count against it.

A call counts from its start until that long after its answer, so that no window of the vendor's, wherever it
begins, ever holds more. Reads alone never use more than their READ_SHARE: there is always room for a write. A
little is kept for the feeds, so that new alerts are still seen, and for pages and what has to be read for them.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum

GUESS = 5.0
"""For how many seconds a guess holds of how many pages are to come."""
MINUTE = 60.0


class Need(Enum):
    """What a call is for. The more it can wait, the more of a limit it leaves to the others."""

    FEED = "feed"  # to see what is new
    PAGE = "page"
    REST = "rest"


READ_SHARE = {Need.FEED: 0.95, Need.PAGE: 0.9, Need.REST: 0.8}
"""The share of a limit up to which a read may go."""
KEPT = {Need.FEED: 0.0, Need.PAGE: 0.01, Need.REST: 0.02}
"""The share of a limit that a call leaves to what is more urgent."""


@dataclass(slots=True, eq=False)
class Call:
    """One call that was let through, the so many-th; `ended` is None while it is under way."""

    scope: str
    write: bool
    need: Need = Need.REST
    ended: float | None = None
    number: int = 0


class _Window:
    """Calls under way, and those that ended within the last `period` seconds."""

    def __init__(self, period: float) -> None:
        self.period = period
        self.running = 0
        self._ends: deque[float] = deque()  # ascending

    def begin(self) -> None:
        """A call is let through."""
        self.running += 1

    def end(self, at: float) -> None:
        """One of those under way is over."""
        self.running -= 1
        self._ends.append(at)

    def count(self, now: float) -> int:
        """How many calls the vendor may still hold against us."""
        while self._ends and self._ends[0] <= now - self.period:
            self._ends.popleft()
        return self.running + len(self._ends)

    def until_below(self, most: float, now: float) -> float:
        """Seconds until there are fewer than that; those under way might end now."""
        surplus = self.count(now) - int(most)
        if surplus < 0:
            return 0.0
        return (self._ends[surplus] if surplus < len(self._ends) else now) + self.period - now


@dataclass(slots=True, eq=False)
class Limit:
    """`scopes`: the kinds of call that were told of it; none when it binds all of them.

    `growth`: by how much it is raised with each second since `grown_at`, to find out whether there is more room.
    """

    most: float
    period: float = MINUTE
    scopes: set[str] = field(default_factory=set)
    expires: float = float("inf")
    growth: float = 0.0
    grown_at: float = 0.0
    room: float = float("inf")  # what the vendor said was left, less what has been let through since
    room_until: float = 0.0
    told_by: int = 0  # which call's answer said so
    windows: dict[str, _Window] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Calls a second."""
        return self.most / self.period

    def grow(self, now: float) -> None:
        """Raise it by what has come due."""
        if self.growth:
            self.most += self.growth * max(0.0, now - self.grown_at)
            self.grown_at = now

    def recount(self, calls: Iterable[Call]) -> None:
        """Count these calls, in the order of their ends, and no others."""
        self.windows = {name: _Window(self.period) for name in ("all", "reads", "others")}
        for call in calls:
            self.begin(call)
            if call.ended is not None:
                self.end(call, call.ended)

    def begin(self, call: Call) -> None:
        """A call that counts is let through."""
        for window in self._windows_of(call):
            window.begin()

    def end(self, call: Call, at: float) -> None:
        """It is over."""
        for window in self._windows_of(call):
            window.end(at)

    def _windows_of(self, call: Call) -> Iterator[_Window]:
        yield self.windows["all"]
        if not call.write:
            yield self.windows["reads"]
        if call.need is not Need.PAGE:
            yield self.windows["others"]

    def left(self, now: float) -> int:
        """By our own count, and by the vendor's: whichever is less."""
        ours = int(self.most) - self.windows["all"].count(now)
        return int(min(ours, self.room)) if now < self.room_until else ours

    def shortfall(self, call: Call, now: float, pace: float) -> float:
        """Seconds until there is room for that call."""
        kept = int(self.most * KEPT[call.need])
        wait = self.room_until - now if self.room <= kept else 0.0
        wait = max(wait, self.windows["all"].until_below(self.most - kept, now))
        if not call.write:
            share = max(1, int(self.most * READ_SHARE[call.need]))
            wait = max(wait, self.windows["reads"].until_below(share, now))
        elif call.need is not Need.PAGE and call.scope in self.scopes:
            wait = max(wait, self._for_pages(pace, now))
        return wait

    def _for_pages(self, pace: float, now: float) -> float:
        """Seconds to wait so that pages may go on at that pace; by then there is another guess."""
        room = max(1, self.most - int(pace * self.period))
        return min(GUESS, self.windows["others"].until_below(room, now))
