"""`retry` puts dead actions back; it needs only the database, and works beside a running daemon."""

import json
import sqlite3
from contextlib import closing

import pytest

from reconciler.sandbox.wire import json_response
from tests.support.harness import NO_KEYS, World

TOO_MANY = json_response(400, {"error": {"message": "Product Limit Reached", "code": 2019, "errors": []}})


def with_dead_notes(world: World, count: int = 1) -> list[str]:
    """Start the daemon, with `count` alerts that each have one note that PagerDuty has refused for good."""
    alerts = [world.raise_alert(f"alert {number}") for number in range(count)]
    world.start()
    world.until(lambda: all(map(world.incidents, alerts)) and world.is_settled(), "the pages")
    end = world.answers(
        lambda vendor, request: (
            vendor == "pagerduty" and request.path.endswith("/notes") and request.method == "POST"
        ),
        TOO_MANY,
    )
    for alert in alerts:
        world.customer(alert, "notes", text="refused")
    dead = ("pagerduty.add_note", "dead")
    world.until(lambda: world.ledger().count(dead) == count, "the dead notes")
    end()
    return alerts


@pytest.mark.parametrize("name", ["alert id", "tiny id", "#tiny id", "incident id", "incident number", "all"])
def test_a_dead_action_that_is_put_back_is_carried_out_by_the_running_daemon(world: World, name: str) -> None:
    (alert,) = with_dead_notes(world)
    incident = world.incident(alert)
    given = {
        "alert id": alert,
        "tiny id": "1",
        "#tiny id": "#1",
        "incident id": incident["id"],
        "incident number": str(incident["incident_number"]),
        "all": "--all",
    }[name]
    done = world.run("retry", given, **NO_KEYS)
    assert (done.returncode, done.stderr) == (0, "")
    assert "#1" in done.stdout
    assert "pagerduty.add_note" in done.stdout
    assert "Put back: 1 action" in done.stdout
    world.until(lambda: len(world.incident_notes(alert)) == 1, "the note")
    world.until(world.is_settled, "all settled")
    world.assert_good()
    again = world.run("retry", "--all", "--json", **NO_KEYS)
    assert (again.returncode, json.loads(again.stdout)) == (0, {"retried": []})


def test_status_lists_every_dead_action_and_how_to_put_it_back(world: World) -> None:
    with_dead_notes(world, 25)
    found = json.loads(world.run("status", "--json", **NO_KEYS).stdout)
    assert found["actions"]["dead"] == len(found["dead"]) == 25
    assert {entry["alert"] for entry in found["dead"]} == {str(number) for number in range(1, 26)}
    text = world.run("status", **NO_KEYS).stdout
    assert text.count("Product Limit Reached") == 20
    assert "Dead: 25" in text
    assert "… and 5 more" in text
    assert "reconciler retry" in text
    assert world.run("status", "--exit-code", **NO_KEYS).returncode == 3
    assert world.run("retry", "--all", **NO_KEYS).returncode == 0
    world.until(world.is_settled, "all settled")
    world.until(lambda: ("pagerduty.add_note", "dead") not in world.ledger(), "none is dead")
    assert world.run("status", "--exit-code", **NO_KEYS).returncode == 0


def test_pending_actions_are_truncated_as_text_and_complete_as_json(world: World) -> None:
    world.once()
    with closing(sqlite3.connect(world.database)) as connection:
        for number in range(25):
            connection.execute(
                "INSERT INTO actions (route, key, kind, alert_id, reason, at, person, text, body, urgency, mark,"
                " status, attempts, plain, request_id, result_id, error, planned_at) VALUES ('default', ?,"
                " 'pagerduty.add_note', 'a', 'r', '2026-01-01 00:00:00', '', '', '', '', '', 'planned', 0, 0,"
                " '', '', '', '2026-01-01 00:00:00')",
                (str(number),),
            )
        connection.commit()
    assert "… and 5 more" in world.run("status", **NO_KEYS).stdout
    assert len(json.loads(world.run("status", "--json", **NO_KEYS).stdout)["pending"]) == 25


def test_an_unknown_name_is_a_usage_error_and_puts_nothing_back(world: World) -> None:
    with_dead_notes(world)
    done = world.run("retry", "1", "99", **NO_KEYS)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("reconciler: retry: 99: ")
    assert ("pagerduty.add_note", "dead") in world.ledger()
    for arguments in ((), ("1", "--all")):
        done = world.run("retry", *arguments, **NO_KEYS)
        assert (done.returncode, done.stdout) == (2, "")


def test_retry_without_a_database_is_an_error_and_creates_none(world: World) -> None:
    done = world.run("retry", "--all", **NO_KEYS)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no reconciler has run on" in done.stderr
    assert world.files() == {}


def test_retry_with_nothing_dead_says_so_and_exits_with_0(world: World) -> None:
    world.raise_alert()
    world.once()
    done = world.run("retry", "1", **NO_KEYS)
    assert (done.returncode, done.stdout) == (0, "Nothing is dead there: nothing to put back.\n")
