"""The outbox of one pair: order of delivery, lookup of creations in doubt, and the effect of refusals."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from reconciler.core import text
from reconciler.core.model import Action, Alert, Incident, Kind, Note, Pair, Person, Side, Status
from reconciler.errors import (
    Blocked,
    Duplicate,
    Forbidden,
    Misconfigured,
    Missing,
    NotExecuted,
    Permanent,
    RateLimited,
    ReconcilerError,
    Refused,
    Unknown,
)
from reconciler.observability.events import NULL_EVENTS
from reconciler.reconcile.deliver import Delivered, Deliverer
from reconciler.reconcile.delivery_due import NextTry
from reconciler.reconcile.in_flight import InFlight
from reconciler.reconcile.vendor_calls import Vendors
from reconciler.reconcile.work_queue import Hold
from reconciler.reconcile.write_breakers import Lane, WriteBreakers
from reconciler.store.database import Database
from reconciler.vendors.call_context import CallPriority, current
from tests.support.builders import BOT, JANE, action, alert, at, incident, pair, policy

NOW = at(0) + timedelta(hours=5)
OLD = timedelta(hours=3)


class BothVendors:
    """Both vendors and a clock. `fails` maps a call's name and alert to an error, or to None.

    `keys` are the keys of existing incidents, in the listing and in single lookups.
    """

    def __init__(self) -> None:
        self.time = NOW
        self.set_by = timedelta()
        self.fails: Callable[[str, str], ReconcilerError | None] = lambda *_: None
        self.calls: list[tuple[str, str]] = []
        self.priorities: list[CallPriority] = []
        self.created = incident()
        self.keys: set[str] = set()
        self.listable = True

    def now(self) -> datetime:
        return self.time + self.set_by

    def monotonic(self) -> float:
        return self.time.timestamp()

    def _call(self, name: str, key: str) -> None:
        self.calls.append((name, key))
        self.priorities.append(current().priority)
        error = self.fails(name, key)
        if error is not None:
            raise error

    def confirm_key(self) -> None:
        self._call("confirm_key", "")

    def incident(self, incident_id: str) -> Incident:
        self._call("incident", incident_id)
        return incident(id=incident_id)

    def alert(self, alert_id: str) -> Alert:
        self._call("alert", alert_id)
        return alert(id=alert_id)

    def keys_between(self, _since: datetime, _until: datetime, most: int) -> set[str] | None:
        self._call("keys_between", str(most))
        return self.keys if self.listable else None

    def incidents_by_key(self, key: str) -> list[Incident]:
        self._call("incidents_by_key", key)
        return [incident(key=key)] if key in self.keys else []

    def create_incident(self, key: str, title: str, body: str, urgency: str) -> Incident:
        self._call(f"create_incident {title}/{body}/{urgency}", key)
        return replace(self.created, key=key)

    def acknowledge(self, target: str, *_: str) -> Incident | str:
        self._call("acknowledge", target)
        return incident("acknowledged", id=target) if target.startswith("I-") else f"R{len(self.calls)}"

    def add_note(self, target: str, *_: str) -> Note | str:
        self._call("add_note", target)
        note = f"N{len(self.calls)}"
        return Note(note, BOT, "", NOW) if target.startswith("I-") else note


@dataclass
class DelivererBench:
    """A deliverer and a database with waiting actions."""

    database: Database
    vendors: BothVendors = field(default_factory=BothVendors)
    stopping: bool = False

    def __post_init__(self) -> None:
        vendor = cast("Any", self.vendors)
        self.breakers = WriteBreakers(vendor)
        self.in_flight = InFlight()
        self.deliverer = Deliverer(
            Vendors(vendor, vendor, vendor, vendor),
            self.database,
            vendor,
            self.breakers,
            self.in_flight,
            NULL_EVENTS,
            lambda: self.stopping,
        )

    def add(self, *waiting: Action) -> None:
        with self.database.writing() as unit:
            unit.outbox.add(waiting, NOW)

    def deliver(self, alert_id: str = "a") -> Delivered:
        return self.deliverer.deliver(alert_id, policy())

    def deliver_after(self, seconds: float = 0.0) -> list[str]:
        """Let time pass, then deliver every pair, pages first; the text of each problem, once."""
        self.vendors.time += timedelta(seconds=seconds)
        with self.database.reading() as unit:
            waiting = unit.outbox.open()
        order = sorted(waiting, key=lambda each: each.kind is not Kind.CREATE_INCIDENT)
        found = [self.deliver(alert_id) for alert_id in dict.fromkeys(each.alert_id for each in order)]
        problems = [problem for delivered in found for problem in delivered.problems]
        problems += self.breakers.problems()
        return [str(error) for error in {id(problem.error): problem.error for problem in problems}.values()]

    def statuses(self) -> list[tuple[str, Status]]:
        with self.database.reading() as unit:
            found = unit.outbox.by_id(range(1, 50))
        return [(each.alert_id, each.status) for each in found]

    def calls_of(self, name: str) -> list[str]:
        return [key for call, key in self.vendors.calls if call.startswith(name)]


def bench_of(database: Database, *waiting: Action, pairs: tuple[Pair, ...] = ()) -> DelivererBench:
    bench = DelivererBench(database)
    with database.writing() as unit:
        unit.snapshot.save_pairs(replace(each, incident_id=f"I-{each.alert_id}") for each in pairs)
    bench.add(*waiting)
    return bench


def waiting(kind: Kind, alert_id: str, number: int = 0, **changed: Any) -> Action:
    """An action planned just now."""
    key = f"{kind.value} {alert_id} {number}"
    made = replace(action(kind), alert_id=alert_id, key=key, at=NOW + timedelta(seconds=number))
    return replace(made, **changed)


def pairs(*alert_ids: str) -> tuple[Pair, ...]:
    return tuple(replace(pair(), alert_id=alert_id, swept_at=NOW) for alert_id in alert_ids)


@pytest.mark.parametrize("error", [Missing("404"), Forbidden("403")])
@pytest.mark.parametrize("at_look", [True, False])
def test_a_refused_object_holds_up_no_other(database: Database, error: ReconcilerError, *, at_look: bool) -> None:
    acts = [waiting(Kind.PAGERDUTY_ACKNOWLEDGE, alert_id) for alert_id in "ab"]
    others = [waiting(Kind.OPSGENIE_NOTE, "a", 1), waiting(Kind.CREATE_INCIDENT, "c", 2)]
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
    bench.add(waiting(Kind.CREATE_INCIDENT, "z"), waiting(Kind.OPSGENIE_NOTE, "z", 1))
    bench.deliver_after(0.1)
    assert [status for alert_id, status in bench.statuses() if alert_id == "z"] == [Status.DONE, Status.SENT]


def test_a_barred_lane_sends_nothing(database: Database) -> None:
    acts = [
        waiting(Kind.CREATE_INCIDENT, "z"),
        waiting(Kind.PAGERDUTY_NOTE, "a"),
        waiting(Kind.OPSGENIE_NOTE, "a", 1),
    ]
    bench = bench_of(database, *acts, pairs=pairs("a"))
    bench.breakers.bar(frozenset({Lane.PAGES}))
    assert bench.deliver_after() == []
    assert bench.calls_of("create_incident") == []
    assert bench.calls_of("add_note") == ["I-a", "a"]


def test_our_own_rate_limit_is_neither_a_problem_nor_a_reason(database: Database) -> None:
    bench = bench_of(database, waiting(Kind.PAGERDUTY_NOTE, "a"), pairs=pairs("a"))
    bench.vendors.fails = lambda name, _: RateLimited("no room", 5.0) if name == "add_note" else None
    delivered = bench.deliver()
    assert (delivered.problems, delivered.next_try.at) == ((), NOW + timedelta(seconds=5))
    with database.reading() as unit:
        (found,) = unit.outbox.open()
    assert (found.error, found.attempts, found.failing_since) == ("", 0, None)


def test_an_action_refused_for_long_no_longer_blocks_its_pair(database: Database) -> None:
    refused = [waiting(Kind.PAGERDUTY_ACKNOWLEDGE, "a"), waiting(Kind.PAGERDUTY_NOTE, "b")]
    after = [waiting(Kind.PAGERDUTY_NOTE, "a", 1), waiting(Kind.PAGERDUTY_ACKNOWLEDGE, "b", 1)]
    bench = bench_of(database, *refused, *after, pairs=pairs("a", "b"))
    poison = {("incident", "I-a"), ("add_note", "I-b")}
    bench.vendors.fails = lambda name, key: Forbidden("403") if (name, key) in poison else None
    for _ in range(3):
        bench.deliver_after(60)
        assert bench.calls_of("acknowledge") + [key for key in bench.calls_of("add_note") if key == "I-a"] == []
    bench.deliver_after(60)
    assert bench.calls_of("acknowledge") == ["I-b"]
    assert [key for key in bench.calls_of("add_note") if key == "I-a"] == ["I-a"]


def test_an_action_refused_for_long_is_tried_before_later_ones(database: Database) -> None:
    """Otherwise later actions would overtake it just because its back-off is longer."""
    first = waiting(Kind.PAGERDUTY_NOTE, "a", text="first")
    bench = bench_of(database, first, pairs=pairs("a"))
    bench.vendors.fails = lambda name, _: Blocked("407") if name == "add_note" else None
    for _ in range(20):
        bench.deliver_after(15)
    bench.add(waiting(Kind.PAGERDUTY_NOTE, "a", 1), waiting(Kind.PAGERDUTY_NOTE, "a", 2))
    bench.vendors.fails = lambda *_: None
    bench.deliver_after(1)
    with database.reading() as unit:
        results = [each.result_id for each in unit.outbox.by_id(range(1, 9))]
    assert results == sorted(results, key=lambda each: int(each[1:]))


def test_a_note_repeatedly_in_doubt_no_longer_blocks_its_pair(database: Database) -> None:
    """A proxy may answer 500 to its text; the acknowledgement after it must not wait for ever."""
    note = waiting(Kind.PAGERDUTY_NOTE, "a", failing_since=NOW, attempts=1)
    bench = bench_of(database, note, waiting(Kind.PAGERDUTY_ACKNOWLEDGE, "a", 1), pairs=pairs("a"))
    bench.vendors.fails = lambda name, _: Unknown("500") if name == "add_note" else None
    bench.deliver_after(1)
    assert bench.calls_of("acknowledge") == []
    bench.deliver_after(policy().staleness.total_seconds())
    assert bench.calls_of("acknowledge") == ["I-a"]


@pytest.mark.parametrize("between", [[], [Kind.PAGERDUTY_NOTE]])
def test_an_action_that_waits_for_a_refused_one_causes_no_extra_attempt_of_it(
    database: Database, between: list[Kind]
) -> None:
    """A state waits for an earlier state of its pair, however long that one is refused."""
    acts = [waiting(Kind.PAGERDUTY_ACKNOWLEDGE, "a", number) for number in range(2)]
    notes = [waiting(kind, "a", 2, status=Status.SENT, sent_at=NOW) for kind in between]
    bench = bench_of(database, acts[0], *notes, acts[1], waiting(Kind.PAGERDUTY_NOTE, "a", 3), pairs=pairs("a"))
    bench.vendors.fails = lambda name, _: Forbidden("403") if name == "incident" else None
    for _ in range(10):
        bench.deliver_after(60)
    bench.vendors.calls.clear()
    for _ in range(30):
        bench.deliver_after(1)
    assert len(bench.calls_of("incident")) <= 1


def test_one_pair_without_an_answer_pauses_no_other(database: Database) -> None:
    bench = bench_of(database, waiting(Kind.PAGERDUTY_ACKNOWLEDGE, "a"), pairs=pairs("a", "b"))
    bench.vendors.fails = lambda name, key: Unknown("no answer") if (name, key) == ("incident", "I-a") else None
    for _ in range(5):
        bench.deliver_after(20)
    bench.add(waiting(Kind.PAGERDUTY_NOTE, "b"))
    bench.deliver_after()
    assert bench.calls_of("add_note") == ["I-b"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (incident("acknowledged", number=7), "incident #7 (PINC1) of alert a was created acknowledged"),
        (incident(number=7, assignees=(BOT,)), "was created assigned to the automation user alone"),
        (incident(number=7, assignees=(BOT, JANE)), ""),
        (incident(number=7, assignees=()), ""),
        (incident(number=7), ""),
    ],
)
def test_an_incident_that_pages_nobody_is_a_problem_of_its_own(
    database: Database, answer: Incident, words: str
) -> None:
    bench = bench_of(database, waiting(Kind.CREATE_INCIDENT, "a"), pairs=pairs("a"))
    bench.vendors.created = answer
    found = bench.deliver_after()
    assert len(found) == bool(words)
    assert all(words in each and each.startswith("PAGERDUTY_USER: ") for each in found)


def test_a_duplicate_is_looked_up_by_its_key(database: Database) -> None:
    bench = bench_of(database, waiting(Kind.CREATE_INCIDENT, "a"), pairs=pairs("a"))
    bench.vendors.fails = lambda name, _: Duplicate("there is one") if name.startswith("create") else None
    assert bench.deliver_after() == []
    assert bench.statuses() == [("a", Status.SENT)]


def test_a_note_too_long_in_its_plain_form_is_sent_in_parts(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def in_two(words: str, mark: str) -> tuple[tuple[str, str], ...]:
        half = len(words) // 2
        return (f"{mark} 1", words[:half]), (f"{mark} 2", words[half:])

    monkeypatch.setattr(text, "plain_parts", in_two, raising=False)
    long = waiting(Kind.PAGERDUTY_NOTE, "a", text="x" * 1500, mark="[m]")
    bench = bench_of(database, long, waiting(Kind.PAGERDUTY_NOTE, "a", 1), pairs=pairs("a"))
    bench.vendors.fails = lambda name, _: Permanent("422", 422) if name == "add_note" else None
    assert bench.deliver_after() == []
    with database.reading() as unit:
        original, later, *parts = unit.outbox.by_id(range(1, 9))
    assert (original.status, original.error, later.status) == (Status.DROPPED, "sent in 2 parts", Status.PLANNED)
    assert [(part.key, part.mark, len(part.text), part.plain, part.at) for part in parts] == [
        (f"{long.key} part {number}", f"[m] {number}", 750, True, long.at) for number in (1, 2)
    ]
    bench.vendors.fails = lambda *_: None
    assert bench.deliver_after() == []
    assert {status for _, status in bench.statuses()} == {Status.DONE, Status.DROPPED}


def test_a_short_note_that_is_refused_is_dead(database: Database) -> None:
    bench = bench_of(database, waiting(Kind.PAGERDUTY_NOTE, "a"), pairs=pairs("a"))
    bench.vendors.fails = lambda name, _: Permanent("422", 422) if name == "add_note" else None
    assert bench.deliver_after() == ["422"]
    assert bench.statuses() == [("a", Status.DEAD)]


@pytest.mark.parametrize("kind", [Kind.PAGERDUTY_NOTE, Kind.PAGERDUTY_ACKNOWLEDGE])
def test_an_action_refused_like_every_other_waits_for_the_account(database: Database, kind: Kind) -> None:
    bench = bench_of(database, waiting(kind, "a"), pairs=pairs("a"))
    refusal = Permanent("400: out of order; see it", 400)
    bench.vendors.fails = lambda name, _: None if name == "incident" else refusal
    (said,) = bench.deliver_after()
    assert said.startswith("PAGERDUTY_API_KEY: every request is refused, even one for nothing in particular: ")
    assert "out of order; see PagerDuty's account" in said
    assert bench.statuses() == [("a", Status.PLANNED)]
    bench.vendors.fails = lambda *_: None
    assert bench.deliver_after(1) == []
    assert bench.statuses() == [("a", Status.DONE)]


def test_a_problem_of_the_automation_user_names_its_setting(database: Database) -> None:
    bench = bench_of(database, waiting(Kind.CREATE_INCIDENT, "a"), pairs=pairs("a"))
    bench.vendors.created = incident("acknowledged")
    (problem,) = bench.deliver().problems
    assert (problem.side, problem.alert_id, type(problem.error)) == (Side.PAGERDUTY, "a", Misconfigured)
    assert policy().is_automation(Person(BOT.id, ""))


# -- creations in doubt --


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


# -- one delivery --


def test_a_creation_is_sent_first_and_gives_its_pair_an_incident(database: Database) -> None:
    note = waiting(Kind.PAGERDUTY_NOTE, "a", -1)
    bench = DelivererBench(database)
    with database.writing() as unit:
        unit.snapshot.save_pairs([replace(pair(None), alert_id="a", swept_at=NOW)])
    bench.vendors.created = incident(id="I-a")
    bench.add(note, waiting(Kind.CREATE_INCIDENT, "a"), waiting(Kind.OPSGENIE_NOTE, "a", 1, attempts=1))
    delivered = bench.deliver()
    assert [name.split()[0] for name, _ in bench.vendors.calls] == ["create_incident", "add_note", "add_note"]
    assert bench.vendors.priorities == [CallPriority.PAGE, CallPriority.CHANGED, CallPriority.UNSETTLED]
    assert [(each.kind, each.status) for each in delivered.actions] == [
        (Kind.CREATE_INCIDENT, Status.DONE),
        (Kind.PAGERDUTY_NOTE, Status.DONE),
        (Kind.OPSGENIE_NOTE, Status.SENT),
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


# -- when the next delivery is due --


def due_after(database: Database, *waiting_now: Action) -> float | None:
    """Seconds until the pair is due again, with no action that may be tried now."""
    bench = bench_of(database, *waiting_now, pairs=pairs("a"))
    bench.breakers.bar(frozenset())
    delivered = bench.deliver()
    assert delivered.tried == frozenset()
    return None if delivered.next_try.at is None else (delivered.next_try.at - NOW).total_seconds()


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


NOTE, STATE = Kind.PAGERDUTY_NOTE, Kind.PAGERDUTY_ACKNOWLEDGE
BOUND = policy().staleness.total_seconds()


@pytest.mark.parametrize(
    ("first", "due"),
    [
        (waiting(NOTE, "a", not_before=later(8)), 8),
        (waiting(STATE, "a", not_before=later(8)), 8),
        (waiting(Kind.CREATE_INCIDENT, "a", not_before=later(9)), 9),
        (waiting(NOTE, "a", status=Status.SENT, sent_at=NOW), None),
        (waiting(NOTE, "a", status=Status.SENT, sent_at=NOW, failing_since=later(5 - BOUND)), 5.000001),
        (waiting(NOTE, "a", not_before=later(60), failing_since=later(5 - BOUND)), 5.000001),
        (waiting(STATE, "a", not_before=later(60), failing_since=later(5 - BOUND)), 5.000001),
    ],
)
def test_a_pair_is_due_when_its_first_action_may_be_sent_or_no_longer_blocks_the_next(
    database: Database, first: Action, due: float | None
) -> None:
    assert due_after(database, first, waiting(NOTE, "a", 1, **_behind(first))) == due


def _behind(first: Action) -> dict[str, Any]:
    """A creation blocks no other action: the next one has a back-off of its own."""
    return {"not_before": later(50)} if first.kind is Kind.CREATE_INCIDENT else {}


def test_a_state_behind_an_earlier_state_has_no_due_time_of_its_own(database: Database) -> None:
    refused = waiting(STATE, "a", not_before=later(60), failing_since=later(-2 * BOUND))
    assert due_after(database, refused, waiting(STATE, "a", 1)) == 60


def test_a_request_in_opsgenies_queue_blocks_states_only(database: Database) -> None:
    queued = waiting(Kind.OPSGENIE_NOTE, "a", status=Status.SENT, sent_at=NOW, request_id="r")
    state = replace(queued, kind=Kind.OPSGENIE_ACKNOWLEDGE, key="state")
    behind = waiting(Kind.OPSGENIE_ACKNOWLEDGE, "a", 2, not_before=later(7))
    assert due_after(database, queued, behind) == 7
    bench = DelivererBench(database)
    bench.add(state)
    assert bench.deliver().next_try.at is None


def test_an_action_without_an_incident_has_no_due_time(database: Database) -> None:
    bench = DelivererBench(database)
    bench.add(waiting(NOTE, "a"))
    assert bench.deliver().next_try.at is None
