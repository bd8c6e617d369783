"""The commands on a database of several routes: --route names one, and without it all are meant."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.core.model import Status
from reconciler.operations.untracked import Searches
from reconciler.runtime import lookups
from reconciler.settings import LookupSettings
from reconciler.store.database import Database
from tests.support.builders import at
from tests.support.command import Command
from tests.support.database import open_migrated
from tests.support.seeded_routes import LEGACY, SEARCH, SHOP, dead_note, with_routes

UNKNOWN = "reconciler: --route: shpo: no such route in this database; it knows legacy, search, shop\n"


@pytest.fixture
def seeded(command: Command) -> Iterator[Database]:  # noqa: ARG001 - `command` has changed the folder
    database = open_migrated(Path("reconciler.db"))
    with_routes(database)
    yield database
    database.close()


def dead(database: Database, route: str) -> int:
    with database.for_route(route).reading() as unit:
        return len(unit.outbox.with_status(Status.DEAD, 100))


@pytest.mark.parametrize(
    "arguments",
    [
        ("status",),
        ("explain", "17"),
        ("retry", "--all"),
        ("pause", "--reason", "x"),
        ("resume",),
        ("link", "17", "1"),
        ("unlink", "17"),
    ],
)
def test_an_unknown_route_is_bad_usage_and_the_known_ones_are_named(
    command: Command, seeded: Database, arguments: tuple[str, ...]
) -> None:
    assert command(*arguments, "--route", "shpo") == (2, "", UNKNOWN)
    assert seeded.route == "default"


# -- status --


def test_status_has_a_line_for_each_route_the_worst_first(command: Command, seeded: Database) -> None:
    done = command("status")
    assert (done.status, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "1 of 3 routes needs attention: search (dead); 4 open pairs"
    start = next(number for number, line in enumerate(lines) if line == "Routes")
    assert [line.split()[0] for line in lines[start + 1 : start + 5]] == ["route", SEARCH, SHOP, LEGACY]
    assert "  legacy  Removed from ROUTES_FILE since 2026-11-20 09:00 UTC: 1 planned left" in lines
    assert command("status", "--exit-code").status == 3
    assert [*json.loads(command("status", "--json").out)["routes"]] == [LEGACY, SEARCH, SHOP]
    assert seeded.route == "default"


def test_status_of_one_route_is_that_of_a_database_with_one(command: Command, seeded: Database) -> None:
    done = command("status", "--route", SHOP, "--exit-code")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("In step: 2 open pairs, both sides polled ")
    document = json.loads(command("status", "--route", SEARCH, "--json").out)
    assert [entry["error"] for entry in document["dead"]] == ["too long"]
    assert "routes" not in document
    assert command("status", "--route", LEGACY).out.startswith("Removed from ROUTES_FILE since ")
    assert seeded.route == "default"


# -- explain --


def test_explain_tells_the_story_of_each_route_that_knows_the_id(command: Command, seeded: Database) -> None:
    done = command("explain", "17")
    assert (done.status, done.err) == (0, "")
    headings = [line for line in done.out.splitlines() if line.startswith(("Route", "#17"))]
    assert [line.partition(" ")[0] for line in headings] == ["Route", "#17", "Route", "#17"]
    assert [line for line in headings if line[0] == "R"] == ["Route search", "Route shop"]
    stories = json.loads(command("explain", "17", "--json").out)["stories"]
    assert [(story["route"], story["alert_id"]) for story in stories] == [(SEARCH, "a-1"), (SHOP, "a-1")]
    one = json.loads(command("explain", "17", "--route", SHOP, "--json").out)
    assert [story["route"] for story in one["stories"]] == [SHOP]
    assert seeded.route == "default"


def test_explain_names_the_command_that_puts_the_dead_back_with_its_route(
    command: Command, seeded: Database
) -> None:
    assert "To try it again: reconciler retry 19 --route search\n" in command("explain", "19").out
    assert seeded.route == "default"


def test_explain_asks_the_vendors_for_a_route_that_is_named_only(command: Command, seeded: Database) -> None:
    done = command("explain", "99")
    assert (done.status, done.err) == (1, "")
    assert done.out.splitlines() == [
        "99 is not tracked by any of the 3 routes in sqlite:///reconciler.db: legacy, search, shop",
        "  Why one of them does not have it: reconciler explain 99 --route, with its name",
    ]
    document = json.loads(command("explain", "99", "--json").out)
    assert (document["known"], document["stories"], document["untracked"]) == (False, [], [])
    done = command("explain", "99", "--route", SHOP, "--json")
    assert done.status == 1
    assert [verdict["route"] for verdict in json.loads(done.out)["untracked"]] == [SHOP]
    assert seeded.route == "default"


# -- retry --


def test_retry_finds_the_route_of_an_id(command: Command, seeded: Database) -> None:
    dead_note(seeded, SHOP, "a-2")
    done = command("retry", "18")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("Route shop\n  #18 ")
    assert (dead(seeded, SHOP), dead(seeded, SEARCH)) == (0, 1)


def test_retry_of_an_id_in_several_routes_asks_which(command: Command, seeded: Database) -> None:
    dead_note(seeded, SHOP, "a-1")
    done = command("retry", "18", "17")
    assert (done.status, done.out) == (2, "")
    assert done.err == "reconciler: retry: 17: is known to the routes search, shop: name one with --route\n"
    assert dead(seeded, SHOP) == 1, "nothing was put back"
    assert command("retry", "17", "--route", SHOP).status == 0
    assert dead(seeded, SHOP) == 0


def test_retry_of_an_unknown_id_puts_nothing_back(command: Command, seeded: Database) -> None:
    done = command("retry", "19", "99")
    assert (done.status, done.err[:22]) == (2, "reconciler: retry: 99:")
    assert dead(seeded, SEARCH) == 1


def test_retry_of_all_is_of_all_routes_and_says_of_how_many(command: Command, seeded: Database) -> None:
    dead_note(seeded, SHOP, "a-2")
    assert (
        command("retry", "--all", "--route", SHOP).out.splitlines()[-1].startswith("Put back: 1 action in 1 of 1 ")
    )
    dead_note(seeded, SHOP, "a-1")
    done = command("retry", "--all", "--json")
    assert [row["route"] for row in json.loads(done.out)["retried"]] == [SEARCH, SHOP]
    assert command("retry", "--all").out == "Nothing is dead there: nothing to put back.\n"


# -- pause and resume --


def paused(database: Database) -> list[str]:
    found = []
    for route in (LEGACY, SEARCH, SHOP):
        with database.for_route(route).reading() as unit:
            found += [route] if unit.pauses.all() else []
    return found


def test_a_pause_is_of_all_routes_unless_one_is_named(command: Command, seeded: Database) -> None:
    done = command("pause", "--to", "pagerduty", "--reason", "move")
    assert (done.status, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0].startswith("PagerDuty: paused by ")
    assert lines[1:] == [
        "In all 3 routes: legacy, search, shop.",
        "What waits is written after `reconciler resume`; a running daemon takes this in within a second.",
    ]
    assert paused(seeded) == [LEGACY, SEARCH, SHOP]
    assert command("resume", "--route", SHOP).out == "PagerDuty: resumed\n"
    assert paused(seeded) == [LEGACY, SEARCH]
    assert command("resume").out.splitlines() == [
        "legacy: PagerDuty: resumed; 1 note was held back",
        "search: PagerDuty: resumed",
        "In all 3 routes: legacy, search, shop.",
    ]
    assert command("resume").out.startswith("Nothing is paused there: nothing to resume.\nIn all 3 routes")
    assert command("pause", "--reason", "move", "--route", SEARCH).status == 0
    assert paused(seeded) == [SEARCH]


# -- link and unlink --


def test_link_and_unlink_need_the_name_of_the_route(command: Command, seeded: Database) -> None:
    for arguments in (("link", "18", "118"), ("unlink", "18")):
        done = command(*arguments)
        assert (done.status, done.out) == (2, "")
        assert done.err == f"reconciler: {arguments[0]}: name the route with --route: legacy, search, shop\n"
    done = command("unlink", "18", "--route", SEARCH)
    assert (done.status, done.err[:23]) == (2, "reconciler: unlink: 18:")
    with seeded.for_route(SHOP).writing() as unit:
        unit.cursors.save(polled_alerts=at(0))  # no daemon is at work, so that nobody is waited for
    assert "queued" in command("unlink", "18", "--route", SHOP).out
    with seeded.for_route(SHOP).reading() as unit:
        assert [item.alert_id for item in unit.work.all()] == ["a-2"]


# -- with ROUTES_FILE --

FILE = """
[defaults]
pagerduty_api_key_file = "pagerduty.key"
opsgenie_api_key_file = "opsgenie.key"
pagerduty_email = "bot@example.com"
pagerduty_user = "PBOT"

