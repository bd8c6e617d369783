"""The queue of the rate limiter: the order of waiting threads, in simulated time."""

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import RateLimited
from reconciler.vendors.call_context import CallPriority
from reconciler.vendors.rate_limiter import RateLimiter
from tests.support.floor import finish
from tests.support.timeline import Timeline

pytestmark = pytest.mark.unmeasured  # many runs of lines that other tests cover, too: tracing doubles the time

PAGE, CHANGED, UNSETTLED, FEED, SWEEP = CallPriority
SCOPE = "PUT /incidents/{id}"
FOREVER = float("inf")


@dataclass(frozen=True)
class PlannedCall:
    """A call to be made `at` a second, and how long it takes."""

    at: float
    priority: CallPriority
    write: bool = True
    takes: float = 0.1
    scope: str = SCOPE


@dataclass(frozen=True)
class MadeCall:
    """A call that was admitted, with its times."""

    planned: PlannedCall
    began: float
    ended: float


def play(
    planned_calls: list[PlannedCall], limiter: RateLimiter, timeline: Timeline, within: float = FOREVER
) -> list[MadeCall]:
    """The calls in the order in which they were admitted; each call has a thread of its own."""
    start = timeline.seconds
    made: list[MadeCall] = []

    def job(planned: PlannedCall) -> Callable[[], None]:
        def run() -> None:
            call = limiter.acquire(planned.scope, write=planned.write, within=within, priority=planned.priority)
            began, place = timeline.seconds - start, len(made)
            made.append(MadeCall(planned, began, began))
            if planned.takes:
                timeline.wait(planned.takes)
            limiter.release(call, 200, {})
            made[place] = MadeCall(planned, began, timeline.seconds - start)

        return run

    timeline.run([(planned.at, job(planned)) for planned in planned_calls])
    return made


def used_up(timeline: Timeline, most: int = 20) -> RateLimiter:
    """A limiter whose limit is used up; after a minute one call is admitted every three seconds."""
    limiter = RateLimiter(timeline, most)
    for _ in range(most):
        limiter.release(limiter.acquire(SCOPE, write=True, within=0, priority=FEED), 200, {})
        timeline.seconds += 3
    timeline.seconds -= 60
    for call in limiter._calls:
        assert call.ended is not None
    return limiter


def test_waiting_calls_are_admitted_by_priority_and_then_in_order_of_arrival() -> None:
    timeline = Timeline()
    limiter = used_up(timeline)
    order = [SWEEP, FEED, CHANGED, PAGE, UNSETTLED, PAGE, CHANGED]
    made = play(
        [PlannedCall(0.1 * n, priority, write=False) for n, priority in enumerate(order)], limiter, timeline
    )
    assert [call.planned.priority for call in made] == [PAGE, PAGE, CHANGED, CHANGED, UNSETTLED, FEED, SWEEP]
    for priority in (PAGE, CHANGED):
        arrivals = [call.planned.at for call in made if call.planned.priority is priority]
        assert arrivals == sorted(arrivals)


def test_a_call_that_cannot_be_admitted_in_time_is_refused_at_once() -> None:
    timeline = Timeline()
    limiter = RateLimiter(timeline, 20)
    for _ in range(20):
        limiter.release(limiter.acquire(SCOPE, write=True, within=0, priority=FEED), 200, {})
        timeline.seconds += 1
    refused: list[tuple[float, object]] = []

    def page() -> None:
        limiter.release(limiter.acquire(SCOPE, write=True, within=60, priority=PAGE), 200, {})

    def note() -> None:
        with pytest.raises(RateLimited) as caught:
            limiter.acquire(SCOPE, write=True, within=41)
        refused.append((timeline.seconds, caught.value.retry_after))

    timeline.run([(0.0, page), (0.1, page), (0.5, note)])
    assert refused == [(1020.5, pytest.approx(41.5))]


def test_a_call_delayed_by_another_limit_reserves_no_place() -> None:
    timeline = Timeline()
    limiter = RateLimiter(timeline, 20)
    held = limiter.acquire("POST /incidents", write=True, within=0)
    limiter.release(held, 429, {"Retry-After": "30"})
    planned_calls = [
        PlannedCall(0, PAGE, scope="POST /incidents"),
        *(PlannedCall(0.1, CHANGED) for _ in range(19)),
    ]
    made = play(planned_calls, limiter, timeline)
    assert [call.began < 1 for call in made] == [True] * 19 + [False]


