"""The rate limiter between routes that share a key: they take turns, and none waits for the storm of another."""

from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial

import pytest

from reconciler.errors import RateLimited
from reconciler.vendors.call_context import CallPriority
from reconciler.vendors.rate_limiter import RateLimiter
from tests.support.timeline import Timeline

PAGE, CHANGED, _, FEED, _ = CallPriority
SCOPE = "POST /incidents"
FOREVER = float("inf")
STATED = {"ratelimit-limit": "960"}


class Key:
    """One key of a vendor, used up at first. `admitted` are the routes of its calls in the order of admission."""

    def __init__(self, most: int = 20) -> None:
        self.time = Timeline()
        self.limiter = RateLimiter(self.time, most)
        self.admitted: list[str] = []
        self.end = FOREVER
        for _ in range(most):  # after a minute, one call is admitted each 60 / most seconds
            self.limiter.release(self.limiter.acquire(SCOPE, write=True, within=0, priority=FEED), 200, {})
            self.time.seconds += 60 / most
        self.began = self.time.seconds

    def call(self, route: str, priority: CallPriority = PAGE, scope: str = SCOPE, takes: float = 0.0) -> None:
        turn = self.limiter.acquire(scope, write=True, within=FOREVER, priority=priority, route=route)
        if self.time.seconds < self.end:
            self.admitted.append(route)
        if takes:
            self.time.wait(takes)
        self.limiter.release(turn, 200, {})

    def thread(self, route: str, calls: int, takes: float = 0.0) -> None:
        """One call after the other."""
        for _ in range(calls):
            if self.time.seconds < self.end:
                self.call(route, takes=takes)

    def play(self, jobs: Iterable[Callable[[], None]]) -> str:
        """The order of admission of these jobs, which start one shortly after the other."""
        self.time.run([(0.01 * number, job) for number, job in enumerate(jobs)])
        return "".join(self.admitted)


def test_waiting_calls_of_different_routes_take_turns_in_order_of_arrival() -> None:
    key = Key()
    assert key.play(partial(key.call, route) for route in "aaaaabccd") == "abcdacaaa"


def test_a_route_that_comes_later_is_in_the_current_turn() -> None:
    key = Key()
    jobs = [(0.01 * number, partial(key.call, "a")) for number in range(8)]
    key.time.run([*jobs, (10.0, partial(key.call, "b")), (10.1, partial(key.call, "b"))])
    (first, second), before = [at for at, route in enumerate(key.admitted) if route == "b"], key.admitted[:3]
    assert before == ["a", "a", "a"]
    assert (first, second) in {(3, 5), (4, 6)}


def test_urgency_goes_before_turns() -> None:
    key = Key()
    changes, pages = (
        [partial(key.call, route, priority) for _ in range(4)] for route, priority in (("b", CHANGED), ("a", PAGE))
    )
    assert key.play([*changes, *pages]) == "baaaabbb"


def test_one_route_alone_has_the_order_of_arrival() -> None:
    key = Key()
    order: list[int] = []

    def numbered(number: int) -> None:
        key.call("a")
        order.append(number)

    key.play(partial(numbered, number) for number in range(16))
    assert order == list(range(16))


@pytest.mark.parametrize("threads", [(16, 16), (16, 4), (16, 4, 2)], ids=str)
def test_routes_with_more_calls_at_a_time_get_no_more_of_the_rate(threads: tuple[int, ...]) -> None:
    key = Key(60)
    key.end = key.began + 120
    jobs = [
        partial(key.thread, route, 1000) for route, many in zip("abc", threads, strict=False) for _ in range(many)
    ]
    key.play(jobs)
    shares = Counter(key.admitted)
    assert min(shares.values()) >= 0.9 * max(shares.values())
    assert shares.total() >= 115


def test_calls_that_were_refused_cost_no_turn() -> None:
    key = Key()

    def refused() -> None:
        for _ in range(50):
            with pytest.raises(RateLimited):
                key.limiter.acquire(SCOPE, write=True, within=0.0, priority=PAGE, route="b")

    assert key.play([*(partial(key.call, "a") for _ in range(3)), refused, partial(key.call, "b")]) == "abaa"


