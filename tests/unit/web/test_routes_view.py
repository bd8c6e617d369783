"""The first page of several routes, as values."""

from dataclasses import replace

import pytest

from reconciler.operations import status_routes
from reconciler.operations.status_routes import Overview
from reconciler.store.database import Database
from reconciler.store.routes import stored_routes
from reconciler.web.routes_view import route_path, routes_view
from reconciler.web.view import Cell
from tests.support.seeded_routes import LEGACY, SEARCH, SHOP, pod, with_routes

INTERVAL = 10.0


@pytest.fixture
def found(database: Database) -> Overview:
    with_routes(database)
    return status_routes.read(stored_routes(database), "sqlite:///r.db")


def test_each_route_has_a_row_that_leads_to_its_page_the_worst_first(found: Overview) -> None:
    view = routes_view(found, INTERVAL)
    attention, routes = view.tables
    assert [row[0] for row in routes.rows] == [Cell(name, f"/routes/{name}/") for name in (SEARCH, SHOP, LEGACY)]
    assert [row[1] for row in routes.rows] == [Cell("dead", tone="bad"), Cell("in step"), Cell("removed")]
    assert [row[0].text for row in attention.rows] == [SEARCH, LEGACY]
    assert (view.is_good, view.verdict) == (False, "Needs attention")
    assert ("dead", 1, "bad") in view.counts
    assert ("routes", 3, "") in view.counts


def test_a_good_page_says_so_and_pods_are_shown_where_they_are_known(found: Overview) -> None:
    shop = found.routes[2]
    view = routes_view(replace(found, routes=(shop,), pods=(pod("pod-1:7", 1),)), INTERVAL)
    assert (view.is_good, view.verdict) == (True, "Nothing needs attention")
    assert [each.name for each in view.tables] == ["routes", "pods"]


def test_a_name_that_is_no_part_of_a_path_cannot_lead_elsewhere() -> None:
    assert route_path("../x y") == "/routes/..%2Fx%20y"
