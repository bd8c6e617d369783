"""What all routes of one database have in common."""

from dataclasses import replace

import pytest

from reconciler.core.listings import new_alert
from reconciler.core.model import Action, Kind
from reconciler.store import key_routes
from reconciler.store.database import Database
from tests.support.builders import alert, at, pair


@pytest.fixture
def routes(database: Database) -> dict[str, Database]:
    """Three routes in one database."""
    found = {name: Database(database.engine, name) for name in "ABC"}
    for name, ids in {"A": ("a-1", "a-2"), "B": ("a-2",)}.items():
        with found[name].writing() as unit:
            unit.snapshot.save_pairs(
                [pair(alert_id=each, incident_id=f"P{name}{each}", swept_at=at(0)) for each in ids]
            )
    return found


def test_a_route_owns_what_it_has_a_pair_for_or_what_waits_to_become_one(routes: dict[str, Database]) -> None:
    with routes["C"].writing() as unit:
        unit.work.add([new_alert(alert(id="a-3"), at(0))])
    with routes["B"].reading() as unit:
        found = key_routes.owners(unit, ["a-1", "a-2", "a-3", "a-4"])
    assert found == {"a-1": {"A"}, "a-2": {"A", "B"}, "a-3": {"C"}}


def test_pairs_and_actions_are_stored_under_the_route_of_their_database(routes: dict[str, Database]) -> None:
    with routes["B"].writing() as unit:
        unit.outbox.add([Action("key", Kind.CREATE_INCIDENT, "a-2", "", at(0))], at(0))
    with routes["A"].reading() as unit:
        assert unit.snapshot.pair("a-1") is not None
        assert not unit.outbox.open()
    with routes["B"].reading() as unit:
        assert unit.snapshot.pair("a-1") is None
        assert len(unit.outbox.open()) == 1


def test_an_incident_is_followed_by_whichever_route(routes: dict[str, Database]) -> None:
    with routes["C"].reading() as unit:
        assert key_routes.followed(unit, {"PAa-1", "PBa-2", "PCa-9"}) == {"PAa-1", "PBa-2"}


def test_open_pairs_are_counted_by_route(routes: dict[str, Database]) -> None:
    with routes["A"].writing() as unit:
        resolved = pair("resolved", is_open=False, alert_id="a-9", swept_at=at(0))
        unit.snapshot.save_pairs([replace(resolved, tracked=True)])
        assert key_routes.open_pairs(unit, ["A", "B", "C"]) == {"A": 2, "B": 1, "C": 0}


def test_the_statements_use_indexes(routes: dict[str, Database]) -> None:
    with routes["A"].reading() as unit:
        for column in ("alert_id", "incident_id"):
            plan = unit.snapshot.connection.exec_driver_sql(
                f"EXPLAIN QUERY PLAN SELECT route FROM pairs WHERE {column} IN ('1', '2')"  # noqa: S608 - two columns
            ).all()
            assert "USING INDEX pairs_any" in str(plan)
