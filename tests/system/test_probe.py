"""`probe` against both vendors: all is as assumed on the sandbox, and nothing stays open, however it ends."""

import json
import signal
from pathlib import Path

import pytest

from tests.support.harness import World
from tests.support.launcher import launch

FLAG = "--i-understand-this-writes"


def still_open(world: World) -> list[str]:
    """Titles of what is open in the sandbox."""
    state = world.state()
    alerts = [alert["message"] for alert in state["opsgenie"]["alerts"] if alert["status"] == "open"]
    return alerts + [each["title"] for each in state["pagerduty"]["incidents"] if each["status"] != "resolved"]


def test_the_sandbox_is_as_assumed_and_is_left_as_it_was(world: World) -> None:
    alert = world.raise_alert("database is down")
    steps = ("alert-notes", "alert-requests", "pagerduty-keys", "pagerduty-unacknowledge", "request-life", "rates")
    done = world.run("probe", FLAG, *(word for step in steps for word in ("--only", step)))
    assert (done.returncode, done.stderr.count("\n")) == (0, 1), done.stdout + done.stderr
    assert " 0 differs, 0 not settled" in done.stdout
    assert "### `reconciler probe`" in done.stdout
    assert "Everything that was created is resolved or closed." in done.stdout
    assert still_open(world) == ["database is down"]
    assert world.alert(alert)["acknowledged"] is False
    assert world.files() == {}
    for secret in ("sandbox-opsgenie-key", "sandbox-pagerduty-key", "reconciler@example.com", "127.0.0.1"):
        assert secret not in done.stdout + done.stderr


@pytest.mark.parametrize("world", [{"unacknowledge_ways": ()}], indirect=True)
def test_what_differs_is_said_with_what_to_set(world: World) -> None:
    done = world.run("probe", FLAG, "--only", "pagerduty-unacknowledge", "--json")
    assert done.returncode == 1
    document = json.loads(done.stdout)
    assert document["counts"] == {"as assumed": 0, "differs": 2, "not settled": 0}
    assert all("ON_OPSGENIE_UNACKNOWLEDGE=note" in each["follows"] for each in document["findings"])
    assert still_open(world) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_ends_it_and_everything_is_removed(world: World, number: signal.Signals) -> None:
    world.settings(latency=0.05)
    out, err = world.folder / "out", world.folder / "err"
    with out.open("w") as stdout, err.open("w") as stderr:
        started = launch(["probe", FLAG, "--json"], world.env({}), Path(world.folder), stdout, stderr)
    world.until(lambda: bool(still_open(world)), "something that the probe has created")
    started.send_signal(number)
    assert started.wait(30) == 1
    document = json.loads(out.read_text())
    assert (document["stopped"], document["left"]) == (True, [])
    assert len(world.state()["pagerduty"]["incidents"]) > 0
    assert still_open(world) == []


def test_what_a_killed_run_left_is_removed_by_the_next_one(world: World) -> None:
    world.settings(latency=0.05)
    with (world.folder / "out").open("w") as out:
        started = launch(["probe", FLAG], world.env({}), Path(world.folder), out, out)
    world.until(lambda: bool(still_open(world)), "something that the probe has created")
    started.kill()
    started.wait()
    world.settings(latency=0.0)
    assert still_open(world)
    done = world.run("probe", FLAG, "--only", "rates")
    assert "Removed first: " in done.stdout
    assert still_open(world) == []
