"""Routes: request paths without ids, for metrics, and to distinguish objects from collections."""

import re

_WORDS = frozenset(
    {
        "", "v1", "v2", "alerts", "count", "requests", "acknowledge", "unacknowledge", "close", "notes", "logs",
        "incidents", "log_entries", "merge", "snooze", "services", "users", "me", "oncalls",
        "escalation_policies", "maintenance_windows", "abilities", "priorities", "heartbeats", "ping",
        "myself", "user", "_edge", "tenant_info",
    }
)  # fmt: skip
"""Segments of our paths. Any other segment is an id, and must not become a metric's label."""
_SITE = re.compile(r"(/jsm/ops/api/|/ex/jira/)[^/]+((?:/rest/api/3)?)")
"""The beginning of a path that names the site, which is one for all requests and no object."""


def route_of(path: str) -> str:
    """The path with {id} for every id, so that the number of routes is small."""
    bare = path.partition("?")[0]
    site = _SITE.match(bare)
    head, rest = (f"{site[1]}{{cloudId}}{site[2]}", bare[site.end() :]) if site else ("", bare)
    return head + "/".join(part if part in _WORDS else "{id}" for part in rest.split("/"))
