"""What each command takes, and how it ends: the contract's exit statuses, and one line for what can be fixed."""

import re

import click
import pytest

from reconciler import __version__
from reconciler.cli import db
from reconciler.cli.commands import cli
from reconciler.core.model import Kind
from reconciler.errors import Transient
from tests.support.builders import action
from tests.support.command import Command, named

KEYS = {
    "PAGERDUTY_API_KEY": "key-of-pagerduty",
    "PAGERDUTY_SERVICE_ID": "PSERVICE",
    "PAGERDUTY_EMAIL": "bot@example.com",
    "PAGERDUTY_USER": "PBOT",
    "OPSGENIE_API_KEY": "key-of-opsgenie",
}
NOTE = action(Kind.PAGERDUTY_NOTE)


def by_words(group: click.Group, *before: str) -> dict[tuple[str, ...], click.Command]:
    """Every command by its words, groups included."""
    found: dict[tuple[str, ...], click.Command] = {before: group}
    for name, each in group.commands.items():
        found |= by_words(each, *before, name) if isinstance(each, click.Group) else {(*before, name): each}
    return found


# -- what is asked for --


@pytest.mark.parametrize("words", by_words(cli), ids=lambda words: " ".join(words) or "none")
def test_each_command_says_what_it_does_and_explains_each_option(command: Command, words: tuple[str, ...]) -> None:
    done = command(*words, "--help")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith(f"Usage: {' '.join(('reconciler', *words))} [OPTIONS]")
    described = by_words(cli)[words]
    assert described.help
    assert "Exit status: 0 " in done.out
    assert "..." not in done.out.partition("Commands:")[2]
    assert all(option.help for option in described.params if isinstance(option, click.Option))


def test_the_commands_are_those_of_the_contract(command: Command) -> None:
    assert {*cli.commands} == {
        "run", "once", "status", "explain", "retry", "pause", "resume", "link", "unlink", "doctor", "config", "db",
        "migrate", "probe", "sandbox", "demo",
    }  # fmt: skip
    assert command("-h").out == command("--help").out


def test_the_version_is_the_packages(command: Command) -> None:
    assert command("--version") == (0, f"reconciler, version {__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--nothing"], "No such option"),
        (["nothing"], "No such command 'nothing'"),
        (["once", "--jsn"], "--json"),
        (["once", "--exit-code"], "--exit-code goes with --dry-run"),
        (["retry"], "name alerts or incidents, or give --all"),
        (["retry", "17", "--all"], "name alerts or incidents, or give --all"),
        (["sandbox", "--port", "65536"], "'--port'"),
        (["sandbox", "--latency", "nan"], "'nan' is not a number of seconds"),
        (["sandbox", "--latency", "-1"], "'--latency'"),
        (["sandbox", "--rate", "-1"], "'--rate'"),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else "",
)
def test_bad_usage_ends_with_status_2_and_says_what_is_wrong(
    command: Command, arguments: list[str], said: str
) -> None:
    done = command(*arguments)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("Usage: reconciler")
    assert said in done.err


# -- settings --


def test_a_wrong_value_is_named_and_a_secret_is_not_shown(command: Command) -> None:
    done = command("once", **KEYS | {"OPSGENIE_API_KEY": "two words", "POLL_INTERVAL_SECONDS": "soon"})
    assert done.status == 2
    assert re.findall(r"^reconciler: (\w+):", done.err, re.MULTILINE) == [
        "OPSGENIE_API_KEY",
        "POLL_INTERVAL_SECONDS",
    ]
    assert "two words" not in done.err


@pytest.mark.parametrize("words", [("status",), ("retry", "--all"), ("db", "upgrade"), ("db", "current")])
def test_a_command_of_the_database_names_its_wrong_setting_and_asks_for_no_key(
    command: Command, words: tuple[str, ...]
) -> None:
    done = command(*words, DATABASE_URL="nowhere")
    assert (done.status, done.out) == (2, "")
    assert named(done.err) == ["DATABASE_URL"]


# -- how any command ends --


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (click.exceptions.Abort(), ""),
        (Transient("another reconciler is at work"), "reconciler: another reconciler is at work\n"),
    ],
    ids=["interrupted", "failed"],
)
def test_what_fails_ends_with_status_1(
    command: Command, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    def raise_it(**_: object) -> None:
        raise error

    monkeypatch.setattr(db.current, "callback", raise_it)
    assert command("db", "current") == (1, "", said)


def test_a_defect_is_one_line_without_the_words_of_the_error(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db.current, "callback", lambda **_: int("a secret"))
    done = command("db", "current")
    assert (done.status, done.out) == (1, "")
    assert re.fullmatch(
        r"reconciler: failed unexpectedly \(ValueError in commands, line \d+\): this is a defect, .*\n", done.err
    )
    assert "a secret" not in done.err
