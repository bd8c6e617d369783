"""`status`: tables on a terminal, lines elsewhere, and exit statuses for scripts."""

import sys

import pytest

from reconciler.cli import status_text
from tests.support.command import Command


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
