"""The rate budget of one vendor, shared by all threads: wait for a turn rather than be told 429.

A limit is "at most so many calls in so many seconds". A call counts from its start until that long after its
answer, so that no window of the vendor's, wherever it begins, ever holds more. Limits are learned: a limit binds
the kinds of call (scopes) that were told of it; the widest one also those that have been told of none. PagerDuty
tells its limits in headers; Opsgenie tells only that there was too much, so that what had passed until then is
taken for the limit for a while.

Reads alone never use more than READ_SHARE: there is always room for a write. A little is kept for the feeds, so
that new alerts are still seen, and for pages: as much as they need if new alerts go on coming as they did by the
last look. A storm's notes wait for its pages.
"""

import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from reconciler.errors import NotExecuted
from reconciler.remotes.base import Clock
from reconciler.remotes.fields import number

READ_SHARE = 0.8
BUSY_SHARE = 0.5
"""Of the rate, used in the last period: beyond it the sweep rests."""
MARGIN = 1.25
"""How many more pages are reckoned with than came by the last look: a storm may only have begun since."""
GUESS = 5.0
"""For how many seconds a guess holds of how many pages are to come."""
MINUTE = 60.0
RELEARN = 600.0
"""How long a limit that was only inferred is believed."""
FALLBACK_PAUSE = 5.0
"""After a 429 that says nothing of how long to wait."""
TOO_MANY = 429


class Need(Enum):
    """What a call is for. The more it can wait, the more of a limit it leaves to the others."""

    FEED = "feed"  # to see what is new
    PAGE = "page"
    REST = "rest"


KEPT = {Need.FEED: 0.0, Need.PAGE: 0.01, Need.REST: 0.02}
"""The share of a limit that a call leaves to what is more urgent."""


@dataclass(slots=True, eq=False)
class Call:
    """One call that was let through; `ended` is None while it is under way."""

    scope: str
    write: bool
    need: Need = Need.REST
    ended: float | None = None


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

    def until_below(self, most: int, now: float) -> float:
        """Seconds until there are fewer than that; those under way might end now."""
        surplus = self.count(now) - most
        if surplus < 0:
            return 0.0
        return (self._ends[surplus] if surplus < len(self._ends) else now) + self.period - now


