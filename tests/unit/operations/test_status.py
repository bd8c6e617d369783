"""What `status` finds in the database, and what of it needs attention."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.core.model import Kind, Settlement, Side, Status
from reconciler.core.pause import Pause
from reconciler.core.shadow import Comparison
from reconciler.operations import pausing, status, status_data
from reconciler.operations.status import Entry, StatusReport
from reconciler.store.database import Database
from reconciler.store.leader_state import LeaderState
from reconciler.store.overview import Paging, WaitingPage
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
        kinds = (Kind.CREATE_INCIDENT, Kind.PAGERDUTY_NOTE, Kind.ALERT_NOTE)
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


def test_pages_come_first_then_what_has_waited_longest(database: Database) -> None:
    planned = {Kind.PAGERDUTY_NOTE: 20, Kind.ALERT_NOTE: 10, Kind.CREATE_INCIDENT: 30}
    with database.writing() as unit:
        for kind, seconds in planned.items():
            unit.outbox.add([action(kind)], at(seconds))
    report = status.read(database, "")
    in_order = [Kind.CREATE_INCIDENT, Kind.ALERT_NOTE, Kind.PAGERDUTY_NOTE]
    assert [entry.action.kind for entry in report.of("planned")] == in_order


def test_pauses_in_force_need_attention_and_those_that_are_over_do_not(database: Database) -> None:
    with database.writing() as unit:
        unit.pauses.save([Pause(Side.PAGERDUTY, at(0), "over", until=at(1)), Pause(Side.ALERTS, at(0), "lasts")])
    assert [each.pause.reason for each in status.read(database, "").pauses] == ["lasts"]
    lasts = polled(5, pauses=(pausing.Held(Pause(Side.ALERTS, at(0), "lasts")),))
    assert status.needs_attention(lasts, 10.0)


def test_who_leads_is_read_with_what_the_leader_stored(database: Database) -> None:
    assert status.read(database, "").lead is None
    epoch = database.lead()
    with database.writing() as unit:
        unit.cursors.save(leader=LeaderState(at(9), epoch, at(1)))
    report = status.read(database, "")
    assert report.lead is not None
    assert (report.lead.epoch, report.led_since) == (epoch, at(1))


def test_a_poll_by_a_clock_that_is_a_little_ahead_counts_as_of_now(database: Database) -> None:
    with database.writing() as unit:
        unit.cursors.save(polled_alerts=datetime.now(UTC) + timedelta(seconds=20))
    assert status.age_of(status.read(database, ""), Side.ALERTS) == 0.0


def test_a_line_of_text_names_the_pair_what_is_done_since_when_and_why() -> None:
    entry = Entry(action(Kind.PAGERDUTY_NOTE, attempts=2, error="503"), pair(), at(0))
    assert status.entry_text(at(60), entry) == (
        '#17 "Disk full", incident #4711: pagerduty.add_note for 60 s, 2 tries: 503 (alert a-1)'
    )


def test_a_pause_is_shown_with_what_waits_needs_attention_and_excuses_late_pages(database: Database) -> None:
    paused = Pause(Side.PAGERDUTY, at(0), "maintenance", "ops@host", pages=True)
    with database.writing() as unit:
        unit.outbox.add([action(Kind.CREATE_INCIDENT)], at(0))
        unit.pauses.save([paused])
    report = status.read(database, "")
    assert [(each.pause, each.waiting) for each in report.pauses] == [(paused, (Kind.CREATE_INCIDENT,))]
    assert report.troubles == ()
    assert status_data.as_data(report, 10.0)["pauses"][0]["reason"] == "maintenance"
    (line,) = [pausing.line(each, report.now) for each in report.pauses]
    assert line.endswith(", pages too: maintenance; 1 page waits")
    assert status.needs_attention(polled(5, pauses=report.pauses), 10.0)
    with database.writing() as unit:
        unit.pauses.end([Side.PAGERDUTY])
    assert [each.subject for each in status.read(database, "").troubles] == ["pages"]


def test_a_page_that_waits_because_of_an_error_needs_attention_at_once() -> None:
    just = at(3600)
    for page, expected in ((WaitingPage("a-1", just, "503"), True), (WaitingPage("a-1", just, ""), False)):
        assert status.needs_attention(polled(5, paging=Paging((page,))), 10.0) is expected


def test_a_comparison_with_another_product_is_shown_for_a_day(database: Database) -> None:
    now = datetime.now(UTC)
    for age, shown in ((timedelta(hours=23), True), (timedelta(hours=25), False)):
        with database.writing() as unit:
            unit.cursors.save(shadow=Comparison(now - age, {"same": 1}))
        assert (status.read(database, "sqlite:///r.db").shadow is not None) is shown
