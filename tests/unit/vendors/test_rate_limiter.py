"""The rate limiter: no window holds more calls than the vendor's limit, and urgent calls go first."""

import threading
from datetime import timedelta

import pytest

from reconciler.errors import NotExecuted
from reconciler.vendors.call_context import CallPriority
from reconciler.vendors.rate_limiter import RateLimiter
from tests.support.clock import SimClock

SCOPE = "PUT /incidents/{id}"


def use(
    limiter: RateLimiter,
    scope: str = SCOPE,
    *,
    write: bool = True,
    within: float = 300,
    priority: CallPriority = CallPriority.CHANGED,
    **headers: str,
) -> None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    limiter.release(limiter.acquire(scope, write=write, within=within, priority=priority), 200, named)


def test_no_call_waits_without_a_limit(clock: SimClock) -> None:
    limiter = RateLimiter(clock)
    for _ in range(5000):
        use(limiter)
    assert clock.waits == []


@pytest.mark.parametrize("priority", sorted(set(CallPriority) - {CallPriority.SWEEP}))
def test_a_minute_holds_nearly_and_never_more_than_the_limit(clock: SimClock, priority: CallPriority) -> None:
    limiter, times = RateLimiter(clock, 60), []
    while clock.passed < 2000:
        use(limiter, priority=priority)
        times.append(clock.passed)
        clock.passed += 0.3
    assert all(later - earlier >= 60 for earlier, later in zip(times, times[60:], strict=False))
    assert len(times) >= 0.95 * 60 * (times[-1] - times[0]) / 60


def test_a_burst_of_writes_leaves_room_for_pages_and_pages_leave_room_for_reads(clock: SimClock) -> None:
    limiter = RateLimiter(clock, 100)
    for priority, most in ((CallPriority.CHANGED, 97), (CallPriority.PAGE, 1), (CallPriority.FEED, 2)):
        for _ in range(most):
            use(limiter, within=0, priority=priority)
        with pytest.raises(NotExecuted):
            limiter.acquire(SCOPE, write=True, within=30, priority=priority)
    assert clock.waits == []


def test_admitting_a_call_takes_constant_time(clock: SimClock) -> None:
    limiter = RateLimiter(clock)
    use(limiter, ratelimit_limit="1000000")
    looked_at = []
    binds = limiter._binds
    limiter._binds = lambda limit, call: looked_at.append(call) or binds(limit, call)  # type: ignore[method-assign, func-returns-value]
    for _ in range(1000):
        use(limiter)
    assert len(looked_at) <= 4 * 1000


def test_a_limit_learned_late_counts_the_earlier_calls(clock: SimClock) -> None:
    limiter = RateLimiter(clock)
    for _ in range(30):
        use(limiter)
        clock.passed += 1
    use(limiter, ratelimit_limit="50")
    assert limiter.remaining() == 19
    clock.passed += 31  # the first two are older than a minute now
    assert limiter.remaining() == 21


def test_the_remainder_stated_by_the_vendor_keeps_room_for_a_page_too(clock: SimClock) -> None:
    limiter = RateLimiter(clock)
    use(limiter, ratelimit_limit="100", ratelimit_remaining="3", ratelimit_reset="20")
    with pytest.raises(NotExecuted):
        limiter.acquire(SCOPE, write=True, within=10)
    use(limiter, within=0, priority=CallPriority.PAGE)


def test_the_widest_limit_determines_the_rate(clock: SimClock) -> None:
    assert RateLimiter(clock).rate() == float("inf")
    limiter = RateLimiter(clock, 960)
    assert limiter.rate() == 16
    use(limiter, ratelimit_limit="600", ratelimit_remaining="9", ratelimit_reset="60")
    use(limiter, "POST /incidents", ratelimit_limit="60", ratelimit_remaining="9", ratelimit_reset="60")
    assert limiter.rate() == 10