def test_a_call_notices_within_a_second_that_the_vendor_has_more_room() -> None:
    timeline = Timeline()
    limiter = RateLimiter(timeline, 960)

    def state(left: str) -> None:
        headers = {"ratelimit-limit": "960", "ratelimit-remaining": left, "ratelimit-reset": "50"}
        limiter.release(limiter.acquire("GET /incidents", write=False, within=0, priority=FEED), 200, headers)

    began = []

    def page() -> None:
        limiter.acquire("GET /incidents", write=True, within=60, priority=PAGE)
        began.append(timeline.seconds)

    under_way = limiter.acquire("GET /incidents", write=False, within=0)
    state("0")
    late = {"ratelimit-limit": "960", "ratelimit-remaining": "900", "ratelimit-reset": "50"}
    under_way.number += 2  # the answer to a later call than the one that stated 0
    timeline.run([(0.0, page), (5.0, lambda: limiter.release(under_way, 200, late))])
    assert 1005 <= began[0] <= 1006


def test_feeds_are_admitted_while_pages_use_the_rate() -> None:
    timeline = Timeline()
    pages = [PlannedCall(0.0, PAGE) for _ in range(60)]
    limiter = RateLimiter(timeline, 600)
    ended = 1000.0 + 300.0

    def worker() -> None:
        while timeline.seconds < ended:
            limiter.release(limiter.acquire(SCOPE, write=True, within=FOREVER, priority=PAGE), 200, {})
            timeline.wait(0.1)

    waits = []

    def feed() -> None:
        while timeline.seconds < ended:
            asked = timeline.seconds
            limiter.release(limiter.acquire("GET /v2/alerts", write=False, within=FOREVER, priority=FEED), 200, {})
            waits.append(timeline.seconds - asked)
            timeline.wait(10 - waits[-1])

    timeline.run([(0.0, worker) for _ in pages[:16]] + [(5.0, feed)])
    assert len(waits) == 30
    assert max(waits) <= 1


def test_reads_of_any_number_leave_room_for_writes() -> None:
    timeline = Timeline()
    limiter = RateLimiter(timeline, 100)
    reads = [PlannedCall(0.0, PAGE, write=False) for _ in range(120)]
    writes = [PlannedCall(1.0 + n, UNSETTLED) for n in range(7)]
    made = play([*reads, *writes], limiter, timeline)
    assert all(call.began == call.planned.at for call in made if call.planned.write)


def test_the_sweep_uses_only_the_unused_part_of_half_the_limit() -> None:
    timeline = Timeline()
    limiter = RateLimiter(timeline, 100)
    sweep = [PlannedCall(0.0, SWEEP, write=False) for _ in range(60)]
    made = play([*sweep, PlannedCall(1.0, CHANGED), PlannedCall(1.0, CHANGED, write=False)], limiter, timeline)
    assert sum(call.began < 50 for call in made if call.planned.priority is SWEEP) == 50
    assert all(call.began == 1.0 for call in made if call.planned.priority is CHANGED)


