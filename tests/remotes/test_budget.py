"""The rate budget: no window of the vendor's ever holds more than its limit, and writes always have room."""

import threading

import pytest
from remotes.wire_helpers import FakeClock

from reconciler.errors import NotExecuted
from reconciler.vendors.limits import Need
from reconciler.vendors.rate_limiter import Budget

SCOPE = "PUT /incidents/{id}"


def use(
    budget: Budget,
    scope: str = SCOPE,
    *,
    write: bool = True,
    within: float = 300,
    need: Need = Need.REST,
    **headers: str,
) -> None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    budget.settle(budget.take(scope, write=write, within=within, need=need), 200, named)


def test_without_a_limit_nothing_waits(clock: FakeClock) -> None:
    budget = Budget(clock)
    for _ in range(5000):
        use(budget)
    assert clock.waits == []


@pytest.mark.parametrize("need", Need)
def test_a_minute_never_holds_more_than_the_limit_and_nearly_as_much(clock: FakeClock, need: Need) -> None:
    budget, times = Budget(clock, 60), []
    while clock.seconds < 2000:
        use(budget, need=need)
        times.append(clock.seconds)
        clock.seconds += 0.3
    assert all(later - earlier >= 60 for earlier, later in zip(times, times[60:], strict=False))
    assert len(times) >= 0.95 * 60 * (times[-1] - times[0]) / 60


def test_a_burst_of_writes_leaves_room_for_a_page_and_pages_for_a_look(clock: FakeClock) -> None:
    budget = Budget(clock, 100)
    for need, most in ((Need.REST, 98), (Need.PAGE, 1), (Need.FEED, 1)):
        for _ in range(most):
            use(budget, within=0, need=need)
        with pytest.raises(NotExecuted):
            budget.take(SCOPE, write=True, within=30, need=need)
    assert clock.waits == []


def test_notes_wait_while_pages_come_so_fast_that_they_need_it_all(clock: FakeClock) -> None:
    budget = Budget(clock)
    for _ in range(40):
        use(budget, "POST /incidents", need=Need.PAGE, ratelimit_limit="480")
        use(budget, "GET /incidents/{id}", write=False, ratelimit_limit="480", within=0)
        clock.seconds += 0.1
    use(budget, SCOPE, ratelimit_limit="480", within=0)  # of its limit nothing is known yet
    budget.expect_pages(10.0)
    with pytest.raises(NotExecuted):
        budget.take(SCOPE, write=True, within=4)
    use(budget, "POST /incidents", need=Need.PAGE, within=0)
    budget.expect_pages(1.0)
    use(budget, SCOPE, within=0)


def test_notes_wait_for_no_more_pages_than_a_limit_of_their_own_lets_through(clock: FakeClock) -> None:
    budget = Budget(clock)
    use(budget, "POST /incidents", need=Need.PAGE, ratelimit_limit="60")
    use(budget, SCOPE, ratelimit_limit="480")
    budget.expect_pages(10.0)
    for _ in range(410):
        use(budget, SCOPE, within=0)


def test_taking_a_turn_costs_the_same_however_many_calls_there_were(clock: FakeClock) -> None:
    budget = Budget(clock)
    use(budget, ratelimit_limit="1000000")
    looked_at = []
    counts = budget._counts
    budget._counts = lambda call, limit: looked_at.append(call) or counts(call, limit)  # type: ignore[method-assign, func-returns-value]
    for _ in range(1000):
        use(budget)
    assert len(looked_at) <= 4 * 1000


def test_a_limit_that_is_learned_late_counts_what_went_before(clock: FakeClock) -> None:
    budget = Budget(clock)
    for _ in range(30):
        use(budget)
        clock.seconds += 1
    use(budget, ratelimit_limit="50")
    assert budget.remaining() == 19
    clock.seconds += 31  # by now the first two are older than a minute
    assert budget.remaining() == 21


def test_what_the_vendor_says_is_left_keeps_room_for_a_page_as_well(clock: FakeClock) -> None:
    budget = Budget(clock)
    use(budget, ratelimit_limit="100", ratelimit_remaining="2", ratelimit_reset="20")
    with pytest.raises(NotExecuted):
        budget.take(SCOPE, write=True, within=10)
    use(budget, within=0, need=Need.PAGE)


def test_the_widest_limit_tells_the_rate(clock: FakeClock) -> None:
    assert Budget(clock).rate() == float("inf")
    budget = Budget(clock, 960)
    assert budget.rate() == 16
    use(budget, ratelimit_limit="600", ratelimit_remaining="9", ratelimit_reset="60")
    use(budget, "POST /incidents", ratelimit_limit="60", ratelimit_remaining="9", ratelimit_reset="60")
    assert budget.rate() == 10


