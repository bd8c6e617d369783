"""The rate limiter of one vendor, shared by all threads: a call waits for its turn instead of causing a 429.

Limits are learned. A limit binds the kinds of call (scopes) for which the vendor states it; the widest one also
binds those for which it states none. PagerDuty states its limits in headers, and a limit holds while they repeat
it. Opsgenie says only that there were too many calls: the number that had passed until then, or a minimum, becomes
the limit, which is raised each second until it expires. Atlassian says when a kind of call may go on, and when a
limit is near: then work that can wait does. No statement of a vendor delays a call by more than a
minute.

Waiting calls are queued by priority, and within one the routes that share the key take turns: each has one call a
turn, in order of arrival, and a route that has made no call for a while joins in the current turn. So however many
calls of one route wait, a call of another goes before the second of them, and no route waits for ever. A place is
kept for each call ahead that waits for the same limit; a call that waits for something else keeps no place.
"""

import threading
from bisect import insort
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from reconciler.errors import NotExecuted, RateLimited
from reconciler.vendors.call_context import CallPriority
from reconciler.vendors.json_fields import number
from reconciler.vendors.limits import MINUTE, Call, Limit, Usage
from reconciler.vendors.ports import Clock
from reconciler.vendors.waits import FIRST_PAUSE, LONGEST_PAUSE, is_near, seconds, stated_wait

SATURATED = 0.5
"""The share of the rate beyond which work that can wait should wait."""
RECHECK = 1.0
"""Seconds after which a waiting call checks again whether a limit was raised or a more urgent call has ended.

It waits by the injected clock, so that it does so in simulated time as well: no condition variable can wake it.
"""
SHORTEST_WAIT = 0.001
"""The shortest wait in seconds: a shorter one may not advance a floating-point clock at all."""
LEAST_INFERRED = 10.0
"""Calls a second: no lower limit is inferred from a 429, which other clients of the account may have caused."""
GROWTH = 10.0
"""Calls a second by which an inferred limit is raised each second."""
INFERRED_FOR = 20.0
"""Seconds after the last 429 at which an inferred limit expires."""
STATED_FOR = 120.0
"""Seconds within which the vendor must repeat a limit."""
LEAST_STATED, LARGEST_STATED = 12.0, 100_000.0
"""Calls a minute: a lower stated limit counts as an error, and a higher one makes no difference."""
NEAR_FOR = 10.0
"""Seconds for which the rate counts as saturated after the vendor has said that its limit is near."""
TOO_MANY = 429


@dataclass(frozen=True, slots=True)
class _Refusal:
    """The last 429 of a scope: the pause after it, and the last call that was admitted by then."""

    pause: float
    until_call: int


