"""`status` for eyes and for scripts: tables on a terminal, lines elsewhere, and no password."""

import os
import pty
import subprocess

import pytest

from reconciler.store.schema import REVISION
from tests.support.harness import COMMAND, World


def on_a_terminal(world: World, **environ: str) -> str:
    """What `status` prints on a terminal."""
    ours, theirs = pty.openpty()
    given = world.env({"TERM": "xterm-256color", "COLUMNS": "200", **environ})
    started = subprocess.Popen([COMMAND, "status"], env=given, cwd=world.folder, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        while part := _read(ours):
            shown += part
        assert started.wait(60) == 0
    finally:
        started.kill()
        os.close(ours)
    return shown.decode().replace("\r\n", "\n")


def _read(terminal: int) -> bytes:
    """The next output; empty once the other end is closed, which Linux reports as an error."""
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""


def test_a_terminal_gets_tables_with_colours_unless_it_wants_none(world: World) -> None:
    world.once()
    coloured = on_a_terminal(world)
    assert "\x1b[" in coloured
    assert "In step: 0 open pairs" in coloured
    assert "───" in coloured
    without = on_a_terminal(world, NO_COLOR="1")
    assert "\x1b" not in without
    assert "───" in without


@pytest.mark.parametrize("environ", [{"TERM": "dumb"}, {"TERM": ""}])
def test_a_terminal_that_only_prints_lines_gets_lines(world: World, environ: dict[str, str]) -> None:
    world.once()
    shown = on_a_terminal(world, **environ)
    assert "\x1b" not in shown
    assert "───" not in shown
    assert "\nOpen pairs  0\n" in shown


def test_the_databases_password_is_not_shown(on_postgres: World) -> None:
    world = on_postgres
    world.once()
    url = world.environment["DATABASE_URL"]
    joined = "&" if "?" in url else "?"
    done = world.run("status", DATABASE_URL=f"{url}{joined}password=hunter2hunter2")
    assert done.returncode == 0, done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    assert f"(postgresql, schema {REVISION})" in done.stdout
