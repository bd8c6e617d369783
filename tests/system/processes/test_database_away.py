"""The database out of reach, or lost: nothing is written to any vendor meanwhile, and nobody hears twice."""

import sqlite3
import time
from contextlib import closing

import pytest

from tests.support.pooler import Pooler
from tests.support.postgres import Postgres, a_server, name_in
from tests.support.scene import Scene, over


def test_postgresql_goes_away_and_comes_back(scene: Scene, pytestconfig: pytest.Config) -> None:
    with a_server(pytestconfig) as server:
        over(scene, server, server.url(server.create())).begin()
        first = scene.raise_alert()
        scene.until(lambda: bool(scene.incidents(first)), "the first incident")
        for outage in (1, 2):
            server.stop()
            alert = scene.raise_alert(f"during outage {outage}")
            scene.customer(first, "notes", text=f"during outage {outage}")
            time.sleep(0.3)  # what was on the wire arrives
            since = scene.seq()
            time.sleep(1.5)
            assert scene.written(since) == []
            assert scene.told("cannot be reached") == outage
            server.start()
            scene.until(lambda alert=alert: bool(scene.incidents(alert)), "the new incident")  # type: ignore[misc]
            scene.until(lambda outage=outage: scene.told("works again") == outage, "that it works again")  # type: ignore[misc]
        scene.until(lambda: scene.has_settled() and scene.audit() == {}, "all of it, once")
        assert scene.stop() == 0
        assert scene.told("defect") == 0


def test_a_daemon_that_starts_before_its_database_waits_for_it(scene: Scene, pytestconfig: pytest.Config) -> None:
    with a_server(pytestconfig) as server:
        over(scene, server, server.url(server.create()))
        alert = scene.raise_alert()
        server.stop()
        scene.start()
        scene.until(lambda: scene.told("cannot be reached") == 1, "what is wrong")
        time.sleep(0.5)
        assert scene.written() == []
        assert scene.told("cannot be reached") == 1
        server.start()
        scene.until(lambda: bool(scene.incidents(alert)), "the incident")


def test_a_file_that_another_program_locks(scene: Scene) -> None:
    scene.environment["DATABASE_URL"] += "?timeout=0.3"
    scene.begin()
    with closing(sqlite3.connect(scene.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        alert = scene.raise_alert()
        since = scene.seq()
        scene.until(lambda: scene.told("database is locked") == 1, "what is wrong")
        time.sleep(1.5)
        assert scene.written(since) == []
        assert scene.told("database is locked") == 1
        assert scene.told("works again") == 0
        other.execute("ROLLBACK")
    scene.until(lambda: bool(scene.incidents(alert)), "the incident")
    scene.until(lambda: scene.told("works again") == 1, "that it works again")
    assert scene.audit() == {}


def a_story(scene: Scene) -> list[str]:
    """Everything open: notes both ways, an acknowledgement from either side, one incident resolved."""
    alerts = [scene.raise_alert(f"alert {number}") for number in range(4)]
    scene.until(lambda: all(scene.incidents(alert) for alert in alerts), "the incidents")
    for alert in alerts:
        scene.customer(alert, "notes", text="after the deploy")
        scene.customer(alert, "notes", text="after the deploy")
        scene.engineer(alert, "notes", text="failing over")
    scene.customer(alerts[0], "acknowledge")
    scene.engineer(alerts[1], "acknowledge")
    scene.engineer(alerts[2], "resolve")
    scene.until(lambda: scene.has_settled() and scene.audit() == {}, "the story")
    return alerts


def as_before(scene: Scene, alerts: list[str], since: int) -> None:
    """After the loss: nothing was written because of it, and what is new crosses."""
    scene.pass_cycles(5)
    assert scene.written(since) == []
    scene.customer(alerts[0], "notes", text="and now?")
    scene.engineer(alerts[1], "notes", text="up again")
    alert = scene.raise_alert("a new one")
    scene.until(lambda: bool(scene.incidents(alert)), "the new incident")
    scene.until(lambda: scene.has_settled() and scene.audit() == {}, "the new notes")


def test_a_lost_file_pages_nobody_again_and_repeats_no_note(scene: Scene) -> None:
    scene.begin()
    alerts = a_story(scene)
    scene.kill()
    for file in scene.folder.glob("reconciler.db*"):
        file.unlink()
    since = scene.seq()
    scene.begin()
    as_before(scene, alerts, since)


@pytest.mark.parametrize("running", [False, True])
def test_a_lost_schema_pages_nobody_again_and_repeats_no_note(
    on_postgres: Scene, postgres: Postgres, *, running: bool
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


def test_behind_a_pooler_that_shares_sessions_nothing_is_done_but_to_say_so(
    on_postgres: Scene, postgres: Postgres
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
