"""The rate budget of one vendor, shared by all threads: wait for a turn rather than be told 429.

A limit is "at most so many calls in so many seconds". A call counts from its start until that long after its
answer, so that no window of the vendor's, wherever it begins, ever holds more. Limits are learned: a limit binds
the kinds of call (scopes) that were told of it; the widest one also those that have been told of none. PagerDuty
tells its limits in headers; Opsgenie tells only that there was too much, so that what had passed until then is
taken for the limit for a while.

Reads alone never use more than READ_SHARE: there is always room for a write. A little is kept for the feeds, so
that new alerts are still seen, and for pages: as much as they need if they go on coming as in the last few
seconds. A storm's notes wait for its pages.
"""

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from reconciler.errors import NotExecuted
from reconciler.remotes.base import Clock
from reconciler.remotes.fields import number

READ_SHARE = 0.8
BUSY_SHARE = 0.5
"""Of the rate, used in the last period: beyond it the sweep rests."""
SPELL = 5.0
"""Seconds over which pages are counted, to guess how many are to come."""
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


@dataclass(slots=True)
class _Limit:
    most: int
    period: float = MINUTE
    scopes: set[str] = field(default_factory=set)
    expires: float = float("inf")
    room: float = float("inf")  # what the vendor said was left, less what has been let through since
    room_until: float = 0.0

    @property
    def rate(self) -> float:
        """Calls a second."""
        return self.most / self.period


class Budget:
    """`per_minute` holds until the vendor says otherwise; None is no limit."""

    def __init__(self, clock: Clock, per_minute: int | None = None) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._calls: deque[Call] = deque()  # about in the order of their start
        self._limits: dict[str, _Limit] = {"default": _Limit(per_minute)} if per_minute else {}
        self._told: set[str] = set()
        self._held: dict[str, float] = {}

    def rate(self) -> float:
        """Calls a second that are allowed, as far as known: the widest limit, as others bind some calls only."""
        with self._lock:
            widest = self._widest()
            return widest.rate if widest else float("inf")

    def is_busy(self) -> bool:
        """Whether so much of the rate is used that what can wait should wait."""
        with self._lock:
            now = self._clock.monotonic()
            widest = self._widest()
            if widest is None:
                return False
            recent = sum(call.ended is None or call.ended > now - widest.period for call in self._calls)
            return recent > widest.most * BUSY_SHARE

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
            if status == TOO_MANY:
                self._penalise(
                    call.scope, next((s for s in (reset, retry_after(headers)) if s), FALLBACK_PAUSE), now
                )

    def remaining(self) -> int | None:
        """How many calls the tightest known limit allows now; None where no limit is known."""
        with self._lock:
            now = self._clock.monotonic()
            rooms = [self._room(limit, now) for limit in self._limits.values() if limit.expires > now]
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
        self._limits.pop("default", None)
        limit = self._limits.setdefault(f"{most:.0f}", _Limit(int(most)))
        limit.scopes.add(call.scope)
        self._told.add(call.scope)
        if left is None or reset is None:
            return
        room = left - sum(c.ended is None and self._counts(c, limit) for c in self._calls)
        same_window = now < limit.room_until and now + reset < limit.room_until + 2
        limit.room = min(limit.room, room) if same_window else room
        limit.room_until = now + reset

    def _let_through(self, call: Call) -> Call:
        self._calls.append(call)
        for limit in self._limits.values():
            if self._counts(call, limit):
                limit.room -= 1
        return call

    def _counts(self, call: Call, limit: _Limit) -> bool:
        if limit.scopes and call.scope in self._told:
            return call.scope in limit.scopes
        return not limit.scopes or limit is self._widest()

    def _widest(self) -> _Limit | None:
        return max(self._limits.values(), key=lambda limit: limit.rate, default=None)

    def _room(self, limit: _Limit, now: float) -> int:
        """By our own count, and by the vendor's: whichever is less."""
        calls = [call for call in self._calls if self._counts(call, limit)]
        ours = limit.most - sum(call.ended is None or call.ended > now - limit.period for call in calls)
        return int(min(ours, limit.room)) if now < limit.room_until else ours

    def _wait(self, call: Call, now: float) -> float:
        while self._calls and self._calls[0].ended is not None and self._calls[0].ended <= now - MINUTE:
            self._calls.popleft()
        self._limits = {name: limit for name, limit in self._limits.items() if limit.expires > now}
        waits = [_shortfall(limit, [c for c in self._calls if self._counts(c, limit)], call, now)
                 for limit in self._limits.values() if self._counts(call, limit)]  # fmt: skip
        return max([self._held.get(call.scope, 0.0) - now, *waits])


def _shortfall(limit: _Limit, calls: list[Call], call: Call, now: float) -> float:
    """Seconds until this limit has room for that call."""
    kept = int(limit.most * KEPT[call.need])
    wait = limit.room_until - now if limit.room <= kept else 0.0
    wait = max(
        wait, _until_below(limit.most - kept, calls, limit.period, now), _for_pages(limit, calls, call, now)
    )
    if not call.write:
        share = max(1, int(limit.most * READ_SHARE))
        wait = max(wait, _until_below(share, [c for c in calls if not c.write], limit.period, now))
    return wait


def _for_pages(limit: _Limit, calls: list[Call], call: Call, now: float) -> float:
    """Seconds that a write waits so that pages may go on as in the last SPELL; by then there is another guess."""
    if call.need is Need.PAGE or not call.write or call.scope not in limit.scopes:
        return 0.0
    recent = sum(c.need is Need.PAGE and (c.ended is None or c.ended > now - SPELL) for c in calls)
    room = max(1, limit.most - int(recent * limit.period / SPELL))
    return min(SPELL, _until_below(room, calls, limit.period, now))


def _until_below(most: int, calls: list[Call], period: float, now: float) -> float:
    ends = [c.ended if c.ended is not None else now for c in calls if c.ended is None or c.ended > now - period]
    return sorted(ends)[len(ends) - most] + period - now if len(ends) >= most else 0.0


def retry_after(headers: Mapping[str, str]) -> float | None:
    """How many seconds the vendor asks us to wait; None when it does not say."""
    names = ("ratelimit-reset", "Retry-After", "X-RateLimit-Period-In-Sec")
    told = (number(headers.get(name)) for name in names)
    return next((seconds for seconds in told if seconds is not None and seconds >= 0), None)
