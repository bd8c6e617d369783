"""The urgency of a reopened incident whose alert's priority rose while it was resolved."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.model import Action, Kind, Observation, Pair, Status
from reconciler.core.plan import decide
from reconciler.core.policy import Policy
from tests.support.builders import (
    JANE,
    SERVICE,
    act,
    action,
    alert,
    at,
    incident,
    inputs,
    observation,
    pair,
    policy,
)

P1 = replace(pair().alerts, priority="P1")
RESOLVED = pair("resolved", as_of=at(40), alerts=P1)
OPEN = pair(alerts=P1)
REOPENED = incident(urgency="low", changed_by=SERVICE, changed_at=at(50))
DROPPED = action(
    Kind.PAGERDUTY_SET_URGENCY, Status.DROPPED, urgency="high", error="not needed: the incident is resolved"
)
REASON = "the alert's priority is P1, and the incident is open again with low urgency"


def raised(known: Pair = RESOLVED, rules: Policy | None = None, **changed: Any) -> list[Action]:
    """The actions that raise the urgency."""
    seen = observation(pair=known, incident=REOPENED, incident_acts=(act("reopen", JANE, 50),))
    plan = decide(inputs(replace(seen, **changed), rules=rules))
    return [planned for planned in plan.actions if planned.kind is Kind.PAGERDUTY_SET_URGENCY]


def test_a_reopened_incident_gets_the_urgency_of_its_alerts_priority() -> None:
    (planned,) = raised()
    assert (planned.reason, planned.urgency, planned.incident_id) == (REASON, "high", "PINC1")


def test_the_urgency_waits_until_the_reopening_is_explained_or_overdue() -> None:
    assert raised(incident_acts=()) == []
    overdue = replace(RESOLVED, unexplained_since=at(-120))
    assert len(raised(overdue, incident_acts=())) == 1


def test_a_priority_read_together_with_the_reopening_counts() -> None:
    known = replace(RESOLVED, alerts=replace(P1, priority="P4"))
    assert len(raised(known, alert=alert(priority="P1", updated_at=at(45)))) == 1
    assert raised(alert=alert(priority="P4", updated_at=at(45))) == []


def test_an_urgency_dropped_for_a_resolved_incident_is_raised_once_it_is_reopened() -> None:
    """It was resolved and reopened between two looks."""
    assert len(raised(OPEN, mine=(DROPPED,))) == 1


def test_the_urgency_is_planned_once() -> None:
    (planned,) = raised(OPEN, mine=(DROPPED,))
    for status in Status:
        again = replace(planned, id=8, status=status)
        assert raised(OPEN, mine=(DROPPED, again)) == []


def test_an_urgency_dropped_again_is_planned_again() -> None:
    (planned,) = raised(OPEN, mine=(DROPPED,))
    again = replace(planned, id=8, status=Status.DROPPED, error=DROPPED.error)
    assert len(raised(OPEN, mine=(DROPPED, again))) == 1


@pytest.mark.parametrize(
    ("known", "changed"),
    [
        (OPEN, {}),
        (OPEN, {"mine": (replace(DROPPED, error="not needed: the incident has high urgency already"),)}),
        (OPEN, {"mine": (DROPPED, replace(DROPPED, id=8, status=Status.DONE, error=""))}),
        (OPEN, {"mine": (DROPPED,), "incident": replace(REOPENED, urgency="high")}),
        (RESOLVED, {"incident": replace(REOPENED, status="resolved", changed_at=at(40))}),
        (RESOLVED, {"incident": replace(REOPENED, urgency="high")}),
        (RESOLVED, {"incident": None}),
        (replace(RESOLVED, alerts=replace(P1, priority="P4")), {}),
        (replace(RESOLVED, alerts=replace(P1, priority="")), {}),
        (replace(RESOLVED, alerts=replace(P1, open=False)), {}),
        (RESOLVED, {"rules": policy(on_alert_priority="note")}),
        (RESOLVED, {"rules": policy(on_alert_priority="ignore")}),
    ],
    ids=[
        "an engineer may lower the urgency",
        "the urgency was high before our write",
        "it was raised since",
        "it is high already",
        "it is resolved",
        "it was reopened with high urgency",
        "it was not read",
        "the priority is low",
        "the priority was never read",
        "the alert is closed",
        "a note is all that is asked for",
        "priorities are ignored",
    ],
)
def test_the_urgency_stays_where_nothing_asks_for_another(known: Pair, changed: dict[str, Any]) -> None:
    assert raised(known, **changed) == []


def test_an_adopted_incident_keeps_its_urgency() -> None:
    seen: Observation = observation(pair=pair(None, alerts=P1), incident=REOPENED)
    assert [a.kind for a in decide(inputs(seen)).actions if a.kind is Kind.PAGERDUTY_SET_URGENCY] == []
