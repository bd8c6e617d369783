"""The schema that the program expects is the one to which the migrations lead."""

from dataclasses import replace
from datetime import UTC, timedelta, timezone
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect

from reconciler.store import schema
from reconciler.store.database import Database, open_database
from reconciler.store.migrate import location, upgrade
from tests.support.database import url
from tests.support.stored import NOW, PAIR


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


def test_ids_of_actions_are_never_reused(tmp_path: Path) -> None:
    database = open_database(url(tmp_path))
    upgrade(database)
    with database.engine.connect() as connection:
        text = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = 'actions'").scalar_one()
    assert "AUTOINCREMENT" in text
    database.close()


FAR = timezone(timedelta(hours=5, minutes=45))


def test_a_time_keeps_its_moment_in_any_zone(database: Database) -> None:
    with database.writing() as unit:
        unit.snapshot.save_pairs([replace(PAIR, swept_at=NOW.astimezone(FAR))])
    with database.reading() as unit:
        found = unit.snapshot.pairs(["a-1"])["a-1"]
    assert found.swept_at == NOW
    assert found.swept_at.tzinfo is UTC
