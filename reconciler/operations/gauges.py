"""Gauges that describe the database: refreshed outside of scrapes, when they may be outdated."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reconciler.core.model import Pair, Side
from reconciler.observability.counts import DatabaseCounts
from reconciler.store.database import Database, UnitOfWork
from reconciler.store.overview import oldest_open, states

if TYPE_CHECKING:  # imported only with an HTTP listener
    from reconciler.observability.metrics import Metrics

AT_ONCE = 500
"""Pairs held in memory at the same time while all open ones are read."""


def refresh(metrics: "Metrics", database: Database) -> None:
    """Refresh the gauges if they may be outdated; DatabaseDown leaves them as they are."""
    if not metrics.needs_refresh():
        return
    with database.reading() as unit:
        positions = unit.cursors.load(datetime.now(UTC))
        polled = {Side.ALERTS: positions.polled_alerts, Side.PAGERDUTY: positions.polled_pagerduty}
        known = {side: at for side, at in polled.items() if at is not None}
        metrics.counted(DatabaseCounts(unit.snapshot.open_pairs(), states(unit), oldest_open(unit), known))
        if not metrics.knows_pairs():
            metrics.know_pairs(open_pairs(unit))


def open_pairs(unit: UnitOfWork) -> Iterator[Pair]:
    """All pairs whose incident is open."""
    every = sorted(unit.snapshot.open_ids(Side.PAGERDUTY))
    for start in range(0, len(every), AT_ONCE):
        yield from unit.snapshot.pairs(every[start : start + AT_ONCE]).values()
