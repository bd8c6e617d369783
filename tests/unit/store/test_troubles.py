"""Lasting problems, as `status` finds them."""

from reconciler.store.database import Database
from reconciler.store.troubles import KeptTrouble, clear, hold, load, save
from tests.support.builders import at

OLD, NEW = KeptTrouble("pagerduty", at(0), "PagerDuty: no connection"), KeptTrouble("pages", at(5), "2 pages wait")


def stored(database: Database, *values: KeptTrouble) -> list[KeptTrouble]:
    with database.writing() as unit:
        save(unit, values)
    with database.reading() as unit:
        return load(unit)


def test_the_oldest_problem_comes_first(database: Database) -> None:
    assert stored(database, NEW, OLD) == [OLD, NEW]


def test_what_is_stored_replaces_all_that_was(database: Database) -> None:
    stored(database, NEW, OLD)
    assert stored(database, NEW) == [NEW]
    assert stored(database) == []


def test_another_routes_problems_are_left_alone(database: Database) -> None:
    stored(database, OLD)
    assert stored(Database(database.engine, "another"), NEW) == [NEW]
    with database.reading() as unit:
        assert load(unit) == [OLD]


def test_a_subject_is_public_without_ids() -> None:
    kept = ("pages", "opsgenie a-1 Forbidden", "pagerduty rate", "second_reconciler")
    public = [KeptTrouble(subject, at(0), "").public_subject for subject in kept]
    assert public == ["pages", "objects", "pagerduty", "second_reconciler"]


def test_why_a_route_is_not_led_replaces_the_rest_and_lasts_since_it_was_first_said(database: Database) -> None:
    stored(database, OLD, NEW)
    for seconds in (10, 20):
        hold(database, "database", "it follows another product", at(seconds))
    with database.reading() as unit:
        assert load(unit) == [KeptTrouble("database", at(10), "it follows another product")]
    with database.writing() as unit:
        clear(unit)
    with database.reading() as unit:
        assert load(unit) == []
