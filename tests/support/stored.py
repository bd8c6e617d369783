"""A pair and an action with a value of its own in every field, and what is stored of them."""

from datetime import UTC, datetime, timedelta

from reconciler.core.model import Action, AlertBaseline, IncidentBaseline, Kind, Pair, Person
from reconciler.store.database import Database

NOW = datetime(2026, 11, 23, 9, 14, 5, 123456, tzinfo=UTC)
PAIR = Pair(
    alert_id="a-1",
    tiny_id="17",
    tracked=True,
    alerts=AlertBaseline(True, True, NOW - timedelta(seconds=3), NOW + timedelta(hours=1)),
    incident_id="PINC1",
    incident_number=4,
    pagerduty=IncidentBaseline("acknowledged", (Person("PJANE", "Jane Doe"), Person("", "Ømar ]·[")), "Jane Doe"),
    swept_at=NOW - timedelta(minutes=5),
    next_look_at=NOW + timedelta(minutes=5),
    title="db-primary is down",
    unexplained_since=NOW - timedelta(seconds=4),
    unpaged="incident #4 was created acknowledged by the automation user",
    alias="db-primary",
    created_at=NOW - timedelta(hours=2),
)


ACTION = Action(
    key="opsgenie.add_note a-1 note PN1",
    kind=Kind.ALERT_NOTE,
    alert_id="a-1",
    reason="Jane Doe added a note in PagerDuty",
    at=NOW - timedelta(seconds=9),
    person="Jane Doe",
    text="[PagerDuty · Jane Doe · note PN1] the disk\n\tis full 🙈 'quoted'",
    body="Priority: P1",
    urgency="high",
    priority="SEV-1",
    mark="[PagerDuty · Jane Doe · note PN1]",
    attempts=3,
    plain=True,
    not_before=NOW + timedelta(seconds=4),
    failing_since=NOW - timedelta(hours=2),
    sent_at=NOW - timedelta(seconds=1),
    request_id="r-1",
    result_id="n-1",
    error="not seen",
)


def stored_actions(database: Database, *actions: Action) -> list[Action]:
    with database.writing() as unit:
        unit.outbox.add(actions, NOW)
    with database.reading() as unit:
        return [action for mine in unit.outbox.of({a.alert_id for a in actions}).values() for action in mine]


def stored_action(database: Database, action: Action) -> Action:
    with database.reading() as unit:
        (found,) = unit.outbox.by_id([action.id])
    return found
