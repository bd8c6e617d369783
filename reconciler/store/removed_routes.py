"""Routes that were taken out of the routes file: since when, and the deletion of their rows."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, select

from reconciler.store.database import Database
from reconciler.store.routes import REMOVED
from reconciler.store.schema import cursors, metadata
from reconciler.store.statements import upsert

AT_ONCE = 500
"""Pairs of a route that one transaction deletes: on SQLite the writers of all other routes wait for it."""
_IS_MARK = (cursors.c.route == bindparam("of"), cursors.c.name == REMOVED)
_MARK = select(cursors.c.value).where(*_IS_MARK)
_UNMARK = delete(cursors).where(*_IS_MARK)
_BY_ALERT = tuple(table for table in metadata.sorted_tables if {"route", "alert_id"} <= {*table.c.keys()})
_BY_ROUTE = tuple(table for table in metadata.sorted_tables if "route" in table.c)


def mark_removed(database: Database, now: datetime) -> None:
    """Note that this route was taken out of the file, unless that is noted already."""
    with database.connected(immediate=True) as connection:
        if connection.execute(_MARK, {"of": database.route}).first() is None:
            upsert(connection, cursors, [{"route": database.route, "name": REMOVED, "value": now.isoformat()}])


def unmark(database: Database) -> None:
    """Note that this route is worked on (again). Nothing is written if it has no mark."""
    with database.connected(immediate=False) as connection:
        if connection.execute(_MARK, {"of": database.route}).first() is None:
            return
    with database.connected(immediate=True) as connection:
        connection.execute(_UNMARK, {"of": database.route})


def forget(database: Database, is_gone: Callable[[], bool], pause: Callable[[], bool]) -> bool:
    """Delete all rows of this route, some at a time; returns whether none is left.

    `is_gone` is asked within each transaction: whether nobody leads the route, nor is to. `pause` lets the writers
    of other routes have their turn between two transactions; True if the program is to stop.
    """
    while True:
        with database.in_turn() as connection:
            if not is_gone():
                return False
            if not _forget_some(connection, database.route):
                for table in _BY_ROUTE:
                    connection.execute(delete(table).where(table.c.route == database.route))
                return True
        if pause():
            return False


def _forget_some(connection: Connection, route: str) -> bool:
    """Delete some pairs with all that belongs to them; returns whether there were any."""
    pairs = metadata.tables["pairs"]
    ids = list(connection.execute(select(pairs.c.alert_id).where(pairs.c.route == route).limit(AT_ONCE)).scalars())
    for table in _BY_ALERT if ids else ():
        connection.execute(delete(table).where(table.c.route == route, table.c.alert_id.in_(ids)))
    return bool(ids)