def test_what_remains_is_what_the_tightest_limit_leaves(clock: FakeClock) -> None:
    budget = Budget(clock, 100)
    assert Budget(clock).remaining() is None
    for _ in range(30):
        use(budget)
    under_way = budget.take(SCOPE, write=True, within=0)
    assert budget.remaining() == 69
    clock.seconds += 61
    assert budget.remaining() == 99
    budget.settle(under_way, 200, {"ratelimit-limit": "100", "ratelimit-remaining": "7", "ratelimit-reset": "5"})
    assert budget.remaining() == 7
    clock.seconds += 6
    assert budget.remaining() == 99


def test_reads_alone_leave_a_share_to_writes(clock: FakeClock) -> None:
    budget = Budget(clock, 100)
    for _ in range(80):
        use(budget, write=False)
    with pytest.raises(NotExecuted):
        budget.take(SCOPE, write=False, within=30)
    for _ in range(20):
        use(budget, write=True, within=0, need=Need.FEED)
    with pytest.raises(NotExecuted, match="the rate limit leaves no room for another 60 s; not sent") as caught:
        budget.take(SCOPE, write=True, within=30)
    assert caught.value.retry_after == 60
    assert clock.waits == []


def test_reads_and_writes_together_use_the_whole_limit(clock: FakeClock) -> None:
    budget = Budget(clock, 100)
    for _ in range(50):
        use(budget, write=False, within=0, need=Need.FEED)
        use(budget, write=True, within=0, need=Need.FEED)
    assert clock.waits == []


def test_the_limit_is_learned_from_the_answer(clock: FakeClock) -> None:
    budget = Budget(clock, 960)
    use(budget, ratelimit_limit="20", ratelimit_remaining="19", ratelimit_reset="60")
    for _ in range(19):
        use(budget, within=0)
    with pytest.raises(NotExecuted):
        use(budget, within=59)
    use(budget, within=61)
    assert clock.waits == [60]


def test_what_others_use_up_is_respected(clock: FakeClock) -> None:
    budget = Budget(clock, 960)
    use(budget, ratelimit_limit="960", ratelimit_remaining="0", ratelimit_reset="20")
    use(budget)
    assert clock.waits == [20]


def test_a_limit_of_one_operation_does_not_bind_the_others(clock: FakeClock) -> None:
    budget = Budget(clock)
    use(
        budget,
        "GET /incidents",
        write=False,
        ratelimit_limit="960",
        ratelimit_remaining="900",
        ratelimit_reset="60",
    )
    use(budget, "POST /incidents", ratelimit_limit="60", ratelimit_remaining="0", ratelimit_reset="30")
    use(budget, "GET /incidents", write=False, within=0)
    with pytest.raises(NotExecuted):
        use(budget, "POST /incidents", within=0)


