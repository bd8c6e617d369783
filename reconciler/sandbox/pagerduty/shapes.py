"""The JSON of PagerDuty's incidents, notes, log entries, users and services (api-schema: openapiv3.json)."""

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone

from reconciler.sandbox.pagerduty.directory import POLICIES, POLICY_ID, PRIORITIES, SERVICE_ID, SERVICES, User
from reconciler.sandbox.pagerduty.state import Incident, Involvement, LogEntry, Note, StoredIncident
from reconciler.sandbox.settings import SandboxSettings
from reconciler.sandbox.wire import Json, iso_seconds

API = "https://api.pagerduty.com"
"""Where `self` addresses point until an answer is sent: see `routes`."""
_WEB = "https://sandbox.pagerduty.com"
_FOLDERS = {"service_reference": "services", "incident_workflow_reference": "incident_workflows"}
_NOTE_ZONE = timezone(timedelta(hours=-5))


def reference(kind: str, identifier: str, summary: str, folder: str) -> Json:
    """A reference; `kind` is its type (user_reference, …), `folder` the part of its URL before the id."""
    path = f"{folder}/{identifier}"
    return {
        "id": identifier, "type": kind, "summary": summary, "self": f"{API}/{path}", "html_url": f"{_WEB}/{path}"
    }  # fmt: skip


def user_reference(user: User) -> Json:
    """A reference to a user or another agent."""
    return reference(user.kind, user.id, user.name, _FOLDERS.get(user.kind, "users"))


def service_reference(service_id: str) -> Json:
    """A reference to a service."""
    return user_reference(SERVICES[service_id])


def policy_reference(policy_id: str) -> Json:
    """A reference to an escalation policy."""
    return reference("escalation_policy_reference", policy_id, POLICIES[policy_id], "escalation_policies")


def incident_reference(incident: Incident) -> Json:
    """A reference to an incident."""
    return reference("incident_reference", incident.id, _summary(incident), "incidents")


def incident_json(incident: Incident, *, nameless: bool = False) -> Json:
    """An incident. Its body is not part of it, and the service is what made it triggered.

    `nameless`: the acknowledgers and the agent of the last change of status are null.
    """
    changed_by = (
        user_reference(incident.changed_by) if incident.changed_by else service_reference(incident.service_id)
    )
    acknowledgements = [_involvement(found, "acknowledger") for found in incident.acknowledged]
    if nameless:
        acknowledgements = [acknowledgement | {"acknowledger": None} for acknowledgement in acknowledgements]
    alerts = len(incident.alert_keys)
    return {
        "incident_number": incident.number, "title": incident.title, "description": incident.title,
        "created_at": iso_seconds(incident.created_at), "updated_at": iso_seconds(incident.updated_at),
        "status": incident.status, "service": service_reference(incident.service_id),
        "incident_key": incident.key if incident.key and incident.shows_key else None,
        "assignments": [_involvement(found, "assignee") for found in incident.assigned],
        "assigned_via": "escalation_policy",
        "last_status_change_at": iso_seconds(incident.changed_at),
        "last_status_change_by": None if nameless else changed_by,
        "resolved_at": iso_seconds(incident.resolved_at) if incident.resolved_at else None,
        "alert_counts": {"all": alerts, "triggered": alerts, "resolved": 0}, "is_mergeable": incident.is_open,
        "escalation_policy": policy_reference(incident.policy_id), "teams": [],
        "pending_actions": _pending(incident),
        "acknowledgements": acknowledgements,
        "alert_grouping": None, "resolve_reason": _resolve_reason(incident), "incidents_responders": [],
        "responder_requests": [], "subscriber_requests": [],
        "priority": _priority_reference(incident.priority_id), "urgency": incident.urgency,
        **reference("incident", incident.id, _summary(incident), "incidents"),
    }  # fmt: skip


def whole(stored: StoredIncident) -> Json:
    """An incident with `notes`, `log_entries` and `body`: the control API's form."""
    log_entries = [log_entry_json(line, channels=True) for line in stored.log]
    notes = [note_json(note) for note in stored.notes]
    own = {
        "notes": notes,
        "log_entries": log_entries,
        "body": stored.now.body,
        "incident_key": stored.now.key or None,
    }
    return incident_json(stored.now) | own


def alerts_json(incident: Incident) -> list[Json]:
    """An incident's child alerts; an incident that the REST API creates has none."""
    status = "triggered" if incident.is_open else "resolved"
    return [
        reference("alert", f"PA{number:05d}{incident.number:05d}", incident.title, "alerts") | {
            "alert_key": key, "status": status, "created_at": iso_seconds(incident.created_at),
            "service": service_reference(incident.service_id), "incident": incident_reference(incident),
            "suppressed": False, "severity": "critical",
        }
        for number, key in enumerate(incident.alert_keys, 1)
    ]  # fmt: skip


