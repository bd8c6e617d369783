"""An unreachable or lost database: nothing is written to a vendor meanwhile, and nothing is repeated later."""

import sqlite3
import time
from contextlib import closing

import pytest

from tests.support.harness import World
from tests.support.pooler import Pooler
from tests.support.postgres import Postgres, a_server, name_in


def test_while_postgresql_is_down_nothing_is_written_and_nothing_is_lost(
    world: World, pytestconfig: pytest.Config
) -> None:
    with a_server(pytestconfig) as server:
        world.use(server, server.url(server.create())).begin()
        first = world.raise_alert()
        world.until(lambda: bool(world.incidents(first)), "the first incident")
        for outage in (1, 2):
            server.stop()
            alert = world.raise_alert(f"during outage {outage}")
            world.customer(first, "notes", text=f"during outage {outage}")
            time.sleep(0.3)  # requests in flight take effect
            since = world.seq()
            time.sleep(1.5)
            assert world.writes(since) == []
            assert world.told("cannot be reached") == outage
            server.start()
            world.until(lambda alert=alert: bool(world.incidents(alert)), "the new incident")  # type: ignore[misc]
            world.until(lambda outage=outage: world.told("works again") == outage, "that it works again")  # type: ignore[misc]
        world.until(lambda: world.is_settled() and world.audit() == {}, "all of it, once")
        assert world.stop() == 0
        assert world.told("defect") == 0


def test_a_daemon_that_starts_before_its_database_waits_for_it(world: World, pytestconfig: pytest.Config) -> None:
    with a_server(pytestconfig) as server:
        world.use(server, server.url(server.create()))
        alert = world.raise_alert()
        server.stop()
        world.open()
        world.until(lambda: world.told("cannot be reached") == 1, "what is wrong")
        unready = world.get("/readyz")
        assert (unready.status_code, unready.json()["role"]) == (503, "none"), unready.text
        assert "DATABASE_URL: " in unready.json()["reason"]
        time.sleep(0.5)
        assert world.writes() == []
        assert world.told("cannot be reached") == 1
        server.start()
        world.until(lambda: bool(world.incidents(alert)), "the incident")
        world.until(lambda: world.get("/readyz").json()["role"] == "leader", "that it leads")


def test_while_another_program_locks_the_file_nothing_is_written_and_nothing_is_lost(world: World) -> None:
    world.environment["DATABASE_URL"] += "?timeout=0.3"
    world.begin()
    with closing(sqlite3.connect(world.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        alert = world.raise_alert()
        since = world.seq()
        world.until(lambda: world.told("database is locked") == 1, "what is wrong")
        time.sleep(1.5)
        assert world.writes(since) == []
        assert world.told("database is locked") == 1
        assert world.told("works again") == 0
        other.execute("ROLLBACK")
    world.until(lambda: bool(world.incidents(alert)), "the incident")
    world.until(lambda: world.told("works again") == 1, "that it works again")
    assert world.audit() == {}


def a_story(world: World) -> list[str]:
    """Notes both ways, an acknowledgement from either side and one resolved incident, all mirrored."""
    alerts = [world.raise_alert(f"alert {number}") for number in range(4)]
    world.until(lambda: all(world.incidents(alert) for alert in alerts), "the incidents")
    for alert in alerts:
        world.customer(alert, "notes", text="after the deploy")
        world.customer(alert, "notes", text="after the deploy")
        world.engineer(alert, "notes", text="failing over")
    world.customer(alerts[0], "acknowledge")
    world.engineer(alerts[1], "acknowledge")
    world.engineer(alerts[2], "resolve")
    world.until(lambda: world.is_settled() and world.audit() == {}, "the story")
    return alerts


def as_before(world: World, alerts: list[str], since: int) -> None:
    """The loss has caused no write, and new acts are mirrored."""
    world.pass_cycles(5)
    assert world.writes(since) == []
    world.customer(alerts[0], "notes", text="and now?")
    world.engineer(alerts[1], "notes", text="up again")
    alert = world.raise_alert("a new one")
    world.until(lambda: bool(world.incidents(alert)), "the new incident")
    world.until(lambda: world.is_settled() and world.audit() == {}, "the new notes")


def test_a_lost_file_pages_nobody_again_and_repeats_no_note(world: World) -> None:
    world.begin()
    alerts = a_story(world)
    world.kill()
    for file in world.folder.glob("reconciler.db*"):
        file.unlink()
    since = world.seq()
    world.begin()
    as_before(world, alerts, since)


@pytest.mark.parametrize("name", ["reconciler.db", "reconciler.db*"], ids=["the file", "all files"])
def test_a_file_that_is_removed_under_a_running_daemon_is_told_and_replaced(world: World, name: str) -> None:
    world.open_ready()
    alerts = a_story(world)
    since = world.seq()
    for file in world.folder.glob(name):
        file.unlink()
    world.until(lambda: world.told("was removed or replaced while in use") == 1, "that the file is gone")
    unready = world.get("/readyz")
    assert (unready.status_code, "DATABASE_URL: " in unready.text) == (503, True), unready.text
    world.until(lambda: world.told("new database: nothing is known yet") == 1, "a new one")
    world.until(lambda: world.get("/readyz").status_code == 200, "that it is ready again")
    as_before(world, alerts, since)
    assert world.database.stat().st_mode & 0o777 == 0o600
    assert world.told("defect") == 0


@pytest.mark.parametrize("running", [False, True])
def test_a_lost_schema_pages_nobody_again_and_repeats_no_note(
    on_postgres: World, postgres: Postgres, *, running: bool
) -> None:
    on_postgres.begin()
    alerts = a_story(on_postgres)
    if not running:
        on_postgres.kill()
    since = on_postgres.seq()
    name = name_in(on_postgres.environment["DATABASE_URL"])
    postgres.run(name, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    if not running:
        on_postgres.start()
    on_postgres.until(on_postgres.is_ready, "a first cycle again")
    as_before(on_postgres, alerts, since)


def test_behind_a_pooler_that_shares_sessions_the_daemon_reports_it_and_sends_no_request(
    on_postgres: World, postgres: Postgres
) -> None:
    with Pooler(postgres.folder, name_in(on_postgres.environment["DATABASE_URL"]), 4) as pooler:
        on_postgres.environment["DATABASE_URL"] = pooler.url
        on_postgres.raise_alert()
        done = on_postgres.run("once")
        assert done.returncode == 2
        assert done.stderr.startswith("reconciler: DATABASE_URL: a connection pooler in front of PostgreSQL")
        assert done.stderr.count("\n") == 1
        on_postgres.start()
        on_postgres.until(lambda: on_postgres.told("a connection pooler") == 1, "what is wrong")
        time.sleep(1.0)
        assert on_postgres.told("a connection pooler") == 1
        assert on_postgres.calls() == []
        on_postgres.kill()
