"""Migrations on both databases: an upgrade from any revision keeps its data; a failed one changes nothing."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, Table, inspect, text

from reconciler.core.model import Status
from reconciler.errors import Misconfigured
from reconciler.store import migrate
from reconciler.store.cursors import Origin
from reconciler.store.database import Database, DatabaseDown, current_revision, open_database
from reconciler.store.schema import REVISION, metadata
from tests.support.harness import COMMAND, World

AT = datetime(2026, 11, 23, 9)  # noqa: DTZ001 - stored without a time zone
NOW = AT.replace(tzinfo=UTC)
ROWS: dict[str, dict[str, Any]] = {
    "pairs": {
        "route": "default", "alert_id": "a1", "tiny_id": "7", "tracked": True, "open": True, "incident_id": "Q1",
        "incident_number": 12, "swept_at": AT,
        "opsgenie": json.dumps(
            {"open": True, "acknowledged": False, "updated_at": "2026-11-23T09:00:00Z", "snoozed_until": None}
        ),
        "pagerduty": json.dumps({"status": "triggered", "acknowledgers": [], "actor": ""}),
    },
    "notes": {"route": "default", "alert_id": "a1", "side": "opsgenie", "note_id": "n1"},
    "actions": {
        "id": 3, "route": "default", "key": "k1", "kind": "pagerduty.add_note", "alert_id": "a1", "reason": "why",
        "at": AT, "person": "Ana Ruiz", "text": "text", "body": "", "urgency": "", "mark": "mark",
        "status": "sent", "attempts": 1, "plain": False, "not_before": None, "sent_at": AT, "request_id": "",
        "result_id": "", "error": "", "planned_at": AT, "settled_at": None,
    },
    "cursors": {
        "route": "default", "name": "origin",
        "value": '["2026-11-23T09:00:00+00:00", "2026-11-23T08:00:00+00:00"]',
    },
}  # fmt: skip
"""A row of each table of the first revision; columns of later revisions get their defaults."""


def revisions() -> list[str]:
    """All revisions, oldest first."""
    config = Config()
    config.set_main_option("script_location", str(migrate.location()))
    return [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()][::-1]


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = open_database(database_url)
    yield opened
    opened.close()


def upgrade_to(database: Database, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(migrate.location()))
    with database.engine.connect() as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def put_rows(database: Database) -> None:
    with database.engine.begin() as connection:
        for name, row in ROWS.items():
            table = Table(name, MetaData(), autoload_with=connection)
            connection.execute(table.insert().values(row))


def content(database: Database) -> dict[str, tuple[list[str], list[tuple[Any, ...]]]]:
    """Every table with its columns, indexes and rows."""
    with database.engine.connect() as connection:
        looked = inspect(connection)
        found = {}
        for name in sorted(looked.get_table_names()):
            shape = [f"{c['name']} {c['type']} {c['nullable']}" for c in looked.get_columns(name)]
            shape += sorted(str(index["name"]) for index in looked.get_indexes(name))
            rows = [tuple(row) for row in connection.execute(text(f"SELECT * FROM {name}"))]  # noqa: S608
            found[name] = (shape, rows)
        return found


def assert_the_rows_are_there(database: Database) -> None:
    with database.reading() as unit:
        pair = unit.snapshot.pairs(["a1"])["a1"]
        (action,) = unit.outbox.open()
        assert (pair.tiny_id, pair.incident_id, pair.alerts.open) == ("7", "Q1", True)
        assert unit.cursors.load(NOW).origin == Origin(NOW, NOW - timedelta(hours=1))
        assert len(unit.snapshot.known_notes(["a1"])["a1"]) == 1
        assert (action.id, action.key, action.status, action.incident_id) == (3, "k1", Status.SENT, "Q1")
        assert action.sent_at == AT.replace(tzinfo=UTC)


def test_the_newest_revision_has_the_schema_that_the_program_expects(database: Database) -> None:
    assert revisions()[-1] == REVISION
    migrate.upgrade(database)
    with database.engine.connect() as connection:
        looked = inspect(connection)
        for table in metadata.sorted_tables:
            assert {c["name"] for c in looked.get_columns(table.name)} == set(table.columns.keys())
            assert {i["name"] for i in looked.get_indexes(table.name)} == {i.name for i in table.indexes}


@pytest.mark.parametrize("revision", revisions())
def test_an_upgrade_from_every_revision_keeps_the_data(database: Database, revision: str) -> None:
    upgrade_to(database, revision)
    put_rows(database)
    assert migrate.upgrade(database) == REVISION
    assert current_revision(database) == REVISION
    assert_the_rows_are_there(database)
    database.lead()
    with database.writing() as unit:
        unit.cursors.save(sweep=NOW)
    assert_the_rows_are_there(database)


SQL_FAILS = 'op.execute("INSERT INTO nowhere VALUES (1)")'
PYTHON_FAILS = 'raise RuntimeError("in the middle")'
SCRIPT = """
import sqlalchemy as sa
from alembic import op

