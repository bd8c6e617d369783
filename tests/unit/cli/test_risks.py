"""A plan's summary: whom it wakes first, and what it could not count."""

from dataclasses import replace

import pytest

from reconciler.cli.risks import is_limit, not_counted, summary
from reconciler.core.model import Action, Kind, Side, Status
from reconciler.errors import Blocked, NotExecuted, RateLimited, ReconcilerError, Unknown
from reconciler.reconcile.problems import Problem
from reconciler.runtime.report import Report
from tests.support.builders import action

HIGH, LOW = action(Kind.CREATE_INCIDENT, urgency="high"), action(Kind.CREATE_INCIDENT, urgency="low")
LIMITED = RateLimited("PagerDuty: no room", 20.0)


def of(*kinds: Kind) -> list[Action]:
    return [action(kind) for kind in kinds]


@pytest.mark.parametrize(
    ("actions", "said"),
    [
        ([], ""),
        ([HIGH], "1 person will be paged (1 high urgency)"),
        ([LOW, LOW], "2 people will be paged (low urgency)"),
        (
            [HIGH, HIGH, LOW, *of(*4 * [Kind.PAGERDUTY_NOTE], Kind.ALERT_ACKNOWLEDGE)],
            "3 people will be paged (2 high urgency), 4 notes, 1 acknowledgement",
        ),
        (
            of(Kind.PAGERDUTY_RESOLVE, Kind.ALERT_UNACKNOWLEDGE, Kind.PAGERDUTY_UNACKNOWLEDGE),
            "1 incident that pages again, 1 alert un-acknowledged, 1 incident resolved",
        ),
        (of(*2 * [Kind.PAGERDUTY_SET_URGENCY]), "2 urgencies raised"),
        (
            [
                action(Kind.PAGERDUTY_SET_URGENCY, priority="SEV-1", urgency=urgency)
                for urgency in ("", "", "high")
            ],
            "1 urgency raised, 2 priorities changed",
        ),
        ([replace(HIGH, status=Status.SENT)], ""),
    ],
)
def test_what_a_plan_does_to_people_is_summed_up_by_risk(actions: list[Action], said: str) -> None:
    assert summary(actions) == said


def test_every_kind_of_action_is_summed_up() -> None:
    assert all(summary(of(kind)) for kind in Kind)


def test_what_could_not_be_read_is_not_counted_and_said() -> None:
    assert not_counted(Report()) == ""
    cut = Problem(Side.PAGERDUTY, LIMITED)
    assert not_counted(Report(problems=(replace(cut, alert_id="a-1"),))) == "", "one alert's own"
    assert not_counted(Report(pairs=3000, unread=2235, partly=1, problems=(cut,))) == (
        "2,235 of 3,000 alerts found, which were not looked at, notes and states of 1 alert read in part only "
        "and alerts beyond the end of a list that was cut short"
    )


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (LIMITED, True),
        (NotExecuted("429", 20.0), True),
        (NotExecuted("no connection"), False),
        (Blocked("a proxy"), False),
        (Unknown("503", 5.0), False),
    ],
)
def test_a_limit_is_ours_or_the_vendors(error: ReconcilerError, *, expected: bool) -> None:
    assert is_limit(error) is expected
