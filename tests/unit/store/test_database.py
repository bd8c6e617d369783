"""The connection pool: as many connections as there are threads, and what it means that all are in use."""

from pathlib import Path

import pytest

from reconciler.store import database as opening
from reconciler.store.database import DatabaseDown, open_database


def test_a_pool_that_is_used_up_is_a_database_that_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"pool_size": 1, "pool_timeout": 0.01}.items():
        monkeypatch.setitem(opening._POOL, name, value)
    database = open_database(f"sqlite:///{tmp_path / 'some.db'}")
    with (
        database.reading(),
        pytest.raises(DatabaseDown, match=r"^DATABASE_URL: the database does not answer: all ") as caught,
        database.reading(),
    ):
        pass
    assert caught.value.kind == "away"
    with database.reading():
        pass
    database.close()


def test_no_thread_waits_for_the_connection_of_another_one(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'some.db'}")
    opened = [database.engine.connect() for _ in range(opening.POOL_SIZE)]
    assert database.engine.pool.checkedout() == opening.POOL_SIZE  # type: ignore[attr-defined]
    for connection in opened:
        connection.close()
    database.close()
