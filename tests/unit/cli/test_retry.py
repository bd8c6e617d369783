"""`reconciler retry`."""

import json
from pathlib import Path

from sqlalchemy import text

from reconciler.store.database import open_database
from tests.support.command import Command, with_a_dead_note


def test_retry_puts_back_what_is_dead_and_prints_it(command: Command) -> None:
    with_a_dead_note(command)
    done = command("retry", "#17", "--json")
    assert (done.status, done.err) == (0, "")
    assert [entry["state"] for entry in json.loads(done.out)["retried"]] == ["dead"]
    assert command("retry", "--all") == (0, "Nothing is dead there: nothing to put back.\n", "")


def test_retry_without_a_database_names_the_setting_and_makes_none(command: Command) -> None:
    done = command("retry", "--all")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("reconciler: DATABASE_URL: no reconciler has run on sqlite:///reconciler.db yet")
    assert not [*Path().iterdir()]


def test_retry_leaves_an_older_schema_as_it_is_and_says_what_to_run(command: Command) -> None:
    with_a_dead_note(command)
    database = open_database("sqlite:///reconciler.db")
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0003'"))
    database.close()
    done = command("retry", "--all")
    assert (done.status, done.out) == (2, "")
    assert "run `reconciler db upgrade` first" in done.err
