"""Before a page that may have gone out already, PagerDuty is asked; and what a refusal ends, and what not."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from worlds import BOT, JANE, action, alert, at, incident, pair, policy

from reconciler.apply import Applier
from reconciler.core import text
from reconciler.core.model import Action, Alert, Incident, Kind, Note, Pair, Person, Side, Status
from reconciler.crew import Crew
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
from reconciler.gate import Gate
from reconciler.observability.logs import NOBODY
from reconciler.pauses import Lane, Pauses, Trouble
from reconciler.reconcile.vendor_calls import Remotes
from reconciler.send import Hold, Sender
from reconciler.store.database import Database

NOW = at(0) + timedelta(hours=5)
OLD = timedelta(hours=3)


class Clock:
    """It is five hours later."""

    now = staticmethod(lambda: NOW)


class PagerDuty:
    """It has an incident for each of these keys, those in the listing and one that is older than that."""

    def __init__(self, *keys: str) -> None:
        self.keys = keys
        self.asked: list[str] = []
        self.created: list[str] = []

    def keys_between(self, *_: object) -> set[str]:
        self.asked.append("listing")
        return set(self.keys)

    def incidents_by_key(self, key: str) -> list[Incident]:
        self.asked.append(key)
        return [incident(key=key)] if key == "older" else []

    def create_incident(self, key: str, *_: object) -> Incident:
        self.created.append(key)
        return incident(key=key)


def creation(key: str, ago: timedelta) -> Action:
    return replace(action(Kind.CREATE_INCIDENT), alert_id=key, key=key, at=NOW - ago)


def test_a_listing_answers_only_for_the_pages_it_was_made_for(database: Database) -> None:
    pagerduty = PagerDuty("a", "c")
    remotes = Remotes(cast("Any", None), cast("Any", pagerduty), cast("Any", None), cast("Any", pagerduty))
    clock = cast("Any", Clock())
    trouble = Trouble(Pauses(), clock)
    sender = Sender(remotes, database, clock, Gate(), NOBODY, policy(), trouble)
    with database.writing() as books:
        books.outbox.intend([creation(key, OLD) for key in "abc"] + [creation("older", OLD * 2)], NOW)
        a, b, c, older = books.outbox.open()[1:] + books.outbox.open()[:1]
    sender.list_existing([a, b, c])
    assert [sender.send(each) for each in (a, b, c)] == [Hold.ALL, Hold.NOTHING, Hold.ALL]
    assert sender.send(older) is Hold.ALL
    assert pagerduty.asked == ["listing", "older"]
    assert pagerduty.created == ["b"]
    assert trouble.problems == []


class Vendors:
    """Both of them. `fails` answers each call by its name and the alert with an error, or with none."""

    def __init__(self) -> None:
        self.time = NOW
        self.fails: Callable[[str, str], ReconcilerError | None] = lambda *_: None
        self.calls: list[tuple[str, str]] = []
        self.created = incident()

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()

    def _call(self, name: str, key: str) -> None:
        self.calls.append((name, key))
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

    def incidents_by_key(self, key: str) -> list[Incident]:
        self._call("incidents_by_key", key)
        return []

    def create_incident(self, key: str, title: str, body: str, urgency: str) -> Incident:
        self._call(f"create_incident {title}/{body}/{urgency}", key)
        return self.created

    def acknowledge(self, target: str, *_: str) -> Incident:
        self._call("acknowledge", target)
        return incident("acknowledged", id=target)

    def add_note(self, target: str, *_: str) -> Note | str:
        self._call("add_note", target)
        note = f"N{len(self.calls)}"
        return Note(note, BOT, "", NOW) if target.startswith("I-") else note


class Desk:
    """An applier over a database with what waits in it."""

    def __init__(self, database: Database, *waiting: Action, pairs: tuple[Pair, ...] = ()) -> None:
        self.database = database
        self.vendors = Vendors()
        vendor = cast("Any", self.vendors)
        remotes = Remotes(vendor, vendor, vendor, vendor)
        self.applier = Applier(remotes, database, vendor, lambda: False, Crew(lambda: 1))
        with database.writing() as books:
            books.snapshot.save_pairs(replace(each, incident_id=f"I-{each.alert_id}") for each in pairs)
            books.outbox.intend(waiting, NOW)

    def turn(self, seconds: float = 0.0) -> list[str]:
        """Time goes by, then whatever is due is sent; the problems' words."""
        self.vendors.time += timedelta(seconds=seconds)
        return [str(problem.error) for problem in self.applier.apply(policy()).problems]

    def stands(self) -> list[tuple[str, Status]]:
        with self.database.reading() as books:
            found = books.outbox.by_id(range(1, 50))
        return [(each.alert_id, each.status) for each in found]

    def named(self, name: str) -> list[str]:
        return [key for call, key in self.vendors.calls if call.startswith(name)]


