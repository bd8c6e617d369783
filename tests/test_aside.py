"""Slow work beside its caller."""

import threading
import time

import pytest
from reconciler.aside import Aside, at_once


def test_the_caller_has_its_turns_until_the_work_is_done() -> None:
    done = threading.Event()
    turns = 0
    for _ in Aside(0.01)(lambda: (done.wait(10), None)[1]):
        turns += 1
        if turns == 3:
            done.set()
    assert turns >= 3


@pytest.mark.parametrize("aside", [Aside(0.01), at_once])
def test_what_the_work_raises_is_passed_on(aside: Aside) -> None:
    def work() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        list(aside(work))


def test_a_caller_that_leaves_waits_for_the_work() -> None:
    ended = threading.Event()

    def work() -> None:
        time.sleep(0.2)
        ended.set()

    turns = Aside(0.01)(work)
    next(iter(turns))
    turns.close()  # type: ignore[attr-defined]
    assert ended.is_set()
