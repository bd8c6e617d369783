"""Milestones in the set of followed alerts, a first start or a new query: one line each, with numbers."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from reconciler.core.product import product_of
from reconciler.observability.naming import counted
from reconciler.store import cursors
from reconciler.store.database import Database
from reconciler.store.overview import Census, census


@dataclass(frozen=True, slots=True)
class Milestones:
    """The positions of the sources, and the number of pairs."""

    sources: cursors.Positions
    census: Census
    waiting: int = 0

    @property
    def is_begun(self) -> bool:
        """Whether the first start is finished, including the last pair that it has added to the queue."""
        return self.sources.origin is not None and not self.waiting


def look(database: Database, now: datetime) -> Milestones:
    """The present positions and numbers."""
    with database.reading() as unit:
        return Milestones(unit.cursors.load(now), census(unit), unit.work.waiting_since_first_start())


def are_over(before: Milestones, after: Milestones) -> bool:
    """Whether a first start is finished, or else alerts were polled meanwhile, so that a new query is known."""
    was_polled = after.sources.polled_alerts != before.sources.polled_alerts
    return after.is_begun and (was_polled or not before.is_begun)


def lines(before: Milestones, after: Milestones) -> list[str]:
    """The milestones between two times, one line each; usually none."""
    if not are_over(before, after):
        return []
    origin, was, query = after.sources.origin, before.sources.query, after.sources.query
    if origin is not None and not before.is_begun:
        since = origin.since.astimezone(UTC)
        first = f"first start: alerts from before {since:%Y-%m-%d %H:%M} UTC page nobody"
        return [f"{first}; {_counts(before, after)}"]
    if was is not None and was != query:
        name = product_of(after.sources.source).query
        changed = f"{name} has changed from {_quoted(was)} to {_quoted(query or '')}"
        return [f"{changed}: {_counts(before, after)}"]
    return []


def _counts(before: Milestones, after: Milestones) -> str:
    baseline = after.census.baseline - before.census.baseline
    raised = after.census.raised - before.census.raised
    found = after.census.followed - before.census.followed - raised
    return (
        f"{counted(baseline, 'alert')} recorded as a baseline, {counted(max(0, found), 'incident')} found by "
        f"their key and followed, {counted(raised, 'new alert')} to page for"
    )


def _quoted(query: str) -> str:
    return json.dumps(query, ensure_ascii=False) if query else "every alert"
