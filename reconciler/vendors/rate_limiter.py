"""The rate budget of one vendor, shared by all threads: wait for a turn rather than be told 429.

Limits are learned: a limit binds the kinds of call (scopes) that were told of it; the widest one also those that
have been told of none. PagerDuty tells its limits in headers, and a limit holds as long as they repeat it.
Opsgenie says only that there was too much: what had passed until then, or a floor, is taken for the limit, and
raised with each second until it is forgotten. No number of a vendor's holds anything up for more than a minute.

Room is kept for as many pages as there will be if new alerts go on coming as they did by the last look: a storm's
notes wait for its pages.
"""

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.errors import NotExecuted, RateLimited
from reconciler.vendors.json_fields import number
from reconciler.vendors.limits import MINUTE, Call, Limit, Need
from reconciler.vendors.ports import Clock

BUSY_SHARE = 0.5
"""Of the rate, used in the last period: beyond it the sweep rests."""
MARGIN = 1.25
"""How many more pages are reckoned with than came by the last look: a storm may only have begun since."""
FLOOR = 10.0
"""Calls a second: no less is inferred from a 429, which may be somebody else's doing, met in a quiet moment."""
GROWTH = 10.0
"""Calls a second by which an inferred limit is raised, each second."""
BELIEVED = 20.0
"""How many seconds after the last 429 an inferred limit is forgotten."""
REPEATED = 120.0
"""Within how many seconds the vendor must repeat a limit that it has told."""
LEAST, LARGEST = 12.0, 100_000.0
"""Calls a minute: a told limit below is not believed, and none above makes a difference."""
LONGEST = 60.0
"""Seconds that a vendor's word may hold anything up, a page above all."""
NO_WAIT = 1e6
"""Seconds: what is told to be longer is no time to wait but something else, such as a moment since 1970."""
FIRST_PAUSE = 1.0
"""Seconds after a 429 that says nothing of how long to wait; twice as long after each further one in a row."""
TOO_MANY = 429


@dataclass(frozen=True, slots=True)
class _Refused:
    """A scope's last 429: the pause after it, and the last call that was let through by then."""

    pause: float
    until_call: int


