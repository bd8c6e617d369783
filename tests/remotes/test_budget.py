"""The rate budget: no window of the vendor's ever holds more than its limit, and writes always have room."""

import threading

import pytest
from remotes.wire_helpers import FakeClock

from reconciler.errors import NotExecuted
from reconciler.remotes.budget import Budget

SCOPE = "PUT /incidents/{id}"


def use(budget: Budget, scope: str = SCOPE, *, write: bool = True, within: float = 300, **headers: str) -> None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    budget.settle(budget.take(scope, write=write, within=within), 200, named)


def test_without_a_limit_nothing_waits(clock: FakeClock) -> None:
    budget = Budget(clock)
    for _ in range(5000):
        use(budget)
    assert clock.waits == []


def test_a_minute_never_holds_more_than_the_limit(clock: FakeClock) -> None:
    budget, times = Budget(clock, 60), []
    for _ in range(300):
        use(budget)
        times.append(clock.seconds)
        clock.seconds += 0.3
    assert all(later - earlier >= 60 for earlier, later in zip(times, times[60:], strict=False))
    assert times[-1] - times[0] <= (4 * 60 + 60 * 0.3) / 0.95


def test_reads_alone_leave_a_share_to_writes(clock: FakeClock) -> None:
    budget = Budget(clock, 100)
    for _ in range(80):
        use(budget, write=False)
    with pytest.raises(NotExecuted):
        budget.take(SCOPE, write=False, within=30)
    for _ in range(20):
        use(budget, write=True, within=0)
    with pytest.raises(NotExecuted, match="the rate limit leaves no room for another 60 s; not sent") as caught:
        budget.take(SCOPE, write=True, within=30)
    assert caught.value.retry_after == 60
    assert clock.waits == []


def test_reads_and_writes_together_use_the_whole_limit(clock: FakeClock) -> None:
    budget = Budget(clock, 100)
    for _ in range(50):
        use(budget, write=False, within=0)
        use(budget, write=True, within=0)
    assert clock.waits == []


def test_the_limit_is_learned_from_the_answer(clock: FakeClock) -> None:
    budget = Budget(clock, 960)
    use(budget, ratelimit_limit="10", ratelimit_remaining="9", ratelimit_reset="60")
    for _ in range(9):
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


def test_after_429_without_any_figure_there_is_a_pause(clock: FakeClock) -> None:
    budget = Budget(clock)
    budget.settle(budget.take(SCOPE, write=True, within=0), 429, {})
    use(budget)
    assert clock.waits == [5]


def test_opsgenies_limit_is_inferred_from_what_had_passed(clock: FakeClock) -> None:
    budget = Budget(clock)
    for _ in range(100):
        use(budget)
    said = {"X-RateLimit-State": "THROTTLED", "X-RateLimit-Period-In-Sec": "60"}
    budget.settle(budget.take(SCOPE, write=True, within=0), 429, said)
    started = clock.seconds
    for _ in range(200):
        use(budget)
    assert clock.seconds - started == 120
    clock.seconds += 700
    for _ in range(1000):
        use(budget, within=0)


def test_penalise_holds_one_scope(clock: FakeClock) -> None:
    budget = Budget(clock)
    budget.penalise(SCOPE, 9)
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
                use(budget, within=0)
                through.append(1)
            except NotExecuted:
                refused.append(1)

    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(through), len(refused)) == (50, 150)