WISHES = st.lists(
    st.builds(
        PlannedCall,
        at=st.integers(0, 1500).map(lambda tenths: tenths / 10),
        priority=st.sampled_from(CallPriority),
        write=st.booleans(),
        takes=st.sampled_from([0.0, 0.1, 2.0]),
    ),
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(WISHES, st.integers(12, 40))
def test_no_minute_holds_more_than_the_limit_and_every_call_is_admitted(
    planned_calls: list[PlannedCall], most: int
) -> None:
    timeline = Timeline()
    made = play(planned_calls, RateLimiter(timeline, most), timeline)
    assert len(made) == len(planned_calls)
    ends = sorted(call.ended for call in made)
    begins = sorted(call.began for call in made)
    # A vendor may count a call at any moment between its beginning and its end.
    for later in range(most, len(begins)):
        assert begins[later] >= ends[later - most] + 60 - 1e-6 or _in_use(made, begins[later]) <= most


def _in_use(made: list[MadeCall], moment: float) -> int:
    return sum(call.began <= moment and call.ended > moment - 60 + 1e-6 for call in made)


@settings(max_examples=60, deadline=None)
@given(WISHES, st.integers(12, 40))
def test_no_call_overtakes_a_more_urgent_one_under_the_same_limit(
    planned_calls: list[PlannedCall], most: int
) -> None:
    timeline = Timeline()
    made = play(planned_calls, RateLimiter(timeline, most), timeline)
    for place, call in enumerate(made):
        if call.planned.priority is FEED:  # feeds have a share of their own
            continue
        for later in made[place + 1 :]:
            bound_alike = later.planned.write or not call.planned.write
            if bound_alike and later.planned.at < call.began - 1e-6:
                assert later.planned.priority >= call.planned.priority


@settings(max_examples=6, deadline=None)
@given(st.lists(st.booleans(), min_size=70, max_size=90), st.sampled_from([PAGE, CHANGED, UNSETTLED, SWEEP]))
def test_feeds_are_never_starved(writes: list[bool], priority: CallPriority) -> None:
    timeline = Timeline()
    rest = [PlannedCall(0.0, priority, write=write) for write in writes]
    made = play([*rest, PlannedCall(10.0, FEED, write=False)], RateLimiter(timeline, 50), timeline)
    assert next(call.began for call in made if call.planned.priority is FEED) == 10


class Vendor:
    """Counts arriving calls, and refuses those beyond its limit per minute."""

    def __init__(self, timeline: Timeline, most: int) -> None:
        self._timeline = timeline
        self._most = most
        self._calls: deque[float] = deque()

    def status(self) -> int:
        now = self._timeline.seconds
        while self._calls and self._calls[0] <= now - 60:
            self._calls.popleft()
        if len(self._calls) >= self._most:
            return 429
        self._calls.append(now)
        return 201


def test_a_storm_of_1000_alerts_uses_the_allowed_rate_without_a_429_and_pages_first() -> None:
    """At least 95 % of the allowed rate is used. Each alert has a note five seconds later, and feeds poll on."""
    timeline, most, alerts, latency = Timeline(), 960, 1000, 0.1
    limiter, vendor = RateLimiter(timeline, most), Vendor(timeline, most)
    due: list[tuple[CallPriority, int]] = []
    done: dict[CallPriority, list[float]] = {PAGE: [], CHANGED: []}
    refused, numbers = [], count()
    start = timeline.seconds

    def one(scope: str, priority: CallPriority, *, write: bool) -> None:
        within = 2.0 if priority is CHANGED else FOREVER
        call = limiter.acquire(scope, write=write, within=within, priority=priority)
        timeline.wait(latency)
        status = vendor.status()
        if status == 429:
            refused.append(timeline.seconds)
        limiter.release(call, status, {"ratelimit-limit": str(most)})

    def worker(least: CallPriority) -> None:
        while len(done[PAGE]) + len(done[CHANGED]) < 2 * alerts:
            if not due or due[0][0] > least:
                timeline.wait(0.1)
                continue
            priority, number = heapq.heappop(due)
            try:
                one("POST /incidents" if priority is PAGE else "POST /incidents/{id}/notes", priority, write=True)
                done[priority].append(timeline.seconds - start)
            except RateLimited:
                heapq.heappush(due, (priority, number))
                timeline.wait(0.5)

    def feed() -> None:
        while len(done[PAGE]) + len(done[CHANGED]) < 2 * alerts:
            one("GET /log_entries", FEED, write=False)
            timeline.wait(10)

    raised = [60 * n / alerts for n in range(alerts)]
    events = [(at, lambda: heapq.heappush(due, (PAGE, next(numbers)))) for at in raised]
    events += [(at + 5, lambda: heapq.heappush(due, (CHANGED, next(numbers)))) for at in raised]
    timeline.run([*events, *((0.0, partial(worker, least)) for least in [PAGE, CHANGED] * 8), (0.0, feed)])
    pages = finish(raised, most, 0, latency=latency)
    everything = finish([*(at - latency for at in pages), *(at + 5 for at in raised)], most, latency=latency)
    assert refused == []
    assert pages[-1] / done[PAGE][-1] >= 0.95
    assert everything[-1] / max(done[CHANGED][-1], done[PAGE][-1]) >= 0.95
