"""`once` that a signal ends, and output that cannot be written: the work is settled, and what is left is said."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.harness import COMMAND, World
from tests.support.launcher import launch
from tests.support.terminal import on_a_terminal

ALERTS = 40
SIGNALS = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)


def interrupted(world: World, number: signal.Signals, *arguments: str) -> tuple[int, str, str]:
    """Run the command, and send it the signal once it has made some requests; its status and its output."""
    out, err = world.folder / "out", world.folder / "err"
    with out.open("w") as stdout, err.open("w") as stderr:
        started = launch(["once", *arguments], world.env({}), world.folder, stdout, stderr)
    ready = (lambda: len(world.calls()) > 12) if "--dry-run" in arguments else (lambda: len(world.writes()) > 2)
    world.until(ready, "the middle of the run")
    started.send_signal(number)
    return started.wait(30), out.read_text(), err.read_text()


@pytest.fixture
def busy(world: World) -> World:
    """A world with more alerts than a run is through with at once."""
    for alert in range(ALERTS):
        world.raise_alert(f"disk {alert} is full")
    world.settings(latency=0.15)
    return world


@SIGNALS
def test_once_finishes_the_write_in_flight_and_says_what_is_done_and_what_is_left(
    busy: World, number: signal.Signals
) -> None:
    status, out, err = interrupted(busy, number)
    assert status == 1
    made = len(busy.state()["pagerduty"]["incidents"])
    assert 0 < made < ALERTS
    assert f"Done: {made} done" in out
    assert out.count("  done     pagerduty.create_incident") == made
    assert f"reconciler: stopped by {number.name}: " in err
    assert "left in the queue" in err
    assert "defect" not in err
    busy.settings(latency=0.0)
    busy.once()
    assert busy.audit() == {}
    assert len(busy.state()["pagerduty"]["incidents"]) == ALERTS


def test_the_same_as_json_and_of_a_dry_run(busy: World) -> None:
    status, out, err = interrupted(busy, signal.SIGTERM, "--dry-run", "--json")
    assert status == 1
    (line,) = [line for line in json.loads(out)["errors"] if "stopped by" in line]
    assert line.startswith("stopped by SIGTERM: the plan lacks ")
    assert line in err
    assert busy.writes() == []


def piped(world: World, *arguments: str, stdout: int, **environ: str) -> tuple[int, str]:
    """Run the installed command with this stdout; its status and what it says on stderr."""
    given = world.env(environ)
    done = subprocess.run(
        [COMMAND, *arguments], env=given, cwd=world.folder, stdout=stdout, stderr=subprocess.PIPE, check=False
    )
    return done.returncode, done.stderr.decode()


@pytest.mark.parametrize("arguments", [("once",), ("once", "--json"), ("status",)])
def test_a_full_disk_under_stdout_loses_no_work_and_is_said(world: World, arguments: tuple[str, ...]) -> None:
    world.once()  # the first start is told on stderr
    alert = world.raise_alert()
    if arguments == ("status",):
        world.once()
    with Path("/dev/full").open("w") as full:
        status, said = piped(world, *arguments, stdout=full.fileno())
    assert status == 1
    assert said == (
        "reconciler: stdout: No space left on device: the command has done its work, but what it prints is lost; "
        "give it a place with room\n"
    )
    assert world.is_paged(alert)
    assert world.run("once").stdout == "Nothing to do.\n"


def test_a_reader_that_has_seen_enough_ends_the_output_quietly(world: World) -> None:
    world.once()
    alert = world.raise_alert()
    ours, theirs = os.pipe()
    os.close(ours)
    try:
        assert piped(world, "once", stdout=theirs) == (0, "")
    finally:
        os.close(theirs)
    assert world.is_paged(alert)


@pytest.mark.parametrize("encoding", ["cp1252", "cp437", "ascii"])
def test_what_an_encoding_lacks_is_replaced_and_json_keeps_it(world: World, encoding: str) -> None:
    world.once()
    world.raise_alert("db → 山 is down", user="Zoë")
    done = subprocess.run(
        [COMMAND, "once"],
        env=world.env({"PYTHONIOENCODING": encoding}),
        cwd=world.folder,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"Done: 1 done." in done.stdout
    world.customer(world.raise_alert("another"), "notes", text="→ 山")
    report = subprocess.run(
        [COMMAND, "once", "--json"],
        env=world.env({"PYTHONIOENCODING": encoding}),
        cwd=world.folder,
        capture_output=True,
        check=True,
    )
    texts = [action["text"] for action in json.loads(report.stdout.decode("ascii"))["actions"]]
    assert any("→ 山" in text for text in texts)


def test_the_pages_of_lists_show_progress_on_a_terminal(world: World) -> None:
    for number in range(250):
        world.raise_alert(f"disk {number}", created_at="2026-01-01T09:00:00Z")
    shown = on_a_terminal(world, "once", stderr_only=True)
    assert b"\rreading lists: 5 answers so far" in shown
    assert b"\r\x1b[K" in shown
