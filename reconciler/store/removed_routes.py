"""Routes that were taken out of the routes file: since when, and the deletion of their rows."""

from datetime import datetime

from sqlalchemy import bindparam, delete, select

from reconciler.store.database import Database
from reconciler.store.routes import REMOVED
from reconciler.store.schema import cursors, metadata
from reconciler.store.statements import upsert

AT_ONCE = 5_000
"""Pairs of a route that one transaction deletes, so that none lasts long."""
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


def forget(database: Database) -> None:
    """Delete all rows of this route. Its lock is held, so that nobody leads it."""
    while _forget_some(database):
        pass
    with database.connected(immediate=True) as connection:
        for table in _BY_ROUTE:
            connection.execute(delete(table).where(table.c.route == database.route))


def _forget_some(database: Database) -> bool:
    """Delete some pairs with all that belongs to them; returns whether there were any."""
    with database.connected(immediate=True) as connection:
        pairs = metadata.tables["pairs"]
        some = select(pairs.c.alert_id).where(pairs.c.route == database.route).limit(AT_ONCE)
        ids = list(connection.execute(some).scalars())
        for table in _BY_ALERT:
            for first in range(0, len(ids), 500):
                chosen = ids[first : first + 500]
                connection.execute(
                    delete(table).where(table.c.route == database.route, table.c.alert_id.in_(chosen))
                )
    return bool(ids)
