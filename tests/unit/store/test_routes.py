"""Which routes a database knows, and which of them were removed."""

import pytest
from sqlalchemy import event

from reconciler.errors import Misconfigured
from reconciler.store.database import DEFAULT_ROUTE, Database
from reconciler.store.routes import listed, routes_in, stored_routes
from reconciler.store.standbys import note
from tests.support.builders import at, pair
from tests.support.seeded_routes import LEGACY, REMOVED_AT, SEARCH, SHOP, follow, mark_removed, with_routes


def names(database: Database) -> tuple[str, ...]:
    with database.connected(immediate=False) as connection:
        return routes_in(connection)


def test_an_empty_database_has_the_route_of_the_variables(database: Database) -> None:
    assert names(database) == ()
    found = stored_routes(database)
    assert (found.names, found.are_several) == ((DEFAULT_ROUTE,), False)


def test_a_database_of_the_variables_alone_has_one_route(database: Database) -> None:
    database.lead()
    with database.writing() as unit:
        unit.snapshot.save_pairs([pair(swept_at=at(0))])
    assert names(database) == (DEFAULT_ROUTE,)
    assert not stored_routes(database).are_several


def test_a_route_is_known_once_it_stands_by_leads_or_has_a_pair(database: Database) -> None:
    note(database.for_route("stands-by"), at(0))
    database.for_route("leads").lead()
    for name in ("b", "a", "c"):
        follow(database, name, "a-1", "1")
        follow(database, name, "a-2", "2")
    assert names(database) == ("a", "b", "c", "leads", "stands-by")


def test_a_single_route_of_another_name_counts_as_several(database: Database) -> None:
    database.for_route(SHOP).lead()
    assert stored_routes(database).are_several


def test_the_names_are_found_by_one_statement_that_does_not_read_all_pairs(database: Database) -> None:
    with_routes(database)
    asked: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *a: asked.append(str(a[2])))
    with database.connected(immediate=False) as connection:
        assert routes_in(connection) == (LEGACY, SEARCH, SHOP)
        assert len([each for each in asked if "SELECT" in each]) == 1
        (statement,) = [each for each in asked if "SELECT" in each]
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}").all()
    steps = [row[3] for row in plan if "pairs" in row[3] and "of_pairs" not in row[3].partition(" USING")[0]]
    assert steps
    assert all(step.startswith("SEARCH pairs USING COVERING INDEX") for step in steps), steps


def test_routes_of_the_file_that_have_not_begun_are_known_too(database: Database) -> None:
    database.for_route(SHOP).lead()
    assert stored_routes(database, ["new", SHOP]).names == ("new", SHOP)


def test_a_removed_route_bears_its_time_and_a_time_that_cannot_be_read_counts_for_nothing(
    database: Database,
) -> None:
    with_routes(database)
    assert stored_routes(database).removed == {LEGACY: REMOVED_AT}
    for unreadable in ("", "yesterday", "2026-11-20T09:00:00"):
        mark_removed(database, SHOP, unreadable)
        assert stored_routes(database).removed == {LEGACY: REMOVED_AT}


def test_a_route_is_chosen_by_its_name_and_an_unknown_one_names_the_known(database: Database) -> None:
    with_routes(database)
    found = stored_routes(database)
    assert found.chosen(None) == (LEGACY, SEARCH, SHOP)
    assert found.chosen(SHOP) == (SHOP,)
    with pytest.raises(Misconfigured, match=r"--route: shpo: no such route .* knows legacy, search, shop"):
        found.chosen("shpo")
    assert found.of(SHOP).route == SHOP


def test_what_is_done_in_one_route_alone_needs_its_name(database: Database) -> None:
    assert stored_routes(database).one(None, "link") is database
    with_routes(database)
    found = stored_routes(database)
    assert found.one(SEARCH, "link").route == SEARCH
    with pytest.raises(Misconfigured, match="link: name the route with --route: legacy, search, shop"):
        found.one(None, "link")


def test_many_names_are_shortened() -> None:
    assert listed([f"r{number}" for number in range(22)]).endswith("r18, r19 and 2 more")
