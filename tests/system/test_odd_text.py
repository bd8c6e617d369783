"""Texts that cannot be stored or displayed, and unexpected exceptions: one odd alert prevents no other page."""

import json
import sqlite3
from contextlib import closing

from tests.support.harness import World

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
    for command in (("once", "--dry-run"), ("once",)):
        done = world.run(*command)
        assert done.returncode == 0, done.stderr
        assert [c for c in done.stdout if not c.isprintable() and c != "\n"] == []
        assert max(map(len, done.stdout.splitlines())) < 160
        assert r"Ana\u001b[7m Ruiz" in done.stdout


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
