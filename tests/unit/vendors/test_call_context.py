"""The urgency and time of calls hold for what is inside, in this thread alone."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from reconciler.vendors.call_context import (
    CallContext,
    CallPriority,
    answered,
    at_least,
    calling,
    current,
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
