"""A migrated SQLite database for tests without a daemon."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.store.database import Database, open_database
from reconciler.store.migrate import upgrade


def url(folder: Path) -> str:
    """The address of this folder's database."""
    return f"sqlite:///{folder / 'reconciler.db'}"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A database of this test's own, with this version's schema and no rows."""
    database = open_database(url(tmp_path))
    upgrade(database)
    yield database
    database.close()
