"""A dry run prints the plan and changes nothing: neither API, no file, and nothing in the folder."""

import json
import subprocess
import sys

import pytest

from tests.support.harness import COMMAND, World

PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1
ACTION = {"kind", "alert_id", "incident_id", "status", "state", "reason", "text", "urgency", "paused"}


def two_alerts(world: World) -> tuple[str, str]:
    """One with a note and an acknowledgement, one of low urgency."""
    first = world.raise_alert("db-primary is down", priority="P1")
    world.customer(first, "notes", text="after the deploy")
    world.customer(first, "acknowledge")
    return first, world.raise_alert("disk is nearly full", priority="P4")


def test_a_first_dry_run_writes_nothing_and_plans_what_a_real_run_then_does(world: World) -> None:
    first, second = two_alerts(world)
    done = world.run("once", "--dry-run")
    assert (done.returncode, done.stderr) == (0, "")
    groups = done.stdout.split("\n\n")
    assert len(groups) == 3
    lines = groups[0].splitlines()
    assert lines[0] == 'Alert #1 "db-primary is down"'
    assert [line.split()[:2] for line in lines[1:] if line.startswith("  planned")] == [
        ["planned", "pagerduty.create_incident"],
        ["planned", "pagerduty.add_note"],
        ["planned", "pagerduty.add_note"],
        ["planned", "pagerduty.acknowledge"],
    ]
    for reason in ("the alert was raised in Opsgenie", "Ana Ruiz added a note", "Ana Ruiz acknowledged the alert"):
        assert reason in groups[0]
    assert groups[1].splitlines()[0] == 'Alert #2 "disk is nearly full"'
    assert "nothing was written" in groups[2]

    done = world.run("once", "--dry-run", "--json", "--exit-code")
    assert (done.returncode, done.stderr) == (3, "")
    report = json.loads(done.stdout)
    assert set(report) == {"dry_run", "actions", "pauses", "late_alerts", "errors"}
    assert report["dry_run"] is True
    assert report["errors"] == []
    assert all(set(action) == ACTION for action in report["actions"])
    assert [(a["kind"], a["alert_id"], a["incident_id"], a["status"]) for a in report["actions"]] == [
        ("pagerduty.create_incident", first, None, "planned"),
        ("pagerduty.create_incident", second, None, "planned"),
        ("pagerduty.add_note", first, None, "planned"),
        ("pagerduty.add_note", first, None, "planned"),
        ("pagerduty.acknowledge", first, None, "planned"),
    ]
    assert all(action["reason"] for action in report["actions"])
    assert world.writes() == []
    assert world.files() == {}

    real = world.once()
    planned = [{**action, "status": "done", "state": "done", "incident_id": ""} for action in report["actions"]]
    assert [{**action, "incident_id": ""} for action in real["actions"]] == planned


def test_a_dry_run_exits_with_3_only_when_asked_to_and_there_is_something_to_do(world: World) -> None:
    assert world.run("once", "--dry-run").returncode == 0
    assert world.run("once", "--dry-run", "--exit-code").returncode == 0
    done = world.run("once", "--exit-code")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--dry-run" in done.stderr
    world.raise_alert()
    assert world.run("once", "--dry-run").returncode == 0
    assert world.run("once", "--dry-run", "--exit-code").returncode == 3
    assert world.run("once", "--dry-run", "--exit-code", OPSGENIE_API_KEY="wrong").returncode == 2
    assert world.run("once", "--dry-run", OPSGENIE_API_URL="http://127.0.0.1:9").returncode == 1
    assert world.run("once", "--dry-run", PAGERDUTY_EMAIL="wrong").returncode == 2
    assert world.files() == {}
    assert world.writes() == []


def test_a_failing_dry_run_still_prints_one_json_document(world: World) -> None:
    done = world.run("once", "--dry-run", "--json", OPSGENIE_API_KEY="wrong-key")
    report = json.loads(done.stdout)
    assert done.returncode == 2, "a refused key is a matter of configuration"
    assert report["actions"] == []
    assert len(report["errors"]) == 1
    assert "wrong-key" not in done.stdout + done.stderr


def test_a_dry_run_leaves_an_existing_database_unchanged(world: World) -> None:
    two_alerts(world)
    world.once()
    world.raise_alert("and another")
    before, written = world.files(), len(world.writes())
    done = world.run("once", "--dry-run", "--exit-code")
    assert done.returncode == 3, done.stderr
    assert 'Alert #3 "and another"' in done.stdout
    assert "Alert #1" not in done.stdout
    assert world.files() == before
    assert len(world.writes()) == written


