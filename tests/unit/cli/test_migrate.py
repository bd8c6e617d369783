"""`migrate` as a command: what it says and refuses before any vendor is asked."""

import json
from types import SimpleNamespace
from typing import cast

import pytest

from reconciler.cli.migrate import _hint
from reconciler.errors import Refused
from reconciler.runtime.moving import Sources
from reconciler.store.cursors import Origin
from reconciler.store.database import open_database
from reconciler.store.migrate import upgrade
from tests.support.builders import at
from tests.support.command import Command

KEYS = {
    "PAGERDUTY_API_KEY": "key",
    "PAGERDUTY_SERVICE_ID": "PSVC",
    "PAGERDUTY_EMAIL": "bot@example.com",
    "PAGERDUTY_USER": "PBOT",
}
JSM = {"JSM_SITE_URL": "https://acme.atlassian.net", "JSM_EMAIL": "bot@example.com", "JSM_API_TOKEN": "token"}


def test_options_that_contradict_each_other_are_wrong_usage(command: Command) -> None:
    for arguments in (
        ("opsgenie", "--without-opsgenie"),
        ("jsm", "--without-opsgenie", "--drain"),
        ("jsm", "--check", "--drain"),
        ("compass",),
    ):
        done = command("migrate", "--to", *arguments)
        assert (done.status, done.out) == (2, "")


def test_a_database_that_follows_the_source_already_stays_as_it_is(command: Command) -> None:
    database = open_database("sqlite:///reconciler.db")
    upgrade(database)
    assert "set ALERT_SOURCE=jsm" in command("migrate", "--to", "jsm", "--check", **KEYS, **JSM).err
    with database.writing() as unit:
        unit.cursors.save(origin=Origin(at(0), at(0)), source="jsm")
    for arguments in ((), ("--check",)):
        done = command("migrate", "--to", "jsm", *arguments, **KEYS, **JSM)
        assert (done.status, done.out) == (0, "This database follows JSM already: nothing to do.\n")
    done = command("migrate", "--to", "jsm", "--json", **KEYS, **JSM)
    assert json.loads(done.out) == {"to": "jsm", "moved": False, "already": True}
    database.close()


def test_the_settings_of_both_sources_are_needed_unless_opsgenie_is_not_read(command: Command) -> None:
    database = open_database("sqlite:///reconciler.db")
    upgrade(database)
    with database.writing() as unit:
        unit.cursors.save(origin=Origin(at(0), at(0)))
    assert "JSM_API_TOKEN" in command("migrate", "--to", "jsm", **KEYS).err
    done = command("migrate", "--to", "jsm", **KEYS, **JSM)
    assert (done.status, "OPSGENIE_API_KEY" in done.err) == (2, True)
    database.close()


@pytest.mark.parametrize(
    ("to", "error", "says"),
    [
        (
            "jsm",
            "Opsgenie: GET /v2/alerts: 403: suspended",
            "if Opsgenie cannot be read any more: --without-opsgenie",
        ),
        ("opsgenie", "Opsgenie: GET /v2/alerts: 401", "there is no way back to Opsgenie while it cannot be read"),
        ("jsm", "JSM: GET /v1/alerts: 401", ""),
    ],
)
def test_what_to_do_without_opsgenie_is_said(
    capsys: pytest.CaptureFixture[str], to: str, error: str, says: str
) -> None:
    _hint(Refused(error), cast("Sources", SimpleNamespace(there=SimpleNamespace(alert_source=to))))
    printed = capsys.readouterr().err
    assert says in printed
    assert bool(says) == bool(printed)