def refuse(budget: Budget, scope: str = SCOPE, **headers: str) -> None:
    """One call that is answered 429."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    budget.settle(budget.take(scope, write=True, within=300), 429, named)


PERIOD = {"X_RateLimit_State": "THROTTLED", "X_RateLimit_Period_In_Sec": "60"}


@pytest.mark.parametrize(
    ("headers", "pauses"),
    [({}, [1, 2, 4, 8, 16, 32, 60, 60]), (PERIOD, [1, 2, 4, 8, 16, 32, 60, 60]),
     ({"X_RateLimit_Period_In_Sec": "1"}, [1, 1, 1]), ({"X_RateLimit_Period_In_Sec": "1e300"}, [1, 2, 4]),
     ({"X_RateLimit_Period_In_Sec": "-1"}, [1, 2, 4]), ({"X_RateLimit_Period_In_Sec": "nan"}, [1, 2, 4])],
)  # fmt: skip
def test_after_429_without_a_time_to_wait_the_pause_doubles_with_each_further_one(
    clock: FakeClock, headers: dict[str, str], pauses: list[float]
) -> None:
    budget = Budget(clock)
    for _ in pauses:
        refuse(budget, **headers)
    use(budget)
    assert clock.waits == pauses
    refuse(budget, **headers)
    use(budget)
    assert clock.waits[len(pauses) :] == [1]  # one has passed: the next 429 is the first again


def test_many_refused_at_once_are_one_refusal(clock: FakeClock) -> None:
    budget = Budget(clock)
    calls = [budget.take(SCOPE, write=True, within=0) for _ in range(30)]
    for call in calls:
        budget.settle(call, 429, {})
    use(budget)
    assert clock.waits == [1]


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({"Retry_After": "7"}, 7), ({"ratelimit_reset": "9"}, 9), ({"Retry_After": "86400"}, 60),
        ({"Retry_After": "1e300"}, 1), ({"ratelimit_reset": "1795000000"}, 1), ({"Retry_After": "nan"}, 1),
        ({"ratelimit_reset": "1795000000000"}, 1), ({"ratelimit_reset": "-3"}, 1), ({"Retry_After": "0"}, 1),
    ],
)  # fmt: skip
def test_what_is_told_is_waited_for_at_most_a_minute(
    clock: FakeClock, headers: dict[str, str], pause: float
) -> None:
    budget = Budget(clock)
    refuse(budget, **headers)
    use(budget)
    assert clock.waits == [pause]


@pytest.mark.parametrize("reset", ["60", "86400", "1e12", "1e300", "-1", "nan", "inf", "soon"])
@pytest.mark.parametrize("left", ["0", "-1e300", "nan"])
def test_no_word_of_what_is_left_holds_a_page_for_more_than_a_minute(
    clock: FakeClock, left: str, reset: str
) -> None:
    budget = Budget(clock, 960)
    use(budget, ratelimit_limit="960", ratelimit_remaining=left, ratelimit_reset=reset)
    use(budget, need=Need.PAGE)
    assert sum(clock.waits) <= 60
    assert reset == "60" or reset == "86400" or clock.waits == []  # noqa: PLR1714 - one reads like the other


@pytest.mark.parametrize("limit", ["0", "1", "11", "-960", "nan", "1e-300", "none"])
def test_a_told_limit_that_nobody_could_work_with_is_not_believed(clock: FakeClock, limit: str) -> None:
    budget = Budget(clock, 960)
    use(budget, "POST /incidents", ratelimit_limit=limit, ratelimit_remaining="0", ratelimit_reset="60")
    for _ in range(500):
        use(budget, "POST /incidents", within=0, need=Need.PAGE)
    assert budget.rate() == 16


def test_an_endless_limit_is_none(clock: FakeClock) -> None:
    budget = Budget(clock, 960)
    use(budget, ratelimit_limit="1e300")
    for _ in range(2000):
        use(budget, within=0)


def test_a_newer_limit_takes_the_place_of_the_older(clock: FakeClock) -> None:
    budget = Budget(clock)
    for most in (20, 40, 600, 30, 600):
        use(budget, ratelimit_limit=str(most))
        assert budget.rate() == most / 60
    for _ in range(500):
        use(budget, within=0)


def test_there_are_no_more_limits_than_kinds_of_call(clock: FakeClock) -> None:
    budget = Budget(clock)
    for number in range(300):
        for scope in ("A", "B", "C"):
            use(budget, scope, ratelimit_limit=str(1000 + 7 * number + len(scope)))
    assert len(budget._limits) <= 3
    assert budget.remaining() is not None


def test_scopes_that_are_told_the_same_share_it_and_part_when_one_is_told_another(clock: FakeClock) -> None:
    budget = Budget(clock)
    for scope in ("A", "B"):
        use(budget, scope, ratelimit_limit="20", need=Need.FEED)
    for _ in range(9):
        use(budget, "A", within=0, need=Need.FEED)
        use(budget, "B", within=0, need=Need.FEED)
    with pytest.raises(NotExecuted):
        budget.take("A", write=True, within=0, need=Need.FEED)
    clock.seconds += 60
    use(budget, "B", ratelimit_limit="40", need=Need.FEED)
    for _ in range(20):
        use(budget, "A", within=0, need=Need.FEED)
    for _ in range(39):
        use(budget, "B", within=0, need=Need.FEED)
    with pytest.raises(NotExecuted):
        budget.take("B", write=True, within=0, need=Need.FEED)


def test_a_told_limit_that_is_not_repeated_is_forgotten(clock: FakeClock) -> None:
    budget = Budget(clock, 960)
    use(budget, "POST /incidents", ratelimit_limit="12")
    use(budget, ratelimit_limit="60")
    clock.seconds += 100
    use(budget, ratelimit_limit="60")
    clock.seconds += 30
    for _ in range(58):
        use(budget, "POST /incidents", within=0)  # nothing of its own any more: the widest one binds it
    clock.seconds += 121
    assert budget.rate() == 16


def test_one_429_in_a_quiet_moment_costs_a_page_a_second_later_nothing(clock: FakeClock) -> None:
    for period in ("1", "60"):
        budget = Budget(clock)
        refuse(budget, "GET /v2/alerts", X_RateLimit_State="THROTTLED", X_RateLimit_Period_In_Sec=period)
        clock.seconds += 1
        clock.waits.clear()
        use(budget, "GET /v2/alerts", write=False, need=Need.FEED)
        use(budget, "GET /v2/alerts/{id}", write=False, need=Need.PAGE)
        assert clock.waits == []


@pytest.mark.parametrize("status", [200, 429])
@pytest.mark.parametrize("period", ["1", "60", "5e-324", "1e300", "-1", "nan"])
def test_sixty_alerts_after_a_429_are_read_within_seconds(clock: FakeClock, status: int, period: str) -> None:
    budget = Budget(clock)
    told = {"X-RateLimit-State": "THROTTLED", "X-RateLimit-Period-In-Sec": period}
    budget.settle(budget.take("GET /v2/alerts", write=False, within=0), status, told)
    started = clock.seconds
    for _ in range(60):
        use(budget, "GET /v2/alerts/{id}", write=False)
        use(budget, "GET /v2/alerts/{id}/notes", write=False)
    assert clock.seconds - started < 6
    clock.seconds = started + 20
    for _ in range(1000):
        use(budget, within=0)


def test_an_inferred_limit_is_what_had_passed_raised_with_each_second(clock: FakeClock) -> None:
    budget = Budget(clock)
    for _ in range(1800):
        use(budget)
        clock.seconds += 1 / 30
    refuse(budget, **PERIOD)
    assert budget.rate() == pytest.approx(30, abs=1)
    clock.seconds += 4
    assert budget.rate() == pytest.approx(70, abs=1)
    refuse(budget, **PERIOD)
    assert budget.rate() == pytest.approx(28, abs=1)  # what passed meanwhile, and no more
    clock.seconds += 19
    assert budget.rate() < float("inf")
    clock.seconds += 1
    assert budget.rate() == float("inf")


def test_reads_for_pages_and_feeds_may_use_what_other_reads_must_leave(clock: FakeClock) -> None:
    budget = Budget(clock, 100)
    for need, most in ((Need.REST, 80), (Need.PAGE, 10), (Need.FEED, 5)):
        for _ in range(most):
            use(budget, write=False, within=0, need=need)
        with pytest.raises(NotExecuted):
            budget.take(SCOPE, write=False, within=30, need=need)
    use(budget, within=0)


def test_too_many_holds_one_scope(clock: FakeClock) -> None:
    budget = Budget(clock)
    budget.settle(budget.take(SCOPE, write=False, within=0), 429, {"ratelimit-reset": "9"})
    use(budget, "GET /other", within=0)
    use(budget)
    assert clock.waits == [9]


def test_waiting_ends_when_told_to_stop(clock: FakeClock) -> None:
    budget = Budget(clock, 1)
    use(budget)
    clock.stopped = True
    with pytest.raises(NotExecuted, match="told to stop"):
        use(budget)


def test_threads_together_stay_within_the_limit(clock: FakeClock) -> None:
    budget, through, refused = Budget(clock, 50), [], []

    def work() -> None:
        for _ in range(20):
            try:
                use(budget, within=0, need=Need.FEED)
                through.append(1)
            except NotExecuted:
                refused.append(1)

    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(through), len(refused)) == (50, 150)


def test_a_stricter_limit_of_one_kind_does_not_hold_up_a_kind_of_which_nothing_is_known(clock: FakeClock) -> None:
    budget = Budget(clock)
    use(budget, ratelimit_limit="600")
    for _ in range(12):
        use(budget, "POST /incidents", need=Need.FEED, ratelimit_limit="12", within=0)
    with pytest.raises(NotExecuted):
        budget.take("POST /incidents", write=True, within=30, need=Need.FEED)
    use(budget, "POST /incidents/{id}/notes", within=0)


def test_the_rate_is_busy_beyond_half_of_it(clock: FakeClock) -> None:
    assert not Budget(clock).is_busy()
    budget = Budget(clock, 20)
    for _ in range(10):
        use(budget)
    assert not budget.is_busy()
    use(budget)
    assert budget.is_busy()
    clock.seconds += 61
    assert not budget.is_busy()


def test_the_latest_calls_word_on_what_is_left_counts_whichever_answer_comes_first(
    clock: FakeClock,
) -> None:
    budget = Budget(clock)
    earlier, later = (budget.take(SCOPE, write=True, within=0) for _ in range(2))
    for call, left in ((later, "10"), (earlier, "50")):
        told = {"ratelimit-limit": "100", "ratelimit-remaining": left, "ratelimit-reset": "30"}
        budget.settle(call, 200, told)
    assert budget.remaining() == 10 - 1  # when it was said, the other call was under way
    use(budget, ratelimit_limit="100", ratelimit_remaining="40", ratelimit_reset="30")
    assert budget.remaining() == 40
