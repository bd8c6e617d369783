"""Work ends with its result, with what it raises, or after a signal: then its writes have been waited for."""

import threading

import pytest

from reconciler.runtime.interruption import until_stopped


def test_work_that_no_signal_ends_returns_its_result_or_raises_its_error() -> None:
    assert until_stopped(lambda: 7, lambda: "", lambda: pytest.fail("stopped")) == 7
    with pytest.raises(ZeroDivisionError):
        until_stopped(lambda: 1 // 0, lambda: "", lambda: pytest.fail("stopped"))


def test_after_a_signal_the_work_stops_at_its_next_step_and_its_result_counts() -> None:
    begun, stopped = threading.Event(), threading.Event()

    def work() -> str:
        begun.set()
        assert stopped.wait(10)
        return "so far"

    assert until_stopped(work, begun.is_set, stopped.set) == "so far"


def test_a_read_that_hangs_is_left_behind() -> None:
    over = threading.Event()
    try:
        assert until_stopped(lambda: over.wait(10), lambda: "SIGTERM", lambda: None, grace=0.05) is None
    finally:
        over.set()
