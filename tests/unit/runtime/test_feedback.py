"""Feedback to the sources: whether reading the notes of a recurring alert found a new note."""

from datetime import timedelta
from typing import Any

from reconciler.core.model import Kind
from reconciler.core.work import ReadRequest, WorkItem
from reconciler.reconcile.pair import Outcome
from reconciler.runtime.feedback import Feedback
from tests.support.builders import action, at
from tests.support.clock import SimClock


class Sources:
    """Records what is reported to Repetitions and Pace."""

    def __init__(self) -> None:
        self.read_: list[tuple[str, bool]] = []
        self.noticed_: list[float] = []

    def read(self, alert_id: str, *, fruitful: bool) -> None:
        self.read_.append((alert_id, fruitful))

    def noticed(self, now: float) -> None:
        self.noticed_.append(now)


def reconciled(kind: Kind | None, *, repeated: bool) -> Sources:
    sources: Any = Sources()
    item = WorkItem("a", at(0) + timedelta(), ReadRequest(alert_notes=True, repeated=repeated))
    actions = () if kind is None else (action(kind),)
    Feedback(sources, sources, SimClock(60)).reconciled(Outcome(item, actions), 0.1)
    found: Sources = sources
    return found


def test_a_note_found_after_a_recurrence_is_reported_and_speeds_up_the_next_poll() -> None:
    found = reconciled(Kind.PAGERDUTY_NOTE, repeated=True)
    assert (found.read_, found.noticed_) == ([("a", True)], [60])


def test_a_recurrence_without_a_note_is_reported_as_fruitless() -> None:
    for kind in (None, Kind.ALERT_NOTE):
        found = reconciled(kind, repeated=True)
        assert (found.read_, found.noticed_) == ([("a", False)], [])


def test_a_read_for_another_reason_is_not_reported() -> None:
    assert reconciled(Kind.PAGERDUTY_NOTE, repeated=False).read_ == []
