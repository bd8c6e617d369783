"""`migrate` as a command: what it says and refuses before any vendor is asked."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from reconciler.cli import migrate
from reconciler.cli.migrate import _hint
from reconciler.errors import Refused
from reconciler.runtime.moving import Sources
from reconciler.store.cursors import Origin
from reconciler.store.database import Database, open_database
from reconciler.store.migrate import upgrade
from tests.support.builders import at
from tests.support.command import Command, Done
from tests.support.database import url, write_migrated

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


TABLES = """
[routes.shop]
service = "PSHOP01"
query = "tag: shop"
jsm_query = "tags: shop"

[routes.bank]
service = "PBANK01"
query = "tag: bank"
"""


@pytest.fixture
def routes(tmp_path: Path) -> Iterator[Database]:
    """The database of a routes file with two routes that follow Opsgenie; it is of the route `shop`."""
    (tmp_path / "routes.toml").write_text(TABLES)
    write_migrated(tmp_path / "reconciler.db")
    database = open_database(url(tmp_path))
    for name, query in (("shop", "tag: shop"), ("bank", "tag: bank")):
        with database.for_route(name).writing() as unit:
            unit.cursors.save(origin=Origin(at(0), at(0)), query=query)
    yield database.for_route("shop")
    database.close()


def moved(command: Command, *arguments: str) -> Done:
    given = {name: text for name, text in KEYS.items() if name != "PAGERDUTY_SERVICE_ID"}
    keys = given | JSM | {"OPSGENIE_API_KEY": "key", "ROUTES_FILE": "routes.toml"}
    return command("migrate", "--to", "jsm", *arguments, **keys)


def never(*_: object, **__: object) -> None:
    pytest.fail("a product is read")


def test_one_of_several_routes_is_named(
    command: Command, routes: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "_move", never)
    done = moved(command)
    assert (done.status, done.out) == (2, "")
    assert "choose one with --route: shop, bank" in done.err
    assert "no route ship; the routes are: shop, bank" in moved(command, "--route", "ship").err
    with routes.writing() as unit:
        unit.cursors.save(source="jsm")
    done = moved(command, "--route", "shop", "--check")
    assert (done.status, done.out) == (0, "Route shop follows JSM already: nothing to do.\n")


@pytest.mark.usefixtures("routes")
def test_a_route_is_examined_with_the_settings_and_the_rows_that_are_its_own(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[object, ...]] = []

    def check(database: Database, sources: Sources, *_: object, **__: object) -> int:
        here = sources.here
        assert here is not None
        seen.append((database.route, sources.there.settings.jsm_query, here.settings.opsgenie_query))
        seen.append((sources.there.alert_source, here.alert_source))
        seen.append(tuple(route.settings.alert_source for route in sources.there.routes.each))
        return 3

    monkeypatch.setattr(migrate, "_check", check)
    assert moved(command, "--route", "shop", "--check").status == 3
    assert seen == [("shop", "tags: shop", "tag: shop"), ("jsm", "opsgenie"), ("jsm", "opsgenie")]


def test_a_route_is_moved_neither_without_a_query_nor_with_another_than_it_has_mirrored(
    command: Command, routes: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "_move", never)
    done = moved(command, "--route", "bank")
    assert (done.status, "[routes.bank] jsm_query: is missing" in done.err) == (2, True)
    with routes.writing() as unit:
        unit.cursors.save(query="tag: shop AND priority: P1")
    done = moved(command, "--route", "shop")
    assert (done.status, 'write opsgenie_query = "tag: shop AND priority: P1" into' in done.err) == (2, True)


def test_a_route_that_has_not_begun_has_nothing_to_move(command: Command, tmp_path: Path) -> None:
    (tmp_path / "routes.toml").write_text(TABLES)
    write_migrated(tmp_path / "reconciler.db")
    done = moved(command, "--route", "shop")
    assert (done.status, 'of route shop: write alert_source = "jsm" into [routes.shop]' in done.err) == (2, True)
