"""Statements that are built once, because building one costs more than running it, and queries by many keys."""

from collections.abc import Collection, Iterator
from functools import cache
from typing import Any

from sqlalchemy import Column, Connection, Executable, Row, Select, Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite

Rows = list[dict[str, Any]]
_CHUNK = 500  # bound variables in one IN (…), well below every database's limit


def rows_by(column: Column[Any], query: Select[Any]) -> Select[Any]:
    """The query for `rows_of`: rows of one route whose `column` has one of the given values."""
    return query.where(column.table.c.route == bindparam("route"), column.in_(bindparam("keys", expanding=True)))


def rows_of(connection: Connection, query: Select[Any], route: str, keys: Collection[Any]) -> Iterator[Row[Any]]:
    """The rows of a `rows_by` query, read in chunks of ascending keys."""
    for some in chunks(keys):
        yield from connection.execute(query, {"route": route, "keys": some})


def chunks(keys: Collection[Any]) -> Iterator[list[Any]]:
    """The keys in ascending order, as many at a time as one statement takes."""
    wanted = sorted(set(keys))
    for start in range(0, len(wanted), _CHUNK):
        yield wanted[start : start + _CHUNK]


def upsert(connection: Connection, table: Table, rows: Rows) -> None:
    """Insert, or overwrite by primary key: executemany, the fastest form on both databases."""
    if rows:
        connection.execute(_upsert_into(table, connection.dialect.name), rows)


def insert_new(connection: Connection, table: Table, unique: tuple[str, ...], rows: Rows) -> None:
    """Insert the rows whose values in these columns do not exist yet."""
    if rows:
        connection.execute(_insert_new_into(table, unique, connection.dialect.name), rows)


def insert_if_new(connection: Connection, table: Table, unique: tuple[str, ...], row: dict[str, Any]) -> bool:
    """Insert one row unless its values in these columns exist already; returns whether it was inserted."""
    return connection.execute(_insert_new_into(table, unique, connection.dialect.name), row).rowcount == 1


def insert_into(table: Table, database: str) -> postgresql.Insert | sqlite.Insert:
    """The dialect's INSERT, which has ON CONFLICT."""
    return postgresql.insert(table) if database == "postgresql" else sqlite.insert(table)


@cache
def _upsert_into(table: Table, database: str) -> Executable:
    keys = tuple(column.name for column in table.primary_key)
    statement = insert_into(table, database)
    fields = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in keys}
    if not fields:
        return _insert_new_into(table, keys, database)
    return statement.on_conflict_do_update(index_elements=keys, set_=fields)


@cache
def _insert_new_into(table: Table, unique: tuple[str, ...], database: str) -> Executable:
    return insert_into(table, database).on_conflict_do_nothing(index_elements=unique)
