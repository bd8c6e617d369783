"""Writes that a vendor accepts and fails later, or refuses because somebody was faster."""

import json
import sqlite3
from contextlib import closing

from stage import Stage

from reconciler.sandbox.wire import json_response

FAILED = "Opsgenie accepted the write and did not carry it out"


def test_a_write_that_opsgenie_accepts_and_fails_is_told(world: Stage) -> None:
    """When it fails, while it waits to be tried again, and when it is given up."""
    alert = world.raise_alert()
    world.once()
    world.engineer(alert, "notes", text="on it")
    accepted = {"result": "Request will be processed", "took": 0.1, "requestId": "r-1"}
    failed = {"isSuccess": False, "success": False, "action": "Note", "status": "Internal failure", "alertId": ""}
    world.answers(
        lambda vendor, asked: vendor == "opsgenie" and asked.method == "POST", json_response(202, accepted)
    )
    world.answers(
        lambda vendor, asked: vendor == "opsgenie" and asked.path == "/v2/alerts/requests/r-1",
        json_response(200, {"data": failed, "took": 0.1, "requestId": "r"}),
    )
    assert_told(world, f"opsgenie.add_note: {FAILED}; it is tried again (alert {alert})", "pending")
    in_the_ledger(world, "2100-01-01 00:00:00", 1)
    assert_told(world, f"opsgenie.add_note waits: {FAILED} (alert {alert})", "pending")
    in_the_ledger(world, None, 4)
    assert_told(world, f"opsgenie.add_note: {FAILED}; given up (alert {alert})", "dead")
    done = world.run("once")
    assert (done.returncode, done.stderr) == (0, "")


def assert_told(world: Stage, words: str, status: str) -> None:
    """By a whole cycle, to people and to scripts, in its exit status too."""
    done = world.run("once", "--json", STALENESS_SECONDS="60")
    report = json.loads(done.stdout)
    assert (done.returncode, report["errors"]) == (1, [words])
    assert done.stderr.splitlines() == [f"reconciler: {words}"]
    assert [action["status"] for action in report["actions"]] == [status]


def in_the_ledger(world: Stage, not_before: str | None, attempts: int) -> None:
    """Time goes by, for whatever waits."""
    change = "UPDATE actions SET not_before = ?, attempts = ? WHERE status = 'planned'"
    with closing(sqlite3.connect(world.database)) as connection:
        connection.execute(change, (not_before, attempts))
        connection.commit()
