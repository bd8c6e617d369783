"""The log: whoever knows an alert's number finds all that happened to it, and what lasts is said again."""

import json
import sqlite3
from contextlib import closing
from datetime import datetime

import pytest

from reconciler.sandbox.wire import json_response
from tests.support.harness import World

TOO_MANY = json_response(400, {"error": {"message": "Product Limit Reached", "code": 2019, "errors": []}})


def with_trouble(world: World) -> str:
    """A daemon and an alert with writes both ways, a refused note, and a write that is answered 403."""
    world.raise_alert("another one")
    alert = world.raise_alert("disk 91 % full", priority="P1")
    world.start(LOG_LEVEL="DEBUG", REMIND_SECONDS="1")
    world.until(lambda: bool(world.incidents(alert)) and world.is_settled(), "the page")
    incident = world.incident(alert)["id"]
    world.engineer(alert, "acknowledge")
    world.until(lambda: bool(world.alert(alert)["acknowledged"]) and world.is_settled(), "the acknowledgement")
    end = world.answers(lambda _, request: request.method == "POST" and request.path.endswith("/notes"), TOO_MANY)
    world.customer(alert, "notes", text="refused")
    world.until(lambda: ("pagerduty.add_note", "dead") in world.ledger(), "the dead note")
    end()
    world.settings(refused_incidents=[incident])
    world.customer(alert, "unacknowledge")
    world.until(lambda: world.told("still") > 0, "a reminder", 30)
    world.settings(refused_incidents=[])
    world.until(lambda: world.told("works again") > 0, "that it works again")
    return alert


def test_every_line_about_a_pair_has_its_number_its_title_and_its_incident(world: World) -> None:
    alert = with_trouble(world)
    number = world.incident(alert)["incident_number"]
    mine = [event for event in world.events() if event.get("alert_id") == alert]
    states = {event.get("state", event.get("subject")) for event in mine}
    assert {"in flight", "done", "dead", "objects"} <= states
    for event in mine:
        assert '#2 "disk 91 % full"' in event["event"]
        assert (event["alert"], event["title"]) == ("2", "disk 91 % full")
        assert event["incident"] == number
    about = [event for event in world.events() if event["level"] != "debug" and alert in json.dumps(event)]
    assert [event for event in about if "#2" not in event["event"]] == []


def test_each_line_begins_with_its_time_level_and_words(world: World) -> None:
    world.begin()
    for line in world.log().splitlines():
        event = json.loads(line)
        assert [*event][:3] == ["timestamp", "level", "event"]
        assert datetime.fromisoformat(event["timestamp"]).tzinfo is not None
    (started,) = (event for event in world.events() if event["event"] == "started")
    assert started["database"] == world.environment["DATABASE_URL"]
    assert started["service"] == world.environment["PAGERDUTY_SERVICE_ID"]
    text = world.run("run", LOG_FORMAT="text", DATABASE_URL="sqlite:///nowhere/x.db")
    assert text.returncode == 2


def test_debug_shows_each_request_and_neither_a_key_nor_a_text(world: World) -> None:
    alert = world.raise_alert("secret plans")
    world.faults({"do": "503_before", "vendor": "opsgenie", "method": "GET", "times": 1})
    world.start(LOG_LEVEL="DEBUG")
    world.until(lambda: bool(world.incidents(alert)) and world.is_settled(), "the page")
    sent = [event for event in world.events() if event["level"] == "debug"]
    assert {event["vendor"] for event in sent} == {"Opsgenie", "PagerDuty"}
    (page,) = (event for event in sent if (event["method"], event["path"]) == ("POST", "/incidents"))
    assert (page["status"], page["attempt"]) == (201, 1)
    assert page["seconds"] >= 0
    assert any(event["request_id"] for event in sent if event["vendor"] == "Opsgenie")
    assert [event["attempt"] for event in sent if event["status"] == 503] == [1]
    assert any(event["attempt"] == 2 for event in sent)
    lines = "\n".join(json.dumps(event) for event in sent)
    assert "secret plans" not in lines
    for key in ("PAGERDUTY_API_KEY", "OPSGENIE_API_KEY"):
        assert world.environment[key] not in world.log()


@pytest.mark.parametrize("world", [{"pagerduty_per_minute": 30}], indirect=True)
def test_our_own_rate_limiter_is_no_error(world: World) -> None:
    for number in range(40):
        world.raise_alert(f"disk {number} is full")
    world.start(REMIND_SECONDS="1")
    world.until(lambda: world.told("the rate limit leaves no room") > 1, "the rate limit, and a reminder")
    told = [event for event in world.events() if "rate limit" in event["event"]]
    assert {event["level"] for event in told} == {"info"}


def test_a_database_that_stays_away_and_a_stand_by_are_said_again(world: World) -> None:
    world.begin(REMIND_SECONDS="1")
    second = world.start(REMIND_SECONDS="1")
    world.until(
        lambda: world.told("Lock: still another reconciler is at work") > 1, "two reminders of standing by"
    )
    reminders = [event for event in world.events() if "Lock: still" in event["event"]]
    assert {event["level"] for event in reminders} == {"info"}
    assert " leads, since " in reminders[0]["event"]
    second.kill()
    with closing(sqlite3.connect(world.database, isolation_level=None, timeout=30)) as other:
        other.execute("ALTER TABLE work RENAME TO gone")
        world.raise_alert()
        world.until(lambda: world.told("Database: still", 0) > 1, "two reminders of the database")
        other.execute("ALTER TABLE gone RENAME TO work")
    world.until(lambda: world.told("works again", 0) > 0, "that it works again")


def test_a_new_database_and_a_first_start_are_said_with_their_numbers(world: World) -> None:
    world.is_migrated = False
    world.raise_alert("old", created_at="2026-11-20T10:00:00Z")
    world.raise_alert("fresh")
    world.begin()
    world.until(lambda: world.told("first start:") == 1, "the first start")
    assert world.told("new database: nothing is known yet, a first start follows") == 1
    assert (
        world.told("1 alert recorded as a baseline, 0 incidents found by their key and followed, 1 new alert") == 1
    )


def test_once_says_that_its_database_is_new(world: World) -> None:
    done = world.run("once")
    assert done.returncode == 0
    assert f"reconciler: first start, new database at sqlite:///{world.database}" in done.stderr.splitlines()
    assert "new database" not in world.run("once").stderr