revision = "9001"
down_revision = "{last}"


def upgrade() -> None:
    op.create_table("extra", sa.Column("id", sa.Integer, primary_key=True))
    with op.batch_alter_table("pairs") as pairs:
        pairs.add_column(sa.Column("extra", sa.Text))
        pairs.drop_index("pairs_incident")
    op.execute("UPDATE pairs SET tiny_id = 'changed'")
    op.execute("DELETE FROM actions")
    {end}
"""


@pytest.mark.parametrize(("end", "failure"), [(SQL_FAILS, DatabaseDown), (PYTHON_FAILS, RuntimeError)])
def test_a_failed_migration_leaves_the_old_schema_and_data_unchanged(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str, failure: type[Exception]
) -> None:
    migrate.upgrade(database)
    put_rows(database)
    before = content(database)
    scripts = tmp_path / "scripts"
    shutil.copytree(migrate.location(), scripts, ignore=shutil.ignore_patterns("__pycache__"))
    bad = scripts / "versions" / "9001_bad.py"
    bad.write_text(SCRIPT.format(last=REVISION, end=end))
    with monkeypatch.context() as newer:
        newer.setattr(migrate, "location", lambda: scripts)
        newer.setattr(migrate, "REVISION", "9001")
        for _ in range(2):
            with pytest.raises(failure):
                migrate.upgrade(database)
            assert content(database) == before
        bad.write_text(SCRIPT.format(last=REVISION, end="pass"))
        migrate.upgrade(database)
        assert "extra" in content(database)
    with pytest.raises(Misconfigured, match="9001, which this version does not know"):
        migrate.upgrade(database)


def test_a_database_of_a_newer_revision_is_refused_and_left_unchanged(database: Database) -> None:
    migrate.upgrade(database)
    put_rows(database)
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    before = content(database)
    with pytest.raises(Misconfigured, match="revision 9999, which this version does not know"):
        migrate.upgrade(database)
    assert content(database) == before


def test_concurrent_migrations_all_succeed(both: World) -> None:
    """As with `db upgrade` beside starting daemons."""
    environ = {**os.environ, **both.environment}
    running = [
        subprocess.Popen([COMMAND, "db", "upgrade"], env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for _ in range(4)
    ]
    said = {process.communicate(timeout=60)[0] for process in running}
    assert said == {f"The schema is at revision {REVISION}.\n".encode()}
    assert {process.returncode for process in running} == {0}


LATER = (
    "ALTER TABLE actions DROP COLUMN priority",
    "DROP INDEX pairs_any_alert",
    "DROP INDEX pairs_any_incident",
    "DROP TABLE pods",
    "DROP TABLE moved",
    "ALTER TABLE pairs DROP COLUMN alias",
    "ALTER TABLE pairs DROP COLUMN created_at",
    "DROP TABLE journal",
    "DROP TABLE pauses",
    "DROP TABLE work",
    "DROP INDEX pairs_next_look",
    "DROP INDEX pairs_over",
    "ALTER TABLE pairs DROP COLUMN next_look_at",
    "CREATE INDEX pairs_sweep ON pairs (route, open, swept_at)",
    "DROP TABLE leader",
    "DROP TABLE troubles",
    "DROP INDEX pairs_unexplained",
    "DROP INDEX pairs_unpaged",
    "ALTER TABLE pairs DROP COLUMN title",
    "ALTER TABLE pairs DROP COLUMN unexplained_since",
    "ALTER TABLE pairs DROP COLUMN unpaged",
    "ALTER TABLE actions DROP COLUMN failing_since",
)
"""Reverts the schema to the first revision."""


def test_this_version_continues_with_a_database_of_the_first_revision(both: World) -> None:
    """The database of a killed daemon, reverted to the first revision with its data in place."""
    world = both
    world.begin()
    alert = world.raise_alert()
    world.until(lambda: bool(world.incidents(alert)), "the incident")
    world.engineer(alert, "acknowledge")
    world.until(lambda: world.is_settled() and bool(world.alert(alert)["acknowledged"]), "the acknowledgement")
    world.kill()
    database = open_database(world.environment["DATABASE_URL"])
    with database.engine.begin() as connection:
        for later in LATER:
            connection.execute(text(later))
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    database.close()
    since = world.seq()
    world.start()
    world.pass_cycles(3)
    assert world.writes(since) == []
    world.customer(alert, "notes", text="still there?")
    world.until(lambda: len(world.incident_notes(alert)) == 1, "the note")
    assert world.audit() == {}
