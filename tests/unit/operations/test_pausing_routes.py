"""Pauses of several routes: the same in each, and the texts say in how many."""

from collections.abc import Callable

from reconciler.core.model import Side
from reconciler.core.pause import Pause
from reconciler.operations import pausing, pausing_routes
from reconciler.store.database import Database
from reconciler.store.routes import stored_routes
from tests.support.seeded_routes import SEARCH, SHOP, with_routes


def begin(*sides: Side) -> Callable[[Database], tuple[Pause, ...]]:
    return lambda each: pausing.begin(each, sides, "move", "ops@host", pages=False, lasts=None)


def test_a_pause_of_all_routes_is_told_once_with_their_number(database: Database) -> None:
    with_routes(database)
    routes = stored_routes(database)
    text = pausing_routes.begun_text(pausing_routes.begin(routes, routes.names, begin(*Side)))
    first, second, where, waits = text.splitlines()
    assert (first[:17], second[:18]) == ("Opsgenie: paused ", "PagerDuty: paused ")
    assert (where, waits) == ("In all 3 routes: legacy, search, shop.", pausing.WAITS)


def test_routes_of_both_products_are_told_each_by_its_name(database: Database) -> None:
    with_routes(database)
    with database.for_route(SEARCH).writing() as unit:
        unit.cursors.save(source="jsm")
    routes = stored_routes(database)
    text = pausing_routes.begun_text(pausing_routes.begin(routes, routes.names, begin(Side.ALERTS)))
    assert [line.partition(":")[0] for line in text.splitlines()[:2]] == ["Opsgenie", "JSM"]
    ended = pausing_routes.end(routes, routes.names, lambda each: pausing.end(each, tuple(Side), "ops@host"))
    assert "search: JSM: resumed" in pausing_routes.ended_text(ended)


def test_of_one_route_the_texts_are_those_of_a_database_with_one(database: Database) -> None:
    with_routes(database)
    routes = stored_routes(database)
    begun = pausing_routes.begin(routes, [SHOP], begin(Side.PAGERDUTY))
    assert pausing_routes.begun_text(begun) == pausing.begun_text(begun[0].pauses)
    ended = pausing_routes.end(routes, [SHOP], lambda each: pausing.end(each, tuple(Side), "ops@host"))
    assert pausing_routes.ended_text(ended) == "PagerDuty: resumed"
