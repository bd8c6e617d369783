"""One write: what its refusal means, and what becomes of an action that is refused for its form."""

from itertools import count

import pytest

from reconciler.core import text
from reconciler.core.journal import Event
from reconciler.core.model import Incident, Kind, Person, Side, Status
from reconciler.errors import (
    Duplicate,
    Forbidden,
    Misconfigured,
    Missing,
    Permanent,
    RateLimited,
    ReconcilerError,
    Unknown,
)
from reconciler.store.database import Database
from tests.support.builders import BOT, JANE, incident, policy
from tests.support.delivering import bench_of, pairs, waiting


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
    assert (original.status, original.error, later.status) == (
        Status.DROPPED,
        "sent in 2 shorter parts",
        Status.PLANNED,
    )
    assert [(part.key, part.mark, len(part.text), part.plain, part.at) for part in parts] == [
        (f"{long.key} part {number}", f"[m] {number}", 750, True, long.at) for number in (1, 2)
    ]
    assert [event for event, _, _ in told(database)] == [
        Event.REFUSED,
        Event.DROPPED,
        Event.PLANNED,
        Event.PLANNED,
    ]
    bench.vendors.fails = lambda *_: None
    assert bench.deliver_after() == []
    assert {status for _, status in bench.statuses()} == {Status.DONE, Status.DROPPED}


def test_a_note_that_is_refused_at_any_length_is_given_up_soon_and_holds_nothing_up(
    database: Database,
) -> None:
    mark = "[Opsgenie · Ana Ruiz · 2026-11-23 09:14:05.123Z]"
    long = waiting(Kind.PAGERDUTY_NOTE, "a", text=f"{mark} {'word ' * 5_000}", mark=mark)
    bench = bench_of(database, long, waiting(Kind.PAGERDUTY_ACKNOWLEDGE, "a", 1), pairs=pairs("a"))
    tried: list[str] = []

    def refuses(name: str, _: object) -> Permanent | None:
        if name != "add_note":
            return None
        tried.append(name)
        return Permanent("400: this incident has 2,000 notes", 400)

    bench.vendors.fails = refuses
    for _ in range(3):
        bench.deliver_after(1)
    assert len(tried) == 3, "as it is, in plain form, and its first part"
    found = bench.statuses()
    assert [status for _, status in found if status is Status.PLANNED] == []
    assert sum(status is Status.DONE for _, status in found) == 1, "the acknowledgement"


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


# -- the journal --


def told(database: Database) -> list[tuple[Event, str, str]]:
    """Event, words and request of each entry."""
    with database.reading() as unit:
        return [(entry.event, entry.words, entry.request_id) for entry in unit.journal.of(["a"])]


def refusal(kind: type[ReconcilerError], words: str, request_id: str) -> ReconcilerError:
    error = kind(f"PagerDuty: POST (request {request_id}): {words}")
    error.request_id = request_id
    return error


def test_a_write_refused_in_the_same_words_is_one_entry_until_the_words_change(database: Database) -> None:
    bench = bench_of(database, waiting(Kind.PAGERDUTY_NOTE, "a"), pairs=pairs("a"))
    numbers = count()
    bench.vendors.fails = lambda name, _: (
        refusal(Forbidden, "403", f"r-{next(numbers)}") if name == "add_note" else None
    )
    for _ in range(3):
        bench.deliver_after(100)
    bench.vendors.fails = lambda name, _: refusal(Missing, "404", "r-9") if name == "add_note" else None
    bench.deliver_after(100)
    bench.vendors.fails = lambda *_: None
    bench.deliver_after(100)
    *refused, done = told(database)
    assert refused == [
        (Event.REFUSED, "PagerDuty: POST: 403", "r-0"),
        (Event.REFUSED, "PagerDuty: POST: 404", "r-9"),
    ]
    assert (done[0], done[1][:6]) == (Event.DONE, "note N")


def test_a_rate_limit_is_no_entry(database: Database) -> None:
    bench = bench_of(database, waiting(Kind.PAGERDUTY_NOTE, "a"), pairs=pairs("a"))
    bench.vendors.fails = lambda name, _: RateLimited("no room", 3.0) if name == "add_note" else None
    bench.deliver_after()
    assert told(database) == []


