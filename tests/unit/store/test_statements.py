"""Statements for many rows at once: in chunks, and with what is there already."""

import pytest
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from reconciler.store import statements
from reconciler.store.database import Database
from reconciler.store.schema import cursors
from reconciler.store.statements import insert_into, insert_new, rows_by, rows_of, upsert

VALUES = rows_by(cursors.c.name, select(cursors.c.name, cursors.c.value))


def row(name: str, value: str = "1", route: str = "default") -> dict[str, str]:
    return {"route": route, "name": name, "value": value}


def read(database: Database, *names: str) -> list[tuple[str, str]]:
    with database.reading() as unit:
        return [(found.name, found.value) for found in rows_of(unit.snapshot.connection, VALUES, "default", names)]


def test_rows_are_read_in_chunks_each_once_and_of_one_route(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "_CHUNK", 2)
    with database.writing() as unit:
        upsert(unit.snapshot.connection, cursors, [row(name) for name in "abcde"] + [row("a", "2", "another")])
    assert read(database, *"edcbaae", "unknown") == [(name, "1") for name in "abcde"]
    assert read(database) == []


def test_an_upsert_overwrites_and_an_insert_of_what_is_new_does_not(database: Database) -> None:
    with database.writing() as unit:
        connection = unit.snapshot.connection
        upsert(connection, cursors, [row("a"), row("b")])
        upsert(connection, cursors, [row("a", "2")])
        insert_new(connection, cursors, ("route", "name"), [row("b", "2"), row("c", "3")])
        upsert(connection, cursors, [])
        insert_new(connection, cursors, ("route", "name"), [])
    assert read(database, "a", "b", "c") == [("a", "2"), ("b", "1"), ("c", "3")]


def test_each_database_gets_its_own_dialect() -> None:
    assert isinstance(insert_into(cursors, "postgresql"), postgresql.Insert)
    assert isinstance(insert_into(cursors, "sqlite"), sqlite.Insert)
