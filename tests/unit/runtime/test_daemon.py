"""The daemon's report is requested soon after an event."""

from typing import Any

import pytest

from reconciler.core.model import Kind, Side
from reconciler.core.work import WorkItem
from reconciler.errors import Transient
from reconciler.reconcile.pair import Outcome
from reconciler.reconcile.problems import Problem
from reconciler.runtime.daemon import REPORT, REPORT_EVERY, ReportSoon
from tests.support.builders import action, at

ITEM = WorkItem("a", at(0))


class Schedule:
    """Records the requested runs."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, float]] = []

    def soon(self, name: str, after: float) -> None:
        self.asked.append((name, after))


@pytest.mark.parametrize(
    ("outcome", "asked"),
    [
        (Outcome(ITEM), []),
        (Outcome(ITEM, actions=(action(Kind.PAGERDUTY_NOTE),)), [(REPORT, REPORT_EVERY)]),
        (Outcome(ITEM, standing=(Problem(Side.OPSGENIE, Transient("500")),)), [(REPORT, REPORT_EVERY)]),
    ],
    ids=["nothing", "an action", "a problem"],
)
def test_the_report_runs_soon_after_a_write_or_a_problem(outcome: Outcome, asked: list[tuple[str, float]]) -> None:
    schedule: Any = Schedule()
    ReportSoon(schedule).reconciled(outcome, 0.1)
    assert schedule.asked == asked