class RateLimiter:
    """Admits calls in the order of their urgency.

    `per_minute` holds until the vendor states a limit; None is no limit. Acquiring and releasing cost the same
    however many calls there were: each limit counts its own as they come and go, and all are counted again only
    when a limit binds other calls than before.
    """

    def __init__(self, clock: Clock, per_minute: int | None = None) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._calls: deque[Call] = deque()  # about in the order of their start
        self._waiting: list[Call] = []  # by priority, then by turn, then in order of arrival
        self._turns = dict.fromkeys(CallPriority, 0)  # the latest turn of which a call was admitted
        self._last_turns: dict[tuple[CallPriority, str], int] = {}  # the same for each route
        self._routes: set[str] = set()  # all that have ever asked: each leaves room to the rest
        self._default = Limit(per_minute, routes=self._routes) if per_minute else None
        self._stated: dict[str, Limit] = {}  # by the stated figure: scopes with the same one are taken to share it
        self._inferred: Limit | None = None
        self._held: dict[str, float] = {}
        self._refusals: dict[str, _Refusal] = {}
        self._near_until = float("-inf")
        self._number = 0
        self._recount()

    def rate(self) -> float:
        """Calls a second that the widest known limit allows; stricter ones bind only some calls."""
        with self._lock:
            self._refresh(self._clock.monotonic())
            return self._widest.rate if self._widest else float("inf")

    def is_saturated(self) -> bool:
        """Whether so much of the rate is in use that work that can wait should wait."""
        with self._lock:
            now = self._clock.monotonic()
            self._refresh(now)
            if now < self._near_until:
                return True
            return self._widest is not None and self._widest.count(now) > self._widest.most * SATURATED

    def remaining(self) -> int | None:
        """Calls that the tightest known limit allows now; None if no limit is known."""
        with self._lock:
            now = self._clock.monotonic()
            self._refresh(now)
            left = [limit.left(now) for limit in self._limits]
        return max(0, min(left)) if left else None

    def acquire(
        self,
        scope: str,
        *,
        write: bool,
        within: float,
        priority: CallPriority = CallPriority.CHANGED,
        route: str = "",
    ) -> Call:
        """Wait until this call may start, and count it as under way. `route` is the one that it is for.

        RateLimited as soon as that cannot be within `within` seconds; NotExecuted when the program stops.
        """
        call = Call(scope, write, priority, route)
        last = self._clock.monotonic() + within
        with self._queued(call):
            while wait := self._admitted_or_wait(call):
                if self._clock.monotonic() + wait > last:
                    raise RateLimited(f"the rate limit leaves no room for another {wait:.0f} s; not sent", wait)
                if self._clock.wait(min(max(wait, SHORTEST_WAIT), RECHECK)):
                    raise NotExecuted("stopped while waiting for the rate limit; not sent")
        return call

    def release(self, call: Call, status: int | None, headers: Mapping[str, str]) -> None:
        """Note that a call has ended, and learn from its answer. `status` is None if there was none."""
        with self._lock:
            call.ended = now = self._clock.monotonic()
            for limit in self._binding(call):
                limit.end(call, now)
            self._learn(call, headers, now)
            if is_near(headers):
                self._near_until = now + NEAR_FOR
            period = number(headers.get("X-RateLimit-Period-In-Sec"))
            period = min(max(period, 1.0), LONGEST_PAUSE) if period and period > 0 else None
            throttled = status == TOO_MANY or headers.get("X-RateLimit-State", "").upper() == "THROTTLED"
            if throttled and period:
                self._infer(call, period, now)
            if status == TOO_MANY:
                self._hold(call, stated_wait(headers, self._clock.now()), period or LONGEST_PAUSE, now)
            elif status is not None:
                self._refusals.pop(call.scope, None)

    def _until_turn(self, call: Call, now: float) -> float:
        """Seconds until this call may start, with a place kept for each one ahead that waits."""
        self._refresh(now)
        kept: Counter[Usage] = Counter()
        bounds: dict[tuple[object, ...], list[tuple[Usage, int]]] = {}  # the same for calls of one kind
        for other in self._waiting:
            kind = other.scope, other.write, other.priority, other.route
            if kind not in bounds:
                bounds[kind] = list(self._bounds(other, now))
            waits = [(usage, usage.until_below(most - kept[usage], now)) for usage, most in bounds[kind]]
            wait = max([self._held.get(other.scope, 0.0) - now, *(seconds for _, seconds in waits)])
            if other is call:
                return wait
            kept.update(usage for usage, seconds in waits if seconds >= wait)
        raise AssertionError("unreachable")

    @contextmanager
    def _queued(self, call: Call) -> Iterator[None]:
        with self._lock:
            if call.route:
                self._routes.add(call.route)
            call.turn = self._turn_of(call)
            insort(self._waiting, call, key=lambda other: (other.priority, other.turn))
        try:
            yield
        finally:
            with self._lock:
                if call in self._waiting:  # it was not admitted
                    self._waiting.remove(call)

    def _turn_of(self, call: Call) -> int:
        """The current turn, or the one after the last of this route that waits or was admitted."""
        mine = call.priority, call.route
        waiting = (other.turn for other in self._waiting if (other.priority, other.route) == mine)
        last = max((*waiting, self._last_turns.get(mine, -1)))
        return max(self._turns[call.priority], last + 1)

    def _admitted_or_wait(self, call: Call) -> float:
        """Admit the call if it may start; otherwise return the seconds to wait, more than 0."""
        with self._lock:
            wait = self._until_turn(call, self._clock.monotonic())
            if wait > 0:
                return wait
            self._waiting.remove(call)
            self._admit(call)
            return 0.0

    def _admit(self, call: Call) -> None:
        self._number += 1
        call.number = self._number
        self._calls.append(call)
        self._turns[call.priority] = max(self._turns[call.priority], call.turn)
        mine = call.priority, call.route
        self._last_turns[mine] = max(self._last_turns.get(mine, 0), call.turn)
        for limit in self._binding(call):
            limit.admit(call)

    def _bounds(self, call: Call, now: float) -> Iterator[tuple[Usage, int]]:
        for limit in self._binding(call):
            yield from limit.bounds(call, now)

    def _binding(self, call: Call) -> list[Limit]:
        return [limit for limit in self._limits if self._binds(limit, call)]

    def _binds(self, limit: Limit, call: Call) -> bool:
        if limit.scopes and call.scope in self._scopes:
            return call.scope in limit.scopes
        return not limit.scopes or limit is self._widest

    def _infer(self, call: Call, period: float, now: float) -> None:
        """Infer a limit from the calls that passed, per second: none waits for the rest of a minute."""
        passed = sum(c is not call and c.ended is not None and c.ended > now - period for c in self._calls)
        most = max(LEAST_INFERRED, passed / period)
        self._inferred = Limit(
            most, 1.0, expires=now + INFERRED_FOR, growth=GROWTH, grown_at=now, routes=self._routes
        )
        self._recount()

    def _hold(self, call: Call, stated: float | None, longest: float, now: float) -> None:
        """Delay the scope, as stated or briefly at first. Calls under way at the time are no further refusal."""
        last = self._refusals.get(call.scope)
        if stated is None and last is not None and call.number <= last.until_call:
            return
        pause = min(2 * last.pause if last else FIRST_PAUSE, longest)
        self._refusals[call.scope] = _Refusal(pause, self._number)
        until = now + (pause if stated is None else stated)
        self._held[call.scope] = max(self._held.get(call.scope, 0.0), until)

    def _learn(self, call: Call, headers: Mapping[str, str], now: float) -> None:
        most, left = number(headers.get("ratelimit-limit")), number(headers.get("ratelimit-remaining"))
        if most is None or most < LEAST_STATED:
            return
        limit = self._limit_of(call.scope, float(int(min(most, LARGEST_STATED))))
        limit.expires = now + STATED_FOR
        reset = seconds(headers.get("ratelimit-reset"))
        if left is not None and reset is not None:
            limit.state(left, now + reset, call)

    def _limit_of(self, scope: str, most: float) -> Limit:
        """The limit stated for this scope now, replacing the former one."""
        name = f"{most:.0f}"
        known = self._stated.get(name)
        if known is not None and scope in known.scopes:
            return known
        alone = next((key for key, limit in self._stated.items() if limit.scopes == {scope}), None)
        if known is None and alone is not None:  # it binds the same calls as before: no recount is needed
            limit = self._stated[name] = self._stated.pop(alone)
            limit.most = most
            if limit is not self._widest and self._widest and limit.rate <= self._widest.rate:
                return limit
            self._recount()
            return limit
        for former in self._stated.values():
            former.scopes.discard(scope)
        self._stated = {key: limit for key, limit in self._stated.items() if limit.scopes}
        limit = self._stated.setdefault(name, Limit(most, routes=self._routes))
        limit.scopes.add(scope)
        self._recount()
        return limit

    def _recount(self) -> None:
        """Count all calls again, because a limit now binds other calls."""
        general = self._default if not self._stated else None
        self._limits = [limit for limit in (general, *self._stated.values(), self._inferred) if limit]
        self._scopes = {scope for limit in self._stated.values() for scope in limit.scopes}
        self._widest = max(self._limits, key=lambda limit: limit.rate, default=None)
        in_order = sorted(self._calls, key=lambda call: float("inf") if call.ended is None else call.ended)
        for limit in self._limits:
            limit.recount(call for call in in_order if self._binds(limit, call))

    def _refresh(self, now: float) -> None:
        """Drop calls and limits that have expired, and raise an inferred limit."""
        while self._calls and self._calls[0].ended is not None and self._calls[0].ended <= now - MINUTE:
            self._calls.popleft()
        if self._inferred is not None:
            self._inferred.grow(now)
        if any(limit.expires <= now for limit in self._limits):
            self._stated = {name: limit for name, limit in self._stated.items() if limit.expires > now}
            if self._inferred is not None and self._inferred.expires <= now:
                self._inferred = None
            self._recount()
