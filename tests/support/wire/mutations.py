"""Every single defect that a row may have; deterministic, so that a failure can be reproduced."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

DEEP: Any = []
for _ in range(80):
    DEEP = [DEEP]
ODD: list[Any] = [
    None, True, False, 0, -1, 7, 0.5, 10**30, 1e308, "", " ", "x", "true", "FALSE", "closed", "Acknowledged",
    "P1-Urgent", "x" * 50_000, "2999-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "\x00", "ü\u202e", "\ud800",
    float("nan"), 10**400, DEEP, [], {}, [None], [[]], [{}], {"id": None}, {"id": {"id": []}},
    {"type": 7, "summary": []},
]  # fmt: skip
FEW: list[Any] = [None, True, 7, -1, "", "x" * 50_000, "2999-01-01T00:00:00Z", "\x00", [], {}, [{}]]
"""Some of them, for large samples, and for readers that share their code with another one."""
Path = tuple[str | int, ...]


def mutations(sample: dict[str, Any], odd: Iterable[Any] = ODD) -> Iterator[tuple[Path, Any, dict[str, Any]]]:
    """(path, value, row) for each field, at any depth: without it, and with each odd value in its place.

    The value of a missing field is `...`.
    """
    written, values = json.dumps(sample), (..., *odd)
    for path in _paths(sample):
        for value in values:
            row = json.loads(written)
            owner: Any = row
            for step in path[:-1]:
                owner = owner[step]
            if value is ...:
                del owner[path[-1]]
            else:
                owner[path[-1]] = value
            yield path, value, row


def shown(value: Any) -> str:
    """An odd value in a failure's text."""
    return repr(value)[:60]


def _paths(value: Any, above: Path = ()) -> Iterator[Path]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, one in inner:
        yield (*above, step)
        yield from _paths(one, (*above, step))