class Budget:
    """`per_minute` holds until the vendor says otherwise; None is no limit.

    Taking and settling cost the same however many calls there were: each limit counts its own as they come and go,
    and all are counted anew only when something is learned of what a limit binds.
    """

    def __init__(self, clock: Clock, per_minute: int | None = None) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._calls: deque[Call] = deque()  # about in the order of their start
        self._default = Limit(per_minute) if per_minute else None
        self._told: dict[str, Limit] = {}  # by the number told: scopes that share it are taken to share the limit
        self._inferred: Limit | None = None
        self._held: dict[str, float] = {}
        self._refused: dict[str, _Refused] = {}
        self._pace = 0.0
        self._page: Call | None = None
        self._number = 0
        self._recount()

    def rate(self) -> float:
        """Calls a second that are allowed, as far as known: the widest limit, as others bind some calls only."""
        with self._lock:
            self._refresh(self._clock.monotonic())
            return self._widest.rate if self._widest else float("inf")

    def expect_pages(self, pace: float) -> None:
        """How many pages a second are to come: as many as alerts came in by the last look."""
        with self._lock:
            self._pace = pace

    def is_busy(self) -> bool:
        """Whether so much of the rate is used that what can wait should wait."""
        with self._lock:
            now = self._clock.monotonic()
            self._refresh(now)
            widest = self._widest
            return widest is not None and widest.windows["all"].count(now) > widest.most * BUSY_SHARE

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
            self._learn(call, headers, now)
            period = number(headers.get("X-RateLimit-Period-In-Sec"))
            period = min(max(period, 1.0), LONGEST) if period and period > 0 else None
            throttled = status == TOO_MANY or headers.get("X-RateLimit-State", "").upper() == "THROTTLED"
            if throttled and period:
                self._infer(call, period, now)
            if status == TOO_MANY:
                self._hold(call, told_wait(headers), period or LONGEST, now)
            elif status is not None:
                self._refused.pop(call.scope, None)

    def remaining(self) -> int | None:
        """How many calls the tightest known limit allows now; None where no limit is known."""
        with self._lock:
            now = self._clock.monotonic()
            self._refresh(now)
            rooms = [limit.left(now) for limit in self._limits]
        return max(0, min(rooms)) if rooms else None

    def _infer(self, call: Call, period: float, now: float) -> None:
        """Too much has passed: by the second, so that nothing waits for the rest of a minute."""
        passed = sum(c is not call and c.ended is not None and c.ended > now - period for c in self._calls)
        most = max(FLOOR, passed / period)
        self._inferred = Limit(most, 1.0, expires=now + BELIEVED, growth=GROWTH, grown_at=now)
        self._recount()

    def _hold(self, call: Call, told: float | None, longest: float, now: float) -> None:
        """That scope waits: as told, or briefly at first. What was under way by then is no further refusal."""
        last = self._refused.get(call.scope)
        if told is None and last is not None and call.number <= last.until_call:
            return
        pause = min(2 * last.pause if last else FIRST_PAUSE, longest)
        self._refused[call.scope] = _Refused(pause, self._number)
        self._held[call.scope] = max(self._held.get(call.scope, 0.0), now + (pause if told is None else told))

    def _learn(self, call: Call, headers: Mapping[str, str], now: float) -> None:
        most, left = number(headers.get("ratelimit-limit")), number(headers.get("ratelimit-remaining"))
        if most is None or most < LEAST:
            return
        limit = self._limit_of(call.scope, float(int(min(most, LARGEST))))
        limit.expires = now + REPEATED
        reset = _seconds(headers.get("ratelimit-reset"))
        if left is None or reset is None:
            return
        if call.number > limit.told_by:  # answers come in any order: the latest call's word counts
            limit.told_by = call.number
            limit.room = left - limit.windows["all"].running
            limit.room_until = now + reset

    def _limit_of(self, scope: str, most: float) -> Limit:
        """The limit that this scope has been told of now: it takes the place of the one before."""
        name = f"{most:.0f}"
        known = self._told.get(name)
        if known is not None and scope in known.scopes:
            return known
        alone = next((key for key, limit in self._told.items() if limit.scopes == {scope}), None)
        if known is None and alone is not None:  # what it binds stays the same: nothing is to be counted anew
            limit = self._told[name] = self._told.pop(alone)
            limit.most = most
            if limit is not self._widest and self._widest and limit.rate <= self._widest.rate:
                return limit
            self._recount()
            return limit
        for former in self._told.values():
            former.scopes.discard(scope)
        self._told = {key: limit for key, limit in self._told.items() if limit.scopes}
        limit = self._told.setdefault(name, Limit(most))
        limit.scopes.add(scope)
        self._recount()
        return limit

    def _recount(self) -> None:
        """What binds which calls has changed."""
        general = self._default if not self._told else None
        self._limits = [limit for limit in (general, *self._told.values(), self._inferred) if limit]
        self._scopes = {scope for limit in self._told.values() for scope in limit.scopes}
        self._widest = max(self._limits, key=lambda limit: limit.rate, default=None)
        in_order = sorted(self._calls, key=lambda call: float("inf") if call.ended is None else call.ended)
        for limit in self._limits:
            limit.recount(call for call in in_order if self._counts(call, limit))

    def _refresh(self, now: float) -> None:
        """Forget what is past, and raise what is to be found out."""
        while self._calls and self._calls[0].ended is not None and self._calls[0].ended <= now - MINUTE:
            self._calls.popleft()
        if self._inferred is not None:
            self._inferred.grow(now)
        if any(limit.expires <= now for limit in self._limits):
            self._told = {name: limit for name, limit in self._told.items() if limit.expires > now}
            if self._inferred is not None and self._inferred.expires <= now:
                self._inferred = None
            self._recount()

    def _binding(self, call: Call) -> list[Limit]:
        return [limit for limit in self._limits if self._counts(call, limit)]

    def _counts(self, call: Call, limit: Limit) -> bool:
        if limit.scopes and call.scope in self._scopes:
            return call.scope in limit.scopes
        return not limit.scopes or limit is self._widest

    def _expected(self) -> float:
        """Pages a second that are to come and can go: a stricter limit of their own may bind them."""
        if self._page is None:
            return 0.0
        return min([self._pace * MARGIN, *(limit.rate for limit in self._binding(self._page))])

    def _let_through(self, call: Call) -> Call:
        if call.need is Need.PAGE and call.write:
            self._page = call
        self._number += 1
        call.number = self._number
        self._calls.append(call)
        for limit in self._binding(call):
            limit.begin(call)
            limit.room -= 1
        return call

    def _wait(self, call: Call, now: float) -> float:
        self._refresh(now)
        pace = self._expected()
        shortfalls = [limit.shortfall(call, now, pace) for limit in self._binding(call)]
        return max([self._held.get(call.scope, 0.0) - now, *shortfalls])


def retry_after(headers: Mapping[str, str]) -> float | None:
    """How many seconds the vendor asks us to wait, at most a minute; None when it does not say.

    A period alone is no such request: it says how the vendor counts.
    """
    told = told_wait(headers)
    period = number(headers.get("X-RateLimit-Period-In-Sec"))
    return FIRST_PAUSE if told is None and period and period > 0 else told


def told_wait(headers: Mapping[str, str]) -> float | None:
    """How many seconds to wait by the vendor's own words."""
    told = (_seconds(headers.get(name)) for name in ("ratelimit-reset", "Retry-After"))
    return next((seconds for seconds in told if seconds is not None), None)


def _seconds(text: str | None) -> float | None:
    """A time to wait, within bounds; None for what cannot be one."""
    seconds = number(text)
    return min(seconds, LONGEST) if seconds is not None and 0 < seconds < NO_WAIT else None
