"""The rate budget of one vendor, shared by all threads: wait for a turn rather than be told 429.

Limits are learned: a limit binds the kinds of call (scopes) that were told of it; the widest one also those that
have been told of none. PagerDuty tells its limits in headers; Opsgenie tells only that there was too much, so that
what had passed until then is taken for the limit for a while.

Room is kept for as many pages as there will be if new alerts go on coming as they did by the last look: a storm's
notes wait for its pages.
"""

import threading
from collections import deque
from collections.abc import Mapping

from reconciler.errors import NotExecuted, RateLimited
from reconciler.remotes.base import Clock
from reconciler.remotes.fields import number
from reconciler.remotes.limits import MINUTE, Call, Limit, Need

BUSY_SHARE = 0.5
"""Of the rate, used in the last period: beyond it the sweep rests."""
MARGIN = 1.25
"""How many more pages are reckoned with than came by the last look: a storm may only have begun since."""
RELEARN = 600.0
"""How long a limit that was only inferred is believed."""
FALLBACK_PAUSE = 5.0
"""After a 429 that says nothing of how long to wait."""
TOO_MANY = 429


class Budget:
    """`per_minute` holds until the vendor says otherwise; None is no limit.

    Taking and settling cost the same however many calls there were: each limit counts its own as they come and go,
    and all are counted anew only when something is learned of what a limit binds.
    """

    def __init__(self, clock: Clock, per_minute: int | None = None) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._calls: deque[Call] = deque()  # about in the order of their start
        self._limits: dict[str, Limit] = {"default": Limit(per_minute)} if per_minute else {}
        self._told: set[str] = set()
        self._held: dict[str, float] = {}
        self._pace = 0.0
        self._page: Call | None = None
        self._number = 0
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
                raise RateLimited(f"the rate limit leaves no room for another {wait:.0f} s; not sent", wait)
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
                self._limits["inferred"] = Limit(max(passed, int(period), 1), period, expires=now + RELEARN)
                self._recount()
            if status == TOO_MANY:
                self._hold(call.scope, next((s for s in (reset, retry_after(headers)) if s), FALLBACK_PAUSE), now)

    def remaining(self) -> int | None:
        """How many calls the tightest known limit allows now; None where no limit is known."""
        with self._lock:
            now = self._clock.monotonic()
            rooms = [limit.left(now) for limit in self._limits.values() if limit.expires > now]
        return max(0, min(rooms)) if rooms else None

    def _hold(self, scope: str, seconds: float, now: float) -> None:
        self._held[scope] = max(self._held.get(scope, 0.0), now + seconds)

    def _learn(self, call: Call, headers: Mapping[str, str], reset: float | None, now: float) -> None:
        most, left = number(headers.get("ratelimit-limit")), number(headers.get("ratelimit-remaining"))
        if most is None or most < 1:
            return
        name = f"{most:.0f}"
        known = self._limits.get(name)
        if known is None or call.scope not in known.scopes:
            self._limits.pop("default", None)
            self._limits.setdefault(name, Limit(int(most))).scopes.add(call.scope)
            self._told.add(call.scope)
            self._recount()
        limit = self._limits[name]
        if left is None or reset is None:
            return
        if call.number > limit.told_by:  # answers come in any order: the latest call's word counts
            limit.told_by = call.number
            limit.room = left - limit.windows["all"].running
            limit.room_until = now + reset

    def _recount(self) -> None:
        """What binds which calls has changed."""
        self._widest = max(self._limits.values(), key=lambda limit: limit.rate, default=None)
        in_order = sorted(self._calls, key=lambda call: float("inf") if call.ended is None else call.ended)
        for limit in self._limits.values():
            limit.recount(call for call in in_order if self._counts(call, limit))

    def _binding(self, call: Call) -> list[Limit]:
        return [limit for limit in self._limits.values() if self._counts(call, limit)]

    def _counts(self, call: Call, limit: Limit) -> bool:
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
        self._number += 1
        call.number = self._number
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
