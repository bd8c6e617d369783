"""However many hints come for one thing: it is taken once, and once after the last."""

from itertools import pairwise

from reconciler.core.hints import Hint
from reconciler.core.model import Side
from reconciler.sources.debounce import BETWEEN_ROUNDS, BURST, LONGEST_BURST, MOST_WAITING_HINTS, QUIET, Debounce

ONE, OTHER = Hint(Side.PAGERDUTY, "PONE"), Hint(Side.PAGERDUTY, "POTHER")


class Hours:
    """A clock that the test sets, hints, and the thread that takes them when they are due."""

    def __init__(self, takes: float = 0.01) -> None:
        self.now = 100.0
        self.takes = takes
        self.rounds: list[tuple[float, tuple[Hint, ...]]] = []
        self.hints = Debounce(lambda: self.now)

    def pass_until(self, end: float) -> None:
        """Let the thread work."""
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
    hours = Hours()
    hours.hints.put(ONE)
    hours.pass_seconds(1)
    assert hours.rounds == [(100.0, (ONE,))]
    assert hours.hints.next_due() is None


def test_a_thousand_hints_for_one_record_are_processed_once_and_once_after_the_last() -> None:
    hours = Hours()
    for _ in range(1000):
        hours.hints.put(ONE)
        hours.pass_seconds(0.002)
    last = hours.now
    hours.pass_seconds(5)
    assert [hints for _, hints in hours.rounds] == [(ONE,), (ONE,)]
    first, second = (at for at, _ in hours.rounds)
    assert first == 100.0
    assert last <= second <= last + QUIET + 0.01


def test_a_thousand_hints_while_the_thread_is_busy_are_processed_once() -> None:
    hours = Hours()
    for _ in range(1000):
        hours.hints.put(ONE)
    hours.pass_seconds(5)
    assert [hints for _, hints in hours.rounds] == [(ONE,)]


def test_two_hints_a_moment_apart_are_both_processed_soon() -> None:
    hours = Hours()
    hours.hints.put(ONE)
    hours.pass_seconds(BURST)
    hours.hints.put(ONE)
    acted = hours.now
    hours.pass_seconds(1)
    assert [at for at, _ in hours.rounds] == [100.0, acted]


def test_a_burst_for_one_record_delays_no_other() -> None:
    hours = Hours()
    for number in range(200):
        hours.hints.put(ONE)
        if number == 100:
            hours.hints.put(OTHER)
            put = hours.now
        hours.pass_seconds(0.01)
    (at,) = (at for at, hints in hours.rounds if OTHER in hints)
    assert at - put <= BETWEEN_ROUNDS


def test_an_endless_burst_is_processed_periodically() -> None:
    hours = Hours()
    for _ in range(250):
        hours.hints.put(ONE)
        hours.pass_seconds(0.1)
    assert len(hours.rounds) in (2, 3, 4)
    assert hours.rounds[1][0] - hours.rounds[0][0] <= LONGEST_BURST + 0.2


def test_rounds_are_at_least_as_far_apart_as_they_last() -> None:
    hours = Hours(takes=0.5)
    for number in range(100):
        hours.hints.put(Hint(Side.OPSGENIE, str(number)))
        hours.pass_seconds(0.1)
    hours.pass_seconds(5)
    begun = [at for at, _ in hours.rounds]
    assert all(later - earlier >= 1.0 - 1e-6 for earlier, later in pairwise(begun))
    assert sum(len(hints) for _, hints in hours.rounds) == 100


def test_the_number_of_waiting_hints_is_bounded() -> None:
    hours = Hours()
    for number in range(2 * MOST_WAITING_HINTS):
        hours.hints.put(Hint(Side.OPSGENIE, str(number)))
    assert len(hours.hints.take()) == MOST_WAITING_HINTS
    assert len(hours.hints._heard) <= MOST_WAITING_HINTS


def test_waiting_ends_at_once_when_a_hint_is_due() -> None:
    hours = Hours()
    hours.hints.put(ONE)
    hours.hints.wait(60)
    hours.hints.take()
    hours.hints.wait(0)
    hours.hints.wake()
