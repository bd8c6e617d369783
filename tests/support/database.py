"""A migrated SQLite database for tests without a daemon."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

import pytest

from reconciler.store.database import Database, open_database
from reconciler.store.migrate import upgrade

_ONE_AT_A_TIME = Lock()
"""Alembic runs one migration at a time."""


def url(folder: Path) -> str:
    """The address of this folder's database."""
    return f"sqlite:///{folder / 'reconciler.db'}"


def write_migrated(file: Path) -> None:
    """Write a database with this version's schema and no rows: a copy, as migrating takes five times as long."""
    with _ONE_AT_A_TIME:
        content = _migrated()
    file.touch(0o600)
    file.write_bytes(content)


def open_migrated(file: Path) -> Database:
    """Open a database of this version's schema, which is written if there is none."""
    if not file.exists():
        write_migrated(file)
    return open_database(f"sqlite:///{file}")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A database of this test's own, with this version's schema and no rows."""
    database = open_migrated(tmp_path / "reconciler.db")
    yield database
    database.close()


@cache
def _migrated() -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "template.db"
        database = open_database(f"sqlite:///{file}")
        upgrade(database)
        database.close()
        return file.read_bytes()
