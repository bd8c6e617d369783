"""However many hints come for one thing: one look, and one after the last."""

from itertools import pairwise

from reconciler.core.model import Side
from reconciler.feeds import Hint
from reconciler.web.inbox import BURST, LONGEST, MOST, QUIET, REST, Inbox

ONE, OTHER = Hint(Side.PAGERDUTY, "PONE"), Hint(Side.PAGERDUTY, "POTHER")


class Hours:
    """A clock that is set by hand, an inbox, and the worker that looks when it is woken."""

    def __init__(self, takes: float = 0.01) -> None:
        self.now = 100.0
        self.takes = takes
        self.wakes: list[float] = []
        self.looks: list[tuple[float, tuple[Hint, ...]]] = []
        self.inbox = Inbox(self._wake, lambda: self.now)

    def _wake(self, seconds: float) -> None:
        assert not self.inbox._lock.locked(), "who is asked may wait for somebody who comes to this inbox"
        self.wakes.append(self.now + seconds)

    def pass_until(self, end: float) -> None:
        """Let the worker work."""
        while (due := min(self.wakes, default=end)) < end:
            self.wakes.remove(due)
            self.now = max(self.now, due)
            if hints := self.inbox.take():
                self.looks.append((self.now, hints))
                self.now += self.takes
                self.inbox.done()
        self.now = max(self.now, end)

    def pass_seconds(self, seconds: float) -> None:
        self.pass_until(self.now + seconds)


def test_a_hint_is_looked_at_at_once() -> None:
    hours = Hours()
    hours.inbox.put(ONE)
    hours.pass_seconds(1)
    assert hours.looks == [(100.0, (ONE,))]


def test_a_thousand_hints_for_one_thing_cost_one_look_and_one_after_the_last() -> None:
    hours = Hours()
    for _ in range(1000):
        hours.inbox.put(ONE)
        hours.pass_seconds(0.002)
    last = hours.now
    hours.pass_seconds(5)
    assert [hints for _, hints in hours.looks] == [(ONE,), (ONE,)]
    first, second = (at for at, _ in hours.looks)
    assert first == 100.0
    assert last <= second <= last + QUIET + 0.01


def test_a_thousand_hints_while_the_worker_is_busy_cost_one_look() -> None:
    hours = Hours()
    for _ in range(1000):
        hours.inbox.put(ONE)
    hours.pass_seconds(5)
    assert [hints for _, hints in hours.looks] == [(ONE,)]


def test_two_acts_a_moment_apart_are_both_looked_at_soon() -> None:
    hours = Hours()
    hours.inbox.put(ONE)
    hours.pass_seconds(BURST)
    hours.inbox.put(ONE)
    acted = hours.now
    hours.pass_seconds(1)
    assert [at for at, _ in hours.looks] == [100.0, acted]


def test_a_burst_of_one_thing_keeps_nothing_else_waiting() -> None:
    hours = Hours()
    for number in range(200):
        hours.inbox.put(ONE)
        if number == 100:
            hours.inbox.put(OTHER)
            put = hours.now
        hours.pass_seconds(0.01)
    (at,) = (at for at, hints in hours.looks if OTHER in hints)
    assert at - put <= REST


def test_a_burst_without_end_is_looked_at_now_and_then() -> None:
    hours = Hours()
    for _ in range(250):
        hours.inbox.put(ONE)
        hours.pass_seconds(0.1)
    assert len(hours.looks) in (2, 3, 4)
    assert hours.looks[1][0] - hours.looks[0][0] <= LONGEST + 0.2


def test_looks_leave_at_least_as_much_time_as_they_take() -> None:
    hours = Hours(takes=0.5)
    for number in range(100):
        hours.inbox.put(Hint(Side.OPSGENIE, str(number)))
        hours.pass_seconds(0.1)
    hours.pass_seconds(5)
    begun = [at for at, _ in hours.looks]
    assert all(later - earlier >= 1.0 for earlier, later in pairwise(begun))
    assert sum(len(hints) for _, hints in hours.looks) == 100


def test_what_waits_is_bounded() -> None:
    hours = Hours()
    for number in range(2 * MOST):
        hours.inbox.put(Hint(Side.OPSGENIE, str(number)))
    assert len(hours.inbox.take()) == MOST
    assert len(hours.inbox._heard) <= MOST
