"""Counts of the database's content for the metrics, without an import of the metrics library."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.core.model import Kind, Side, Status


@dataclass(frozen=True, slots=True)
class DatabaseCounts:
    """Content of the database: open pairs, actions by status, error and kind, and since when the oldest waits.

    `polled` is when each side last answered a whole poll, also one of an earlier process.
    """

    pairs: int
    actions: Mapping[tuple[Status, bool, Kind], int]
    oldest: datetime | None
    polled: Mapping[Side, datetime] = field(default_factory=dict)

    def number(self, status: Status, *, failed: bool) -> int:
        """Actions of this status that carry an error, or carry none."""
        wanted = (status, failed)
        return sum(count for (found, error, _), count in self.actions.items() if (found, error) == wanted)

    def dead(self) -> dict[Kind, int]:
        """Dead actions by kind."""
        number = self.actions.get
        return {
            kind: number((Status.DEAD, True, kind), 0) + number((Status.DEAD, False, kind), 0) for kind in Kind
        }
