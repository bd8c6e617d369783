"""Dead actions put back in several routes: an id belongs to one route, or the route has to be named."""

import pytest

from reconciler.core.model import Status
from reconciler.errors import Misconfigured
from reconciler.operations import retry, retry_routes
from reconciler.store.database import Database
from reconciler.store.routes import stored_routes
from tests.support.seeded_routes import SEARCH, SHOP, dead_note, with_routes


def test_ids_of_different_routes_are_put_back_each_in_its_own(database: Database) -> None:
    with_routes(database)
    dead_note(database, SHOP, "a-2")
    routes = stored_routes(database)
    found = retry_routes.put_back(routes, routes.names, ["18", "19"], "ops@host")
    assert {each.route: [entry.action.alert_id for entry in each.entries] for each in found} == {
        SEARCH: ["a-3"],
        SHOP: ["a-2"],
    }
    for route in (SEARCH, SHOP):
        with database.for_route(route).reading() as unit:
            assert unit.outbox.with_status(Status.DEAD, 10) == []
            assert unit.work.has_external()


def test_an_id_of_two_routes_or_of_none_puts_nothing_back(database: Database) -> None:
    with_routes(database)
    routes = stored_routes(database)
    for given, words in ((["19", "17"], "17: is known to the routes search, shop"), (["19", "99"], "retry: 99:")):
        with pytest.raises(Misconfigured, match=words):
            retry_routes.put_back(routes, routes.names, given, "ops@host")
    with database.for_route(SEARCH).reading() as unit:
        assert len(unit.outbox.with_status(Status.DEAD, 10)) == 1


def test_with_one_route_the_output_is_that_of_one(database: Database) -> None:
    dead_note(database, "default", "a-1")
    routes = stored_routes(database)
    found = retry_routes.put_back(routes, routes.names, None, "ops@host")
    entries, product = found[0].entries, found[0].product
    assert retry_routes.as_text(found, are_several=False) == retry.as_text(entries, product)
    rows = retry_routes.as_data(found, are_several=False)["retried"]
    assert [[*row] for row in rows] == [[*row] for row in retry.as_data(entries, product)["retried"]]
