"""Copies of the database: a backup beside an SQLite file, and one in memory on which a move is tried."""

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from sqlalchemy import insert, select

from reconciler.errors import Transient
from reconciler.store.address import file_of
from reconciler.store.database import Database
from reconciler.store.files import create_private
from reconciler.store.read_only import in_memory
from reconciler.store.schema import metadata, pairs, pods, work

ROWS = 1_000
"""Rows that are copied at once."""
_OF_EVERY_ROUTE = (pairs, pods, work)
"""Tables that are copied whole: those that `store.key_routes` reads, and the one without a route."""


def backup(url: str, name: str, now: datetime) -> Path | None:
    """Copy an SQLite database, with what its journal holds, to a file beside it; None for any other database."""
    file = file_of(url)
    if file is None:
        return None
    copy = file.with_name(f"{file.name}.{name}-{now:%Y%m%dT%H%M%SZ}")
    create_private(copy)
    try:
        with closing(sqlite3.connect(file)) as whole, closing(sqlite3.connect(copy)) as kept:
            whole.backup(kept)
    except sqlite3.Error as error:
        raise Transient(
            f"the database cannot be copied to {copy}: {error}; make room, or use --no-backup"
        ) from error
    return copy


def copied(database: Database) -> Database:
    """The route's content as a database in memory, which may be changed without any effect.

    Of other routes it has what shows which alerts and incidents are theirs.
    """
    copy = in_memory()
    with database.reading() as unit, copy.connected(immediate=True) as target:
        for table in metadata.sorted_tables:
            wanted = select(table)
            if table not in _OF_EVERY_ROUTE:
                wanted = wanted.where(table.c.route == database.route)
            for rows in unit.snapshot.connection.execute(wanted).mappings().partitions(ROWS):
                target.execute(insert(table), [dict(row) for row in rows])
    return copy.for_route(database.route)
