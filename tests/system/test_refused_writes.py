"""Writes that a vendor accepts and then fails, or refuses because a person was faster."""

import json
import sqlite3
from contextlib import closing

import pytest

from reconciler.sandbox.wire import Request, json_response
from tests.support.harness import World

FAILED = "Opsgenie accepted it and did not carry it out: Internal failure"


def test_a_write_that_opsgenie_accepts_and_fails_is_reported_at_each_stage(world: World) -> None:
    """When it fails, while it waits for its next attempt, and when it is given up."""
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
    in_the_ledger(world, not_before="2100-01-01 00:00:00")
    assert_told(world, f"opsgenie.add_note waits: {FAILED} (alert {alert})", "pending")
    in_the_ledger(world, not_before=None, failing_since="2000-01-01 00:00:00")
    assert_told(world, f"opsgenie.add_note: {FAILED}; given up (alert {alert})", "dead")
    done = world.run("once")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("verb", "code", "why"),
    [("acknowledge", 1002, "the incident is acknowledged already"), ("resolve", 1001, "the incident is resolved")],
)
def test_a_write_that_is_refused_because_an_engineer_was_faster_counts_as_done(
    world: World, verb: str, code: int, why: str
) -> None:
    """The engineer acts between our read and our write, which PagerDuty then refuses."""
    alert = world.raise_alert()
    world.once()
    incident = world.incident(alert)["id"]
    pagerduty = world.sandbox.pagerduty

    def races(vendor: str, asked: Request) -> bool:
        late = vendor == "pagerduty" and asked.method == "PUT"
        if late:
            getattr(pagerduty, verb)(incident, "Jane Doe")
        return late

    end = world.answers(races, json_response(400, {"error": {"message": "Already", "code": code}}))
    world.customer(alert, "acknowledge")
    report = world.once()
    ours = [action for action in report["actions"] if action["kind"] == "pagerduty.acknowledge"]
    assert [(action["status"], why in action["reason"]) for action in ours] == [("done", True)], ours
    end()
    world.once()
    assert world.once()["actions"] == []
    assert "dead" not in {status for _, status in world.ledger()}
    world.assert_good()


def assert_told(world: World, words: str, status: str) -> None:
    """A run of `once` reports it as text, as JSON and in its exit status."""
    done = world.run("once", "--json", STALENESS_SECONDS="60")
    report = json.loads(done.stdout)
    assert (done.returncode, report["errors"]) == (1, [words])
    assert done.stderr.splitlines() == [f"reconciler: {words}"]
    assert [action["status"] for action in report["actions"]] == [status]


def in_the_ledger(world: World, **columns: str | None) -> None:
    """Change these columns of every waiting action, as the passing of time would."""
    with closing(sqlite3.connect(world.database)) as connection:
        for name, value in columns.items():
            connection.execute(f"UPDATE actions SET {name} = ? WHERE status = 'planned'", (value,))  # noqa: S608
        connection.commit()
