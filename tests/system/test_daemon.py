"""The daemon: its schedule, its shutdown, the failures it survives, and two daemons on one database."""

import json
import re
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
import requests
from alembic import command

from reconciler.sandbox.wire import Request, json_response, parse_time
from reconciler.store.database import open_database
from reconciler.store.migrate import _config
from reconciler.store.schema import REVISION
from tests.support.harness import COMMAND, World, a_world

REST = {"POLL_INTERVAL_SECONDS": "600", "SWEEP_INTERVAL_SECONDS": "600"}
FOR_EVER = 1_000_000


def polls(world: World, since: int = 0) -> list[dict[str, str]]:
    """The first request of each cycle."""
    calls = world.calls(since)
    return [c for c in calls if c["path"] == "/v2/alerts" and c["query"].get("sort") == ["updatedAt"]]


def copies(world: World, alert: str) -> list[str]:
    """What the reconciler wrote on the alert's incident."""
    return [note for note in world.incident_notes(alert) if note.startswith("[Opsgenie")]


def said(world: World) -> list[str]:
    """The daemon's log events up to the first colon, which leaves out their figures, but for its introduction."""
    events = [event["event"].partition(":")[0] for event in world.events()]
    return [event for event in events if event != "at work" and not event.endswith(" in use")]


# -- schedule --


def test_the_first_cycle_starts_immediately(world: World) -> None:
    alert = world.raise_alert()
    started = time.monotonic()
    world.is_migrated = False
    world.start(**REST)
    world.until(lambda: bool(world.incidents(alert)), "the page")
    assert world.told("new database") == 1
    assert time.monotonic() - started < 20  # the start of Python included; the interval is ten minutes


def test_cycles_that_take_longer_than_the_interval_neither_overlap_nor_pile_up(world: World) -> None:
    world.start(POLL_INTERVAL_SECONDS="0.05")
    world.until_ready()
    world.settings(latency=0.15)
    world.pass_cycles(1)
    since = world.seq()
    time.sleep(2)
    for vendor in ("opsgenie", "pagerduty"):
        asked = [parse_time(call["at"]) for call in world.calls(since) if call["vendor"] == vendor]
        assert len(asked) >= 3
        assert all((later - at).total_seconds() >= 0.14 for at, later in pairwise(asked)), "one at a time"
    world.settings(latency=0.0)
    world.pass_cycles(1)
    since, began = world.seq(), time.monotonic()
    time.sleep(1)
    assert len(polls(world, since)) <= (time.monotonic() - began) / 0.05 + 2, "nothing to catch up with"
    assert world.told("maximum number of running instances") == 0


def test_a_delayed_cycle_runs_once_as_soon_as_the_process_resumes(world: World) -> None:
    """A suspended process runs one cycle when it resumes, and then keeps its interval."""
    daemon = world.start(POLL_INTERVAL_SECONDS="2")
    world.until_ready()
    daemon.send_signal(signal.SIGSTOP)
    time.sleep(3)
    since = world.seq()
    daemon.send_signal(signal.SIGCONT)
    released = time.monotonic()
    world.until(lambda: len(polls(world, since)) >= 1, "the late tick")
    assert time.monotonic() - released < 1.9, "it did not wait for the next one"
    world.until(lambda: len(polls(world, since)) >= 3, "two more")
    _, second, third = (parse_time(call["at"]) for call in polls(world, since)[:3])
    assert (third - second).total_seconds() > 1.5, "none of those in between is made up for"


# -- shutdown --


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_an_idle_daemon_exits_within_seconds_of_a_signal(world: World, number: signal.Signals) -> None:
    daemon = world.start(**REST)
    world.until_ready()
    started = time.monotonic()
    daemon.send_signal(number)
    assert daemon.wait(timeout=10) == 0
    assert time.monotonic() - started < 3
    assert said(world) == ["started", "first start", "stopped"]