[routes.shop]
query = "tag: shop"
service = "PSHOP"

[routes.new]
query = "tag: new"
service = "PNEW"
"""


@pytest.fixture
def file(command: Command) -> str:  # noqa: ARG001 - `command` has changed the folder
    for name in ("pagerduty.key", "opsgenie.key"):
        Path(name).write_text("y" * 20, encoding="utf-8")
        Path(name).chmod(0o600)
    path = Path("routes.toml")
    path.write_text(FILE, encoding="utf-8")
    return str(path)


def test_a_route_of_the_file_that_has_not_begun_is_known(command: Command, seeded: Database, file: str) -> None:
    done = command("status", ROUTES_FILE=file)
    assert done.out.startswith("2 of 4 routes need attention: new (nobody polls), search (dead); 4 open pairs\n")
    assert command("pause", "--reason", "move", ROUTES_FILE=file).out.splitlines()[2] == (
        "In all 4 routes: legacy, new, search, shop."
    )
    assert seeded.route == "default"


def test_a_file_changes_nothing_where_there_is_no_database(command: Command, file: str) -> None:
    done = command("status", ROUTES_FILE=file)
    assert (done.status, done.err) == (1, "")
    assert done.out.startswith("No reconciler has run on this database yet: there is no such database\n")


def test_explain_asks_with_the_settings_of_the_route(
    command: Command, seeded: Database, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[LookupSettings] = []

    def searches(settings: LookupSettings) -> Searches:
        asked.append(settings)
        return Searches(None, None, "")

    monkeypatch.setattr(lookups, "searches", searches)
    assert command("explain", "99", "--route", SHOP, ROUTES_FILE=file).status == 1
    assert command("explain", "99", "--route", SEARCH, ROUTES_FILE=file).status == 1
    assert [(each.opsgenie_query, each.pagerduty_service_id) for each in asked] == [
        ("tag: shop", "PSHOP"),
        ("", ""),
    ]
    Path(file).write_text("[routes.shop]\nqerry = 1\n", encoding="utf-8")
    assert command("explain", "18", "--route", SHOP, ROUTES_FILE=file).status == 0, "the database suffices"
    assert seeded.route == "default"
