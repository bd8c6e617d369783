"""Parked pairs go on once their breaker is closed; a half-open one lets the most urgent try first."""

from collections.abc import Collection

import pytest

from reconciler.core.model import Kind, Side
from reconciler.core.work import Priority, WorkItem
from reconciler.errors import NotExecuted
from reconciler.reconcile.holds import Holds
from reconciler.reconcile.read_breakers import FIRST_WAIT, ReadBreakers
from reconciler.reconcile.work_queue import Hold, WorkQueue
from reconciler.reconcile.write_breakers import WriteBreakers
from tests.support.clock import SimClock

AWAY = NotExecuted("no connection")


class Scene:
    """A queue in which three pairs, of different urgency, are parked."""

    def __init__(self, hold: Hold) -> None:
        self.clock = SimClock()
        self.queue = WorkQueue(self.clock)
        self.reads = ReadBreakers(self.clock)
        self.writes = WriteBreakers(self.clock)
        urgencies = {"swept": Priority.SWEEP, "changed": Priority.CHANGED, "unsettled": Priority.UNSETTLED}
        self.queue.add(WorkItem(name, self.clock.now(), priority=each) for name, each in urgencies.items())
        while (item := self.queue.lease()) is not None:
            self.queue.park(item, frozenset({hold}))

    def released(self, *, dry: bool = False) -> Collection[str]:
        """Which pairs go on."""
        Holds(self.queue, self.reads, None if dry else self.writes).release()
        found = []
        while (item := self.queue.lease()) is not None:
            found.append(item.alert_id)
        return found


@pytest.mark.parametrize("hold", Hold)
def test_all_parked_pairs_go_on_where_the_breaker_is_closed(hold: Hold) -> None:
    assert Scene(hold).released() == ["changed", "unsettled", "swept"]


def test_none_goes_on_while_the_breaker_is_open_and_one_once_it_is_half_open() -> None:
    scene = Scene(Hold.READ_PAGERDUTY)
    scene.reads.failed(Side.PAGERDUTY, "a-1", AWAY)
    assert scene.released() == []
    scene.clock.advance(FIRST_WAIT)
    assert scene.released() == ["changed"]


def test_writes_wait_for_the_breaker_of_their_own_lane() -> None:
    scene = Scene(Hold.WRITE_ALERTS)
    scene.writes.not_executed(Kind.PAGERDUTY_NOTE, AWAY)
    scene.reads.failed(Side.ALERTS, "a-1", AWAY)
    assert len(scene.released()) == 3
    scene = Scene(Hold.WRITE_PAGERDUTY)
    scene.writes.not_executed(Kind.PAGERDUTY_NOTE, AWAY)
    assert scene.released() == []


def test_where_nothing_is_ever_written_no_pair_waits_for_a_write() -> None:
    assert len(Scene(Hold.WRITE_PAGES).released(dry=True)) == 3
