"""`status` for eyes and for scripts: tables on a terminal, lines elsewhere, and no password."""

import pytest

from reconciler.store.schema import REVISION
from tests.support.harness import World
from tests.support.terminal import on_a_terminal


def drawn(world: World, **environ: str) -> str:
    """What `status` prints on a terminal."""
    given = {"TERM": "xterm-256color", "COLUMNS": "200", **environ}
    return on_a_terminal(world, "status", environ=given).decode().replace("\r\n", "\n")


def test_a_terminal_gets_tables_with_colours_unless_it_wants_none(world: World) -> None:
    world.once()
    coloured = drawn(world)
    assert "\x1b[" in coloured
    assert "In step: 0 open pairs" in coloured
    assert "───" in coloured
    without = drawn(world, NO_COLOR="1")
    assert "\x1b" not in without
    assert "───" in without


@pytest.mark.parametrize("environ", [{"TERM": "dumb"}, {"TERM": ""}])
def test_a_terminal_that_only_prints_lines_gets_lines(world: World, environ: dict[str, str]) -> None:
    world.once()
    shown = drawn(world, **environ)
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
