"""The outbox of one pair: the order of delivery, and what a refusal means for other pairs and other lanes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.core.model import Kind, Side, Status
from reconciler.core.pause import Pause
from reconciler.errors import (
    Blocked,
    Forbidden,
    Missing,
    NotExecuted,
    Permanent,
    RateLimited,
    ReconcilerError,
    Refused,
    Unknown,
)
from reconciler.reconcile.deliver import Delivered
from reconciler.reconcile.delivery_due import NextTry
from reconciler.reconcile.work_queue import Hold
from reconciler.reconcile.write_breakers import Lane
from reconciler.store.database import Database
from reconciler.vendors.call_context import CallPriority
from tests.support.builders import incident, pair
from tests.support.delivering import NOW, DelivererBench, bench_of, pairs, waiting


@pytest.mark.parametrize("error", [Missing("404"), Forbidden("403")])
@pytest.mark.parametrize("at_look", [True, False])
def test_a_refused_object_holds_up_no_other(database: Database, error: ReconcilerError, *, at_look: bool) -> None:
    acts = [waiting(Kind.PAGERDUTY_ACKNOWLEDGE, alert_id) for alert_id in "ab"]
    others = [waiting(Kind.ALERT_NOTE, "a", 1), waiting(Kind.CREATE_INCIDENT, "c", 2)]
    bench = bench_of(database, *acts, *others, pairs=pairs("a", "b"))
    refused = "incident" if at_look else "acknowledge"
    bench.vendors.fails = lambda name, key: error if (name, key) == (refused, "I-a") else None
    assert bench.deliver_after() == [str(error)]
    assert dict(bench.statuses()[:2]) == {"a": Status.PLANNED, "b": Status.DONE}
    assert bench.calls_of("create_incident") == ["c"]
    assert bench.calls_of("add_note") == ["a"]
    assert bench.calls_of("confirm_key") == [""]
    assert bench.deliver_after(0.5) == [str(error)]  # it lasts although it was not tried
    assert len(bench.calls_of(refused)) == 2
    for _ in range(8):
        bench.deliver_after(61)
    assert len([key for key in bench.calls_of(refused) if key == "I-a"]) == 9
    bench.vendors.fails = lambda *_: None
    assert bench.deliver_after(61) == []
    assert bench.statuses()[0] == ("a", Status.DONE)


def test_an_object_refused_for_six_hours_is_given_up(database: Database) -> None:
    bench = bench_of(database, waiting(Kind.PAGERDUTY_NOTE, "a"), pairs=pairs("a"))
    bench.vendors.fails = lambda name, _: Missing("404") if name == "add_note" else None
    for _ in range(6):
        bench.deliver_after(3600)
    assert bench.statuses() == [("a", Status.PLANNED)]
    bench.deliver_after(3600)
    assert bench.statuses() == [("a", Status.DEAD)]


def test_a_refused_object_is_a_problem_of_the_account_where_the_key_is_refused(database: Database) -> None:
    bench = bench_of(database, *(waiting(Kind.PAGERDUTY_NOTE, key) for key in "abc"), pairs=pairs("a", "b", "c"))
    answers = {"add_note": Forbidden("403"), "confirm_key": Refused("PAGERDUTY_API_KEY: 401")}
    bench.vendors.fails = lambda name, _: answers.get(name)
    assert bench.deliver_after() == ["PAGERDUTY_API_KEY: 401"]
    assert bench.calls_of("add_note") == ["I-a"]
    assert {status for _, status in bench.statuses()} == {Status.PLANNED}
    bench.vendors.fails = lambda *_: None
    assert bench.deliver_after(1) == []


def test_a_key_that_may_not_write_is_reported_and_retried_slowly(database: Database) -> None:
    keys = "abcdefgh"
    bench = bench_of(database, *(waiting(Kind.PAGERDUTY_NOTE, key) for key in keys), pairs=pairs(*keys))
    bench.vendors.fails = lambda name, _: Forbidden(f"403 {name}") if name == "add_note" else None
    first = bench.deliver_after()
    assert any("PAGERDUTY_API_KEY: every write is refused" in words for words in first)
    for _ in range(60):
        assert any("every write is refused" in words for words in bench.deliver_after(1))
    assert len(bench.calls_of("add_note")) < 40
    bench.vendors.fails = lambda *_: None
    for _ in range(4):
        bench.deliver_after(31)
    assert {status for _, status in bench.statuses()} == {Status.DONE}
    assert bench.deliver_after(1) == []


REFUSALS = [
    Permanent("400", 400),
    Missing("404"),
    Forbidden("403"),
    Refused("402"),
    Blocked("302"),
    NotExecuted("x"),
]


@pytest.mark.parametrize("error", REFUSALS, ids=lambda error: type(error).__name__)
def test_a_page_is_retried_until_it_is_created(database: Database, error: ReconcilerError) -> None:
    given = waiting(Kind.CREATE_INCIDENT, "a", text="disk full", body="the story", urgency="low")
    bench = bench_of(database, given, pairs=pairs("a"))
    bench.vendors.fails = lambda name, _: error if name.startswith("create") else None
    for _ in range(100):
        assert bench.deliver_after(20) != []  # reported as long as it lasts
    assert bench.statuses() == [("a", Status.PLANNED)]
    bench.vendors.fails = lambda *_: None
    bench.deliver_after(301)
    assert bench.statuses() == [("a", Status.DONE)]
    plain = (
        "create_incident disk full//"
        if isinstance(error, Permanent)
        else "create_incident disk full/the story/low"
    )
    assert bench.vendors.calls[-1] == (plain, "a")


def test_a_page_is_created_although_the_lookup_list_stays_broken(database: Database) -> None:
    """Whether the incident exists already is looked up for as long as the staleness setting."""
    bench = bench_of(database, waiting(Kind.CREATE_INCIDENT, "a", attempts=1), pairs=pairs("a"))
    bench.vendors.fails = lambda name, _: Permanent("400", 400) if name == "incidents_by_key" else None
    for _ in range(12):
        bench.deliver_after(10)
    assert bench.calls_of("create_incident") == []
    for _ in range(12):
        bench.deliver_after(30)
    assert bench.calls_of("create_incident") == ["a"]


def test_a_page_waits_for_no_other_lane(database: Database) -> None:
    keys = "abcd"
    bench = bench_of(database, *(waiting(Kind.PAGERDUTY_NOTE, key) for key in keys), pairs=pairs(*keys))
    bench.vendors.fails = lambda name, _: Refused("402") if name == "add_note" else None
    bench.deliver_after()
    bench.vendors.fails = lambda name, key: Refused("402") if name == "add_note" and key != "z" else None
    bench.add(waiting(Kind.CREATE_INCIDENT, "z"), waiting(Kind.ALERT_NOTE, "z", 1))
    bench.deliver_after(0.1)
    assert [status for alert_id, status in bench.statuses() if alert_id == "z"] == [Status.DONE, Status.SENT]


def test_a_barred_lane_sends_nothing(database: Database) -> None:
    acts = [
        waiting(Kind.CREATE_INCIDENT, "z"),
        waiting(Kind.PAGERDUTY_NOTE, "a"),
        waiting(Kind.ALERT_NOTE, "a", 1),
    ]
    bench = bench_of(database, *acts, pairs=pairs("a"))
    bench.breakers.bar(frozenset({Lane.PAGES}))
    assert bench.deliver_after() == []
    assert bench.calls_of("create_incident") == []
    assert bench.calls_of("add_note") == ["I-a", "a"]


PAUSED = Pause(Side.PAGERDUTY, NOW, "maintenance")


def test_what_pages_passes_what_a_pause_holds_back_which_is_written_in_order_afterwards(
    database: Database,
) -> None:
    first, page, last = (
        waiting(Kind.PAGERDUTY_NOTE, "a"),
        waiting(Kind.PAGERDUTY_SET_URGENCY, "a", 1, urgency="high"),
        waiting(Kind.PAGERDUTY_NOTE, "a", 2),
    )
    bench = bench_of(database, first, page, last, pairs=pairs("a"))
    bench.vendors.urgency = "low"
    bench.breakers.pause([PAUSED])
    delivered = bench.deliver()
    assert delivered.problems == ()
    assert delivered.next_try.hold is Hold.WRITE_PAGERDUTY
    assert [status for _, status in bench.statuses()] == [Status.PLANNED, Status.DONE, Status.PLANNED]
    bench.breakers.pause([])
    bench.deliver()
    assert bench.calls_of("add_note") == ["I-a", "I-a"]


def test_a_page_that_fails_during_a_pause_is_due_again_by_itself(database: Database) -> None:
    acts = waiting(Kind.PAGERDUTY_NOTE, "a"), waiting(Kind.PAGERDUTY_SET_URGENCY, "a", 1, urgency="high")
    bench = bench_of(database, *acts, pairs=pairs("a"))
    bench.vendors.urgency = "low"
    bench.breakers.pause([PAUSED])
    bench.vendors.fails = lambda name, _: NotExecuted("503") if name == "set_urgency" else None
    assert bench.deliver().next_try == NextTry(NOW + timedelta(seconds=1))


def test_a_write_of_unknown_outcome_still_blocks_a_page_during_a_pause(database: Database) -> None:
    acts = (
        waiting(Kind.PAGERDUTY_NOTE, "a"),
        waiting(Kind.PAGERDUTY_ACKNOWLEDGE, "a", 1, status=Status.SENT, sent_at=NOW),
        waiting(Kind.PAGERDUTY_UNACKNOWLEDGE, "a", 2),
    )
    bench = bench_of(database, *acts, pairs=pairs("a"))
    bench.breakers.pause([PAUSED])
    assert bench.deliver().tried == frozenset()


def test_what_failed_before_a_pause_is_no_problem_during_it(database: Database) -> None:
    bench = bench_of(database, waiting(Kind.PAGERDUTY_NOTE, "a"), pairs=pairs("a"))
    bench.vendors.fails = lambda name, _: Forbidden("403") if name == "add_note" else None
    assert bench.deliver_after() == ["403"]
    bench.breakers.pause([PAUSED])
    assert bench.deliver_after(70) == []


def test_our_own_rate_limit_is_neither_a_problem_nor_a_reason(database: Database) -> None:
    bench = bench_of(database, waiting(Kind.PAGERDUTY_NOTE, "a"), pairs=pairs("a"))
    bench.vendors.fails = lambda name, _: RateLimited("no room", 5.0) if name == "add_note" else None
    delivered = bench.deliver()
    assert (delivered.problems, delivered.next_try.at) == ((), NOW + timedelta(seconds=5))
    with database.reading() as unit:
        (found,) = unit.outbox.open()
    assert (found.error, found.attempts, found.failing_since) == ("", 0, None)


def test_one_pair_without_an_answer_pauses_no_other(database: Database) -> None:
    bench = bench_of(database, waiting(Kind.PAGERDUTY_ACKNOWLEDGE, "a"), pairs=pairs("a", "b"))
    bench.vendors.fails = lambda name, key: Unknown("no answer") if (name, key) == ("incident", "I-a") else None
    for _ in range(5):
        bench.deliver_after(20)
    bench.add(waiting(Kind.PAGERDUTY_NOTE, "b"))
    bench.deliver_after()
    assert bench.calls_of("add_note") == ["I-b"]


def test_a_creation_is_sent_first_and_gives_its_pair_an_incident(database: Database) -> None:
    note = waiting(Kind.PAGERDUTY_NOTE, "a", -1)
    bench = DelivererBench(database)
    with database.writing() as unit:
        unit.snapshot.save_pairs([replace(pair(None), alert_id="a", swept_at=NOW)])
    bench.vendors.created = incident(id="I-a")
    bench.add(note, waiting(Kind.CREATE_INCIDENT, "a"), waiting(Kind.ALERT_NOTE, "a", 1, attempts=1))
    delivered = bench.deliver()
    assert [name.split()[0] for name, _ in bench.vendors.calls] == ["create_incident", "add_note", "add_note"]
    assert bench.vendors.priorities == [CallPriority.PAGE, CallPriority.CHANGED, CallPriority.UNSETTLED]
    assert [(each.kind, each.status) for each in delivered.actions] == [
        (Kind.CREATE_INCIDENT, Status.DONE),
        (Kind.PAGERDUTY_NOTE, Status.DONE),
        (Kind.ALERT_NOTE, Status.SENT),
    ]
    assert delivered.tried == {1, 2, 3}
    assert delivered.next_try.at is None


def test_a_pair_without_open_actions_causes_no_call(database: Database) -> None:
    bench = bench_of(database, waiting(Kind.PAGERDUTY_NOTE, "b"), pairs=pairs("b"))
    assert bench.deliver() == Delivered()
    assert bench.vendors.calls == []


def test_an_action_behind_an_open_breaker_is_not_sent_and_is_due_once_the_breaker_is_half_open(
    database: Database,
) -> None:
    keys = "abcd"
    bench = bench_of(database, *(waiting(Kind.PAGERDUTY_ACKNOWLEDGE, key) for key in keys), pairs=pairs(*keys))
    away = NotExecuted("no connection")
    bench.vendors.fails = lambda name, _: away if name == "incident" else None
    assert bench.deliver("a").next_try.at == NOW + timedelta(seconds=1)
    for key in "bcd":
        delivered = bench.deliver(key)
        assert delivered.tried == frozenset()
        assert delivered.next_try == NextTry(NOW + timedelta(seconds=1), Hold.WRITE_PAGERDUTY)
        assert [(each.error, each.alert_id) for each in delivered.problems] == [(away, key)]
    assert bench.calls_of("incident") == ["I-a"]
    bench.vendors.fails = lambda *_: None
    assert bench.deliver_after(1) == []
    assert {status for _, status in bench.statuses()} == {Status.DONE}


def test_no_write_is_started_while_the_process_ends(database: Database) -> None:
    bench = bench_of(database, waiting(Kind.PAGERDUTY_NOTE, "a"), pairs=pairs("a"))
    bench.stopping = True
    assert bench.deliver().next_try.at == NOW
    bench.stopping = False
    bench.in_flight.drain()
    assert bench.deliver().problems == ()
    assert bench.calls_of("add_note") == []
    assert bench.statuses() == [("a", Status.PLANNED)]


def test_a_clock_that_was_set_back_prolongs_no_back_off(database: Database) -> None:
    bench = bench_of(database, waiting(Kind.PAGERDUTY_NOTE, "a"), pairs=pairs("a"))
    bench.vendors.fails = lambda name, _: Unknown("500") if name == "confirm_key" else Forbidden("403")
    bench.deliver_after()
    bench.vendors.fails = lambda *_: None
    bench.vendors.set_by = timedelta(hours=-5)
    bench.deliver_after(1)
    assert bench.statuses() == [("a", Status.DONE)]