def hung_read(folder: Path) -> None:
    """The shutdown does not wait for a vendor that never answers a read."""
    with a_world(folder) as world:
        daemon = world.start()
        world.until_ready()
        world.until(lambda: world.told("first start") == 1, "the end of the first cycle")
        since = world.seq()
        world.faults({"do": "hang", "method": "GET", "seconds": 60, "times": FOR_EVER})
        # In the current cycle one side may have answered already: then only the other one hangs.
        world.until(lambda: "hang" in [c["fault"] for c in world.calls(since)], "a side hangs")
        started = time.monotonic()
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(timeout=30) == 0
        assert time.monotonic() - started < 8
        assert said(world) == ["started", "first start", "stopped"], world.log()


def slow_write(folder: Path) -> None:
    """The write is finished and settled however long it takes, and no other is begun."""
    with a_world(folder) as world:
        daemon = world.start()
        world.until_ready()
        world.faults({"do": "slow", "method": "POST", "path": "/incidents", "seconds": 5, "times": FOR_EVER})
        alert = world.raise_alert()
        world.until(lambda: ("pagerduty.create_incident", "sent") in world.ledger(), "the write on the wire")
        world.customer(alert, "notes", text="waits")
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(timeout=30) == 0
        assert world.ledger() == [("pagerduty.create_incident", "done")]
        assert len(world.incidents(alert)) == 1


def in_flight(kind: str, number: signal.Signals, folder: Path) -> None:
    with a_world(folder) as world:
        daemon = world.start()
        world.until_ready()
        alert = world.raise_alert()
        world.until(lambda: bool(world.incidents(alert)) and world.is_settled(), "the page")
        world.settings(latency=0.5)
        if kind == "pagerduty.create_incident":
            world.raise_alert("another")
        elif kind == "pagerduty.add_note":
            world.customer(alert, "notes", text="one")
        else:
            world.engineer(alert, "notes", text="two")
        world.until(lambda: (kind, "sent") in world.ledger(), "the write on the wire")
        daemon.send_signal(number)
        assert daemon.wait(timeout=15) == 0
        world.settings(latency=0.0)
        (status,) = {status for of, status in world.ledger()[1:] if of == kind}
        # Opsgenie has only answered 202 with a request id: the next start looks up the outcome.
        assert status == ("sent" if kind == "opsgenie.add_note" else "done")
        written = len(world.writes())
        world.start()
        world.until_ready()
        world.until(world.is_settled, "all settled")
        world.assert_quiet(5)
        assert len(world.writes()) == written
        world.assert_good()


@pytest.mark.parametrize("name", ["create SIGTERM", "create SIGINT", "PagerDuty SIGTERM", "Opsgenie SIGTERM"])
def test_a_write_in_flight_is_finished_before_the_exit_and_not_repeated_afterwards(
    finished: Callable[[str], None], name: str
) -> None:
    finished(name)


def test_a_stopping_daemon_does_not_wait_for_a_read_that_hangs(finished: Callable[[str], None]) -> None:
    finished("hung read")


def test_a_stopping_daemon_waits_for_a_slow_write_and_starts_no_other(finished: Callable[[str], None]) -> None:
    finished("slow write")


def test_a_signal_during_start_up_exits_with_0_before_any_request(world: World) -> None:
    """The signal arrives during the first imports."""
    log = world.folder / "start.log"
    environment = world.environment | {"PYTHONPROFILEIMPORTTIME": "1"}
    with log.open("w") as out, subprocess.Popen([COMMAND, "run"], env=environment, stderr=out) as daemon:
        world.until(lambda: "reconciler.settings" in log.read_text(), "its first imports")
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(timeout=30) == 0
    assert world.calls() == []


# -- failures it survives --


def test_an_unexpected_exception_is_not_logged_again_in_every_cycle_and_does_not_stop_the_daemon(
    world: World,
) -> None:
    alert = world.raise_alert()
    world.start()
    world.until(lambda: bool(world.incidents(alert)), "the page")
    with closing(sqlite3.connect(world.database)) as connection:
        connection.execute("UPDATE pairs SET swept_at = '0'")
        connection.commit()
        world.until(lambda: world.told("this is a defect") > 0, "it is told")
        time.sleep(3)  # by now every job and the pair have raised it
        told = world.told("this is a defect")
        world.pass_cycles(10)
        assert world.told("this is a defect") == told
        connection.execute("DELETE FROM pairs")
        connection.commit()
    world.until(lambda: world.told("works again") == 1, "it works again")
    other = world.raise_alert("another")
    world.until(lambda: bool(world.incidents(other)), "the next page")
    assert world.stop() == 0