def waiting(kind: Kind, alert_id: str, number: int = 0, **changed: Any) -> Action:
    """Something that was planned just now."""
    key = f"{kind.value} {alert_id} {number}"
    made = replace(action(kind), alert_id=alert_id, key=key, at=NOW + timedelta(seconds=number))
    return replace(made, **changed)


def pairs(*alert_ids: str) -> tuple[Pair, ...]:
    return tuple(replace(pair(), alert_id=alert_id, swept_at=NOW) for alert_id in alert_ids)


@pytest.mark.parametrize("error", [Missing("404"), Forbidden("403")])
@pytest.mark.parametrize("at_look", [True, False])
def test_a_refused_object_waits_alone(database: Database, error: ReconcilerError, *, at_look: bool) -> None:
    acts = [waiting(Kind.PAGERDUTY_ACKNOWLEDGE, alert_id) for alert_id in "ab"]
    others = [waiting(Kind.OPSGENIE_NOTE, "a", 1), waiting(Kind.CREATE_INCIDENT, "c", 2)]
    desk = Desk(database, *acts, *others, pairs=pairs("a", "b"))
    refused = "incident" if at_look else "acknowledge"
    desk.vendors.fails = lambda name, key: error if (name, key) == (refused, "I-a") else None
    assert desk.turn() == [str(error)]
    assert dict(desk.stands()[:2]) == {"a": Status.PLANNED, "b": Status.DONE}
    assert desk.named("create_incident") == ["c"]
    assert desk.named("add_note") == ["a"]
    assert desk.named("confirm_key") == [""]
    assert desk.turn(0.5) == [str(error)]  # it is not over because it was not tried
    assert len(desk.named(refused)) == 2
    for _ in range(8):
        desk.turn(61)
    assert len([key for key in desk.named(refused) if key == "I-a"]) == 9
    desk.vendors.fails = lambda *_: None
    assert desk.turn(61) == []
    assert desk.stands()[0] == ("a", Status.DONE)


def test_an_object_that_stays_refused_is_given_up_after_six_hours(database: Database) -> None:
    desk = Desk(database, waiting(Kind.PAGERDUTY_NOTE, "a"), pairs=pairs("a"))
    desk.vendors.fails = lambda name, _: Missing("404") if name == "add_note" else None
    for _ in range(6):
        desk.turn(3600)
    assert desk.stands() == [("a", Status.PLANNED)]
    desk.turn(3600)
    assert desk.stands() == [("a", Status.DEAD)]


def test_a_refused_object_is_the_accounts_trouble_where_the_key_is_refused(database: Database) -> None:
    desk = Desk(database, *(waiting(Kind.PAGERDUTY_NOTE, key) for key in "abc"), pairs=pairs("a", "b", "c"))
    answers = {"add_note": Forbidden("403"), "confirm_key": Refused("PAGERDUTY_API_KEY: 401")}
    desk.vendors.fails = lambda name, _: answers.get(name)
    assert desk.turn() == ["PAGERDUTY_API_KEY: 401"]
    assert desk.named("add_note") == ["I-a"]
    assert {status for _, status in desk.stands()} == {Status.PLANNED}
    desk.vendors.fails = lambda *_: None
    assert desk.turn(1) == []


