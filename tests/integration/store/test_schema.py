"""The migrations lead to the schema that the program expects, and a newer database is not touched."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect

from reconciler.errors import Misconfigured
from reconciler.store import schema
from reconciler.store.cursors import Positions
from reconciler.store.database import current_revision, exists, open_database
from reconciler.store.migrate import check, location, upgrade
from reconciler.store.read_only import open_read_only


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'reconciler.db'}"


def newer(folder: Path, journal: str = "delete") -> bytes:
    """A database of a future version; its bytes."""
    with closing(sqlite3.connect(folder / "reconciler.db")) as connection:
        connection.execute(f"PRAGMA journal_mode={journal}")
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('9999')")
        connection.commit()
    return (folder / "reconciler.db").read_bytes()


def shape(engine: Engine) -> dict[str, object]:
    """Tables with their columns, keys and indexes, in any order."""
    found = inspect(engine)
    return {
        table: {
            "columns": {
                column["name"]: (str(column["type"]), column["nullable"], column["default"])
                for column in found.get_columns(table)
            },
            "key": found.get_pk_constraint(table)["constrained_columns"],
            "indexes": {
                index["name"]: (index["column_names"], bool(index["unique"])) for index in found.get_indexes(table)
            },
            "unique": found.get_unique_constraints(table),
            "foreign": found.get_foreign_keys(table),
        }
        for table in found.get_table_names()
        if table not in ("alembic_version", "sqlite_sequence")
    }


def test_the_program_names_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(location()))
    script = ScriptDirectory.from_config(config)
    assert script.get_heads() == [schema.REVISION]
    assert len(script.get_bases()) == 1


def test_the_migrated_schema_is_the_one_in_the_program(tmp_path: Path) -> None:
    database = open_database(url(tmp_path))
    upgrade(database)
    fresh = create_engine(f"sqlite:///{tmp_path / 'fresh.db'}")
    schema.metadata.create_all(fresh)
    assert shape(database.engine) == shape(fresh)
    assert set(shape(fresh)) == set(schema.metadata.tables)
    database.close()
    fresh.dispose()


def test_pairs_with_a_problem_have_indexes_of_their_own(tmp_path: Path) -> None:
    """They are queried in every cycle, and there are none most of the time."""
    database = open_database(url(tmp_path))
    upgrade(database)
    with database.engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'index'").all()
    database.close()
    partial = {name: sql.rpartition(" WHERE ")[2] for name, sql in found if sql and " WHERE " in sql}
    assert partial == {
        "pairs_unexplained": "unexplained_since IS NOT NULL",
        "pairs_unpaged": "unpaged != ''",
        "pairs_next_look": "next_look_at IS NOT NULL",
        "work_external": "external",
    }


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
        assert (pair.opsgenie.priority, pair.opsgenie.missing_since, pair.opsgenie.deleted) == ("", None, False)
        assert unit.snapshot.unpaged() == []
    database.close()


def test_ids_of_actions_are_never_reused(tmp_path: Path) -> None:
    database = open_database(url(tmp_path))
    upgrade(database)
    with database.engine.connect() as connection:
        text = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = 'actions'").scalar_one()
    assert "AUTOINCREMENT" in text
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


def test_an_empty_file_is_not_a_database_yet(tmp_path: Path) -> None:
    (tmp_path / "reconciler.db").touch()
    with open_read_only(url(tmp_path)).reading() as unit:
        assert unit.outbox.open() == []
    assert (tmp_path / "reconciler.db").stat().st_size == 0


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
