"""What changes what is followed, a first start or another OPSGENIE_QUERY: one line each, with numbers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from reconciler.observability.naming import counted
from reconciler.store.database import Database
from reconciler.store.overview import Census, census


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the feeds stand, and how many pairs there are."""

    cursors: Mapping[str, str]
    census: Census


def look(database: Database) -> Standing:
    """How it is now."""
    with database.reading() as books:
        return Standing(books.snapshot.cursors(), census(books))


def told(before: Standing, after: Standing) -> list[str]:
    """What has begun between the two looks, one line each; nothing in most cycles."""
    lines = []
    if "origin" in after.cursors and "origin" not in before.cursors:
        since = datetime.fromisoformat(json.loads(after.cursors["origin"])[1]).astimezone(UTC)
        lines.append(
            f"first start: alerts from before {since:%Y-%m-%d %H:%M} UTC page nobody; {_counts(before, after)}"
        )
    elif after.cursors.get("query") != before.cursors.get("query", after.cursors.get("query")):
        lines.append(
            f"OPSGENIE_QUERY has changed from {_quoted(before.cursors['query'])} to "
            f"{_quoted(after.cursors['query'])}: {_counts(before, after)}"
        )
    return lines


def is_over(standing: Standing) -> bool:
    """Whether there is nothing left to begin with."""
    return "origin" in standing.cursors


def _counts(before: Standing, after: Standing) -> str:
    baseline = after.census.baseline - before.census.baseline
    raised = after.census.raised - before.census.raised
    found = after.census.followed - before.census.followed - raised
    return (
        f"{counted(baseline, 'alert')} recorded as a baseline, {counted(max(0, found), 'incident')} found by "
        f"their key and followed, {counted(raised, 'new alert')} to page for"
    )


def _quoted(query: str) -> str:
    return json.dumps(query, ensure_ascii=False) if query else "every alert"
