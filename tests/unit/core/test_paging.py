"""Incidents that page nobody: created acknowledged, or assigned to the automation user alone."""

from dataclasses import replace

import pytest

from reconciler.core.model import Incident, Kind, Pair, Status
from reconciler.core.plan import decide, settled
from tests.support.builders import (
    BOT,
    JANE,
    RESOLVED,
    action,
    after,
    alert,
    at,
    incident,
    inputs,
    observation,
    pair,
    policy,
)

CREATED = action(Kind.CREATE_INCIDENT, Status.DONE, result_id="PINC1")
BORN = incident("acknowledged", acknowledgers=(BOT,), changed_by=BOT, changed_at=at(2))
SAID_BORN = "incident #4711 was created acknowledged by the automation user"
SAID_LEFT = "incident #4711 is assigned to the automation user alone"


@pytest.mark.parametrize(
    ("kind", "answer", "before", "expected"),
    [
        pytest.param(Kind.CREATE_INCIDENT, incident(), pair(None), "", id="a page that pages"),
        pytest.param(Kind.CREATE_INCIDENT, BORN, pair(None), SAID_BORN, id="an incident created acknowledged"),
        pytest.param(
            Kind.CREATE_INCIDENT,
            BORN,
            pair(None, acknowledged=True),
            "",
            id="an incident for an acknowledged alert",
        ),
        pytest.param(
            Kind.CREATE_INCIDENT,
            incident(assignees=(BOT,)),
            pair(None),
            SAID_LEFT,
            id="an incident assigned to us alone",
        ),
        pytest.param(
            Kind.PAGERDUTY_UNACKNOWLEDGE,
            incident(assignees=(BOT,)),
            pair("acknowledged", (BOT,)),
            SAID_LEFT,
            id="unacknowledged and assigned to us alone",
        ),
        pytest.param(
            Kind.PAGERDUTY_UNACKNOWLEDGE,
            incident(assignees=(JANE,)),
            pair("acknowledged", (BOT,), unpaged=SAID_BORN),
            "",
            id="unacknowledged, and an engineer is paged",
        ),
        pytest.param(
            Kind.PAGERDUTY_UNACKNOWLEDGE,
            None,
            pair("acknowledged", (BOT,), unpaged=SAID_BORN),
            SAID_BORN,
            id="unacknowledged, and not read yet",
        ),
    ],
)
def test_an_observation_shows_whether_the_incident_pages_anybody(
    kind: Kind, answer: Incident | None, before: Pair, expected: str
) -> None:
    assert settled(before, action(kind), policy(), answer).unpaged == expected


@pytest.mark.parametrize(
    ("then", "expected"),
    [
        pytest.param(BORN, SAID_BORN, id="as before"),
        pytest.param(incident("acknowledged", acknowledgers=(BOT, JANE), changed_at=at(9)), "", id="acknowledged"),
        pytest.param(RESOLVED, "", id="resolved"),
        pytest.param(incident(assignees=(JANE,)), "", id="assigned to somebody else"),
        pytest.param(None, SAID_BORN, id="not read"),
    ],
)
def test_an_incident_pages_nobody_until_an_observation_shows_otherwise(
    then: Incident | None, expected: str
) -> None:
    known = pair("acknowledged", (BOT,), unpaged=SAID_BORN, unexplained_since=at(-600))
    seen = observation(pair=known, incident=then, mine=(CREATED,))
    pairs = decide(inputs(seen)).pairs or (known,)
    assert pairs[0].unpaged == expected


def test_an_incident_created_acknowledged_is_triggered_once() -> None:
    seen = observation(pair=pair(None), alert=alert(), incident=BORN, mine=(replace(CREATED, status=Status.SENT),))
    plan = decide(inputs(seen))
    (healing,) = plan.actions
    assert healing.kind is Kind.PAGERDUTY_UNACKNOWLEDGE
    assert healing.key == "pagerduty.unacknowledge a-1 unpaged PINC1"
    assert plan.pairs[0].unpaged == SAID_BORN
    assert decide(inputs(after(seen, plan))).actions == ()
