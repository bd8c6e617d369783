"""`status`: tables on a terminal, lines elsewhere, and exit statuses for scripts."""

import json
import sys
from pathlib import Path

import pytest

from reconciler.cli import status_text
from tests.support.command import Command, with_a_dead_note


def test_a_terminal_gets_tables_and_anything_else_plain_lines(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command("db", "upgrade").status == 0
    drawn: list[bool] = []
    monkeypatch.setattr(status_text, "draw", lambda _page, _environ, *, is_good: drawn.append(is_good))
    done = command("status")
    assert (done.status, drawn) == (0, [])
    assert done.out.startswith("Nobody has polled yet: is `reconciler run` at work?\n")
    monkeypatch.setattr(status_text, "is_plain", lambda _environ, *, is_terminal: is_terminal)
    assert command("status") == (0, "", "")
    assert drawn == [False]


def test_rich_is_imported_only_to_draw(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "rich"]:
        monkeypatch.delitem(sys.modules, name)
    assert command("db", "upgrade").status == 0
    assert command("status").status == 0
    assert not [name for name in sys.modules if name.partition(".")[0] == "rich"]


def test_scripts_are_told_by_the_exit_status_only_when_they_ask(command: Command) -> None:
    assert command("db", "upgrade").status == 0
    assert command("status").status == 0
    assert command("status", "--exit-code").status == 3, "it has never been polled"


def test_status_of_no_database_says_so_and_makes_none(command: Command) -> None:
    done = command("status")
    assert (done.status, done.err) == (1, "")
    assert done.out.startswith("No reconciler has run on this database yet: there is no such database\n")
    assert "sqlite:///reconciler.db" in done.out
    assert not [*Path().iterdir()]


def test_status_of_an_empty_database_says_that(command: Command) -> None:
    Path("reconciler.db").touch()
    done = command("status", "--json", "--exit-code")
    assert (done.status, json.loads(done.out)["missing"]) == (1, "it is empty")


def test_status_exits_with_3_for_what_needs_attention_only_when_asked(command: Command) -> None:
    with_a_dead_note(command)
    assert command("status").status == 0
    done = command("status", "--exit-code", "--json")
    assert done.status == 3
    assert [entry["error"] for entry in json.loads(done.out)["dead"]] == ["too long"]
