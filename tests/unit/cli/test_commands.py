"""What each command takes, and how it ends: the contract's exit statuses, and one line for what can be fixed."""

import json
import re
from pathlib import Path

import click
import pytest
from sqlalchemy import text

from reconciler import __version__
from reconciler.cli import commands
from reconciler.cli.commands import cli
from reconciler.core.model import Kind, Settlement, Side, Status
from reconciler.errors import Refused, Transient
from reconciler.reconcile.problems import Problem
from reconciler.runtime.report import Report
from reconciler.settings import variables
from reconciler.store.database import open_database
from reconciler.store.schema import REVISION
from tests.support.builders import action, at, pair
from tests.support.command import Command

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


def named(err: str) -> list[str]:
    """The variables that stderr names, one a line."""
    return [line.split(":")[1].strip() for line in err.splitlines()]


def with_a_dead_note(command: Command) -> None:
    """The database of the folder, with one pair whose note has been given up."""
    assert command("db", "upgrade").status == 0
    database = open_database("sqlite:///reconciler.db")
    with database.writing() as unit:
        unit.snapshot.save_pairs([pair(swept_at=at(0))])
        unit.outbox.add([action(Kind.PAGERDUTY_NOTE)], at(20))
        unit.outbox.settle(Settlement(1, Status.DEAD, "too long"), at(30))
    database.close()


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
        "sandbox", "demo",
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


@pytest.mark.parametrize("words", [("run",), ("once",), ("once", "--dry-run")], ids=" ".join)
def test_without_settings_each_required_variable_is_named_in_one_line(
    command: Command, words: tuple[str, ...]
) -> None:
    done = command(*words)
    assert (done.status, done.out) == (2, "")
    assert named(done.err) == [name for name, read in variables().items() if read.needs]
    assert not [*Path().iterdir()]


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


# -- the commands of the database --


def test_the_schema_is_shown_before_and_after_it_is_made(command: Command) -> None:
    assert command("db", "current") == (0, f"none (this version: {REVISION})\n", "")
    assert command("db", "current", "--check").status == 1
    assert not Path("reconciler.db").exists()
    assert command("db", "upgrade") == (0, f"The schema is at revision {REVISION}.\n", "")
    assert command("db", "current") == (0, f"{REVISION} (this version: {REVISION})\n", "")
    assert command("db", "current", "--check").status == 0


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


def test_retry_puts_back_what_is_dead_and_prints_it(command: Command) -> None:
    with_a_dead_note(command)
    done = command("retry", "#17", "--json")
    assert (done.status, done.err) == (0, "")
    assert [entry["state"] for entry in json.loads(done.out)["retried"]] == ["dead"]
    assert command("retry", "--all") == (0, "Nothing is dead there: nothing to put back.\n", "")


def test_retry_without_a_database_names_the_setting_and_makes_none(command: Command) -> None:
    done = command("retry", "--all")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("reconciler: DATABASE_URL: no reconciler has run on sqlite:///reconciler.db yet")
    assert not [*Path().iterdir()]


def test_retry_leaves_an_older_schema_as_it_is_and_says_what_to_run(command: Command) -> None:
    with_a_dead_note(command)
    database = open_database("sqlite:///reconciler.db")
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0003'"))
    database.close()
    done = command("retry", "--all")
    assert (done.status, done.out) == (2, "")
    assert "run `reconciler db upgrade` first" in done.err


# -- a run --


@pytest.mark.parametrize(
    ("report", "options", "status"),
    [
        (Report(), [], 0),
        (Report(), ["--exit-code"], 0),
        (Report((NOTE,)), [], 0),
        (Report((NOTE,)), ["--exit-code"], 3),
        (Report((NOTE,), (Problem(Side.PAGERDUTY, Transient("away")),)), ["--exit-code"], 1),
        (Report(pairs=2, unread=1), [], 1),
        (Report(problems=(Problem(Side.PAGERDUTY, Refused("PAGERDUTY_API_KEY: 401")),)), ["--exit-code"], 2),
    ],
    ids=[
        "nothing",
        "nothing asked for",
        "a plan",
        "a plan asked for",
        "a failure",
        "unread alerts",
        "a refused key",
    ],
)
def test_a_run_ends_with_the_status_of_what_it_found(
    command: Command, monkeypatch: pytest.MonkeyPatch, report: Report, options: list[str], status: int
) -> None:
    monkeypatch.setattr(commands, "_plan", lambda *_: report)
    done = command("once", "--dry-run", *options, **KEYS)
    assert done.status == status
    assert ("Plan: " in done.out) is (status in (0, 3) or bool(report.actions))
    assert bool(done.err) is (status in (1, 2))
    document = json.loads(command("once", "--dry-run", "--json", *options, **KEYS).out)
    assert len(document["actions"]) == len(report.actions)
    assert bool(document["errors"]) is (status in (1, 2))


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

    monkeypatch.setattr(commands.current, "callback", raise_it)
    assert command("db", "current") == (1, "", said)


def test_a_defect_is_one_line_without_the_words_of_the_error(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands.current, "callback", lambda **_: int("a secret"))
    done = command("db", "current")
    assert (done.status, done.out) == (1, "")
    assert re.fullmatch(
        r"reconciler: failed unexpectedly \(ValueError in commands, line \d+\): this is a defect, .*\n", done.err
    )
    assert "a secret" not in done.err