def test_the_remainder_is_that_of_the_tightest_limit(clock: SimClock) -> None:
    limiter = RateLimiter(clock, 100)
    assert RateLimiter(clock).remaining() is None
    for _ in range(30):
        use(limiter)
    under_way = limiter.acquire(SCOPE, write=True, within=0)
    assert limiter.remaining() == 69
    clock.passed += 61
    assert limiter.remaining() == 99
    limiter.release(under_way, 200, {"ratelimit-limit": "100", "ratelimit-remaining": "7", "ratelimit-reset": "5"})
    assert limiter.remaining() == 7
    clock.passed += 6
    assert limiter.remaining() == 99


def test_reads_leave_a_share_of_the_limit_to_writes(clock: SimClock) -> None:
    limiter = RateLimiter(clock, 100)
    for _ in range(80):
        use(limiter, write=False)
    with pytest.raises(NotExecuted):
        limiter.acquire(SCOPE, write=False, within=30)
    for _ in range(20):
        use(limiter, write=True, within=0, priority=CallPriority.FEED)
    with pytest.raises(NotExecuted, match="the rate limit leaves no room for another 60 s; not sent") as caught:
        limiter.acquire(SCOPE, write=True, within=30)
    assert caught.value.retry_after == 60
    assert clock.waits == []


def test_reads_and_writes_together_use_the_whole_limit(clock: SimClock) -> None:
    limiter = RateLimiter(clock, 100)
    for _ in range(50):
        use(limiter, write=False, within=0, priority=CallPriority.FEED)
        use(limiter, write=True, within=0, priority=CallPriority.FEED)
    assert clock.waits == []


def test_the_limit_is_learned_from_the_answer(clock: SimClock) -> None:
    limiter = RateLimiter(clock, 960)
    use(limiter, ratelimit_limit="20", ratelimit_remaining="19", ratelimit_reset="60")
    for _ in range(19):
        use(limiter, within=0)
    with pytest.raises(NotExecuted):
        use(limiter, within=59)
    use(limiter, within=61)
    assert sum(clock.waits) == 60


def test_calls_of_other_clients_are_counted(clock: SimClock) -> None:
    limiter = RateLimiter(clock, 960)
    use(limiter, ratelimit_limit="960", ratelimit_remaining="0", ratelimit_reset="20")
    use(limiter)
    assert sum(clock.waits) == 20


def test_a_limit_of_one_operation_does_not_apply_to_others(clock: SimClock) -> None:
    limiter = RateLimiter(clock)
    use(
        limiter,
        "GET /incidents",
        write=False,
        ratelimit_limit="960",
        ratelimit_remaining="900",
        ratelimit_reset="60",
    )
    use(limiter, "POST /incidents", ratelimit_limit="60", ratelimit_remaining="0", ratelimit_reset="30")
    use(limiter, "GET /incidents", write=False, within=0)
    with pytest.raises(NotExecuted):
        use(limiter, "POST /incidents", within=0)


