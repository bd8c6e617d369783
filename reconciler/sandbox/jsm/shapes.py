"""The JSON of JSM's alerts, notes, log entries and outcomes of writes (its official description)."""

from collections.abc import Callable

from reconciler.sandbox.opsgenie.rules import JSM
from reconciler.sandbox.opsgenie.state import INTEGRATION, Alert, Record
from reconciler.sandbox.wire import Json, iso_short

Name = Callable[[str], str]
"""Shows a name in the form of the site's settings."""


def alert_json(alert: Alert, name: Name, status_words: str) -> Json:
    """An alert, in a list or by id."""
    shown: Json = {
        "id": alert.id, "tinyId": alert.tiny_id, "createdAt": iso_short(alert.created_at),
        "updatedAt": iso_short(alert.updated_at), "message": alert.message, "entity": "", "source": alert.source,
        "status": _status(alert) if status_words == "acked" else alert.status, "alias": alert.alias,
        "tags": list(alert.tags), "extraProperties": {key: str(value) for key, value in alert.details},
        "description": alert.description, "acknowledged": alert.acknowledged, "count": alert.count,
        "owner": name(alert.owner) if alert.owner else "", "snoozed": alert.snoozed_until is not None,
        "lastOccuredAt": iso_short(alert.last_occurred_at), "integrationType": INTEGRATION["type"],
        "integrationName": INTEGRATION["name"], "priority": alert.priority, "responders": [], "actions": [],
        "seen": False,
    }  # fmt: skip
    times = {"ackTime": alert.acknowledged_at, "closeTime": alert.closed_at, "snoozedUntil": alert.snoozed_until}
    return shown | {field: iso_short(at) for field, at in times.items() if at is not None}


def note_json(record: Record, name: Name) -> Json:
    """A note."""
    return {
        "id": note_id(record), "note": record.text, "owner": name(record.owner), "createdAt": iso_short(record.at),
        "updatedAt": iso_short(record.edited_at or record.at),
    }  # fmt: skip


def note_id(record: Record) -> str:
    """A note's id: the right half of what Opsgenie calls `offset` (by the examples of both descriptions)."""
    return record.token.partition("_")[2]


def log_json(record: Record, name: Name) -> Json:
    """A log entry. It has no id. What the account API does is worded in three ways (observed)."""
    text = record.text
    if text.startswith(("Alert unacknowledged", "Alert closed")):
        text = text.removesuffix(f" {JSM}")
    return {"log": text, "logType": record.kind, "owner": name(record.owner), "logTime": iso_short(record.at)}


def outcome_json(outcome: Json) -> Json:
    """The outcome of a write through the account API: flat, and without an integration."""
    return {name: value for name, value in outcome.items() if name != "success"} | {"integrationId": ""}


def _status(alert: Alert) -> str:
    if not alert.is_open:
        return "closed"
    if alert.snoozed_until is not None:
        return "snoozed"
    return "acked" if alert.acknowledged else "open"