def test_calls_that_wait_for_something_else_hold_back_neither_their_own_route_nor_another() -> None:
    key = Key()
    held = key.limiter.acquire("PUT /held", write=True, within=FOREVER, priority=PAGE)
    key.limiter.release(held, 429, {"Retry-After": "30"})
    waiting = [partial(key.call, "a", PAGE, "PUT /held") for _ in range(3)]
    rest = [partial(key.call, route) for route in "abab"]
    order = key.play([*waiting, *rest])
    assert Counter(order[:4]) == {"a": 2, "b": 2}


def test_a_page_waits_for_one_call_of_another_routes_storm() -> None:
    """2 routes on one key of 960 calls a minute: 1,000 pages of one route, one page of the other."""
    key = Key(960)
    asked: list[int] = []
    alerts = iter(range(1000))

    def storm() -> None:
        for _ in alerts:
            key.call("storm", takes=0.1)

    def page() -> None:
        asked.append(len(key.admitted))
        key.call("calm", takes=0.1)

    pages = [(seconds, page) for seconds in (5.0, 20.0, 40.0)]
    key.time.run([*((0.001 * number, storm) for number in range(16)), *pages])
    admitted = [at for at, route in enumerate(key.admitted) if route == "calm"]
    assert len(key.admitted) == 1003
    assert [at - before <= 1 for at, before in zip(admitted, asked, strict=True)] == [True] * 3


def test_a_storm_leaves_room_for_the_first_pages_of_another_route() -> None:
    """It uses up the rate in seconds; a page of the other route does not wait for the rest of the minute."""
    key = Key(960)
    key.time.seconds += 60
    alerts = iter(range(1000))
    waits: list[float] = []

    def storm() -> None:
        for _ in alerts:
            key.call("storm", takes=0.1)

    def page() -> None:
        asked = key.time.seconds
        key.call("calm")
        waits.append(key.time.seconds - asked)

    key.call("calm")  # the limiter knows the route: it has polled before
    key.time.run([*((0.0, storm) for _ in range(16)), *((seconds, page) for seconds in (1, 10, 30, 50))])
    assert waits == [0.0] * 4
    assert key.time.seconds - key.began - 60 <= 1000 / 960 * 60 * 1.1


def test_one_route_alone_has_the_whole_rate() -> None:
    key = Key(100)
    key.time.seconds += 60
    key.call("", CHANGED)  # about the account, for no route
    for _ in range(97):
        key.limiter.release(
            key.limiter.acquire(SCOPE, write=True, within=0, priority=PAGE, route="default"), 200, {}
        )


def burst(limiter: RateLimiter, scope: str, route: str) -> None:
    """Calls of a storm, until there is no room for another."""
    while True:
        try:
            turn = limiter.acquire(scope, write=True, within=0.0, priority=PAGE, route=route)
        except RateLimited:
            return
        limiter.release(turn, 200, STATED)


def test_a_storm_leaves_room_for_a_route_whose_calls_no_longer_count() -> None:
    """The storm's first page is of a scope that the limiter has not seen: then all calls are counted again."""
    time = Timeline()
    limiter = RateLimiter(time, 960)
    for route in ("storm", "calm"):
        turn = limiter.acquire("GET /users/me", write=False, within=0.0, route=route)
        limiter.release(turn, 200, STATED)
    time.seconds += 70
    burst(limiter, SCOPE, "storm")
    for scope in (SCOPE, "PUT /incidents/{id}"):
        limiter.release(limiter.acquire(scope, write=True, within=0.0, priority=PAGE, route="calm"), 200, STATED)


def test_a_limit_that_was_inferred_leaves_room_for_other_routes() -> None:
    time = Timeline()
    limiter = RateLimiter(time)
    limiter.release(limiter.acquire(SCOPE, write=True, within=0.0, priority=PAGE, route="calm"), 200, {})
    time.seconds += 70
    turns = [limiter.acquire(SCOPE, write=True, within=0.0, priority=PAGE, route="storm") for _ in range(41)]
    for turn in turns[1:]:
        limiter.release(turn, 200, {})
    limiter.release(turns[0], 429, {"X-RateLimit-Period-In-Sec": "1", "Retry-After": "0"})
    time.seconds += 2
    burst(limiter, SCOPE, "storm")
    limiter.release(limiter.acquire(SCOPE, write=True, within=0.0, priority=PAGE, route="calm"), 200, {})
