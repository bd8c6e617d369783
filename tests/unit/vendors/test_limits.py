"""One limit: which calls count, for how long, and what each priority leaves to the others."""

import pytest

from reconciler.vendors.call_context import CallPriority
from reconciler.vendors.limits import Call, Limit

SCOPE = "GET /incidents/{id}"


def call(priority: CallPriority = CallPriority.CHANGED, *, write: bool = True, number: int = 0) -> Call:
    return Call(SCOPE, write, priority, number=number)


def waits(limit: Limit, one: Call, now: float = 0.0) -> float:
    """Seconds until the call may start."""
    return max(usage.until_below(most, now) for usage, most in limit.bounds(one, now))


def fits(limit: Limit, priority: CallPriority, *, write: bool = True) -> int:
    """How many calls of that priority are admitted at once."""
    for admitted in range(1000):
        if waits(limit, call(priority, write=write)):
            return admitted
        limit.admit(call(priority, write=write))
    raise AssertionError


def test_a_call_counts_from_its_start_until_a_period_after_its_end() -> None:
    limit, one = Limit(1, 60.0), call(CallPriority.FEED)
    limit.admit(one)
    assert (limit.count(1000.0), waits(limit, one, 1000.0)) == (1, 60.0)
    limit.end(one, 1000.0)
    assert (limit.count(1059.9), round(waits(limit, one, 1050.0), 1)) == (1, 10.0)
    assert (limit.count(1060.0), waits(limit, one, 1060.0)) == (0, 0.0)


@pytest.mark.parametrize(
    ("priority", "writes", "reads"),
    [
        (CallPriority.PAGE, 98, 90),
        (CallPriority.CHANGED, 97, 80),
        (CallPriority.FEED, 100, 95),
        (CallPriority.SWEEP, 50, 50),
    ],
)
def test_each_priority_leaves_its_share_to_the_others(priority: CallPriority, writes: int, reads: int) -> None:
    assert fits(Limit(100), priority) == writes
    assert fits(Limit(100), priority, write=False) == reads


def test_feeds_do_not_use_up_the_share_of_others_nor_pages_that_of_feeds() -> None:
    limit = Limit(100)
    assert fits(limit, CallPriority.PAGE) == 98
    assert fits(limit, CallPriority.FEED) == 2


def test_other_calls_leave_room_for_as_many_pages_as_came_lately() -> None:
    limit, page = Limit(100), call(CallPriority.PAGE)
    for _ in range(4):
        limit.admit(page)
        limit.end(page, 0.0)
    assert waits(limit, call(), 0.0) == 0.0
    assert fits(limit, CallPriority.CHANGED) == 64  # 3 more pages in 5 s are 36 a minute


def test_the_vendors_statement_holds_until_its_time_and_the_latest_call_tells_it() -> None:
    limit = Limit(100)
    limit.state(3.0, 30.0, call(number=2))
    limit.state(90.0, 30.0, call(number=1))
    assert (limit.left(0.0), limit.left(30.0)) == (3, 100)
    assert waits(limit, call(), 10.0) == 20.0
    assert waits(limit, call(CallPriority.FEED), 10.0) == 0.0


def test_calls_under_way_are_taken_off_a_statement_that_does_not_know_of_them() -> None:
    limit = Limit(100)
    limit.admit(call())
    limit.state(10.0, 30.0, call(number=2))
    assert limit.left(0.0) == 9


def test_a_limit_grows_by_the_second_and_never_shrinks() -> None:
    limit = Limit(10, 1.0, growth=0.5, grown_at=100.0)
    for now, most in ((104.0, 12.0), (103.0, 12.0)):
        limit.grow(now)
        assert limit.most == most
    assert limit.rate == 12.0


def test_counting_again_gives_the_same_counts() -> None:
    limit, over, running = Limit(100), call(), call(write=False)
    over.ended = 5.0
    limit.recount([over, running])
    assert (limit.count(64.9), limit.count(65.0)) == (2, 1)