@pytest.mark.parametrize(
    "answer", [[], 7, {"data": 7, "incidents": 7, "log_entries": "x"}, {"data": [7, {"id": 7}]}]
)
def test_json_of_the_wrong_types_neither_stops_the_daemon_nor_loses_a_note(world: World, answer: object) -> None:
    """Every read of both vendors returns it at the same time."""
    alert = world.raise_alert()
    world.start()
    world.until(lambda: bool(world.incidents(alert)), "the page")
    end = world.answers(lambda _vendor, request: request.method == "GET", json_response(200, answer))
    world.customer(alert, "notes", text="meanwhile")
    world.pass_cycles(2, patience=90)
    end()
    world.until(lambda: len(world.incident_notes(alert)) == 1, "the note", patience=60)
    world.until(world.is_settled, "all settled")
    world.assert_quiet(5)
    world.assert_good()
    assert world.told("this is a defect") == 0, world.log()


def test_recovery_is_not_logged_while_a_write_is_still_held_back(world: World) -> None:
    """The key is refused for every write: while an action waits because of it, the trouble is not over."""
    alert = world.raise_alert()
    with socket.create_server(("127.0.0.1", 0)) as free:
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    world.start(HTTP_LISTEN=listen)
    world.until(lambda: bool(world.incidents(alert)) and world.is_settled(), "the page")
    refused = json_response(401, {"error": {"message": "Unauthorized", "code": 2006}}, {"X-Request-Id": "r-1"})
    world.answers(lambda vendor, request: vendor == "pagerduty" and request.method != "GET", refused)
    world.customer(alert, "notes", text="waits")
    world.until(lambda: world.told("PAGERDUTY_API_KEY") == 1, "it is told")
    world.pass_cycles(10)
    assert world.told("works again") == 0, world.log()
    assert world.told("PAGERDUTY_API_KEY") == 1, world.log()
    assert requests.get(f"http://{listen}/readyz", timeout=10).status_code == 503


def test_a_write_whose_outcome_is_unknown_is_logged_once_as_a_warning(world: World) -> None:
    """After a broken connection every cycle checks for its effect; it is sent again after the staleness bound."""
    alert = world.raise_alert()
    world.start(STALENESS_SECONDS="1.5")
    world.until(lambda: bool(world.incidents(alert)), "the page")
    world.faults({"do": "refuse_before", "vendor": "pagerduty", "method": "POST", "path": "/incidents/*/notes"})
    world.customer(alert, "notes", text="one")
    world.until(lambda: len(copies(world, alert)) == 1, "the note, at the second attempt")
    world.until(world.is_settled, "all settled")
    world.pass_cycles(2)
    told = [(e["level"], e["state"]) for e in world.events() if e.get("kind") == "pagerduty.add_note"]
    assert told == [("warning", "unknown"), ("info", "done")]
    world.assert_good()


def bad_pair(folder: Path) -> None:
    with a_world(folder) as world:
        bad, good = world.raise_alert("bad"), world.raise_alert("good")
        world.start()
        world.until(lambda: all(world.incidents(alert) for alert in (bad, good)), "the pages")
        world.faults(
            {"do": "500_before", "vendor": "opsgenie", "path": f"/v2/alerts/{bad}*", "times": FOR_EVER},
        )
        for alert in (bad, good):
            world.customer(alert, "notes", text="one")
            world.customer(alert, "acknowledge")
            world.engineer(alert, "notes", text="two")
        world.until(lambda: world.incident(good)["status"] == "acknowledged", "Ana's acknowledgement", patience=60)
        world.until(lambda: len(copies(world, good)) == 2, "Ana's note and acknowledgement", patience=60)
        world.until(lambda: len(world.alert_notes(good)) == 2, "Jane's note", patience=60)
        fresh = world.raise_alert("fresh")
        world.until(lambda: bool(world.incidents(fresh)), "a new page", patience=60)
        # Of the bad alert only the list can be read, which shows the acknowledgement but no notes.
        assert [copy for copy in copies(world, bad) if not copy.endswith("acknowledged the alert")] == []
        world.no_faults()
        world.until(lambda: len(copies(world, bad)) == 2, "the bad pair's notes", patience=90)
        world.until(lambda: len(world.alert_notes(bad)) == 2, "the bad pair's other notes", patience=90)
        world.until(world.is_settled, "all settled", patience=60)
        world.assert_good()