def test_a_write_without_an_answer_is_one_entry_and_so_is_one_that_is_accepted(database: Database) -> None:
    mine = (waiting(Kind.PAGERDUTY_NOTE, "a"), waiting(Kind.ALERT_NOTE, "a", 1))
    bench = bench_of(database, *mine, pairs=pairs("a"))
    bench.vendors.fails = lambda name, target: (
        refusal(Unknown, "504", "r-1") if name == "add_note" and target.startswith("I-") else None
    )
    bench.deliver_after()
    (unknown, accepted) = told(database)
    assert unknown == (Event.UNKNOWN, "PagerDuty: POST: 504", "r-1")
    assert (accepted[0], accepted[1], accepted[2][0]) == (Event.ACCEPTED, "", "N")


def test_a_page_tells_its_incident_and_that_it_pages_nobody(database: Database) -> None:
    bench = bench_of(database, waiting(Kind.CREATE_INCIDENT, "a"), pairs=pairs("a"))
    bench.vendors.created = incident("acknowledged", number=7, acknowledgers=(BOT,), url="https://acme/7")
    bench.deliver_after()
    (done, unpaged) = told(database)
    assert done[:2] == (Event.DONE, "incident #7 https://acme/7")
    assert unpaged[0] is Event.UNPAGED
    with database.reading() as unit:
        assert {entry.incident_id for entry in unit.journal.of(["a"])} == {"PINC1"}


def test_a_duplicate_is_told_with_the_vendors_words(database: Database) -> None:
    bench = bench_of(database, waiting(Kind.CREATE_INCIDENT, "a"), pairs=pairs("a"))
    bench.vendors.fails = lambda name, _: Duplicate("there is one") if name.startswith("create") else None
    bench.deliver_after()
    assert told(database) == [(Event.UNKNOWN, "there is one", "")]


def test_a_note_that_is_refused_for_its_form_is_told_until_it_is_dead(database: Database) -> None:
    bench = bench_of(database, waiting(Kind.PAGERDUTY_NOTE, "a"), pairs=pairs("a"))
    bench.vendors.fails = lambda name, _: Permanent("422", 422) if name == "add_note" else None
    bench.deliver_after()
    assert told(database) == [
        (Event.REFUSED, "422; sent again in its plainest form", ""),
        (Event.DEAD, "422", ""),
    ]


def test_a_write_that_is_no_longer_needed_is_told(database: Database) -> None:
    bench = bench_of(database, waiting(Kind.ALERT_UNACKNOWLEDGE, "a"), pairs=pairs("a"))
    bench.deliver_after()
    ((event, words, _),) = told(database)
    assert event is Event.DROPPED
    assert words.startswith("not needed: ")


# -- priorities: none is known here, as no list was read --


def test_a_page_is_made_without_a_priority_that_is_not_known_and_the_journal_says_so(database: Database) -> None:
    page = waiting(Kind.CREATE_INCIDENT, "a", text="disk full", body="the story", urgency="low", priority="SEV-9")
    bench = bench_of(database, page, pairs=pairs("a"))
    assert bench.deliver_after() == []
    assert bench.statuses() == [("a", Status.DONE)]
    assert bench.calls_of("create_incident disk full/the story/low") == ["a"]
    assert [words for event, words, _ in told(database) if event is Event.DONE] == [
        "incident #4711, without the priority SEV-9"
    ]


def test_a_priority_alone_that_is_not_known_is_dropped_unread(database: Database) -> None:
    bench = bench_of(database, waiting(Kind.PAGERDUTY_SET_URGENCY, "a", priority="SEV-9"), pairs=pairs("a"))
    assert bench.deliver_after() == []
    assert (bench.statuses(), bench.vendors.calls) == ([("a", Status.DROPPED)], [])


def test_a_priority_that_is_not_known_neither_keeps_an_urgency_back_nor_sends_it_twice(database: Database) -> None:
    raised = [waiting(Kind.PAGERDUTY_SET_URGENCY, key, urgency="high", priority="SEV-9") for key in "ab"]
    bench = bench_of(database, *raised, pairs=pairs("a", "b"))
    bench.vendors.urgency = "low"
    bench.deliver("a")
    bench.vendors.urgency = "high"
    bench.deliver("b")
    assert bench.statuses() == [("a", Status.DONE), ("b", Status.DROPPED)]
    assert bench.calls_of("set_urgency") == ["I-a"]
