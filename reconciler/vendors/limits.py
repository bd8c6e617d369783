"""One rate limit: at most so many calls in so many seconds, and the calls that count against it.

A call counts from its start until `period` seconds after its answer, so that no window of the vendor's holds more
than the limit, wherever that window begins.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from reconciler.vendors.call_context import CallPriority

MINUTE = 60.0
PAGE_PACE = 5.0
"""Seconds over which new pages are counted: other calls leave room for as many more at the same pace.

A queue alone cannot do that: in a storm, notes that start while no page waits use up the minute that the next
pages need. 1,000 pages at 960 a minute then take 77 s instead of 64 s.
"""


@dataclass(frozen=True, slots=True)
class Reserve:
    """The shares of a limit that calls of one priority leave unused: of all calls but feeds, and of reads.

    The feeds have a small share of their own, so that new alerts are seen while pages use the rate. Reads leave a
    share to writes, and the sweep leaves half of the limit to everything else.
    """

    calls: float
    reads: float


RESERVES = {
    CallPriority.PAGE: Reserve(0.02, 0.1),
    CallPriority.CHANGED: Reserve(0.03, 0.2),
    CallPriority.UNSETTLED: Reserve(0.03, 0.2),
    CallPriority.FEED: Reserve(0.0, 0.05),
    CallPriority.SWEEP: Reserve(0.5, 0.5),
}


OTHER_ROUTES = 0.25
"""The share of a limit that each of several routes leaves to the others, but for feeds.

