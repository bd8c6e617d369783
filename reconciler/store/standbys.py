"""Processes that stand by, as each notes it in the table of cursors, so that `status` can say who would take over.

A note is renewed once in RENEWED, and counts for LASTS: a process that renews it no longer has ended.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, inspect, select

from reconciler.store.database import Database, UnitOfWork
from reconciler.store.schema import cursors, leader
from reconciler.store.statements import upsert

RENEWED = timedelta(seconds=60)
LASTS = timedelta(seconds=150)
_PREFIX = "standby "
_NOTES = select(cursors).where(cursors.c.route == bindparam("of"), cursors.c.name.startswith(_PREFIX))
_HOLDER = select(leader.c.holder).where(leader.c.route == bindparam("of"))
_FORGET = delete(cursors).where(cursors.c.route == bindparam("of"), cursors.c.name == bindparam("which"))


@dataclass(frozen=True, slots=True)
class Standby:
    """A process that stands by, and when it last said so."""

    holder: str
    at: datetime


def note(database: Database, now: datetime) -> str:
    """Note that this process stands by, which needs no lead. Returns who leads; empty while nobody ever has."""
    with database.connected(immediate=True) as connection:
        if not inspect(connection).has_table(cursors.name):  # the leader is about to create the schema
            return ""
        for stale in _read(connection, database.route):
            if now - stale.at > LASTS:
                _forget(connection, database.route, stale.holder)
        row = {"route": database.route, "name": _PREFIX + database.holder, "value": now.isoformat()}
        upsert(connection, cursors, [row])
        return connection.execute(_HOLDER, {"of": database.route}).scalar() or ""


def forget(unit: UnitOfWork, holder: str) -> None:
    """Delete the note of a process that no longer stands by."""
    _forget(unit.cursors.connection, unit.cursors.route, holder)


def known(unit: UnitOfWork, now: datetime) -> tuple[Standby, ...]:
    """The processes that stand by now."""
    every = _read(unit.cursors.connection, unit.cursors.route)
    return tuple(each for each in every if now - each.at <= LASTS)


def _forget(connection: Connection, route: str, holder: str) -> None:
    connection.execute(_FORGET, {"of": route, "which": _PREFIX + holder})


def _read(connection: Connection, route: str) -> list[Standby]:
    rows = connection.execute(_NOTES, {"of": route})
    return [Standby(row.name.removeprefix(_PREFIX), datetime.fromisoformat(row.value)) for row in rows]
