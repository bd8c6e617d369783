"""The paths that are asked for, without the ids in them: for metrics, and to tell one object from a collection."""

_WORDS = frozenset(
    {
        "", "v2", "alerts", "requests", "acknowledge", "unacknowledge", "close", "notes", "logs",
        "incidents", "log_entries", "merge", "snooze", "services", "users", "me", "oncalls",
        "escalation_policies", "maintenance_windows", "abilities",
    }
)  # fmt: skip
"""What our paths consist of. Anything else in them is somebody's id, and no label of a metric."""


def route_of(path: str) -> str:
    """The path with {id} for every id, so that there are only a few of them."""
    return "/".join(part if part in _WORDS else "{id}" for part in path.partition("?")[0].split("/"))