def test_a_pair_that_cannot_be_read_never_stops_the_others(finished: Callable[[str], None]) -> None:
    finished("bad pair")


def too_many(do: str, folder: Path) -> None:
    """With and without the headers that say how long to wait, no action is lost, repeated or dead."""
    with a_world(folder) as world:
        alert = world.raise_alert(priority="P1")
        world.start()
        world.until(lambda: bool(world.incidents(alert)), "the page")
        world.faults(
            {"do": do, "vendor": "pagerduty", "method": "POST", "path": "/incidents/*/notes"},
            {"do": do, "vendor": "pagerduty", "method": "POST", "path": "/incidents"},
            {"do": do, "vendor": "pagerduty", "method": "PUT"},
            {"do": do, "vendor": "opsgenie", "method": "POST"},
            {"do": do, "vendor": "opsgenie", "method": "GET", "path": "/v2/alerts/?*"},
        )
        world.customer(alert, "notes", text="one")
        world.customer(alert, "acknowledge")
        world.engineer(alert, "notes", text="two")
        other = world.raise_alert("another")
        world.until(lambda: bool(world.incidents(other)), "the next page", patience=90)
        world.until(lambda: len(copies(world, alert)) == 2, "Ana's notes", patience=90)
        world.until(lambda: world.incident(alert)["status"] == "acknowledged", "her acknowledgement", patience=90)
        world.until(lambda: len(world.alert_notes(alert)) == 2, "Jane's note", patience=90)
        world.until(world.is_settled, "all settled")
        assert [status for _, status in world.ledger() if status != "done"] == []
        world.assert_good()
        assert sum(call["status"] == 429 for call in world.calls()) >= 4


@pytest.mark.parametrize("do", ["429", "429_bare"])
def test_429_answers_lose_nothing_and_duplicate_nothing(finished: Callable[[str], None], do: str) -> None:
    finished(do)


BACKGROUND = {
    "create SIGTERM": partial(in_flight, "pagerduty.create_incident", signal.SIGTERM),
    "create SIGINT": partial(in_flight, "pagerduty.create_incident", signal.SIGINT),
    "PagerDuty SIGTERM": partial(in_flight, "pagerduty.add_note", signal.SIGTERM),
    "Opsgenie SIGTERM": partial(in_flight, "opsgenie.add_note", signal.SIGTERM),
    "hung read": hung_read,
    "slow write": slow_write,
    "bad pair": bad_pair,
    "429": partial(too_many, "429"),
    "429_bare": partial(too_many, "429_bare"),
}


# -- two daemons --


def test_a_second_daemon_stands_by_and_takes_over_when_the_first_is_killed(world: World) -> None:
    alert = world.raise_alert()
    first = world.start()
    world.until(lambda: bool(world.incidents(alert)), "the page")
    second = world.start()
    world.until(lambda: world.told("standing by") == 1, "it stands by")
    world.customer(alert, "notes", text="one")
    world.until(lambda: len(world.incident_notes(alert)) == 1, "the first one's note")
    world.pass_cycles(4)
    assert world.told("standing by") == 1
    started, stands_by = (event["event"] for event in world.events())
    assert started == "started"
    assert re.fullmatch(r"another reconciler is at work on this database: standing by; \S+ leads", stands_by)
    first.kill()
    first.wait()
    world.customer(alert, "notes", text="two")
    world.until(lambda: len(world.incident_notes(alert)) == 2, "the second one's note")
    assert second.poll() is None
    world.until(world.is_settled, "all settled")
    world.assert_quiet(5)
    world.assert_good()


