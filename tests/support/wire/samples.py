"""One answer's row of each kind, with every field that is known of it: see the facts on each vendor's API."""

from typing import Any

SERVICE = "PSERVICE"
ALERT: dict[str, Any] = {
    "seen": True, "id": "a", "tinyId": "17", "alias": "a", "message": "db-primary is down", "status": "open",
    "acknowledged": True, "isSeen": True, "tags": ["prod", "db"], "snoozed": True,
    "snoozedUntil": "2026-11-23T12:00:00Z", "count": 3, "lastOccurredAt": "2026-11-23T09:03:00.1Z",
    "createdAt": "2026-11-23T09:00:00.52Z", "updatedAt": "2026-11-23T09:05:00Z", "source": "10.0.0.1",
    "owner": "ana@customer.example", "priority": "P1", "teams": [{"id": "t1"}],
    "responders": [{"id": "t1", "type": "team"}], "integration": {"id": "i1", "name": "API", "type": "API"},
    "report": {"ackTime": 11_751, "acknowledgedBy": "ana@customer.example", "closeTime": 20_000, "closedBy": "bo"},
    "ownerTeamId": "t1", "details": {"host": "db1", "nested": {"a": [1]}}, "description": "All of it",
}  # fmt: skip
NOTE: dict[str, Any] = {
    "note": "we look", "owner": "ana@customer.example", "createdAt": "2026-11-23T09:02:00Z", "offset": "1_1",
}  # fmt: skip
LINE: dict[str, Any] = {
    "log": "Alert acknowledged via web", "type": "system", "owner": "ana@customer.example",
    "createdAt": "2026-11-23T09:02:00Z", "offset": "1_1",
}  # fmt: skip
JANE = {
    "id": "PJANE",
    "type": "user_reference",
    "summary": "Jane Doe",
    "self": "https://x.example",
    "html_url": None,
}
INCIDENT: dict[str, Any] = {
    "id": "P", "type": "incident", "summary": "[#1] Disk", "incident_number": 1, "title": "Disk",
    "urgency": "high", "created_at": "2026-11-23T09:00:00Z", "updated_at": "2026-11-23T09:05:00Z",
    "status": "acknowledged", "incident_key": "alert-1",
    "service": {"id": SERVICE, "type": "service_reference", "summary": "API"},
    "assignments": [{"at": "2026-11-23T09:00:00Z", "assignee": JANE}], "assigned_via": "escalation_policy",
    "last_status_change_at": "2026-11-23T09:01:00Z", "last_status_change_by": JANE, "resolved_at": None,
    "pending_actions": [{"type": "unacknowledge", "at": "2026-11-23T09:30:00Z"}], "alert_counts": {"all": 1},
    "acknowledgements": [{"at": "2026-11-23T09:01:00Z", "acknowledger": JANE}],
    "escalation_policy": {"id": "PESC", "type": "escalation_policy_reference"},
    "resolve_reason": {"type": "merge_resolve_reason", "incident": {"id": "PT", "type": "incident_reference"}},
}  # fmt: skip
INCIDENT_NOTE: dict[str, Any] = {
    "id": "PN", "user": JANE, "channel": {"summary": "The PagerDuty website or APIs"}, "content": "on it",
    "created_at": "2026-11-23T04:02:00-05:00",
}  # fmt: skip
ENTRY: dict[str, Any] = {
    "id": "R", "type": "unacknowledge_log_entry", "summary": "…", "created_at": "2026-11-23T09:02:00Z",
    "agent": JANE, "channel": {"type": "website"}, "service": {"id": SERVICE}, "teams": [], "contexts": [],
    "incident": {"id": "PI", "type": "incident_reference"}, "event_details": {},
}  # fmt: skip
