"""A pause and its end: what is stored, journalled and said."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from reconciler.core.journal import Event
from reconciler.core.model import Kind, Side
from reconciler.core.pause import Pause
from reconciler.operations import pausing
from reconciler.operations.pausing import Held
from reconciler.store.database import Database
from tests.support.builders import action, at

PAUSE = Pause(Side.PAGERDUTY, at(0), "maintenance", "ops@host")
DAY_OF_AT = f"{at(0):%Y-%m-%d %H:%M} UTC"
NOTES = (Kind.PAGERDUTY_NOTE, Kind.PAGERDUTY_NOTE)


def journal(database: Database) -> list[tuple[Event, Side | None, str, str]]:
    with database.reading() as unit:
        return [(each.event, each.side, each.who, each.words) for each in reversed(unit.journal.last(9))]


def test_a_pause_of_both_sides_is_stored_and_journalled_with_who_and_why(database: Database) -> None:
    made = pausing.begin(database, [*Side], "why", "ops@host", pages=True, lasts=timedelta(hours=2))
    with database.reading() as unit:
        assert tuple(unit.pauses.all()) == made
    assert [pause.until == pause.since + timedelta(hours=2) for pause in made] == [True, True]
    assert journal(database) == [(Event.PAUSED, side, "ops@host", "why (pages too)") for side in Side]


def test_its_end_forgives_earlier_failures_of_what_has_waited_and_nothing_else(database: Database) -> None:
    kinds = (Kind.PAGERDUTY_NOTE, Kind.CREATE_INCIDENT, Kind.ALERT_NOTE)
    with database.writing() as unit:
        unit.outbox.add([action(kind, failing_since=at(5)) for kind in kinds], at(9))
        unit.pauses.save([PAUSE, replace(PAUSE, side=Side.ALERTS)])
    (ended,) = pausing.end(database, [Side.PAGERDUTY], "eva@host")
    assert (ended.pause, ended.waiting) == (PAUSE, (Kind.PAGERDUTY_NOTE,))
    with database.reading() as unit:
        since = {each.kind: each.failing_since for each in unit.outbox.open()}
        assert [pause.side for pause in unit.pauses.all()] == [Side.ALERTS]
    assert since == dict(zip(kinds, (None, at(5), at(5)), strict=True))
    assert journal(database) == [(Event.RESUMED, Side.PAGERDUTY, "eva@host", "")]
    assert pausing.end(database, [Side.PAGERDUTY], "eva@host") == ()


def test_a_pause_that_is_over_is_none(database: Database) -> None:
    with database.writing() as unit:
        unit.pauses.save([replace(PAUSE, until=at(10))])
        assert pausing.held_by(unit, at(10)) == ()
        assert [each.pause.side for each in pausing.held_by(unit, at(9))] == [Side.PAGERDUTY]
    assert pausing.end(database, [Side.PAGERDUTY], "eva@host") == ()
    with database.reading() as unit:
        assert unit.pauses.all() == []


def test_a_line_tells_who_since_when_why_and_what_waits() -> None:
    line = pausing.line(Held(PAUSE, NOTES), at(52 * 60))
    assert line == "PagerDuty: paused by ops@host since 09:00 UTC (52 min): maintenance; 2 notes wait"
    assert pausing.line(Held(PAUSE, NOTES[:1]), at(60)).endswith("; 1 note waits")
    today = datetime.now(UTC)
    nobody = replace(PAUSE, who="", since=today, until=today, pages=True)
    clock = f"{today:%H:%M} UTC"
    assert pausing.sentence(nobody, today) == (
        f"PagerDuty: paused by somebody since {clock}, until {clock}, pages too: maintenance"
    )


def test_the_document_has_every_pause_with_its_age() -> None:
    (found,) = pausing.as_data([Held(replace(PAUSE, until=at(99)), NOTES)], at(60))
    assert found == {
        "side": "pagerduty",
        "pages": False,
        "since": at(0).isoformat(),
        "age_seconds": 60.0,
        "until": at(99).isoformat(),
        "who": "ops@host",
        "reason": "maintenance",
        "waiting": 2,
    }
    assert pausing.as_data([Held(PAUSE)], at(60))[0]["until"] is None


def test_pages_are_made_unless_a_pause_of_pagerduty_includes_them() -> None:
    assert pausing.is_paging([PAUSE, replace(PAUSE, side=Side.ALERTS, pages=True)])
    assert not pausing.is_paging([replace(PAUSE, pages=True)])


def test_both_commands_say_what_they_did() -> None:
    assert pausing.begun_text([PAUSE]).splitlines()[0] == (
        f"PagerDuty: paused by ops@host since {DAY_OF_AT}: maintenance"
    )
    held = (Held(PAUSE, NOTES), Held(PAUSE, NOTES[:1]), Held(replace(PAUSE, side=Side.ALERTS)))
    assert pausing.ended_text(held).splitlines() == [
        "PagerDuty: resumed; 2 notes were held back",
        "PagerDuty: resumed; 1 note was held back",
        "Opsgenie: resumed",
    ]
    assert pausing.ended_text(()) == "Nothing is paused there: nothing to resume."
