"""The page of several routes: a table of routes, what to look at, pods where they are known."""

from dataclasses import replace

import pytest

from reconciler.cli.status_routes import ADVICE, page_of
from reconciler.cli.status_text import page, plain
from reconciler.operations import status_routes
from reconciler.operations.status_routes import Overview
from reconciler.store.database import Database
from reconciler.store.routes import stored_routes
from tests.support.seeded_routes import LEGACY, SEARCH, SHOP, pod, with_routes

INTERVAL = 10.0


@pytest.fixture
def found(database: Database) -> Overview:
    with_routes(database)
    return status_routes.read(stored_routes(database), "sqlite:///r.db")


def test_the_page_has_a_table_of_routes_and_one_of_what_to_look_at(found: Overview) -> None:
    shown = page_of(found, INTERVAL)
    assert [section.title for section in shown.sections] == ["Routes", "What to look at"]
    assert [row[0] for row in shown.sections[0].rows] == [SEARCH, SHOP, LEGACY]
    assert [row[0] for row in shown.sections[1].rows] == [SEARCH, LEGACY]
    assert dict(shown.facts)["Routes"] == "3, 1 of them removed"
    assert dict(shown.facts)["Open pairs"] == "4"
    assert plain(shown).endswith(ADVICE)


def test_pods_are_listed_where_they_are_known(found: Overview) -> None:
    shown = page_of(replace(found, pods=(pod("pod-1:7", 2), pod("pod-2:7", 1))), INTERVAL)
    assert shown.sections[-1].rows == (("pod-1:7", "2"), ("pod-2:7", "1"))


def test_the_twenty_worst_routes_are_shown_and_the_others_counted(found: Overview) -> None:
    bad, good = found.routes[1], found.routes[2]
    routes = (*(replace(good, name=f"good-{number}") for number in range(30)), bad)
    table = page_of(replace(found, routes=routes), INTERVAL).sections[0]
    assert (table.rows[0][0], len(table.rows), table.more) == (SEARCH, 20, 11)


def test_one_route_has_the_page_of_a_database_with_one(found: Overview) -> None:
    legacy, _, shop = found.routes
    assert page_of(shop, INTERVAL) == page(shop.report, INTERVAL)
    assert page_of(legacy, INTERVAL).headline.startswith("Removed from ROUTES_FILE since ")
    assert page_of(legacy, INTERVAL).sections == page(legacy.report, INTERVAL).sections