# -- status and migrations --


def test_status_before_the_first_run_says_so_fails_and_creates_no_file(world: World) -> None:
    done = world.run("status", "--json")
    assert (done.returncode, done.stderr) == (1, "")
    assert json.loads(done.stdout)["missing"] == "there is no such database"
    assert world.files() == {}
    done = world.run("status")
    assert done.returncode == 1
    assert done.stdout.startswith("No reconciler has run on this database yet: there is no such database\n")


def test_status_shows_the_lag_and_all_pending_and_dead_actions(world: World) -> None:
    alert, other = world.raise_alert(), world.raise_alert("other")
    world.start()
    world.until(lambda: all(world.incidents(each) for each in (alert, other)), "the pages")
    refused = json_response(400, {"error": {"message": "Product Limit Reached", "code": 2019, "errors": []}})
    incident = world.incident(alert)["id"]

    def to_the_incident(_vendor: str, request: Request) -> bool:
        return request.method == "POST" and request.path == f"/incidents/{incident}/notes"

    end = world.answers(to_the_incident, refused)
    world.customer(alert, "notes", text="too many notes")
    world.until(lambda: ("pagerduty.add_note", "dead") in world.ledger(), "the dead note")
    end()
    world.faults({"do": "403", "vendor": "pagerduty", "method": "POST", "times": FOR_EVER})
    world.customer(other, "notes", text="waits")
    world.until(lambda: ("pagerduty.add_note", "planned") in world.ledger(), "the waiting note")
    assert world.stop() == 0

    before = world.files()
    done = world.run("status", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert found["open_pairs"] == 2
    assert set(found["polled"]) == set(found["behind_seconds"]) == {"opsgenie", "pagerduty"}
    assert all(0 <= seconds < 60 for seconds in found["behind_seconds"].values())
    counts = {"planned": 1, "in flight": 0, "unknown": 0, "done": 2, "dropped": 0, "dead": 1}
    assert found["actions"] == counts
    (dead,), (pending,) = found["dead"], found["pending"]
    assert (dead["kind"], dead["alert_id"], dead["incident_id"]) == ("pagerduty.add_note", alert, incident)
    assert "Product Limit Reached" in dead["error"]
    names = ("1", "db-primary is down", world.incident(alert)["incident_number"])
    assert (dead["alert"], dead["title"], dead["incident"]) == names
    assert 0 <= dead["age_seconds"] < 60
    assert (pending["kind"], pending["alert_id"], pending["state"]) == ("pagerduty.add_note", other, "planned")
    done = world.run("status")
    for part in (
        "Open pairs   2",
        "Planned: 1",
        "Dead: 1",
        "1 planned",
        "1 dead",
        alert,
        other,
        "Product Limit",
        "reconciler retry",
    ):
        assert part in done.stdout
    assert world.files() == before


def test_a_migration_is_logged_with_both_revisions(world: World) -> None:
    database = open_database(f"sqlite:///{world.database}")
    config = _config()
    with database.engine.connect() as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
    database.close()
    world.start()
    world.until_ready()
    assert world.told(f"database migrated from revision 0002 to {REVISION}") == 1


def test_db_upgrade_migrates_the_schema_once_and_db_current_shows_its_revision(world: World) -> None:
    done = world.run("db", "current")
    assert (done.returncode, done.stdout.split()[0]) == (0, "none")
    assert world.files() == {}
    done = world.run("db", "upgrade")
    assert done.returncode == 0, done.stderr
    revision = done.stdout.split()[-1].rstrip(".")
    done = world.run("db", "current")
    assert done.stdout.split()[0] == revision
    assert f"(this version: {revision})" in done.stdout
    before = world.database.read_bytes()
    assert world.run("db", "upgrade").returncode == 0
    assert world.database.read_bytes() == before
