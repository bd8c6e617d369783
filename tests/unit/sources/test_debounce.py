"""However many hints arrive for one record, it is processed once, and once more after the last."""

from itertools import pairwise

from reconciler.core.hints import Hint
from reconciler.core.model import Side
from reconciler.sources.debounce import BETWEEN_ROUNDS, BURST, LONGEST_BURST, MOST_WAITING_HINTS, QUIET, Debounce

ONE, OTHER = Hint(Side.PAGERDUTY, "PONE"), Hint(Side.PAGERDUTY, "POTHER")


class DebouncerBench:
    """A clock set by the test, hints, and the thread that processes them when they are due."""

    def __init__(self, takes: float = 0.01) -> None:
        self.now = 100.0
        self.takes = takes
        self.rounds: list[tuple[float, tuple[Hint, ...]]] = []
        self.hints = Debounce(lambda: self.now)

    def pass_until(self, end: float) -> None:
        """Lets the thread process hints until `end`; the clock jumps from one due hint to the next."""
        while (due := self.hints.next_due()) is not None and self.now + due < end:
            self.now += due
            if hints := self.hints.take():
                self.rounds.append((self.now, hints))
                self.now += self.takes
                self.hints.done()
            else:
                self.now += 1e-9
        self.now = max(self.now, end)

    def pass_seconds(self, seconds: float) -> None:
        self.pass_until(self.now + seconds)


def test_a_hint_is_processed_at_once() -> None:
    bench = DebouncerBench()
    bench.hints.put(ONE)
    bench.pass_seconds(1)
    assert bench.rounds == [(100.0, (ONE,))]
    assert bench.hints.next_due() is None


def test_a_thousand_hints_for_one_record_are_processed_once_and_once_after_the_last() -> None:
    bench = DebouncerBench()
    for _ in range(1000):
        bench.hints.put(ONE)
        bench.pass_seconds(0.002)
    last = bench.now
    bench.pass_seconds(5)
    assert [hints for _, hints in bench.rounds] == [(ONE,), (ONE,)]
    first, second = (at for at, _ in bench.rounds)
    assert first == 100.0
    assert last <= second <= last + QUIET + 0.01


def test_a_thousand_hints_while_the_thread_is_busy_are_processed_once() -> None:
    bench = DebouncerBench()
    for _ in range(1000):
        bench.hints.put(ONE)
    bench.pass_seconds(5)
    assert [hints for _, hints in bench.rounds] == [(ONE,)]


def test_two_hints_a_moment_apart_are_both_processed_soon() -> None:
    bench = DebouncerBench()
    bench.hints.put(ONE)
    bench.pass_seconds(BURST)
    bench.hints.put(ONE)
    acted = bench.now
    bench.pass_seconds(1)
    assert [at for at, _ in bench.rounds] == [100.0, acted]


def test_a_burst_for_one_record_delays_no_other() -> None:
    bench = DebouncerBench()
    for number in range(200):
        bench.hints.put(ONE)
        if number == 100:
            bench.hints.put(OTHER)
            put = bench.now
        bench.pass_seconds(0.01)
    (at,) = (at for at, hints in bench.rounds if OTHER in hints)
    assert at - put <= BETWEEN_ROUNDS


def test_an_endless_burst_is_processed_periodically() -> None:
    bench = DebouncerBench()
    for _ in range(250):
        bench.hints.put(ONE)
        bench.pass_seconds(0.1)
    assert len(bench.rounds) in (2, 3, 4)
    assert bench.rounds[1][0] - bench.rounds[0][0] <= LONGEST_BURST + 0.2


def test_rounds_are_at_least_as_far_apart_as_they_last() -> None:
    bench = DebouncerBench(takes=0.5)
    for number in range(100):
        bench.hints.put(Hint(Side.ALERTS, str(number)))
        bench.pass_seconds(0.1)
    bench.pass_seconds(5)
    begun = [at for at, _ in bench.rounds]
    assert all(later - earlier >= 1.0 - 1e-6 for earlier, later in pairwise(begun))
    assert sum(len(hints) for _, hints in bench.rounds) == 100


def test_the_number_of_waiting_hints_is_bounded() -> None:
    bench = DebouncerBench()
    for number in range(2 * MOST_WAITING_HINTS):
        bench.hints.put(Hint(Side.ALERTS, str(number)))
    assert len(bench.hints.take()) == MOST_WAITING_HINTS
    assert len(bench.hints._heard) <= MOST_WAITING_HINTS


def test_waiting_ends_at_once_when_a_hint_is_due() -> None:
    bench = DebouncerBench()
    bench.hints.put(ONE)
    bench.hints.wait(60)
    bench.hints.take()
    bench.hints.wait(0)
    bench.hints.wake()
