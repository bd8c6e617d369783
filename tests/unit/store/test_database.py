"""The connection pool: one connection per thread, and the error when all are in use."""

from pathlib import Path

import pytest

from reconciler.store import database as opening
from reconciler.store.database import DatabaseDown, open_database


def test_an_exhausted_pool_is_reported_as_an_unreachable_database(
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


def test_no_thread_waits_for_another_threads_connection(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'some.db'}")
    opened = [database.engine.connect() for _ in range(opening.POOL_SIZE)]
    assert database.engine.pool.checkedout() == opening.POOL_SIZE  # type: ignore[attr-defined]
    for connection in opened:
        connection.close()
    database.close()