def note_json(note: Note) -> Json:
    """A note. Its times have an offset, unlike an incident's; its channel is always the same."""
    author = user_reference(note.user)
    if note.user.kind != "user_reference":
        author["type"] = "bot_user_reference"
    return {
        "id": note.id, "user": author, "channel": {"summary": "The PagerDuty website or APIs"},
        "content": note.content, "created_at": _local(note.created_at), "updated_at": _local(note.updated_at),
    }  # fmt: skip


def log_entry_json(line: LogEntry, *, channels: bool) -> Json:
    """A log entry. Without `channels` (`include[]=channels`) its channel has nothing but a type."""
    shown: Json = {
        "id": line.id, "type": line.kind, "summary": line.summary, "self": f"{API}/log_entries/{line.id}",
        "html_url": None, "created_at": iso_seconds(line.at),
        "channel": line.channel if channels else {"type": line.channel["type"]},
        "service": service_reference(line.incident.service_id if line.incident else SERVICE_ID),
        "teams": [], "contexts": [], **line.extra,
    }  # fmt: skip
    if line.agent is not None:
        shown["agent"] = user_reference(line.agent)
    if line.incident is not None:
        shown["incident"] = incident_reference(line.incident)
    return shown


def user_json(user: User, role: str = "user") -> Json:
    """A user."""
    return reference("user", user.id, user.name, "users") | {
        "name": user.name, "email": user.email, "time_zone": "Etc/UTC", "role": role, "teams": [],
        "contact_methods": [], "notification_rules": [], "job_title": None, "description": None,
    }  # fmt: skip


def priority_json(priority_id: str) -> Json:
    """A priority."""
    name = PRIORITIES[priority_id]
    return reference("priority", priority_id, name, "priorities") | {
        "name": name,
        "description": f"As severe as {name}",
    }


def service_json(service_id: str, status: str, settings: SandboxSettings) -> Json:
    """A service."""
    timeout, name = settings.acknowledgement_timeout, SERVICES[service_id].name
    return reference("service", service_id, name, "services") | {
        "name": name, "description": None, "status": status, "auto_resolve_timeout": None,
        "acknowledgement_timeout": None if timeout is None else int(timeout),
        "created_at": "2026-01-05T09:00:00Z", "alert_creation": "create_alerts_and_incidents", "integrations": [],
        "escalation_policy": policy_reference(POLICY_ID), "teams": [],
        "incident_urgency_rule": {"type": "constant", "urgency": "high"},
    }  # fmt: skip


def policy_json(policy_id: str, levels: list[list[User]], services: Iterable[str]) -> Json:
    """An escalation policy; `levels` are the users on each of its levels, `services` the account's."""
    rules = [
        {"id": f"PRULE{number:02d}", "escalation_delay_in_minutes": 30,
         "targets": [user_reference(user) for user in users]}
        for number, users in enumerate(levels, 1)
    ]  # fmt: skip
    return policy_reference(policy_id) | {
        "type": "escalation_policy", "name": POLICIES[policy_id], "escalation_rules": rules, "num_loops": 0,
        "services": list(map(service_reference, services)) if policy_id == POLICY_ID else [], "teams": [],
        "description": None,
        "on_call_handoff_notifications": "if_has_services",
    }  # fmt: skip


def maintenance_window_json(service_id: str, starts: datetime) -> Json:
    """A service's maintenance window of an hour."""
    window_id = f"PMW{service_id[-3:]}{int(starts.timestamp()) % 10_000:04}"
    return reference("maintenance_window", window_id, "Upgrade", "maintenance_windows") | {
        "start_time": iso_seconds(starts), "end_time": iso_seconds(starts + timedelta(hours=1)),
        "description": "Upgrade", "services": [service_reference(service_id)], "teams": [], "sequence_number": 1,
    }  # fmt: skip


def on_call_json(policy_id: str, level: int, user: User) -> Json:
    """An entry of GET /oncalls: a user who is always on call."""
    return {
        "user": user_reference(user), "schedule": None, "escalation_policy": policy_reference(policy_id),
        "escalation_level": level, "start": None, "end": None,
    }  # fmt: skip


def _involvement(involvement: Involvement, role: str) -> Json:
    return {"at": iso_seconds(involvement.at), role: user_reference(involvement.user)}


def _pending(incident: Incident) -> list[Json]:
    if incident.ack_until is None:
        return []
    return [{"type": "unacknowledge", "at": iso_seconds(incident.ack_until)}]


def _resolve_reason(incident: Incident) -> Json | None:
    if not incident.merged_into:
        return None
    target = reference("incident_reference", incident.merged_into, "", "incidents")
    return {"type": "merge_resolve_reason", "incident": target}


def _priority_reference(priority_id: str) -> Json | None:
    """An incident's priority, as the example of the description has it; None if it has none."""
    if not priority_id:
        return None
    return reference("priority_reference", priority_id, PRIORITIES[priority_id], "priorities")


def _summary(incident: Incident) -> str:
    return f"[#{incident.number}] {incident.title}"


def _local(at: datetime) -> str:
    return at.astimezone(_NOTE_ZONE).isoformat(timespec="seconds")
