"""Opening a database, its routes, and its pool: one connection per thread, and the error when all are in use."""

from pathlib import Path

import pytest

from reconciler.core.model import Side
from reconciler.core.work import WorkItem
from reconciler.errors import Misconfigured
from reconciler.store import database as opening
from reconciler.store.address import exists
from reconciler.store.cursors import Positions
from reconciler.store.database import Database, DatabaseDown, open_database
from reconciler.store.migrate import upgrade
from reconciler.store.read_only import open_read_only
from tests.support.database import url
from tests.support.stored import ACTION, NOW, PAIR


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


@pytest.mark.parametrize("open_it", [open_database, open_read_only, exists])
def test_a_missing_folder_is_reported(tmp_path: Path, open_it: object) -> None:
    assert callable(open_it)
    with pytest.raises(Misconfigured, match="DATABASE_URL: there is no folder"):
        open_it(url(tmp_path / "nowhere"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("open_it", [open_database, open_read_only, exists])
def test_a_folder_is_reported_as_no_database(tmp_path: Path, open_it: object) -> None:
    assert callable(open_it)
    (tmp_path / "reconciler.db").mkdir()
    with pytest.raises(Misconfigured, match=r"DATABASE_URL: .* is a folder: name a file in it"):
        open_it(url(tmp_path))


def test_routes_do_not_see_each_other(database: Database) -> None:
    with database.writing() as unit:
        unit.snapshot.save_pairs([PAIR])
        unit.snapshot.save_notes([("a-1", Side.ALERTS, "1")])
        unit.cursors.save(query="1")
        unit.work.add([WorkItem("a-1", NOW)])
        unit.outbox.add([ACTION], NOW)
    with Database(database.engine, "another").reading() as unit:
        assert unit.snapshot.pairs(["a-1"]) == {}
        assert unit.snapshot.known_notes(["a-1"]) == {}
        assert unit.cursors.load(NOW) == Positions()
        assert unit.work.all() == []
        assert unit.snapshot.open_pairs() == 0
        assert unit.outbox.of(["a-1"]) == {}
        assert unit.outbox.open() == []
        assert not unit.outbox.counts()


@pytest.mark.parametrize("open_it", [open_database, open_read_only, exists])
def test_a_folder_that_may_not_be_entered_is_named(
    tmp_path: Path, open_it: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_dir", refuse)
    assert callable(open_it)
    with pytest.raises(Misconfigured, match=r"user \d+ may not enter the folder .*Permission denied"):
        open_it(url(tmp_path))


def test_a_new_database_and_the_files_beside_it_are_for_their_owner_alone(
    database: Database, tmp_path: Path
) -> None:
    with database.writing() as unit:
        unit.snapshot.save_notes([("a1", Side.ALERTS, "1")])
        modes = {file.name: oct(file.stat().st_mode & 0o777) for file in tmp_path.iterdir()}
    assert modes == dict.fromkeys(("reconciler.db", "reconciler.db-wal", "reconciler.db-shm"), "0o600")


def test_the_mode_of_a_database_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "reconciler.db"
    file.touch(0o640)
    file.chmod(0o640)
    database = open_database(url(tmp_path))
    upgrade(database)
    database.close()
    assert file.stat().st_mode & 0o777 == 0o640