def test_a_key_that_may_not_write_is_named_and_hammers_nothing(database: Database) -> None:
    keys = "abcdefgh"
    desk = Desk(database, *(waiting(Kind.PAGERDUTY_NOTE, key) for key in keys), pairs=pairs(*keys))
    desk.vendors.fails = lambda name, _: Forbidden(f"403 {name}") if name == "add_note" else None
    first = desk.turn()
    assert any("PAGERDUTY_API_KEY: every write is refused" in words for words in first)
    for _ in range(60):
        assert any("every write is refused" in words for words in desk.turn(1))
    assert len(desk.named("add_note")) < 40
    desk.vendors.fails = lambda *_: None
    for _ in range(4):
        desk.turn(31)
    assert {status for _, status in desk.stands()} == {Status.DONE}
    assert desk.turn(1) == []


REFUSALS = [
    Permanent("400", 400),
    Missing("404"),
    Forbidden("403"),
    Refused("402"),
    Blocked("302"),
    NotExecuted("x"),
]


@pytest.mark.parametrize("error", REFUSALS, ids=lambda error: type(error).__name__)
def test_a_page_is_tried_until_it_is_made(database: Database, error: ReconcilerError) -> None:
    given = waiting(Kind.CREATE_INCIDENT, "a", text="disk full", body="the story", urgency="low")
    desk = Desk(database, given, pairs=pairs("a"))
    desk.vendors.fails = lambda name, _: error if name.startswith("create") else None
    for _ in range(100):
        assert desk.turn(20) != []  # it is reported as long as it lasts
    assert desk.stands() == [("a", Status.PLANNED)]
    desk.vendors.fails = lambda *_: None
    desk.turn(301)
    assert desk.stands() == [("a", Status.DONE)]
    plain = (
        "create_incident disk full//"
        if isinstance(error, Permanent)
        else "create_incident disk full/the story/low"
    )
    assert desk.vendors.calls[-1] == (plain, "a")


def test_a_list_that_stays_out_of_order_keeps_nobody_from_being_paged(database: Database) -> None:
    """It is asked whether the page is there already: for as long as the staleness bound."""
    desk = Desk(database, waiting(Kind.CREATE_INCIDENT, "a", attempts=1), pairs=pairs("a"))
    desk.vendors.fails = lambda name, _: Permanent("400", 400) if name == "incidents_by_key" else None
    for _ in range(12):
        desk.turn(10)
    assert desk.named("create_incident") == []
    for _ in range(12):
        desk.turn(30)
    assert desk.named("create_incident") == ["a"]


def test_a_page_waits_for_no_other_lane(database: Database) -> None:
    keys = "abcd"
    desk = Desk(database, *(waiting(Kind.PAGERDUTY_NOTE, key) for key in keys), pairs=pairs(*keys))
    desk.vendors.fails = lambda name, _: Refused("402") if name == "add_note" else None
    desk.turn()
    desk.vendors.fails = lambda name, key: Refused("402") if name == "add_note" and key != "z" else None
    with database.writing() as books:
        books.outbox.intend([waiting(Kind.CREATE_INCIDENT, "z"), waiting(Kind.OPSGENIE_NOTE, "z", 1)], NOW)
    desk.turn(0.1)
    assert [status for alert_id, status in desk.stands() if alert_id == "z"] == [Status.DONE, Status.SENT]


def test_a_lane_that_is_barred_sends_nothing(database: Database) -> None:
    acts = [
        waiting(Kind.CREATE_INCIDENT, "z"),
        waiting(Kind.PAGERDUTY_NOTE, "a"),
        waiting(Kind.OPSGENIE_NOTE, "a", 1),
    ]
    desk = Desk(database, *acts, pairs=pairs("a"))
    desk.applier.pauses.barred = frozenset({Lane.PAGES})
    assert desk.turn() == []
    assert desk.named("create_incident") == []
    assert desk.named("add_note") == ["I-a", "a"]


def test_our_own_rate_limit_is_neither_a_problem_nor_a_reason(database: Database) -> None:
    desk = Desk(database, waiting(Kind.PAGERDUTY_NOTE, "a"), pairs=pairs("a"))
    desk.vendors.fails = lambda name, _: RateLimited("no room", 5.0) if name == "add_note" else None
    outcome = desk.applier.apply(policy())
    assert (outcome.problems, outcome.resume) == ((), NOW + timedelta(seconds=5))
    with database.reading() as books:
        (found,) = books.outbox.open()
    assert (found.error, found.attempts, found.failing_since) == ("", 0, None)