@dataclass(slots=True, eq=False)
class _Limit:
    most: int
    period: float = MINUTE
    scopes: set[str] = field(default_factory=set)
    expires: float = float("inf")
    room: float = float("inf")  # what the vendor said was left, less what has been let through since
    room_until: float = 0.0
    windows: dict[str, _Window] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Calls a second."""
        return self.most / self.period

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
        ours = self.most - self.windows["all"].count(now)
        return int(min(ours, self.room)) if now < self.room_until else ours

    def shortfall(self, call: Call, now: float, pace: float) -> float:
        """Seconds until there is room for that call."""
        kept = int(self.most * KEPT[call.need])
        wait = self.room_until - now if self.room <= kept else 0.0
        wait = max(wait, self.windows["all"].until_below(self.most - kept, now))
        if not call.write:
            share = max(1, int(self.most * READ_SHARE))
            wait = max(wait, self.windows["reads"].until_below(share, now))
        elif call.need is not Need.PAGE and call.scope in self.scopes:
            wait = max(wait, self._for_pages(pace, now))
        return wait

    def _for_pages(self, pace: float, now: float) -> float:
        """Seconds to wait so that pages may go on at that pace; by then there is another guess."""
        room = max(1, self.most - int(pace * self.period))
        return min(GUESS, self.windows["others"].until_below(room, now))


class Budget:
    """`per_minute` holds until the vendor says otherwise; None is no limit.

    Taking and settling cost the same however many calls there were: each limit counts its own as they come and go,
    and all are counted anew only when something is learned of what a limit binds.
    """

    def __init__(self, clock: Clock, per_minute: int | None = None) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._calls: deque[Call] = deque()  # about in the order of their start
        self._limits: dict[str, _Limit] = {"default": _Limit(per_minute)} if per_minute else {}
        self._told: set[str] = set()
        self._held: dict[str, float] = {}
        self._pace = 0.0
        self._page: Call | None = None
        self._recount()

    def rate(self) -> float:
        """Calls a second that are allowed, as far as known: the widest limit, as others bind some calls only."""
        with self._lock:
            return self._widest.rate if self._widest else float("inf")

    def expect_pages(self, pace: float) -> None:
        """How many pages a second are to come: as many as alerts came in by the last look."""
        with self._lock:
            self._pace = pace

    def is_busy(self) -> bool:
        """Whether so much of the rate is used that what can wait should wait."""
        with self._lock:
            widest = self._widest
            if widest is None:
                return False
            return widest.windows["all"].count(self._clock.monotonic()) > widest.most * BUSY_SHARE

    def take(self, scope: str, *, write: bool, within: float, need: Need = Need.REST) -> Call:
        """Wait for a turn. NotExecuted when it does not come `within` so many seconds, or when told to stop."""
        last = self._clock.monotonic() + within
        while True:
            with self._lock:
                now = self._clock.monotonic()
                call = Call(scope, write, need)
                wait = self._wait(call, now)
                if wait <= 0:
                    return self._let_through(call)
            if now + wait > last:
                raise NotExecuted(f"the rate limit leaves no room for another {wait:.0f} s; not sent", wait)
            if self._clock.wait(wait):
                raise NotExecuted("told to stop while waiting for the rate limit; not sent")

    def settle(self, call: Call, status: int | None, headers: Mapping[str, str]) -> None:
        """The call is over; learn from its answer."""
        with self._lock:
            call.ended = now = self._clock.monotonic()
            for limit in self._binding(call):
                limit.end(call, now)
            reset, period = (
                number(headers.get("ratelimit-reset")),
                number(headers.get("X-RateLimit-Period-In-Sec")),
            )
            self._learn(call, headers, reset, now)
            throttled = status == TOO_MANY or headers.get("X-RateLimit-State", "").upper() == "THROTTLED"
            if throttled and period and 0 < period <= MINUTE:
                # The busiest scopes share what has passed; below one a second it was somebody else's doing.
                passed = sum(c is not call and c.ended is not None and c.ended > now - period for c in self._calls)
                self._limits["inferred"] = _Limit(max(passed, int(period), 1), period, expires=now + RELEARN)
                self._recount()
            if status == TOO_MANY:
                self._penalise(
                    call.scope, next((s for s in (reset, retry_after(headers)) if s), FALLBACK_PAUSE), now
                )

    def remaining(self) -> int | None:
        """How many calls the tightest known limit allows now; None where no limit is known."""
        with self._lock:
            now = self._clock.monotonic()
            rooms = [limit.left(now) for limit in self._limits.values() if limit.expires > now]
        return max(0, min(rooms)) if rooms else None

    def penalise(self, scope: str, seconds: float) -> None:
        """Let nothing of this scope through for a while."""
        with self._lock:
            self._penalise(scope, seconds, self._clock.monotonic())

    def _penalise(self, scope: str, seconds: float, now: float) -> None:
        self._held[scope] = max(self._held.get(scope, 0.0), now + seconds)

    def _learn(self, call: Call, headers: Mapping[str, str], reset: float | None, now: float) -> None:
        most, left = number(headers.get("ratelimit-limit")), number(headers.get("ratelimit-remaining"))
        if most is None or most < 1:
            return
        name = f"{most:.0f}"
        known = self._limits.get(name)
        if known is None or call.scope not in known.scopes:
            self._limits.pop("default", None)
            self._limits.setdefault(name, _Limit(int(most))).scopes.add(call.scope)
            self._told.add(call.scope)
            self._recount()
        limit = self._limits[name]
        if left is None or reset is None:
            return
        room = left - limit.windows["all"].running
        same_window = now < limit.room_until and now + reset < limit.room_until + 2
        limit.room = min(limit.room, room) if same_window else room
        limit.room_until = now + reset

    def _recount(self) -> None:
        """What binds which calls has changed."""
        self._widest = max(self._limits.values(), key=lambda limit: limit.rate, default=None)
        in_order = sorted(self._calls, key=lambda call: float("inf") if call.ended is None else call.ended)
        for limit in self._limits.values():
            limit.recount(call for call in in_order if self._counts(call, limit))

    def _binding(self, call: Call) -> list[_Limit]:
        return [limit for limit in self._limits.values() if self._counts(call, limit)]

    def _counts(self, call: Call, limit: _Limit) -> bool:
        if limit.scopes and call.scope in self._told:
            return call.scope in limit.scopes
        return not limit.scopes or limit is self._widest

    def _expected(self) -> float:
        """Pages a second that are to come and can go: a stricter limit of their own may bind them."""
        if self._page is None:
            return 0.0
        return min([self._pace * MARGIN, *(limit.rate for limit in self._binding(self._page))])

    def _let_through(self, call: Call) -> Call:
        if call.need is Need.PAGE:
            self._page = call
        self._calls.append(call)
        for limit in self._binding(call):
            limit.begin(call)
            limit.room -= 1
        return call

    def _wait(self, call: Call, now: float) -> float:
        while self._calls and self._calls[0].ended is not None and self._calls[0].ended <= now - MINUTE:
            self._calls.popleft()
        if any(limit.expires <= now for limit in self._limits.values()):
            self._limits = {name: limit for name, limit in self._limits.items() if limit.expires > now}
            self._recount()
        pace = self._expected()
        shortfalls = [limit.shortfall(call, now, pace) for limit in self._binding(call)]
        return max([self._held.get(call.scope, 0.0) - now, *shortfalls])


def retry_after(headers: Mapping[str, str]) -> float | None:
    """How many seconds the vendor asks us to wait; None when it does not say."""
    names = ("ratelimit-reset", "Retry-After", "X-RateLimit-Period-In-Sec")
    told = (number(headers.get(name)) for name in names)
    return next((seconds for seconds in told if seconds is not None and seconds >= 0), None)
