"""What `status` finds in the database, and what of it needs attention."""

from dataclasses import replace
from typing import Any

from reconciler.core.model import Kind, Settlement, Side, Status
from reconciler.core.pause import Pause
from reconciler.operations import status
from reconciler.operations.status import Entry, StatusReport
from reconciler.store.database import Database
from reconciler.store.troubles import KeptTrouble, save
from tests.support.builders import action, at, pair


def test_missing_pages_named_by_a_pagerduty_problem_are_as_old_as_the_problem(database: Database) -> None:
    unpaged = replace(pair(swept_at=at(0)), unpaged="incident #7 is assigned to the automation user alone")
    with database.writing() as unit:
        unit.snapshot.save_pairs([unpaged])
        save(unit, [KeptTrouble("pagerduty", at(5), "PAGERDUTY_USER: nobody is paged")])
    troubles = {trouble.subject: trouble.since for trouble in status.read(database, "sqlite:///r.db").troubles}
    assert troubles == {"pagerduty": at(5), "pages": at(5)}


def polled(seconds_ago: float | None, **more: Any) -> StatusReport:
    """As it is where both sides were polled so long ago, or never."""
    last = None if seconds_ago is None else at(3600 - seconds_ago)
    return StatusReport(at(3600), "sqlite:///r.db", polled=dict.fromkeys(Side, last), **more)


def test_a_side_is_late_after_three_intervals_or_a_minute_and_if_it_was_never_polled() -> None:
    for report, interval, expected in (
        (polled(60), 10.0, []),
        (polled(61), 10.0, [*Side]),
        (polled(299), 100.0, []),
        (polled(None), 10.0, [*Side]),
    ):
        assert status.late(report, interval) == expected
        assert status.needs_attention(report, interval) is bool(expected)


def test_the_missing_pages_of_now_replace_those_that_were_stored(database: Database) -> None:
    with database.writing() as unit:
        save(unit, [KeptTrouble("pages", at(0), "1 page waits"), KeptTrouble("pagerduty", at(5), "away")])
    assert [trouble.subject for trouble in status.read(database, "").troubles] == ["pagerduty"]


def test_every_action_that_is_not_done_is_read_with_its_pair_and_counted(database: Database) -> None:
    with database.writing() as unit:
        unit.snapshot.save_pairs([pair(swept_at=at(0), title="")])
        kinds = (Kind.CREATE_INCIDENT, Kind.PAGERDUTY_NOTE, Kind.OPSGENIE_NOTE)
        unit.outbox.add([action(kind, text="Disk full") for kind in kinds], at(20))
        unit.outbox.settle(Settlement(1, Status.DONE), at(30))
        unit.outbox.settle(Settlement(2, Status.DEAD, "too long"), at(30))
    report = status.read(database, "")
    assert {state: count for state, count in report.counts.items() if count} == {
        "planned": 1,
        "done": 1,
        "dead": 1,
    }
    (dead,) = report.of("dead")
    assert (dead.action.error, dead.since) == ("too long", at(30))
    assert dead.pair is not None
    assert dead.pair.title == "Disk full", "that of its page, where an older database has none"


def test_the_text_lists_what_is_dead_completely_and_of_the_rest_a_part() -> None:
    many = range(status.MOST_LISTED + 2)
    waiting = tuple(Entry(action(Kind.PAGERDUTY_NOTE, id=n), None, at(0)) for n in many)
    dead = tuple(Entry(action(Kind.OPSGENIE_NOTE, Status.DEAD, id=n), None, at(0)) for n in many)
    text = status.as_text(polled(5, entries=(*waiting, *dead)), 10.0)
    assert text.count("pagerduty.add_note") == status.MOST_LISTED
    assert "… and 2 more" in text
    assert text.count("opsgenie.add_note") == len(many)
    assert "reconciler retry --all" in text


def test_a_pause_is_shown_with_what_waits_needs_attention_and_excuses_late_pages(database: Database) -> None:
    paused = Pause(Side.PAGERDUTY, at(0), "maintenance", "ops@host", pages=True)
    with database.writing() as unit:
        unit.outbox.add([action(Kind.CREATE_INCIDENT)], at(0))
        unit.pauses.save([paused])
    report = status.read(database, "")
    assert [(each.pause, each.waiting) for each in report.pauses] == [(paused, (Kind.CREATE_INCIDENT,))]
    assert report.troubles == ()
    assert status.as_data(report)["pauses"][0]["reason"] == "maintenance"
    (line,) = [each for each in status.as_text(report, 10.0).splitlines() if each.startswith("Paused ")]
    assert line.endswith(", pages too: maintenance; 1 page waits")
    assert status.needs_attention(polled(5, pauses=report.pauses), 10.0)
    with database.writing() as unit:
        unit.pauses.end([Side.PAGERDUTY])
    assert [each.subject for each in status.read(database, "").troubles] == ["pages"]