def refuse(limiter: RateLimiter, scope: str = SCOPE, **headers: str) -> None:
    """One call that is answered 429."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    limiter.release(limiter.acquire(scope, write=True, within=300), 429, named)


PERIOD = {"X_RateLimit_State": "THROTTLED", "X_RateLimit_Period_In_Sec": "60"}


@pytest.mark.parametrize(
    ("headers", "pauses"),
    [({}, [1, 2, 4, 8, 16, 32, 60, 60]), (PERIOD, [1, 2, 4, 8, 16, 32, 60, 60]),
     ({"X_RateLimit_Period_In_Sec": "1"}, [1, 1, 1]), ({"X_RateLimit_Period_In_Sec": "1e300"}, [1, 2, 4]),
     ({"X_RateLimit_Period_In_Sec": "-1"}, [1, 2, 4]), ({"X_RateLimit_Period_In_Sec": "nan"}, [1, 2, 4])],
)  # fmt: skip
def test_the_pause_doubles_with_each_429_that_states_no_time_to_wait(
    clock: SimClock, headers: dict[str, str], pauses: list[float]
) -> None:
    limiter = RateLimiter(clock)
    waited = []
    for _ in pauses:
        refuse(limiter, **headers)
        waited.append(sum(clock.waits))
        clock.waits.clear()
    use(limiter)
    assert [*waited[1:], sum(clock.waits)] == pauses
    clock.waits.clear()
    refuse(limiter, **headers)
    use(limiter)
    assert sum(clock.waits) == 1  # a call has passed in between: the next 429 counts as the first


def test_concurrent_429s_count_as_one(clock: SimClock) -> None:
    limiter = RateLimiter(clock)
    calls = [limiter.acquire(SCOPE, write=True, within=0) for _ in range(30)]
    for call in calls:
        limiter.release(call, 429, {})
    use(limiter)
    assert clock.waits == [1]


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({"Retry_After": "7"}, 7), ({"ratelimit_reset": "9"}, 9), ({"Retry_After": "86400"}, 60),
        ({"Retry_After": "1e300"}, 1), ({"ratelimit_reset": "1795000000"}, 1), ({"Retry_After": "nan"}, 1),
        ({"ratelimit_reset": "1795000000000"}, 1), ({"ratelimit_reset": "-3"}, 1), ({"Retry_After": "0"}, 1),
    ],
)  # fmt: skip
def test_a_stated_time_to_wait_is_respected_for_at_most_a_minute(
    clock: SimClock, headers: dict[str, str], pause: float
) -> None:
    limiter = RateLimiter(clock)
    refuse(limiter, **headers)
    use(limiter)
    assert sum(clock.waits) == pause


@pytest.mark.parametrize("reset", ["60", "86400", "1e12", "1e300", "-1", "nan", "inf", "soon"])
@pytest.mark.parametrize("left", ["0", "-1e300", "nan"])
def test_no_stated_remainder_delays_a_page_for_more_than_a_minute(clock: SimClock, left: str, reset: str) -> None:
    limiter = RateLimiter(clock, 960)
    use(limiter, ratelimit_limit="960", ratelimit_remaining=left, ratelimit_reset=reset)
    use(limiter, priority=CallPriority.PAGE)
    assert sum(clock.waits) <= 60
    assert reset == "60" or reset == "86400" or clock.waits == []  # noqa: PLR1714 - one reads like the other


@pytest.mark.parametrize("limit", ["0", "1", "11", "-960", "nan", "1e-300", "none"])
def test_an_unusably_low_stated_limit_is_ignored(clock: SimClock, limit: str) -> None:
    limiter = RateLimiter(clock, 960)
    use(limiter, "POST /incidents", ratelimit_limit=limit, ratelimit_remaining="0", ratelimit_reset="60")
    for _ in range(500):
        use(limiter, "POST /incidents", within=0, priority=CallPriority.PAGE)
    assert limiter.rate() == 16


def test_an_infinite_limit_is_ignored(clock: SimClock) -> None:
    limiter = RateLimiter(clock, 960)
    use(limiter, ratelimit_limit="1e300")
    for _ in range(2000):
        use(limiter, within=0)


def test_a_newer_limit_replaces_the_older(clock: SimClock) -> None:
    limiter = RateLimiter(clock)
    for most in (20, 40, 600, 30, 600):
        use(limiter, ratelimit_limit=str(most))
        assert limiter.rate() == most / 60
    for _ in range(500):
        use(limiter, within=0)


@pytest.mark.unmeasured
def test_the_number_of_limits_is_bounded_by_the_kinds_of_call(clock: SimClock) -> None:
    limiter = RateLimiter(clock)
    for number in range(300):
        for scope in ("A", "B", "C"):
            use(limiter, scope, ratelimit_limit=str(1000 + 7 * number + len(scope)))
    assert len(limiter._limits) <= 3
    assert limiter.remaining() is not None


def test_scopes_with_the_same_stated_limit_share_it_until_another_is_stated_for_one(clock: SimClock) -> None:
    limiter = RateLimiter(clock)
    for scope in ("A", "B"):
        use(limiter, scope, ratelimit_limit="20", priority=CallPriority.FEED)
    for _ in range(9):
        use(limiter, "A", within=0, priority=CallPriority.FEED)
        use(limiter, "B", within=0, priority=CallPriority.FEED)
    with pytest.raises(NotExecuted):
        limiter.acquire("A", write=True, within=0, priority=CallPriority.FEED)
    clock.passed += 60
    use(limiter, "B", ratelimit_limit="40", priority=CallPriority.FEED)
    for _ in range(20):
        use(limiter, "A", within=0, priority=CallPriority.FEED)
    for _ in range(39):
        use(limiter, "B", within=0, priority=CallPriority.FEED)
    with pytest.raises(NotExecuted):
        limiter.acquire("B", write=True, within=0, priority=CallPriority.FEED)


def test_a_stated_limit_that_is_not_repeated_expires(clock: SimClock) -> None:
    limiter = RateLimiter(clock, 960)
    use(limiter, "POST /incidents", ratelimit_limit="12")
    use(limiter, ratelimit_limit="60")
    clock.passed += 100
    use(limiter, ratelimit_limit="60")
    clock.passed += 30
    for _ in range(58):
        use(limiter, "POST /incidents", within=0)  # its own limit has expired: the widest one applies
    clock.passed += 121
    assert limiter.rate() == 16


def test_one_429_in_a_quiet_moment_does_not_delay_a_page_a_second_later(clock: SimClock) -> None:
    for period in ("1", "60"):
        limiter = RateLimiter(clock)
        refuse(limiter, "GET /v2/alerts", X_RateLimit_State="THROTTLED", X_RateLimit_Period_In_Sec=period)
        clock.passed += 1
        clock.waits.clear()
        use(limiter, "GET /v2/alerts", write=False, priority=CallPriority.FEED)
        use(limiter, "GET /v2/alerts/{id}", write=False, priority=CallPriority.PAGE)
        assert clock.waits == []


@pytest.mark.parametrize("status", [200, 429])
@pytest.mark.parametrize("period", ["1", "60", "5e-324", "1e300", "-1", "nan"])
def test_sixty_alerts_after_a_429_are_read_within_seconds(clock: SimClock, status: int, period: str) -> None:
    limiter = RateLimiter(clock)
    headers = {"X-RateLimit-State": "THROTTLED", "X-RateLimit-Period-In-Sec": period}
    limiter.release(limiter.acquire("GET /v2/alerts", write=False, within=0), status, headers)
    started = clock.passed
    for _ in range(60):
        use(limiter, "GET /v2/alerts/{id}", write=False)
        use(limiter, "GET /v2/alerts/{id}/notes", write=False)
    assert clock.passed - started < 6
    clock.passed = started + 20
    for _ in range(1000):
        use(limiter, within=0)


def test_an_inferred_limit_starts_at_the_calls_that_passed_and_rises_each_second(clock: SimClock) -> None:
    limiter = RateLimiter(clock)
    for _ in range(1800):
        use(limiter)
        clock.passed += 1 / 30
    refuse(limiter, **PERIOD)
    assert limiter.rate() == pytest.approx(30, abs=1)
    clock.passed += 4
    assert limiter.rate() == pytest.approx(70, abs=1)
    refuse(limiter, **PERIOD)
    assert limiter.rate() == pytest.approx(28, abs=1)  # only the calls that passed meanwhile
    clock.passed += 19
    assert limiter.rate() < float("inf")
    clock.passed += 1
    assert limiter.rate() == float("inf")


def test_reads_for_pages_and_feeds_may_use_the_share_that_other_reads_leave(clock: SimClock) -> None:
    limiter = RateLimiter(clock, 100)
    for priority, most in ((CallPriority.CHANGED, 80), (CallPriority.PAGE, 10), (CallPriority.FEED, 5)):
        for _ in range(most):
            use(limiter, write=False, within=0, priority=priority)
        with pytest.raises(NotExecuted):
            limiter.acquire(SCOPE, write=False, within=30, priority=priority)
    use(limiter, within=0)


def test_a_429_delays_its_own_scope_only(clock: SimClock) -> None:
    limiter = RateLimiter(clock)
    limiter.release(limiter.acquire(SCOPE, write=False, within=0), 429, {"ratelimit-reset": "9"})
    use(limiter, "GET /other", within=0)
    use(limiter)
    assert sum(clock.waits) == 9


def test_waiting_ends_when_the_program_stops(clock: SimClock) -> None:
    limiter = RateLimiter(clock, 1)
    use(limiter)
    clock.stopped = True
    with pytest.raises(NotExecuted, match="stopped while waiting"):
        use(limiter)


def test_threads_together_stay_within_the_limit(clock: SimClock) -> None:
    limiter, through, refused = RateLimiter(clock, 50), [], []

    def work() -> None:
        for _ in range(20):
            try:
                use(limiter, within=0, priority=CallPriority.FEED)
                through.append(1)
            except NotExecuted:
                refused.append(1)

    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(through), len(refused)) == (50, 150)


def test_a_stricter_limit_of_one_kind_does_not_delay_a_kind_without_a_known_limit(clock: SimClock) -> None:
    limiter = RateLimiter(clock)
    use(limiter, ratelimit_limit="600")
    for _ in range(12):
        use(limiter, "POST /incidents", priority=CallPriority.FEED, ratelimit_limit="12", within=0)
    with pytest.raises(NotExecuted):
        limiter.acquire("POST /incidents", write=True, within=30, priority=CallPriority.FEED)
    use(limiter, "POST /incidents/{id}/notes", within=0)


def test_the_rate_is_saturated_beyond_half_of_it(clock: SimClock) -> None:
    assert not RateLimiter(clock).is_saturated()
    limiter = RateLimiter(clock, 20)
    for _ in range(10):
        use(limiter)
    assert not limiter.is_saturated()
    use(limiter)
    assert limiter.is_saturated()
    clock.passed += 61
    assert not limiter.is_saturated()


def test_the_remainder_stated_for_the_latest_call_counts_in_any_order_of_answers(
    clock: SimClock,
) -> None:
    limiter = RateLimiter(clock)
    earlier, later = (limiter.acquire(SCOPE, write=True, within=0) for _ in range(2))
    for call, left in ((later, "10"), (earlier, "50")):
        headers = {"ratelimit-limit": "100", "ratelimit-remaining": left, "ratelimit-reset": "30"}
        limiter.release(call, 200, headers)
    assert limiter.remaining() == 10 - 1  # the other call was in flight when this was stated
    use(limiter, ratelimit_limit="100", ratelimit_remaining="40", ratelimit_reset="30")
    assert limiter.remaining() == 40


def test_notes_leave_room_for_more_pages_at_the_pace_of_the_last_seconds(clock: SimClock) -> None:
    limiter = RateLimiter(clock, 480)
    for _ in range(60):  # ten pages a second would need 600 a minute
        use(limiter, "POST /incidents", priority=CallPriority.PAGE, within=0)
        clock.passed += 0.1
    use(limiter, within=0)
    with pytest.raises(NotExecuted) as caught:
        limiter.acquire(SCOPE, write=True, within=4)
    assert caught.value.retry_after == 5
    use(limiter, "POST /incidents", priority=CallPriority.PAGE, within=0)
    clock.passed += 5
    for _ in range(300):  # the storm is over
        use(limiter, within=0)


def test_notes_leave_no_room_for_pages_that_have_a_limit_of_their_own(clock: SimClock) -> None:
    limiter = RateLimiter(clock)
    use(limiter, ratelimit_limit="480")
    for _ in range(50):
        use(limiter, "POST /incidents", priority=CallPriority.PAGE, ratelimit_limit="60")
    for _ in range(410):
        use(limiter, within=0)


def test_a_429_with_a_time_delays_its_scope_until_then(clock: SimClock) -> None:
    limiter = RateLimiter(clock)
    until = (clock.now() + timedelta(seconds=9)).isoformat()
    call = limiter.acquire("GET /alerts", write=False, within=1)
    limiter.release(call, 429, {"X-RateLimit-Reset": until, "RateLimit-Reason": "jira-burst-based"})
    began = clock.monotonic()
    limiter.acquire("GET /alerts", write=False, within=60)
    assert clock.monotonic() - began == pytest.approx(9)


def test_the_rate_is_saturated_for_a_while_when_the_vendor_says_that_its_limit_is_near(clock: SimClock) -> None:
    limiter = RateLimiter(clock)
    limiter.release(limiter.acquire("GET /alerts", write=False, within=1), 200, {"X-RateLimit-NearLimit": "true"})
    assert limiter.is_saturated()
    clock.wait(11)
    assert not limiter.is_saturated()