def test_what_is_refused_for_long_does_not_hold_its_pair_any_more(database: Database) -> None:
    refused = [waiting(Kind.PAGERDUTY_ACKNOWLEDGE, "a"), waiting(Kind.PAGERDUTY_NOTE, "b")]
    after = [waiting(Kind.PAGERDUTY_NOTE, "a", 1), waiting(Kind.PAGERDUTY_ACKNOWLEDGE, "b", 1)]
    desk = Desk(database, *refused, *after, pairs=pairs("a", "b"))
    poison = {("incident", "I-a"), ("add_note", "I-b")}
    desk.vendors.fails = lambda name, key: Forbidden("403") if (name, key) in poison else None
    for _ in range(3):
        desk.turn(60)
        assert desk.named("acknowledge") + [key for key in desk.named("add_note") if key == "I-a"] == []
    desk.turn(60)
    assert desk.named("acknowledge") == ["I-b"]
    assert [key for key in desk.named("add_note") if key == "I-a"] == ["I-a"]


def test_what_was_refused_for_long_is_tried_before_what_comes_after_it(database: Database) -> None:
    """Otherwise it would be overtaken just because its back-off is longer."""
    first = waiting(Kind.PAGERDUTY_NOTE, "a", text="first")
    desk = Desk(database, first, pairs=pairs("a"))
    desk.vendors.fails = lambda name, _: Blocked("407") if name == "add_note" else None
    for _ in range(20):
        desk.turn(15)
    with database.writing() as books:
        books.outbox.intend([waiting(Kind.PAGERDUTY_NOTE, "a", 1), waiting(Kind.PAGERDUTY_NOTE, "a", 2)], NOW)
    desk.vendors.fails = lambda *_: None
    desk.turn(1)
    with database.reading() as books:
        results = [each.result_id for each in books.outbox.by_id(range(1, 9))]
    assert results == sorted(results, key=lambda each: int(each[1:]))


def test_a_note_that_has_been_in_doubt_again_and_again_does_not_hold_its_pair_any_more(database: Database) -> None:
    """Something on the way answers 500 to what it says: the acknowledgement after it is waited for."""
    note = waiting(Kind.PAGERDUTY_NOTE, "a", failing_since=NOW, attempts=1)
    desk = Desk(database, note, waiting(Kind.PAGERDUTY_ACKNOWLEDGE, "a", 1), pairs=pairs("a"))
    desk.vendors.fails = lambda name, _: Unknown("500") if name == "add_note" else None
    desk.turn(1)
    assert desk.named("acknowledge") == []
    desk.turn(policy().staleness.total_seconds())
    assert desk.named("acknowledge") == ["I-a"]


@pytest.mark.parametrize("between", [[], [Kind.PAGERDUTY_NOTE]])
def test_what_it_holds_back_itself_costs_no_extra_try_of_what_was_refused_for_long(
    database: Database, between: list[Kind]
) -> None:
    """A state waits for an earlier state of its pair, however long that is refused."""
    acts = [waiting(Kind.PAGERDUTY_ACKNOWLEDGE, "a", number) for number in range(2)]
    notes = [waiting(kind, "a", 2, status=Status.SENT, sent_at=NOW) for kind in between]
    desk = Desk(database, acts[0], *notes, acts[1], waiting(Kind.PAGERDUTY_NOTE, "a", 3), pairs=pairs("a"))
    desk.vendors.fails = lambda name, _: Forbidden("403") if name == "incident" else None
    for _ in range(10):
        desk.turn(60)
    desk.vendors.calls.clear()
    for _ in range(30):
        desk.turn(1)
    assert len(desk.named("incident")) <= 1


