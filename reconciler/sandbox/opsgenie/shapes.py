"""The JSON of Opsgenie's alerts, notes and log entries (opsgenie-oas and captured answers)."""

import html
import unicodedata
from collections.abc import Callable
from dataclasses import replace

from reconciler.sandbox.opsgenie.state import INTEGRATION, Alert, Record, StoredAlert
from reconciler.sandbox.settings import SandboxSettings
from reconciler.sandbox.wire import Json, iso_short, milliseconds

_ACKNOWLEDGED, _UNACKNOWLEDGED = "Alert acknowledged", "Alert unacknowledged"
_SYSTEM = "System"
_NAME_FORMS: dict[str, Callable[[str], str]] = {
    "lower": str.lower,
    "nfc": lambda name: unicodedata.normalize("NFC", name),
    "nfd": lambda name: unicodedata.normalize("NFD", name),
    "html": lambda name: html.escape(name).encode("ascii", "xmlcharrefreplace").decode(),
    "question": lambda name: name.encode("ascii", "replace").decode(),
    "cut": lambda name: name[:10],
    "integration": lambda _: INTEGRATION["name"],
}


def shown_name(name: str, form: str) -> str:
    """A name in one of `settings.NAME_FORMS`; unchanged when the form is empty."""
    return _NAME_FORMS[form](name) if form else name


def row(alert: Alert) -> Json:
    """An alert as a list has it: without description and details."""
    shown: Json = {
        "seen": False, "id": alert.id, "tinyId": alert.tiny_id, "alias": alert.alias, "message": alert.message,
        "status": alert.status, "acknowledged": alert.acknowledged, "isSeen": False, "tags": list(alert.tags),
        "snoozed": alert.snoozed_until is not None, "count": alert.count,
        "lastOccurredAt": iso_short(alert.last_occurred_at), "createdAt": iso_short(alert.created_at),
        "updatedAt": iso_short(alert.updated_at), "source": alert.source, "owner": alert.owner,
        "priority": alert.priority, "teams": [], "responders": [], "integration": INTEGRATION, "ownerTeamId": "",
    }  # fmt: skip
    if alert.snoozed_until is not None:
        shown["snoozedUntil"] = iso_short(alert.snoozed_until)
    if report := _report(alert):
        shown["report"] = report
    return shown


def detail(alert: Alert) -> Json:
    """An alert as GET by id has it."""
    return row(alert) | {
        "actions": [], "entity": "", "description": alert.description, "details": dict(alert.details),
    }  # fmt: skip


def whole(stored: StoredAlert) -> Json:
    """An alert with `notes` and `logs`, and `deleted` when it is: the control API's form."""
    deleted = {"deleted": True} if stored.deleted_at else {}
    notes = [note_json(record) | _origin(record) for record in stored.notes]
    logs = [log_json(record) | _origin(record) for record in stored.logs]
    return detail(stored.now) | {"notes": notes, "logs": logs} | deleted


def note_json(record: Record) -> Json:
    """A note. It has no id."""
    return {"note": record.text, "owner": record.owner, "createdAt": iso_short(record.at), "offset": record.token}


def told(record: Record, settings: SandboxSettings) -> Record:
    """A log entry as the API shows it: in which words, and whose, is a setting for entries about acknowledgements.

    The control API shows what has happened.
    """
    words = {_ACKNOWLEDGED: _ACKNOWLEDGED, _UNACKNOWLEDGED: settings.log_unacknowledge_words}
    for head, shown in words.items():
        if record.text.startswith(head):
            owner = _SYSTEM if settings.log_owner == "system" else record.owner
            return replace(record, text=shown + record.text.removeprefix(head), owner=owner)
    return record


def log_json(record: Record) -> Json:
    """A log entry. It has no id."""
    shown = note_json(record)
    return {"log": shown.pop("note"), "type": record.kind, **shown}


def _origin(record: Record) -> Json:
    """`copy_of` is the `offset` of the record that was copied from the other product's store."""
    return {"copy_of": record.copy_of} if record.copy_of else {}


def _report(alert: Alert) -> Json:
    """`ackTime` and `closeTime` are milliseconds since the creation. Empty before both."""
    report: Json = {}
    if alert.acknowledged_at is not None:
        report["ackTime"] = milliseconds(alert.acknowledged_at) - milliseconds(alert.created_at)
        report["acknowledgedBy"] = alert.acknowledged_by
    if alert.closed_at is not None:
        report["closeTime"] = milliseconds(alert.closed_at) - milliseconds(alert.created_at)
        report["closedBy"] = alert.closed_by
    return report