Turns alone cannot do that: a storm on one route uses up the minute in seconds, and the first page of another route
would then wait for the rest of that minute.
"""


@dataclass(slots=True, eq=False)
class Call:
    """One call, waiting or admitted. `number` counts admitted calls; `ended` is None while it is under way.

    `turn` is its place among waiting calls of its priority, in which each route has one call a turn.
    """

    scope: str
    write: bool
    priority: CallPriority = CallPriority.CHANGED
    route: str = ""
    turn: int = 0
    ended: float | None = None
    number: int = 0


class Usage(Protocol):
    """How much of a limit is in use."""

    def until_below(self, most: int, now: float) -> float:
        """Seconds until fewer than `most` calls are in use."""


class _Window:
    """Calls under way, and those that ended within the last `period` seconds."""

    def __init__(self, period: float, longest: float = float("inf")) -> None:
        self.period = period
        self._longest = longest
        self.running = 0
        self._ends: deque[float] = deque()  # ascending

    def begin(self) -> None:
        """Count a call that starts."""
        self.running += 1

    def end(self, at: float) -> None:
        """Note that one of the calls under way has ended."""
        self.running -= 1
        self._ends.append(at)

    def count(self, now: float) -> int:
        """Number of calls that the vendor may still count."""
        while self._ends and self._ends[0] <= now - self.period:
            self._ends.popleft()
        return self.running + len(self._ends)

    def until_below(self, most: int, now: float) -> float:
        """Seconds until fewer than `most` calls count, at most `longest`; none under way ends before now."""
        surplus = self.count(now) - most
        if surplus < 0:
            return 0.0
        end = self._ends[surplus] if surplus < len(self._ends) else now
        return min(self._longest, end + self.period - now)


@dataclass(slots=True, eq=False)
class _Remaining:
    """The vendor's own statement: `left` calls of `limit` until a time, less those admitted since.

    `number` is the call whose answer stated it.
    """

    limit: int = 0
    left: float = float("inf")
    until: float = 0.0
    number: int = 0

    def until_below(self, most: int, now: float) -> float:
        """Seconds until fewer than `most` calls are in use, by that statement."""
        return max(0.0, self.until - now) if self.left <= self.limit - most else 0.0


@dataclass(slots=True, eq=False)
class Limit:
    """A limit of `most` calls in `period` seconds.

    `scopes` are the kinds of call for which the vendor states it; empty if it binds all of them. `growth` is by
    how much it is raised each second since `grown_at`, to find out whether there is more room. `routes` are those
    that share the key: one set for all its limits, as a route may have no calls that count against this one.
    """

    most: float
    period: float = MINUTE
    scopes: set[str] = field(default_factory=set)
    expires: float = float("inf")
    growth: float = 0.0
    grown_at: float = 0.0
    remaining: _Remaining = field(default_factory=_Remaining)
    routes: set[str] = field(default_factory=set)
    _all: _Window = field(init=False)
    _but_feeds: _Window = field(init=False)
    _reads: _Window = field(init=False)
    _reads_but_feeds: _Window = field(init=False)
    _but_pages: _Window = field(init=False)
    _pages: _Window = field(init=False)
    _of_routes: dict[str, _Window] = field(init=False)

    def __post_init__(self) -> None:
        self.recount(())

    @property
    def rate(self) -> float:
        """Calls a second."""
        return self.most / self.period

    def grow(self, now: float) -> None:
        """Raise the limit by its growth since the last call."""
        if self.growth:
            self.most += self.growth * max(0.0, now - self.grown_at)
            self.grown_at = now

    def recount(self, calls: Iterable[Call]) -> None:
        """Count exactly these calls, in the order of their ends."""
        self._all, self._but_feeds, self._reads, self._reads_but_feeds = (_Window(self.period) for _ in range(4))
        self._but_pages, self._pages = _Window(self.period, PAGE_PACE), _Window(PAGE_PACE)
        self._of_routes = {}
        for call in calls:
            self._begin(call)
            if call.ended is not None:
                self.end(call, call.ended)

    def admit(self, call: Call) -> None:
        """Count a call that starts now."""
        self._begin(call)
        self.remaining.left -= 1

    def end(self, call: Call, at: float) -> None:
        """Note that an admitted call has ended."""
        for window in self._windows_of(call):
            window.end(at)

    def bounds(self, call: Call, now: float) -> Iterator[tuple[Usage, int]]:
        """The usages to check before this call may start, each with the number that it must be below."""
        most, reserve = int(self.most), RESERVES[call.priority]
        yield self._all, most
        if call.priority is not CallPriority.FEED:
            yield self._but_feeds, most - int(self.most * reserve.calls)
            if call.route and self.routes - {call.route}:
                yield self._of_route(call.route), most - int(self.most * OTHER_ROUTES)
        if call.priority not in {CallPriority.PAGE, CallPriority.FEED}:
            pace = max(0, self._pages.count(now) - 1) / PAGE_PACE
            yield self._but_pages, max(1, most - int(pace * self.period))
        if not call.write:
            reads = self._reads if call.priority is CallPriority.FEED else self._reads_but_feeds
            yield reads, most - int(self.most * reserve.reads)
        yield self.remaining, self.remaining.limit - int(self.remaining.limit * reserve.calls)

    def count(self, now: float) -> int:
        """Number of calls that count against the limit."""
        return self._all.count(now)

    def state(self, left: float, until: float, call: Call) -> None:
        """Store the vendor's statement. Answers come in any order: the one to the latest call counts."""
        if call.number > self.remaining.number:
            left -= self._all.running
            self.remaining = _Remaining(int(self.most), left, until, call.number)

    def left(self, now: float) -> int:
        """Calls left, by our own count or the vendor's statement, whichever is smaller."""
        ours = int(self.most) - self._all.count(now)
        return int(min(ours, self.remaining.left)) if now < self.remaining.until else ours

    def _of_route(self, route: str) -> _Window:
        return self._of_routes.setdefault(route, _Window(self.period))

    def _begin(self, call: Call) -> None:
        for window in self._windows_of(call):
            window.begin()

    def _windows_of(self, call: Call) -> Iterator[_Window]:
        yield self._all
        if call.priority is not CallPriority.FEED:
            yield self._but_feeds
            if call.route:
                yield self._of_route(call.route)
        if not call.write:
            yield self._reads
            if call.priority is not CallPriority.FEED:
                yield self._reads_but_feeds
        if call.priority is not CallPriority.PAGE:
            yield self._but_pages
        elif call.write:
            yield self._pages
