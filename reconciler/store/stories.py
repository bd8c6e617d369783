"""Queries for `explain`: when an action was planned and settled, and which alerts the journal names."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select

from reconciler.store.database import UnitOfWork
from reconciler.store.schema import actions, journal
from reconciler.store.statements import rows_by, rows_of

_TIMES = rows_by(actions.c.id, select(actions.c.id, actions.c.planned_at, actions.c.settled_at))


@dataclass(frozen=True, slots=True)
class ActionTimes:
    """When an action was planned, and when it was settled; None while it is open."""

    planned: datetime
    settled: datetime | None


def times(unit: UnitOfWork, ids: Collection[int]) -> dict[int, ActionTimes]:
    """The times of these actions."""
    rows = rows_of(unit.snapshot.connection, _TIMES, unit.snapshot.route, ids)
    return {row.id: ActionTimes(row.planned_at, row.settled_at) for row in rows}


def named_in_journal(unit: UnitOfWork, given: str) -> list[str]:
    """Ids of the alerts in whose story this incident occurs: one that was followed once, or a second one."""
    number = given.removeprefix("#")
    among = [journal.c.incident_id == given, journal.c.words.contains(f"({given})", autoescape=True)]
    if number.isascii() and number.isdigit():
        among.append(journal.c.words.contains(f"#{number} (", autoescape=True))
        among.append(journal.c.words.contains(f"incident #{number} ", autoescape=True))
    query = (
        select(journal.c.alert_id)
        .distinct()
        .where(journal.c.route == unit.snapshot.route, journal.c.alert_id != "", or_(*among))
    )
    return sorted(unit.snapshot.connection.execute(query).scalars())
