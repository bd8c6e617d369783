"""The check right before a state is written: every state of the target, and the reason not to write."""

import pytest

from reconciler.core.model import Alert, Incident, Kind, Person
from reconciler.core.preconditions import objection_in_pagerduty, objection_to_alert_write
from tests.support.builders import BOB, BOT, JANE, action, alert, incident, policy

ACK, UNACK = Kind.ALERT_ACKNOWLEDGE, Kind.ALERT_UNACKNOWLEDGE
FREE, TAKEN = alert(), alert(acknowledged=True, acknowledged_by="Ana Ruiz")
CLOSED = alert(open=False)


@pytest.mark.parametrize(
    ("kind", "target", "objection"),
    [
        pytest.param(ACK, FREE, None, id="an open alert may be acknowledged"),
        pytest.param(
            ACK,
            TAKEN,
            "the alert is acknowledged already, by Ana Ruiz",
            id="an acknowledged alert keeps its owner",
        ),
        pytest.param(
            ACK,
            alert(acknowledged=True),
            "the alert is acknowledged already, by somebody",
            id="an acknowledged alert keeps its owner, although nameless",
        ),
        pytest.param(ACK, CLOSED, "the alert is closed", id="a closed alert is not acknowledged"),
        pytest.param(UNACK, TAKEN, None, id="an acknowledged alert may be unacknowledged"),
        pytest.param(
            UNACK, FREE, "the alert is not acknowledged", id="an unacknowledged alert is not unacknowledged again"
        ),
        pytest.param(UNACK, CLOSED, "the alert is closed", id="a closed alert is not unacknowledged"),
        pytest.param(
            UNACK,
            alert(open=False, acknowledged=True),
            "the alert is closed",
            id="a closed alert is not unacknowledged although it shows an acknowledgement",
        ),
    ],
)
def test_a_write_to_an_alert_is_dropped_where_the_alert_objects(
    kind: Kind, target: Alert, objection: str | None
) -> None:
    assert objection_to_alert_write(action(kind), target) == objection


P_URGENCY = Kind.PAGERDUTY_SET_URGENCY
P_ACK, P_UNACK, P_RESOLVE = Kind.PAGERDUTY_ACKNOWLEDGE, Kind.PAGERDUTY_UNACKNOWLEDGE, Kind.PAGERDUTY_RESOLVE


def held(*people: Person) -> Incident:
    return incident("acknowledged", acknowledgers=people)


@pytest.mark.parametrize(
    ("kind", "target", "objection"),
    [
        pytest.param(P_ACK, incident(), None, id="a triggered incident may be acknowledged"),
        pytest.param(
            P_ACK, held(JANE), "the incident is acknowledged already", id="an engineer's timers are not reset"
        ),
        pytest.param(P_ACK, held(BOT), "the incident is acknowledged already", id="our own timers are not reset"),
        pytest.param(
            P_ACK, incident("resolved"), "the incident is resolved", id="a resolved incident is not reopened"
        ),
        pytest.param(P_UNACK, held(BOT), None, id="a mirrored acknowledgement may be taken back"),
        pytest.param(
            P_UNACK,
            held(Person("", BOT.name)),
            None,
            id="a mirrored acknowledgement is recognised by its name too",
        ),
        pytest.param(P_UNACK, held(), None, id="an acknowledgement that nobody holds may be taken back"),
        pytest.param(
            P_UNACK,
            held(BOT, JANE, BOB),
            "Jane Doe has acknowledged the incident in person",
            id="an engineer who acknowledged beside us keeps the incident",
        ),
        pytest.param(
            P_UNACK,
            held(JANE),
            "Jane Doe has acknowledged the incident in person",
            id="an engineer who acknowledged keeps the incident",
        ),
        pytest.param(
            P_UNACK,
            incident(),
            "the incident is not acknowledged",
            id="a triggered incident is not triggered again",
        ),
        pytest.param(
            P_UNACK, incident("resolved"), "the incident is resolved", id="a resolved incident is not triggered"
        ),
        pytest.param(
            P_UNACK,
            incident(assignees=(BOT,)),
            None,
            id="a triggered incident that is assigned to us alone may be made to page",
        ),
        pytest.param(
            P_UNACK,
            incident(assignees=(BOT, JANE)),
            "the incident is not acknowledged",
            id="a triggered incident is not triggered again although we are assigned too",
        ),
        pytest.param(P_URGENCY, incident(urgency="low"), None, id="a low urgency may be raised"),
        pytest.param(
            P_URGENCY, incident(), "the incident has high urgency already", id="a high urgency is not raised"
        ),
        pytest.param(
            P_URGENCY, incident("resolved"), "the incident is resolved", id="a resolved incident is not raised"
        ),
        pytest.param(P_RESOLVE, incident(), None, id="a triggered incident may be resolved"),
        pytest.param(P_RESOLVE, held(JANE), None, id="an acknowledged incident may be resolved"),
        pytest.param(
            P_RESOLVE, incident("resolved"), "the incident is resolved", id="a resolved incident is left alone"
        ),
    ],
)
def test_a_write_to_an_incident_is_dropped_where_the_incident_objects(
    kind: Kind, target: Incident, objection: str | None
) -> None:
    assert objection_in_pagerduty(action(kind), target, policy()) == objection
