"""Conversion of PagerDuty's rows to core values: incidents, notes, log entries.

Defensive: any optional field may be missing.
"""

import re
from datetime import datetime, timedelta
from typing import Any

from reconciler.core.model import SOMEBODY, Act, Actor, Incident, Note, Person
from reconciler.vendors.json_fields import (
    BadRow,
    identifier,
    items,
    mapping,
    moment,
    record,
    reference,
    text,
    whole,
)

OPEN = ("triggered", "acknowledged")
STATUSES = (*OPEN, "resolved")
_PAGE = re.compile(r"https://[^\s\"'<>]{1,300}")
FARTHEST_EXPIRY = timedelta(days=30)
"""Snoozes and service time-outs end acknowledgements within a week; this adds a margin."""


def parse_incident(row: Any, now: datetime) -> Incident:
    """An incident of any list or answer. BadRow without an id or a known status."""
    incident_id = identifier(row)
    status = text(row.get("status")).strip().lower()
    if status not in STATUSES:
        raise BadRow(f"incident {incident_id} with the unknown status '{status[:40]}'")
    stamps = (moment(row.get(name), now) for name in ("created_at", "updated_at", "last_status_change_at"))
    changed_by = person_of(row.get("last_status_change_by"))
    reason = mapping(row.get("resolve_reason"))
    merged = text(reason.get("type")).startswith("merge")
    service = mapping(row.get("service"))
    is_named = isinstance(service.get("id"), str)
    return Incident(
        id=incident_id,
        number=whole(row.get("incident_number")),
        status=status,
        key=text(row.get("incident_key")),
        title=text(row.get("title")) or text(row.get("summary")),
        service_id=reference(service).strip() if is_named else "",
        created_at=next((at for at in stamps if at), now),
        urgency="low" if text(row.get("urgency")).strip().lower() == "low" else "high",
        priority=_name(row.get("priority")),
        acknowledgers=_acknowledgers(row, status),
        acknowledged_at=_acknowledged_at(row, now),
        escalation_policy_id=reference(row.get("escalation_policy")),
        changed_by=changed_by,
        changed_at=moment(row.get("last_status_change_at"), now),
        merged_into=reference(reason.get("incident")) if merged else "",
        merged_name=text(mapping(reason.get("incident")).get("summary")) if merged else "",
        assignees=_assignees(row.get("assignments")),
        expires_at=_expiry(row.get("pending_actions"), now),
        url=_page(row.get("html_url")),
    )


def parse_note(row: Any, now: datetime) -> Note:
    """A note. BadRow without an id, and if both its time and its text are missing."""
    note_id = identifier(row)
    content = text(row.get("content"))
    at = moment(row.get("created_at"), now) or (now if content else None)
    if at is None:
        raise BadRow(f"note {note_id} without a readable created_at")
    return Note(note_id, person_of(row.get("user")) or SOMEBODY, content, at)


def parse_act(row: Any, now: datetime) -> Act:
    """A log entry, of a known kind or not. BadRow without an id or a time: such an entry explains nothing."""
    entry_id = identifier(row)
    at = moment(row.get("created_at"), now)
    if at is None:
        raise BadRow(f"log entry {entry_id} without a readable created_at")
    verb = text(row.get("type")).removesuffix("_reference").removesuffix("_log_entry")
    agent, channel = mapping(row.get("agent")), mapping(row.get("channel"))
    actor = Actor.MACHINE
    if text(agent.get("type")).startswith("user"):
        actor = Actor.PERSON
    elif text(channel.get("type")) == "timeout":
        actor = Actor.TIMEOUT
    who = person_of(agent)
    person = (who or SOMEBODY) if actor is Actor.PERSON else None
    return Act(
        id=entry_id,
        verb="acknowledge" if verb == "acknowledgement" else verb or "other",
        at=at,
        actor=actor,
        person=person,
        incident_id=reference(row.get("incident")),
        service_id=reference(row.get("service")).strip(),
        agent=who.name if who and person is None else "",
    )


def parse_alert_key(row: Any) -> str:
    """The key of an incident's alert, empty if it has none. BadRow if that cannot be read: it may be ours."""
    key = record(row).get("alert_key")
    if key is not None and not isinstance(key, str):
        raise BadRow(f"alert {reference(row)} with an alert_key that is no text but {type(key).__name__}")
    return key or ""


def person_of(value: Any) -> Person | None:
    """The person of a reference, by id or name, whichever can be read; None without both."""
    row = mapping(value)
    person_id = reference(row).strip()
    name = text(row.get("summary")).strip() or text(row.get("name")).strip()
    return Person(person_id, name or person_id) if person_id or name else None


def is_same(one: Any, other: str) -> bool:
    """Whether both are the same name, address or id, regardless of case and surrounding spaces."""
    return bool(other.strip()) and text(one).strip().casefold() == other.strip().casefold()


def is_user(person: Person, user: Person) -> bool:
    """Whether the person is that user: by id if both have one, else by name.

    Until PagerDuty has confirmed the user, the configured value stands for both: it may be an id or a name.
    """
    if person.id and user.id and (person.id == user.id or user.id != user.name):
        return person.id == user.id
    return is_same(person.name, user.name)


def _name(value: Any) -> str:
    """The name of a priority, which is a whole object in some answers and a reference in others; empty if none."""
    row = mapping(value)
    return text(row.get("name")).strip() or text(row.get("summary")).strip()


def _page(value: Any) -> str:
    """The address of a page; empty for anything that is not one."""
    address = text(value)
    return address if _PAGE.fullmatch(address) else ""


def _acknowledgers(row: dict[str, Any], status: str) -> tuple[Person, ...]:
    """The people who hold an acknowledged incident: at least its first acknowledger, else somebody."""
    held = [_holder(mapping(entry).get("acknowledger")) for entry in items(row.get("acknowledgements"))]
    found = tuple(dict.fromkeys(person for person in held if person))
    if found or status != "acknowledged":
        return found
    return (_holder(row.get("last_status_change_by")) or SOMEBODY,)


def _acknowledged_at(row: dict[str, Any], now: datetime) -> tuple[tuple[Person, datetime], ...]:
    """When each acknowledger did so, where that can be read."""
    entries = [mapping(entry) for entry in items(row.get("acknowledgements"))]
    held = ((_holder(entry.get("acknowledger")), moment(entry.get("at"), now)) for entry in entries)
    return tuple((person, at) for person, at in held if person and at)


def _holder(value: Any) -> Person | None:
    """An acknowledger. An automation that acknowledges is named as such: no person has seen the incident."""
    person = person_of(value)
    kind = text(mapping(value).get("type"))
    if person is None or not kind or kind.startswith("user"):
        return person
    return Person(person.id, f"{person.name} (automation)")


def _assignees(value: Any) -> tuple[Person, ...] | None:
    """The assignees; None if the answer has none. An unreadable one is somebody."""
    if not isinstance(value, list):
        return None
    found = (person_of(mapping(entry).get("assignee")) or SOMEBODY for entry in value)
    return tuple(dict.fromkeys(found))


def _expiry(value: Any, now: datetime) -> datetime | None:
    """The announced time at which the acknowledgement ends by itself."""
    found = (mapping(entry) for entry in items(value))
    ends = [moment(e.get("at"), now, FARTHEST_EXPIRY) for e in found if text(e.get("type")) == "unacknowledge"]
    return min((at for at in ends if at), default=None)
