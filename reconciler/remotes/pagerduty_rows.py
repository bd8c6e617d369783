"""PagerDuty's rows to core values: incidents, notes, log entries. Defensive: anything optional may be missing."""

from typing import Any

from reconciler.core.model import Act, Actor, Incident, Note, Person
from reconciler.remotes.fields import BadRow, identifier, items, mapping, moment, text, whole

OPEN = ("triggered", "acknowledged")
STATUSES = (*OPEN, "resolved")


def parse_incident(row: Any) -> Incident:
    """An incident of any list or answer. BadRow without an id, a known status or a time."""
    incident_id = identifier(row)
    status = text(row.get("status")).lower()
    if status not in STATUSES:
        raise BadRow(f"incident {incident_id} with the unknown status '{status}'")
    times = (moment(row.get(name)) for name in ("created_at", "updated_at", "last_status_change_at"))
    created = next((at for at in times if at), None)
    if created is None:
        raise BadRow(f"incident {incident_id} without a readable created_at")
    held = [_person(mapping(ack).get("acknowledger")) for ack in items(row.get("acknowledgements"))]
    changed_by = _person(row.get("last_status_change_by"))
    if status == "acknowledged" and not any(held):
        held = [changed_by]  # an acknowledged incident is held by somebody: at least by who acknowledged first
    reason = mapping(row.get("resolve_reason"))
    merged = text(reason.get("type")).startswith("merge")
    return Incident(
        id=incident_id,
        number=whole(row.get("incident_number")),
        status=status,
        key=text(row.get("incident_key")),
        title=text(row.get("title")) or text(row.get("summary")),
        service_id=text(mapping(row.get("service")).get("id")),
        created_at=created,
        urgency=text(row.get("urgency")) or "high",
        acknowledgers=tuple(dict.fromkeys(person for person in held if person)),
        escalation_policy_id=text(mapping(row.get("escalation_policy")).get("id")),
        changed_by=changed_by,
        changed_at=moment(row.get("last_status_change_at")),
        merged_into=text(mapping(reason.get("incident")).get("id")) if merged else "",
    )


def parse_note(row: Any) -> Note:
    """A note. BadRow without an id or a time."""
    note_id = identifier(row)
    at = moment(row.get("created_at"))
    if at is None:
        raise BadRow(f"note {note_id} without a readable created_at")
    return Note(note_id, _person(row.get("user")) or Person("", "somebody"), text(row.get("content")), at)


def parse_act(row: Any) -> Act:
    """A log entry, of a known kind or not. BadRow without an id or a time."""
    entry_id = identifier(row)
    at = moment(row.get("created_at"))
    if at is None:
        raise BadRow(f"log entry {entry_id} without a readable created_at")
    verb = text(row.get("type")).removesuffix("_reference").removesuffix("_log_entry")
    agent, channel = mapping(row.get("agent")), mapping(row.get("channel"))
    actor = Actor.MACHINE
    if text(agent.get("type")).startswith("user"):
        actor = Actor.PERSON
    elif text(channel.get("type")) == "timeout":
        actor = Actor.TIMEOUT
    return Act(
        id=entry_id,
        verb="acknowledge" if verb == "acknowledgement" else verb or "other",
        at=at,
        actor=actor,
        person=_person(agent) if actor is Actor.PERSON else None,
        incident_id=text(mapping(row.get("incident")).get("id")),
    )


def _person(value: Any) -> Person | None:
    row = mapping(value)
    person_id = text(row.get("id"))
    name = text(row.get("summary")) or text(row.get("name"))
    return Person(person_id, name or person_id) if person_id or name else None
