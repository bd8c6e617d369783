"""A migrated database of its own for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.store.database import Database, open_database
from reconciler.store.migrate import upgrade


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(f"sqlite:///{tmp_path / 'reconciler.db'}")
    upgrade(database)
    yield database
    database.close()
