"""Texts that cannot be stored or displayed, and unexpected exceptions: one odd alert prevents no other page."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from reconciler.cli.commands import cli
from reconciler.operations import linking
from reconciler.sandbox.server import jsm_environment
from tests.support.command import Command, command
from tests.support.harness import World

__all__ = ["command"]

CUT = "cut emoji \ud83d"
NUL = "nul \x00 here"


def test_an_unpaired_surrogate_or_a_nul_in_a_text_prevents_no_page_and_no_note(world: World) -> None:
    alerts = [world.raise_alert(message) for message in (CUT, NUL, "good one")]
    for alert in alerts:
        world.customer(alert, "notes", text=f"note with {CUT} and {NUL}")
    planned = world.run("once", "--dry-run", "--json")
    assert (planned.returncode, planned.stderr) == (0, "")
    assert len(world.once()["actions"]) == len(json.loads(planned.stdout)["actions"]) == 6
    assert [world.incident(alert)["title"].split("] ")[-1] for alert in alerts] == [
        "cut emoji \ufffd",
        "nul \ufffd here",
        "good one",
    ]
    world.engineer(alerts[0], "notes", text=f"seen {CUT}")
    world.once()
    assert [note for note in world.alert_notes(alerts[0]) if note.endswith("seen cut emoji \ufffd")]
    assert world.once()["actions"] == []


def test_control_characters_of_an_alert_are_escaped_on_the_terminal(world: World) -> None:
    """No colour, no window title and no forged line, and each line is truncated to a readable length."""
    message = "\x1b[31mred\x1b[0m\rgone\nReconciler: all is well" + "x" * 3000
    alert = world.raise_alert(message, user="Ana\x1b[7m Ruiz")
    world.customer(alert, "notes", text="\x1b]0;title\x07 \x00", user="Ana\x1b[7m Ruiz")
    planned = world.run("once", "--dry-run").stdout
    assert planned.startswith(r'Alert #1 "\u001b[31mred\u001b[0m gone Reconciler: all is well')
    for arguments in (("once", "--dry-run"), ("once",)):
        done = world.run(*arguments)
        assert done.returncode == 0, done.stderr
        assert [c for c in done.stdout if not c.isprintable() and c != "\n"] == []
        assert max(map(len, done.stdout.splitlines())) < 160
        assert r"Ana\u001b[7m Ruiz" in done.stdout


ODD = "\x1b[7m\x9b2J\x9d\x7f\x85\u202e\u2066\u2028"
READABLE = "é 日本 🙂"
COMMANDS = {
    "doctor": (),
    "config": (),
    "once": (),
    "status": (),
    "explain": ("1",),
    "retry": ("--all",),
    "link": ("1", "1"),
    "unlink": ("1",),
    "migrate": ("--to", "jsm", "--check"),
}
"""Every command with --json, and its arguments."""
SHOW_PEOPLE = ("once", "explain")


@pytest.mark.parametrize("world", [{"jsm_only": False}], indirect=True)
def test_no_command_prints_anything_that_a_terminal_obeys(
    world: World, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither as text nor as JSON, whose values a program reads unchanged, nor in the log."""
    with_json = {name for name, each in cli.commands.items() if any("--json" in p.opts for p in each.params)}
    assert with_json - {"probe"} == set(COMMANDS), "the probe shows nothing that people wrote"
    monkeypatch.setattr(linking, "WAIT", 0.2)  # no daemon will answer
    alert = world.raise_alert(f"title {ODD} {READABLE}", user=f"Ana{ODD} {READABLE}", description=ODD)
    world.customer(alert, "notes", text=f"note {ODD}", user=f"Ana{ODD} {READABLE}")
    world.control("migrate", jsm_ids="new")
    environ = world.environment | {"LOG_LEVEL": "DEBUG", "STALENESS_SECONDS": "0.1"}
    environ |= jsm_environment(world.running.url, world.sandbox.settings) | {"ALERT_SOURCE": "opsgenie"}
    documents = {}
    for run in (("once", "--dry-run"), *((name, *more) for name, more in COMMANDS.items())):
        for form in ((), ("--json",)) if "--dry-run" in run else (("--json",), ()):
            done = command(*run, *form, **environ)
            assert {c for c in done.out + done.err if not c.isprintable()} <= {"\n"}, (run, form)
            if form:
                documents[run] = json.loads(done.out)
                assert READABLE in done.out or run[0] not in SHOW_PEOPLE, run
    for run in (run for run in documents if run[0] in SHOW_PEOPLE):
        assert f"{ODD} {READABLE}" in "|".join(texts(documents[run])), run


def texts(value: object) -> Iterator[str]:
    """Every text in a document."""
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str):
        yield value


def test_an_unexpected_exception_is_reported_in_one_line(world: World) -> None:
    world.raise_alert()
    world.once()
    with closing(sqlite3.connect(world.database)) as connection:
        connection.execute("UPDATE actions SET kind = 'nonsense', status = 'planned'")
        connection.commit()
    done = world.run("once", "--json")
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("reconciler: failed unexpectedly (ValueError in outbox, line ")
    assert "LOG_LEVEL=DEBUG" in line
    done = world.run("once", "--json", LOG_LEVEL="DEBUG")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" in done.stderr
    assert done.stderr.splitlines()[-1] == line
