"""Migrations lead forwards only, whole or not at all."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import inspect

from reconciler.errors import Misconfigured
from reconciler.store import schema
from reconciler.store.database import current_revision, open_database
from reconciler.store.migrate import check, location, upgrade
from reconciler.store.read_only import open_read_only
from tests.support.database import url


def newer(folder: Path, journal: str = "delete") -> bytes:
    """A database of a future version; its bytes."""
    with closing(sqlite3.connect(folder / "reconciler.db")) as connection:
        connection.execute(f"PRAGMA journal_mode={journal}")
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('9999')")
        connection.commit()
    return (folder / "reconciler.db").read_bytes()


def test_pairs_stored_by_an_earlier_version_have_no_problem(tmp_path: Path) -> None:
    database = open_database(url(tmp_path))
    with database.engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(location()))
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        connection.exec_driver_sql(
            "INSERT INTO pairs (route, alert_id, tiny_id, tracked, open, opsgenie, swept_at) VALUES "
            """('default', 'a-1', '17', 1, 1, '{"open":true,"acknowledged":false,"""
            """"updated_at":"2026-11-23T09:00:00Z"}', '2026-11-23 09:00:00')"""
        )
    upgrade(database)
    with database.reading() as unit:
        pair = unit.snapshot.pair("a-1")
        assert pair is not None
        assert (pair.title, pair.unexplained_since, pair.unpaged) == ("", None, "")
        assert (pair.alerts.priority, pair.alerts.missing_since, pair.alerts.deleted) == ("", None, False)
        assert unit.snapshot.unpaged() == []
    database.close()


def test_migrating_again_changes_nothing(tmp_path: Path) -> None:
    for _ in range(2):
        database = open_database(url(tmp_path))
        assert upgrade(database) == schema.REVISION
        assert current_revision(database) == schema.REVISION
        database.close()
    before = (tmp_path / "reconciler.db").read_bytes()
    database = open_database(url(tmp_path))
    upgrade(database)
    database.close()
    assert (tmp_path / "reconciler.db").read_bytes() == before


def test_a_failed_migration_leaves_nothing(tmp_path: Path) -> None:
    """SQLite's driver would not roll a CREATE TABLE back by itself."""
    with closing(sqlite3.connect(tmp_path / "reconciler.db")) as connection:
        connection.execute("CREATE TABLE cursors (in_the_way TEXT)")
        connection.commit()
    database = open_database(url(tmp_path))
    with pytest.raises(Exception, match="cursors"):
        upgrade(database)
    assert inspect(database.engine).get_table_names() == ["cursors"]
    database.close()


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_a_newer_database_is_refused_untouched(tmp_path: Path, journal: str) -> None:
    before = newer(tmp_path, journal)
    database = open_database(url(tmp_path))
    for refuse in (upgrade, check):
        with pytest.raises(Misconfigured, match=r"DATABASE_URL: .*9999"):
            refuse(database)
    with pytest.raises(Misconfigured, match=r"DATABASE_URL: .*9999.*: run the newer version"):
        open_read_only(url(tmp_path))
    assert current_revision(database) == "9999"
    database.close()
    assert (tmp_path / "reconciler.db").read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["reconciler.db"]
