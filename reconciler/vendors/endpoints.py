"""Routes: request paths without ids, for metrics, and to distinguish objects from collections."""

_WORDS = frozenset(
    {
        "", "v2", "alerts", "count", "requests", "acknowledge", "unacknowledge", "close", "notes", "logs",
        "incidents", "log_entries", "merge", "snooze", "services", "users", "me", "oncalls",
        "escalation_policies", "maintenance_windows", "abilities", "heartbeats", "ping",
    }
)  # fmt: skip
"""Segments of our paths. Any other segment is an id, and must not become a metric's label."""


def route_of(path: str) -> str:
    """The path with {id} for every id, so that the number of routes is small."""
    return "/".join(part if part in _WORDS else "{id}" for part in path.partition("?")[0].split("/"))