def test_one_pair_that_gets_no_answer_pauses_nobody(database: Database) -> None:
    desk = Desk(database, waiting(Kind.PAGERDUTY_ACKNOWLEDGE, "a"), pairs=pairs("a", "b"))
    desk.vendors.fails = lambda name, key: Unknown("no answer") if (name, key) == ("incident", "I-a") else None
    for _ in range(5):
        desk.turn(20)
    with database.writing() as books:
        books.outbox.intend([waiting(Kind.PAGERDUTY_NOTE, "b")], NOW)
    desk.turn()
    assert desk.named("add_note") == ["I-b"]


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
def test_a_page_that_reached_nobody_is_a_problem_of_its_own(
    database: Database, answer: Incident, words: str
) -> None:
    desk = Desk(database, waiting(Kind.CREATE_INCIDENT, "a"), pairs=pairs("a"))
    desk.vendors.created = answer
    found = desk.turn()
    assert len(found) == bool(words)
    assert all(words in each and each.startswith("PAGERDUTY_USER: ") for each in found)


def test_a_duplicate_is_asked_about(database: Database) -> None:
    desk = Desk(database, waiting(Kind.CREATE_INCIDENT, "a"), pairs=pairs("a"))
    desk.vendors.fails = lambda name, _: Duplicate("there is one") if name.startswith("create") else None
    assert desk.turn() == []
    assert desk.stands() == [("a", Status.SENT)]


def test_a_note_that_is_too_long_even_when_plain_goes_in_parts(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def in_two(words: str, mark: str) -> tuple[tuple[str, str], ...]:
        half = len(words) // 2
        return (f"{mark} 1", words[:half]), (f"{mark} 2", words[half:])

    monkeypatch.setattr(text, "plain_parts", in_two, raising=False)
    long = waiting(Kind.PAGERDUTY_NOTE, "a", text="x" * 1500, mark="[m]")
    desk = Desk(database, long, waiting(Kind.PAGERDUTY_NOTE, "a", 1), pairs=pairs("a"))
    desk.vendors.fails = lambda name, _: Permanent("422", 422) if name == "add_note" else None
    assert desk.turn() == []
    with database.reading() as books:
        original, later, *parts = books.outbox.by_id(range(1, 9))
    assert (original.status, original.error, later.status) == (Status.DROPPED, "sent in 2 parts", Status.PLANNED)
    assert [(part.key, part.mark, len(part.text), part.plain, part.at) for part in parts] == [
        (f"{long.key} part {number}", f"[m] {number}", 750, True, long.at) for number in (1, 2)
    ]
    desk.vendors.fails = lambda *_: None
    assert desk.turn() == []
    assert {status for _, status in desk.stands()} == {Status.DONE, Status.DROPPED}


def test_a_note_that_is_short_and_refused_is_dead(database: Database) -> None:
    desk = Desk(database, waiting(Kind.PAGERDUTY_NOTE, "a"), pairs=pairs("a"))
    desk.vendors.fails = lambda name, _: Permanent("422", 422) if name == "add_note" else None
    assert desk.turn() == ["422"]
    assert desk.stands() == [("a", Status.DEAD)]


@pytest.mark.parametrize("kind", [Kind.PAGERDUTY_NOTE, Kind.PAGERDUTY_ACKNOWLEDGE])
def test_what_is_refused_while_every_request_is_waits_for_the_account(database: Database, kind: Kind) -> None:
    desk = Desk(database, waiting(kind, "a"), pairs=pairs("a"))
    refusal = Permanent("400: out of order; see it", 400)
    desk.vendors.fails = lambda name, _: None if name == "incident" else refusal
    (said,) = desk.turn()
    assert said.startswith("PAGERDUTY_API_KEY: every request is refused, even one for nothing in particular: ")
    assert "out of order; see PagerDuty's account" in said
    assert desk.stands() == [("a", Status.PLANNED)]
    desk.vendors.fails = lambda *_: None
    assert desk.turn(1) == []
    assert desk.stands() == [("a", Status.DONE)]


def test_a_problem_of_the_automation_user_names_its_setting(database: Database) -> None:
    desk = Desk(database, waiting(Kind.CREATE_INCIDENT, "a"), pairs=pairs("a"))
    desk.vendors.created = incident("acknowledged")
    (problem,) = desk.applier.page(policy()).problems
    assert (problem.side, problem.alert_id, type(problem.error)) == (Side.PAGERDUTY, "a", Misconfigured)
    assert policy().is_automation(Person(BOT.id, ""))
