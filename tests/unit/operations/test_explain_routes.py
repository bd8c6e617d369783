"""One id in several routes: each that knows it tells its story."""

from reconciler.operations import explain, explain_routes
from reconciler.store.database import Database
from reconciler.store.routes import stored_routes
from tests.support.seeded_routes import SEARCH, SHOP, follow, with_routes


def test_each_route_that_knows_an_id_tells_its_story(database: Database) -> None:
    with_routes(database)
    told = explain_routes.read_tracked(stored_routes(database), "r.db", "17")
    assert {name: each.option for name, each in told.explanations.items()} == {
        SEARCH: " --route search",
        SHOP: " --route shop",
    }
    assert told.is_answer
    document = explain_routes.as_data(told, str)
    assert [*document] == [*explain.as_data(told.explanations[SHOP], str)]
    assert [story["route"] for story in document["stories"]] == [SEARCH, SHOP]


def test_an_id_that_no_route_knows_is_no_answer(database: Database) -> None:
    with_routes(database)
    told = explain_routes.read_tracked(stored_routes(database), "r.db", "\x1b[31m")
    assert not told.is_answer
    assert "\x1b" not in explain_routes.as_text(told, str)
    assert explain_routes.as_data(told, str)["known"] is False


def test_with_one_route_neither_text_nor_document_names_it(database: Database) -> None:
    follow(database, "default", "a-1", "17")
    routes = stored_routes(database)
    found = explain_routes.read_one(routes, "default", "r.db", "17")
    told = explain_routes.of_one(routes, "default", found)
    assert explain_routes.as_text(told, str) == explain.as_text(found, str)
    assert explain_routes.as_data(told, str) == explain.as_data(found, str)