@pytest.mark.parametrize(
    ("fault", "status"), [("429", "planned"), ("503_before", "planned"), ("500_after", "")], ids=str
)
def test_a_dry_run_plans_a_failed_page_again_unless_it_has_landed(world: World, fault: str, status: str) -> None:
    """A page that was refused with 429, and one of unknown outcome that has landed or has not."""
    alert = world.raise_alert("waits")
    world.faults({"do": fault, "vendor": "pagerduty", "method": "POST", "path": "/incidents"})
    assert world.run("once").returncode == 1
    before, written = world.files(), len(world.writes())
    done = world.run("once", "--dry-run", "--json", "--exit-code")
    planned = [(a["kind"], a["alert_id"], a["status"]) for a in json.loads(done.stdout)["actions"]]
    assert planned == ([("pagerduty.create_incident", alert, status)] if status else []), done.stdout
    assert done.returncode == (3 if status else 0)
    assert ("planned  pagerduty.create_incident" in world.run("once", "--dry-run").stdout) is bool(status)
    assert world.files() == before
    assert len(world.writes()) == written


def test_a_write_whose_outcome_is_unknown_is_reported_as_pending(world: World) -> None:
    """A note that may have landed is not planned again before the staleness bound."""
    alert = world.raise_alert()
    world.once()
    world.faults({"do": "503_before", "vendor": "pagerduty", "method": "POST", "path": "/incidents/*/notes"})
    world.customer(alert, "notes", text="in doubt")
    patient = {"STALENESS_SECONDS": "60"}
    assert world.run("once", **patient).returncode == 1
    done = world.run("once", "--dry-run", "--exit-code", **patient)
    assert done.returncode == 3
    assert "unknown  pagerduty.add_note" in done.stdout
    (action,) = json.loads(world.run("once", "--dry-run", "--json", **patient).stdout)["actions"]
    assert (action["status"], action["state"]) == ("pending", "unknown")
    assert "Plan: 1 pagerduty.add_note for 1 pair." in done.stdout


@pytest.mark.parametrize("killed", [False, True], ids=["beside a daemon", "after a crash"])
def test_a_dry_run_leaves_a_database_in_use_unchanged(world: World, *, killed: bool) -> None:
    """While a daemon has it open, and with the journal of a killed daemon beside it."""
    alert, _ = two_alerts(world)
    world.start(POLL_INTERVAL_SECONDS="600", SWEEP_INTERVAL_SECONDS="600")  # one cycle, then a long rest
    world.until_ready()
    world.until(lambda: bool(world.ledger()) and world.is_settled(), "the first cycle's work")
    if killed:
        world.kill()
    world.customer(alert, "notes", text="one more")
    before, written = world.files(), len(world.writes())
    assert f"{world.database.name}-wal" in before
    done = world.run("once", "--dry-run", "--exit-code")
    assert done.returncode == 3, done.stderr
    assert "one more" in done.stdout
    after = world.files()
    assert set(after) == set(before)
    # A reader beside a daemon registers itself in the -shm file; the data is in the other two.
    changed = {name for name in after if after[name] != before[name]}
    assert changed <= (set() if killed else {f"{world.database.name}-shm"})
    assert len(world.writes()) == written


@pytest.mark.parametrize("there", [False, True], ids=["no database", "a database"])
def test_a_dry_run_succeeds_in_a_read_only_folder(world: World, *, there: bool) -> None:
    if there:
        world.once()
    world.raise_alert("up to here")
    before = world.files()
    world.folder.chmod(0o555)
    for file in before:
        (world.folder / file).chmod(0o444)
    try:
        done = subprocess.run(
            [sys.executable, "-c", _WITHOUT_PRIVILEGE, COMMAND, "once", "--dry-run", "--exit-code"],
            env=world.env({}), cwd=world.folder, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    finally:
        world.folder.chmod(0o755)
    assert done.returncode == 3, done.stderr
    assert "up to here" in done.stdout
    assert world.files() == before


_WITHOUT_PRIVILEGE = f"""
import ctypes, os, sys
if os.geteuid() == 0:  # root may write anywhere unless it drops that capability
    assert ctypes.CDLL(None).prctl({PR_CAPBSET_DROP}, {CAP_DAC_OVERRIDE}, 0, 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_the_read_only_folder_really_refuses_a_write(world: World) -> None:
    """The test above would prove nothing without this."""
    world.folder.chmod(0o555)
    try:
        done = subprocess.run(
            [sys.executable, "-c", _WITHOUT_PRIVILEGE, "/bin/touch", "a file"],
            cwd=world.folder, capture_output=True, text=True, timeout=10, check=False,
        )  # fmt: skip
    finally:
        world.folder.chmod(0o755)
    assert done.returncode != 0
