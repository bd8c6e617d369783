"""Late alerts: which ones are, and what becomes of them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.core import late_alerts
from reconciler.core.journal import Event
from reconciler.core.journal_entries import of_plan
from reconciler.core.late_alerts import NOTE, PAGE, SKIP
from reconciler.core.model import Kind, Observation, Plan
from reconciler.core.plan import decide
from reconciler.core.policy import DecisionInput
from reconciler.core.work import Reason
from tests.support.builders import alert, incident, pair, policy

RAISED = alert(priority="P1")
SEEN = RAISED.created_at + timedelta(hours=8)
LATE = Observation(RAISED.id, alert=RAISED, alert_notes=(), seen_at=SEEN)


def inputs(on_late_alert: str, seen: Observation = LATE) -> DecisionInput:
    return DecisionInput(SEEN, policy(on_late_alert=on_late_alert), (seen,))


@pytest.mark.parametrize(
    "changed",
    [
        {"seen_at": None},
        {"seen_at": RAISED.created_at + timedelta(hours=1)},
        {"pair": pair()},
        {"incident": incident()},
        {"alert": None},
    ],
    ids=["no absence", "in time", "known", "an incident", "unread"],
)
def test_what_is_no_late_alert_pages_as_any_other(changed: dict[str, Any]) -> None:
    assert late_alerts.treated(replace(LATE, **changed), policy(on_late_alert=SKIP)) == ""
    assert late_alerts.why_skipped(replace(LATE, **changed), policy(on_late_alert=SKIP)) == ""


@pytest.mark.parametrize(("on_late_alert", "treated"), [(PAGE, ""), (NOTE, NOTE), (SKIP, SKIP)])
def test_a_late_alert_is_treated_as_the_policy_says(on_late_alert: str, treated: str) -> None:
    assert late_alerts.treated(LATE, policy(on_late_alert=on_late_alert)) == treated


@pytest.mark.parametrize(("on_late_alert", "urgency"), [(PAGE, "high"), (NOTE, "low")])
def test_a_late_alert_is_paged_or_becomes_an_incident_of_low_urgency(on_late_alert: str, urgency: str) -> None:
    (created,) = decide(inputs(on_late_alert)).actions
    assert (created.kind, created.urgency) == (Kind.CREATE_INCIDENT, urgency)
    assert ("first seen 8 h later: low urgency" in created.reason) is (on_late_alert == NOTE)


def test_a_skipped_late_alert_is_a_baseline_which_the_journal_explains() -> None:
    given = inputs(SKIP, replace(LATE, alert=replace(RAISED, open=False, closed_at=SEEN)))
    plan = decide(given)
    assert plan.actions == ()
    assert [each.tracked for each in plan.pairs] == [False]
    (entry,) = of_plan(plan, given, {Reason.NEW_ALERT, Reason.FEED})
    assert (entry.event, entry.alert_id, entry.at) == (Event.BASELINE, RAISED.id, SEEN)
    assert entry.words == "late: first seen 8 h later, as the reconciler was away (ON_LATE_ALERT=skip)"
    assert entry.source == "feed, new alert"
    assert of_plan(Plan(), given, ()) == ()


def test_the_delay_is_told_in_minutes_or_hours() -> None:
    assert late_alerts.delay(replace(LATE, seen_at=RAISED.created_at + timedelta(minutes=61))) == (
        "first seen 61 min later"
    )
    assert late_alerts.delay(replace(LATE, alert=None)) == late_alerts.delay(replace(LATE, seen_at=None)) == ""


def test_their_numbers_are_told_by_what_became_of_them() -> None:
    assert late_alerts.lines({NOTE: 1, SKIP: 3, "": 9}) == [
        "1 late alert: incidents of low urgency",
        "3 late alerts: recorded as baselines",
    ]
    assert late_alerts.lines({}) == []
