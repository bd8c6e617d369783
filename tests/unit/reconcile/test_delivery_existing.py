"""A creation that may have happened before is looked up, singly or by one listing for many."""

from datetime import timedelta
from typing import Any

from reconciler.core.model import Action, Kind, Status
from reconciler.errors import NotExecuted, Permanent
from reconciler.store.database import Database
from tests.support.delivering import NOW, OLD, bench_of, waiting


def old_creation(key: str, **changed: Any) -> Action:
    return waiting(Kind.CREATE_INCIDENT, key, at=NOW - OLD, **changed)


def test_one_listing_answers_once_for_each_creation_it_was_requested_for(database: Database) -> None:
    backing_off = old_creation("later", not_before=NOW + timedelta(seconds=60))
    bench = bench_of(database, *map(old_creation, "abc"), backing_off)
    bench.vendors.keys = {"a", "c", "later"}
    for key in "abc":
        assert bench.deliver(key).problems == ()
    assert bench.vendors.calls == [("keys_between", "3"), ("create_incident //", "b")]
    assert bench.statuses() == [
        ("a", Status.SENT),
        ("b", Status.DONE),
        ("c", Status.SENT),
        ("later", Status.PLANNED),
    ]
    bench.vendors.time += timedelta(seconds=60)
    bench.deliver("later")
    assert bench.calls_of("incidents_by_key") == ["later"]
    assert bench.statuses()[-1] == ("later", Status.SENT)


def test_a_few_old_creations_are_looked_up_singly_and_fresh_ones_not_at_all(database: Database) -> None:
    bench = bench_of(database, *map(old_creation, "ab"), waiting(Kind.CREATE_INCIDENT, "new"))
    for key in ("a", "b", "new"):
        bench.deliver(key)
    assert bench.calls_of("keys_between") == []
    assert bench.calls_of("incidents_by_key") == ["a", "b"]
    assert bench.calls_of("create_incident") == ["a", "b", "new"]


def test_without_a_listing_each_creation_is_looked_up_and_no_listing_is_tried_for_a_while(
    database: Database,
) -> None:
    bench = bench_of(database, *map(old_creation, "abcd"))
    bench.vendors.listable = False
    for key in "abcd":
        bench.deliver(key)
    assert bench.calls_of("keys_between") == ["4"]
    assert bench.calls_of("incidents_by_key") == bench.calls_of("create_incident") == list("abcd")


def test_a_failed_listing_fails_one_creation_and_the_others_are_looked_up(database: Database) -> None:
    bench = bench_of(database, *map(old_creation, "abcd"))
    bench.vendors.fails = lambda name, _: Permanent("400", 400) if name == "keys_between" else None
    assert bench.deliver_after() == ["400"]
    assert bench.calls_of("keys_between") == ["4"]
    assert bench.calls_of("create_incident") == list("bcd")
    bench.deliver_after(1)
    assert bench.calls_of("create_incident") == list("bcda")


def test_after_an_outage_of_pagerduty_one_listing_serves_all_waiting_creations(database: Database) -> None:
    old = [waiting(Kind.CREATE_INCIDENT, alert_id, attempts=1, at=NOW - timedelta(hours=1)) for alert_id in "abcd"]
    bench = bench_of(database, *old)
    bench.vendors.fails = lambda *_: NotExecuted("no connection")
    bench.deliver_after()
    bench.vendors.fails = lambda *_: None
    bench.deliver_after(2)
    assert bench.calls_of("incidents_by_key") == []
    assert len(bench.calls_of("create_incident")) == 4
