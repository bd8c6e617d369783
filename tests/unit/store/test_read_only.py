"""A database that is only read: never created, never migrated, never written to."""

import gc
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import event

from reconciler.errors import Misconfigured
from reconciler.store.address import exists
from reconciler.store.cursors import Positions
from reconciler.store.database import Database, current_revision, open_database
from reconciler.store.migrate import check, upgrade
from reconciler.store.read_only import open_read_only
from reconciler.store.schema import REVISION
from tests.support.builders import at, pair
from tests.support.database import url


def test_reading_creates_no_database(tmp_path: Path) -> None:
    assert not exists(url(tmp_path))
    with open_read_only(url(tmp_path)).reading() as unit:
        assert unit.snapshot.open_pairs() == 0
        assert unit.cursors.load(datetime.now(UTC)) == Positions()
        assert unit.outbox.open() == []
    database = open_database(url(tmp_path))
    assert current_revision(database) is None
    assert check(database) is None
    database.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("exists_already", [True, False])
def test_what_is_read_is_closed_when_nobody_uses_it_any_more(
    tmp_path: Path, database: Database, exists_already: bool
) -> None:
    closed: list[object] = []
    reading = open_read_only(url(tmp_path) if exists_already else f"sqlite:///{tmp_path / 'another.db'}")
    event.listen(reading.engine, "close", lambda connection, _record: closed.append(connection))
    with reading.reading() as unit:
        assert unit.outbox.open() == []
    assert database.engine
    assert not closed
    del reading, unit
    gc.collect()
    assert len(closed) == 1


def test_an_empty_file_is_not_a_database_yet(tmp_path: Path) -> None:
    (tmp_path / "reconciler.db").touch()
    with open_read_only(url(tmp_path)).reading() as unit:
        assert unit.outbox.open() == []
    assert (tmp_path / "reconciler.db").stat().st_size == 0


def test_a_read_only_database_cannot_be_written_to(tmp_path: Path) -> None:
    database = open_database(url(tmp_path))
    upgrade(database)
    database.close()
    before = (tmp_path / "reconciler.db").read_bytes()
    looking = open_read_only(url(tmp_path))
    with pytest.raises(Exception, match="readonly"), looking.writing() as unit:
        unit.cursors.save(query="another")
    looking.close()
    assert (tmp_path / "reconciler.db").read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["reconciler.db"]


def test_an_older_schema_is_refused_with_the_command_that_mends_it(tmp_path: Path, database: Database) -> None:
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0003'")
    with pytest.raises(
        Misconfigured, match=rf"at revision 0003, this program needs {REVISION}: run `reconciler db up"
    ):
        open_read_only(url(tmp_path))


def test_what_a_killed_process_left_in_its_journal_is_read_and_left_there(
    tmp_path: Path, database: Database
) -> None:
    with database.writing() as unit:
        unit.snapshot.save_pairs([pair(swept_at=at(0))])
    left = tmp_path / "left"
    left.mkdir()
    for name in ("reconciler.db", "reconciler.db-wal"):
        (left / name).write_bytes((tmp_path / name).read_bytes())
    (left / "reconciler.db.lock").touch()
    before = {file.name: file.read_bytes() for file in left.iterdir()}
    looking = open_read_only(url(left))
    with looking.reading() as unit:
        assert unit.snapshot.open_pairs() == 1
    looking.close()
    assert {file.name: file.read_bytes() for file in left.iterdir()} == before
