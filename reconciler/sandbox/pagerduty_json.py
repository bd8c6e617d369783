"""How PagerDuty shows things: the JSON of incidents, notes, log entries, people and the service."""

from datetime import datetime, timedelta, timezone

from reconciler.sandbox.pagerduty_state import (
    POLICIES,
    POLICY_ID,
    SERVICE_ID,
    SERVICE_NAME,
    Hand,
    Incident,
    LogEntry,
    Note,
    User,
)
from reconciler.sandbox.settings import SandboxSettings
from reconciler.sandbox.wire import Json, iso_seconds

_API = "https://api.pagerduty.com"
_WEB = "https://sandbox.pagerduty.com"
_NOTE_ZONE = timezone(timedelta(hours=-5))


def reference(kind: str, identifier: str, summary: str, folder: str) -> Json:
    """A reference of `kind`, for example user_reference."""
    path = f"{folder}/{identifier}"
    return {
        "id": identifier, "type": kind, "summary": summary, "self": f"{_API}/{path}", "html_url": f"{_WEB}/{path}"
    }  # fmt: skip


def user_reference(user: User) -> Json:
    """A person."""
    return reference("user_reference", user.id, user.name, "users")


def service_reference() -> Json:
    """The service."""
    return reference("service_reference", SERVICE_ID, SERVICE_NAME, "services")


def policy_reference(policy_id: str) -> Json:
    """An escalation policy."""
    return reference("escalation_policy_reference", policy_id, POLICIES[policy_id], "escalation_policies")


def incident_reference(incident: Incident) -> Json:
    """An incident, in short."""
    return reference("incident_reference", incident.id, _summary(incident), "incidents")


def incident_json(incident: Incident) -> Json:
    """An incident. Its body is not part of it; who changed a triggered one's status is the service."""
    changed_by = user_reference(incident.changed_by) if incident.changed_by else service_reference()
    return {
        "incident_number": incident.number, "title": incident.title, "description": incident.title,
        "created_at": iso_seconds(incident.created_at), "updated_at": iso_seconds(incident.updated_at),
        "status": incident.status, "incident_key": incident.key or None, "service": service_reference(),
        "assignments": [_hand(hand, "assignee") for hand in incident.assigned],
        "assigned_via": "escalation_policy",
        "last_status_change_at": iso_seconds(incident.changed_at), "last_status_change_by": changed_by,
        "resolved_at": iso_seconds(incident.resolved_at) if incident.resolved_at else None,
        "alert_counts": {"all": 0, "triggered": 0, "resolved": 0}, "is_mergeable": incident.is_open,
        "escalation_policy": policy_reference(incident.policy_id), "teams": [],
        "pending_actions": _pending(incident),
        "acknowledgements": [_hand(hand, "acknowledger") for hand in incident.acknowledged],
        "alert_grouping": None, "resolve_reason": _resolve_reason(incident), "incidents_responders": [],
        "responder_requests": [], "subscriber_requests": [], "priority": None, "urgency": incident.urgency,
        **reference("incident", incident.id, _summary(incident), "incidents"),
    }  # fmt: skip


def note_json(note: Note) -> Json:
    """A note. Its times carry an offset, unlike an incident's; the channel tells nothing."""
    return {
        "id": note.id, "user": user_reference(note.user), "channel": {"summary": "The PagerDuty website or APIs"},
        "content": note.content, "created_at": _local(note.created_at), "updated_at": _local(note.updated_at),
    }  # fmt: skip


def log_entry_json(line: LogEntry, *, channels: bool) -> Json:
    """A log entry. The channel is bare unless it was asked for."""
    shown: Json = {
        "id": line.id, "type": line.kind, "summary": line.summary, "self": f"{_API}/log_entries/{line.id}",
        "html_url": None, "created_at": iso_seconds(line.at),
        "channel": line.channel if channels else {"type": line.channel["type"]},
        "service": service_reference(), "teams": [], "contexts": [], **line.extra,
    }  # fmt: skip
    if isinstance(line.agent, User):
        shown["agent"] = user_reference(line.agent)
    elif line.agent is not None:
        shown["agent"] = service_reference()
    if line.incident is not None:
        shown["incident"] = incident_reference(line.incident)
    return shown


def user_json(user: User) -> Json:
    """A person, whole."""
    return reference("user", user.id, user.name, "users") | {
        "name": user.name, "email": user.email, "time_zone": "Etc/UTC", "role": "user", "teams": [],
        "contact_methods": [], "notification_rules": [], "job_title": None, "description": None,
    }  # fmt: skip


def service_json(settings: SandboxSettings) -> Json:
    """The service, whole."""
    timeout = settings.acknowledgement_timeout
    return reference("service", SERVICE_ID, SERVICE_NAME, "services") | {
        "name": SERVICE_NAME, "description": None, "status": "active", "auto_resolve_timeout": None,
        "acknowledgement_timeout": None if timeout is None else int(timeout),
        "created_at": "2026-01-05T09:00:00Z", "alert_creation": "create_alerts_and_incidents", "integrations": [],
        "escalation_policy": policy_reference(POLICY_ID), "teams": [],
        "incident_urgency_rule": {"type": "constant", "urgency": "high"},
    }  # fmt: skip


def _hand(hand: Hand, role: str) -> Json:
    return {"at": iso_seconds(hand.at), role: user_reference(hand.user)}


def _pending(incident: Incident) -> list[Json]:
    if incident.ack_until is None:
        return []
    return [{"type": "unacknowledge", "at": iso_seconds(incident.ack_until)}]


def _resolve_reason(incident: Incident) -> Json | None:
    if not incident.merged_into:
        return None
    target = reference("incident_reference", incident.merged_into, "", "incidents")
    return {"type": "merge_resolve_reason", "incident": target}


def _summary(incident: Incident) -> str:
    return f"[#{incident.number}] {incident.title}"


def _local(at: datetime) -> str:
    return at.astimezone(_NOTE_ZONE).isoformat(timespec="seconds")
