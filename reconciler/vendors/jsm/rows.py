"""Conversion of JSM's rows to core values: alerts, notes, log lines.

Defensive: any optional field may be missing or odd. `person` turns a record's owner into a person.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from reconciler.core.model import SOMEBODY, Act, Alert, Note, Person
from reconciler.vendors.alert_rows import creation, details, last_change, log_entry, milliseconds
from reconciler.vendors.json_fields import LONGEST_ID, BadRow, identifier, items, moment, record, state, text

Named = Callable[[str], Person]
LONGEST_SNOOZE = timedelta(days=366)
"""JSM snoozes for a week at most; a later end is not a real date."""
_CLOSED = frozenset({"closed", "resolved"})
_MACHINES = frozenset({"", "system", "alert api", "jsm", "jira service management", "opsgenie"})
_MILLISECONDS = 13
"""Digits of a note's id that are its time; six more follow."""


def parse_alert(row: Any, now: datetime, site_url: str, person: Named, *, whole: bool = False) -> Alert:
    """An alert of any list or answer. BadRow only without an id, or if there is nothing but an id.

    `whole`: with its description. An unreadable time stamp is replaced by the next best one. An acknowledged or
    snoozed alert may say so in `status`, in a field of its own, or in both.
    """
    alert_id = identifier(row)
    if not any(text(row.get(name)) for name in ("message", "tinyId", "alias", "status", "createdAt", "updatedAt")):
        raise BadRow(f"alert {alert_id} with nothing else that an alert has")
    created = creation(row, alert_id, now)
    status = text(row.get("status")).strip().lower() if isinstance(row.get("status"), str) else ""
    acknowledged = True if status == "acked" else state(row.get("acknowledged"))
    is_snoozed = status == "snoozed" or state(row.get("snoozed")) is not False
    return Alert(
        id=alert_id,
        tiny_id=text(row.get("tinyId")),
        message=text(row.get("message")),
        open=status not in _CLOSED if status else None,
        acknowledged=acknowledged,
        created_at=created,
        updated_at=last_change(row, now) or created,
        snoozed_until=moment(row.get("snoozedUntil"), now, LONGEST_SNOOZE) if is_snoozed else None,
        acknowledged_by=person(text(row.get("owner"))).name if acknowledged else "",
        acknowledged_at=_since(created, row.get("ackTime"), now) if acknowledged else None,
        closed_at=_since(created, row.get("closeTime"), now),
        priority=text(row.get("priority")).strip().upper(),
        tags=tuple(filter(None, map(text, items(row.get("tags"))))),
        source=text(row.get("source")),
        description=text(row.get("description")) if whole else None,
        details=details(row.get("extraProperties")),
        url=page_of(site_url, alert_id),
        alias=text(row.get("alias")),
    )


def created(row: Any, now: datetime) -> datetime | None:
    """When a row's alert was created; None if that cannot be read."""
    return moment(row.get("createdAt"), now) if isinstance(row, dict) else None


def parse_note(row: Any, now: datetime, person: Named) -> Note:
    """A note. BadRow without its id, and if both its time and its text are missing."""
    note_id = identifier(row)
    content, author = text(row.get("note")), person(text(row.get("owner")))
    by_id = milliseconds(note_id[:_MILLISECONDS], now)
    at = moment(row.get("createdAt"), now) or by_id or (now if content else None)
    if at is None:
        raise BadRow(f"note {note_id} without a readable createdAt")
    return Note(note_id, author if author.name else SOMEBODY, content, at)


def parse_act(row: Any, now: datetime, person: Named) -> Act:
    """A line of the log, which has no id: its time, its owner and its text are its key. BadRow without a time."""
    at = moment(record(row).get("logTime"), now) or moment(row.get("createdAt"), now)
    if at is None:
        raise BadRow("a log entry without a readable logTime")
    owner, line = text(row.get("owner")).strip(), text(row.get("log")).strip()
    key = f"{at.isoformat()} {owner} {line}"
    if len(key) > LONGEST_ID:  # a line may be of any length, an id may not
        key = f"{at.isoformat()} {hashlib.blake2b(key.encode(errors='replace'), digest_size=16).hexdigest()}"
    return log_entry(key, at, line.removeprefix(owner), person(owner), _MACHINES)


def page_of(site_url: str, alert_id: str) -> str:
    """The alert's page on the site."""
    return f"{site_url}/jira/ops/alerts/{quote(alert_id, safe='', errors='replace')}"


def _since(start: datetime, value: Any, now: datetime) -> datetime | None:
    """A time that cannot be before the alert's creation; None if it is."""
    at = moment(value, now)
    return at if at is not None and at >= start else None
