"""The PagerDuty priority of an incident, and how it follows the alert's."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.model import Action, Kind, Settlement, Status
from reconciler.core.outcomes import settle
from reconciler.core.plan import decide
from reconciler.core.preconditions import objection_in_pagerduty
from tests.support.builders import action, alert, at, incident, inputs, observation, pair, policy

NAMED = (("P1", "SEV-1"), ("P2", "SEV-2"), ("P4", "SEV-2"))


def planned(before: str, after: str, **rules: Any) -> list[tuple[str, str]]:
    """Urgency and priority of each write that follows from a change of the alert's priority."""
    known = pair(alerts=replace(pair().alerts, priority=before))
    seen = observation(pair=known, alert=alert(priority=after, updated_at=at(20)))
    found = decide(inputs(seen, rules=policy(**({"priorities": NAMED} | rules)))).actions
    return [(each.urgency, each.priority) for each in found if each.kind is Kind.PAGERDUTY_SET_URGENCY]


@pytest.mark.parametrize(("priority", "name"), [("P1", "SEV-1"), ("P3", ""), ("", "")])
def test_an_incident_is_created_with_the_priority_of_its_alerts(priority: str, name: str) -> None:
    (page,) = decide(inputs(observation(alert=alert(priority=priority)), rules=policy(priorities=NAMED))).actions
    assert (page.kind, page.priority) == (Kind.CREATE_INCIDENT, name)


@pytest.mark.parametrize(
    ("before", "after", "writes"),
    [
        pytest.param("P4", "P1", [("high", "SEV-1")], id="raised over the line: both at once"),
        pytest.param("P2", "P1", [("", "SEV-1")], id="raised above the line: the priority alone"),
        pytest.param("P1", "P4", [("", "SEV-2")], id="lowered: the priority alone"),
        pytest.param("P4", "P2", [("high", "")], id="the same of PagerDuty's: the urgency alone"),
        pytest.param("P1", "P3", [], id="one that has none in PagerDuty: nothing"),
        pytest.param("P1", "P1", [], id="unchanged"),
    ],
)
def test_the_incident_follows_the_alerts_priority(before: str, after: str, writes: list[tuple[str, str]]) -> None:
    assert planned(before, after) == writes


@pytest.mark.parametrize("choice", ["note", "ignore"])
def test_it_follows_only_where_the_policy_says_so(choice: str) -> None:
    assert planned("P4", "P1", on_alert_priority=choice) == []


def test_a_resolved_incident_does_not_follow() -> None:
    known = pair("resolved", alerts=replace(pair().alerts, priority="P2"))
    seen = observation(pair=known, alert=alert(priority="P1", updated_at=at(20)))
    kinds = [each.kind for each in decide(inputs(seen, rules=policy(priorities=NAMED))).actions]
    assert kinds == [Kind.PAGERDUTY_NOTE]


def set_urgency(urgency: str, priority: str, status: Status = Status.PLANNED) -> Action:
    return action(Kind.PAGERDUTY_SET_URGENCY, status, urgency=urgency, priority=priority, sent_at=at(0))


WRITES = [
    ("high", "SEV-1", "high", "sev-1", "high urgency and the priority SEV-1"),
    ("high", "SEV-1", "high", "SEV-2", ""),
    ("high", "SEV-1", "low", "SEV-1", ""),
    ("", "SEV-1", "low", "SEV-1", "the priority SEV-1"),
    ("", "SEV-1", "high", "", ""),
    ("high", "", "high", "", "high urgency"),
]


@pytest.mark.parametrize(("urgency", "priority", "shown", "named", "has"), WRITES)
def test_a_write_is_needed_and_has_happened_by_what_the_incident_shows(
    urgency: str, priority: str, shown: str, named: str, has: str
) -> None:
    target = incident(urgency=shown, priority=named)
    objection = objection_in_pagerduty(set_urgency(urgency, priority), target, policy())
    assert objection == (f"the incident has {has} already" if has else None)
    sent = set_urgency(urgency, priority, Status.SENT)
    seen = observation(pair=pair(), incident=target, mine=(sent,), looked=frozenset({sent.kind}))
    done = Settlement(sent.id, Status.DONE)
    assert settle(sent, seen, policy(), at(1)) == (done if has else None)


def test_a_priority_that_was_dropped_raises_no_urgency_when_the_incident_is_reopened() -> None:
    """Only a dropped raise of the urgency is made up for."""
    alone = set_urgency("", "SEV-1", Status.DROPPED)
    raised = replace(pair(), alerts=replace(pair().alerts, priority="P1"))
    low = incident(urgency="low")
    for mine, expected in ((alone, []), (replace(alone, urgency="high"), [("high", "SEV-1")])):
        dropped = replace(mine, error="not needed: the incident is resolved")
        seen = observation(pair=raised, alert=alert(priority="P1"), incident=low, mine=(dropped,))
        found = decide(inputs(seen, rules=policy(priorities=NAMED))).actions
        assert [(each.urgency, each.priority) for each in found] == expected
