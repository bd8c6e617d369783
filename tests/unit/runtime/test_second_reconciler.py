"""When a foreign note is a second reconciler's."""

from datetime import timedelta

from reconciler.core.model import Note
from reconciler.core.work import WorkItem
from reconciler.reconcile.pair import Outcome
from reconciler.runtime.second_reconciler import LASTS, SecondReconciler
from tests.support.builders import BOT, at
from tests.support.clock import SimClock

STALENESS = timedelta(seconds=120)


def outcome(clock: SimClock, after: float, name: str = "") -> Outcome:
    note = Note("N1", BOT, "text", clock.now() + timedelta(seconds=after))
    return Outcome(WorkItem("a-1", at(0)), foreign=(note,), name=name)


def test_only_a_note_of_the_time_of_this_lead_shows_a_second_reconciler() -> None:
    clock = SimClock()
    second = SecondReconciler(clock, STALENESS)
    second.reconciled(outcome(clock, 500))
    second.began()
    second.reconciled(outcome(clock, 120))
    second.reconciled(Outcome(WorkItem("a-1", at(0))))
    assert second.words() == ""
    second.reconciled(outcome(clock, 121))
    assert "a note of alert a-1 bears our mark" in second.words()
    second.reconciled(outcome(clock, 121, 'Alert #17 "Disk full"'))
    assert 'a note of Alert #17 "Disk full" bears our mark' in second.words()
    assert "DATABASE_URL" in second.words()


def test_it_is_gone_after_an_hour_without_a_trace() -> None:
    clock = SimClock()
    second = SecondReconciler(clock, STALENESS)
    second.began()
    second.reconciled(outcome(clock, 121))
    clock.wait(LASTS - 1)
    assert second.words()
    clock.wait(1)
    assert second.words() == ""
