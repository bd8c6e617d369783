"""The urgency and time of calls hold for what is inside, in this thread alone."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from reconciler.vendors.call_context import (
    CallContext,
    CallPriority,
    answered,
    at_least,
    calling,
    current,
    for_route,
    may_be_large,
    noting,
)


def test_a_context_ends_with_its_block_even_after_an_error() -> None:
    @calling(CallPriority.PAGE, 1.0)
    def fail() -> None:
        raise ValueError(current())

    with pytest.raises(ValueError, match=r"priority=<CallPriority\.PAGE: 0>, within=1\.0"):
        fail()
    assert current() == CallContext(CallPriority.CHANGED, None)


def test_a_priority_is_raised_and_never_lowered_and_the_time_stays() -> None:
    with calling(CallPriority.SWEEP, 5.0):
        with at_least(CallPriority.CHANGED):
            assert current() == CallContext(CallPriority.CHANGED, 5.0)
        with at_least(CallPriority.PAGE), at_least(CallPriority.CHANGED):
            assert current() == CallContext(CallPriority.PAGE, 5.0)


def test_the_route_of_calls_stays_in_all_that_is_done_for_it() -> None:
    with calling(CallPriority.SWEEP, 5.0), for_route("payments"):
        assert current() == CallContext(CallPriority.SWEEP, 5.0, "payments")
        with calling(CallPriority.PAGE):
            assert current() == CallContext(CallPriority.PAGE, None, "payments")
            with at_least(CallPriority.PAGE), for_route("search"):
                assert current().route == "search"
        assert current().route == "payments"
    assert current() == CallContext()


def test_another_thread_has_a_context_of_its_own() -> None:
    with calling(CallPriority.PAGE), ThreadPoolExecutor(1) as pool:
        assert pool.submit(current).result() == CallContext()


def test_the_last_request_that_was_answered_inside_is_noted_and_no_other() -> None:
    answered("before")
    with noting() as outer:
        answered("r-1")
        with noting() as inner:
            answered("r-2")
        with ThreadPoolExecutor(1) as pool:
            pool.submit(answered, "of another thread").result()
    answered("after")
    assert (outer.request_id, inner.request_id) == ("r-1", "r-2")


# -- the turn of large answers --


def elsewhere(*priorities: CallPriority) -> bool:
    """Whether an answer of another thread may be large now, in these contexts."""

    def ask() -> bool:
        with ExitStack() as stack:
            for priority in priorities:
                stack.enter_context(calling(priority))
            return may_be_large(0.0)

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(ask).result()


def test_one_context_alone_has_large_answers_until_its_outermost_block_ends() -> None:
    with calling(CallPriority.CHANGED):
        with calling(CallPriority.SWEEP):
            assert may_be_large(0.0)
            assert may_be_large(0.0), "the same pair has many"
        assert not elsewhere(CallPriority.CHANGED), "the block inside has ended, but what it read is in use"
    assert elsewhere(CallPriority.CHANGED)
    assert elsewhere(CallPriority.CHANGED), "each thread has given its turn back"


def test_the_turn_is_given_back_after_an_error() -> None:
    @calling(CallPriority.CHANGED)
    def fail() -> None:
        assert may_be_large(0.0)
        raise ValueError("failed")

    with pytest.raises(ValueError, match="failed"):
        fail()
    assert elsewhere(CallPriority.SWEEP)


def test_pages_wait_for_each_other_alone_and_feeds_go_on() -> None:
    with calling(CallPriority.CHANGED):
        assert may_be_large(0.0)
        assert elsewhere(CallPriority.PAGE)
        assert elsewhere(CallPriority.FEED)
        assert elsewhere(CallPriority.CHANGED, CallPriority.PAGE), "a page within a pair's work"
        assert not elsewhere(CallPriority.UNSETTLED)
    with calling(CallPriority.PAGE):
        assert may_be_large(0.0)
        assert not elsewhere(CallPriority.PAGE)
        assert elsewhere(CallPriority.SWEEP)
        assert elsewhere(CallPriority.FEED)
    with calling(CallPriority.FEED):
        assert may_be_large(0.0)
        assert elsewhere(CallPriority.FEED)


def test_outside_of_any_context_nothing_waits_or_is_kept() -> None:
    assert may_be_large(0.0)
    with calling(CallPriority.CHANGED):
        assert may_be_large(0.0)
        assert elsewhere()
