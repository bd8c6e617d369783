"""Gauges that describe the database: read from it outside of any scrape, where they may be out of date."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from reconciler.core.model import Pair, Side
from reconciler.observability.counts import DatabaseCounts
from reconciler.store.database import Database, UnitOfWork
from reconciler.store.overview import oldest_open, states

if TYPE_CHECKING:  # who does not listen does not import it
    from reconciler.observability.metrics import Metrics

AT_ONCE = 500
"""Pairs held in memory at the same time when all open ones are read."""


def refresh(metrics: "Metrics", database: Database) -> None:
    """Read the gauges anew if they may be out of date; DatabaseDown leaves them as they are."""
    if not metrics.needs_refresh():
        return
    with database.reading() as unit:
        metrics.counted(DatabaseCounts(unit.snapshot.open_pairs(), states(unit), oldest_open(unit)))
        if not metrics.knows_pairs():
            metrics.know_pairs(_open_pairs(unit))


def _open_pairs(unit: UnitOfWork) -> Iterator[Pair]:
    """Every pair whose incident is open."""
    every = sorted(unit.snapshot.open_ids(Side.PAGERDUTY))
    for start in range(0, len(every), AT_ONCE):
        yield from unit.snapshot.pairs(every[start : start + AT_ONCE]).values()
