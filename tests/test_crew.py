"""Several hands, as many as latency and the allowed rate call for."""

import signal
import threading
import time

import pytest
from reconciler.crew import FEWEST, MOST, Crew, Pace


@pytest.mark.parametrize("hands", [1, 5])
def test_results_come_in_the_order_of_the_items(hands: int) -> None:
    def work(number: int) -> int:
        time.sleep(0.001 * (10 - number))
        return number * number

    assert Crew(lambda: hands).each(work, range(10)) == [number * number for number in range(10)]


@pytest.mark.parametrize("hands", [1, 3])
def test_never_more_at_once_than_there_are_hands(hands: int) -> None:
    busy, most, guard = 0, 0, threading.Lock()

    def work(_: int) -> None:
        nonlocal busy, most
        with guard:
            busy += 1
            most = max(most, busy)
        time.sleep(0.005)
        with guard:
            busy -= 1

    Crew(lambda: hands).each(work, range(12))
    assert most == hands


def test_one_failure_is_passed_on_when_the_others_are_done() -> None:
    done: list[int] = []

    def work(number: int) -> None:
        if number == 0:
            raise ValueError("one of them")
        done.append(number)

    with pytest.raises(ValueError, match="one of them"):
        Crew(lambda: 4).each(work, range(8))
    assert sorted(done) == list(range(1, 8))


def test_of_several_failures_the_first_items_is_passed_on() -> None:
    def work(number: int) -> None:
        time.sleep(0.02 if number == 0 else 0)
        raise ValueError(f"item {number}")

    with pytest.raises(ValueError, match="item 0"):
        Crew(lambda: 4).each(work, range(8))


def test_nothing_further_is_begun_once_the_caller_is_interrupted() -> None:
    begun, caller = [], threading.get_ident()

    def work(number: int) -> None:
        begun.append(number)
        if number == 3:
            signal.pthread_kill(caller, signal.SIGINT)
        time.sleep(0.05)

    before_us = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
    try:
        with pytest.raises(KeyboardInterrupt):
            Crew(lambda: 4).each(work, range(40))
    finally:
        signal.signal(signal.SIGINT, before_us)
    before = len(begun)
    time.sleep(0.2)
    assert len(begun) <= before + 4 < 40


def test_a_single_hand_works_in_the_callers_own_thread() -> None:
    assert Crew(lambda: 1).each(lambda _: threading.current_thread(), [1, 2]) == [threading.current_thread()] * 2


@pytest.mark.parametrize(("latency", "hands"), [(0.001, FEWEST), (0.1, 13), (30.0, MOST)])
def test_slow_answers_call_for_more_hands(latency: float, hands: int) -> None:
    pace = Pace(lambda: 16.0)
    for _ in range(200):
        pace.learn(latency)
    assert pace.hands() in (hands, hands + 1)
