import click
import pytest
from click.testing import CliRunner

from reconciler.cli.manners import Group, colour

LONG = "Say a sentence that is so long that the line of a terminal ends before it does, and then goes on."


@click.group(cls=Group)
def group() -> None:
    """Some commands."""


@group.command()
def once() -> None:
    """Do it once."""


@group.command(help=f"{LONG} Another sentence.")
def other() -> None:
    pass


@group.group()
def inner() -> None:
    """More commands."""


@inner.command(epilog="Its own end.")
def own() -> None:
    """Do it."""


@inner.command()
def current() -> None:
    """Show it."""


def shown(*words: str) -> str:
    """The help, as one line."""
    return " ".join(CliRunner().invoke(group, [*words, "--help"]).output.split())


def test_the_list_of_commands_has_whole_sentences() -> None:
    assert LONG.removesuffix(".") in shown()
    assert "Another sentence" not in shown()


def test_every_command_states_its_exit_statuses() -> None:
    assert "Exit status: 0 done; 1 something failed, and stays queued;" in shown("once")
    assert "Exit status: 0 done; 1 something failed; 2 bad usage" in shown("other")
    assert "with --check its schema is behind" in shown("inner", "current")
    assert shown("inner", "own").endswith("Its own end.")


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [({}, None), ({"NO_COLOR": ""}, None), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
)
def test_colours_are_left_out_where_the_environment_says_so(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], wanted: bool | None
) -> None:
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert colour() is wanted
