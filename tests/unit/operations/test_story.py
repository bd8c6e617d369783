"""A story is told from the journal, and from the outbox where there is none; its conclusions come first."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.journal import Entry, Event
from reconciler.core.model import AlertBaseline, IncidentBaseline, Kind, Pair, Settlement, Side, Status
from reconciler.core.pause import Pause
from reconciler.operations import story
from reconciler.operations.story import Story
from reconciler.store.cursors import Origin
from reconciler.store.database import Database
from reconciler.store.troubles import KeptTrouble, save
from tests.support.builders import BOT, JANE, action, at, pair

NOW = at(100)
CREATION = action(
    Kind.CREATE_INCIDENT, body="Priority: P1\nAlert: https://app.opsgenie.com/alert/detail/a-1/details"
)
NOTE = action(Kind.PAGERDUTY_NOTE, text="[Opsgenie · Ana Ruiz · 2026] any\nnews?", reason="Ana Ruiz added a note")


def planned(key: str = NOTE.key, kind: Kind = NOTE.kind, **more: Any) -> Entry:
    return replace(Entry(at(20), Event.PLANNED, "a-1", kind.side, kind, key, words="because"), **more)


def told(database: Database, *entries: Entry, known: Pair | None = None, **stored: Any) -> Story:
    """The story of a database with this pair, these entries, and actions that were planned at 20 s."""
    with database.writing() as unit:
        unit.snapshot.save_pairs([replace(known, swept_at=at(0))] if known else [])
        unit.outbox.add(stored.get("actions", ()), at(20))
        unit.journal.append(entries)
        unit.pauses.save(stored.get("pauses", ()))
        unit.cursors.save(**({"origin": stored["origin"]} if "origin" in stored else {}))
        save(unit, stored.get("troubles", ()))
        for settlement in stored.get("settled", ()):
            unit.outbox.settle(settlement, at(30))
        return story.read(unit, "a-1", NOW)


def test_events_are_told_in_order_with_the_text_of_the_note_where_it_is_planned(database: Database) -> None:
    seen = Entry(at(19), Event.SEEN, "a-1", Side.ALERTS, who="Ana Ruiz", words="added note 1")
    done = planned(event=Event.DONE, at=at(21), words="note PN1")
    found = told(database, planned(), done, seen, known=pair(), actions=[NOTE])
    assert [(step.entry, step.note) for step in found.steps] == [
        (seen, ""),
        (planned(), "[Opsgenie · Ana Ruiz · 2026] any news?"),
        (done, ""),
    ]
    assert all(step.is_journalled for step in found.steps)
    assert found.shortly == ()


def test_what_was_planned_before_there_was_a_journal_is_told_from_the_outbox(database: Database) -> None:
    found = told(
        database,
        known=pair(),
        actions=[CREATION, NOTE],
        settled=[Settlement(1, Status.DONE), Settlement(2, Status.DEAD, "422")],
    )
    assert [(step.entry.at, step.entry.event, step.entry.words, step.is_journalled) for step in found.steps] == [
        (at(20), Event.PLANNED, "because", False),
        (at(20), Event.PLANNED, "Ana Ruiz added a note", False),
        (at(30), Event.DONE, "", False),
        (at(30), Event.DEAD, "422", False),
    ]
    assert [action.key for action in found.dead] == [NOTE.key]
    (gap,) = found.shortly
    assert gap.startswith("the story begins with the upgrade")
    assert found.alert_url == "https://app.opsgenie.com/alert/detail/a-1/details"


def test_an_end_that_is_journalled_is_not_told_twice(database: Database) -> None:
    done = planned(event=Event.DONE, at=at(30))
    found = told(database, done, known=pair(), actions=[NOTE], settled=[Settlement(1, Status.DONE)])
    assert [(step.entry.event, step.is_journalled) for step in found.steps] == [
        (Event.PLANNED, False),
        (Event.DONE, True),
    ]


def test_what_waits_is_told_with_the_vendors_trouble(database: Database) -> None:
    trouble = KeptTrouble("pagerduty", at(5), "PagerDuty: 503")
    found = told(database, planned(), known=pair(), actions=[NOTE], troubles=[trouble])
    assert [wait.why for wait in found.waits] == ["for PagerDuty (circuit breaker): PagerDuty: 503"]


def test_a_pause_that_is_not_over_is_a_conclusion(database: Database) -> None:
    pauses = [
        Pause(Side.PAGERDUTY, at(0), "a move", "ana", until=at(500)),
        Pause(Side.ALERTS, at(0), "over", until=at(99)),
    ]
    found = told(database, planned(), known=pair(), pauses=pauses)
    assert found.shortly == (
        "writes to PagerDuty are paused since 2026-11-23 09:00:00Z until 2026-11-23 09:08:20Z by ana: a move",
    )
    assert story.paused(Pause(Side.ALERTS, at(0), "why")) == (
        "writes to Opsgenie are paused since 2026-11-23 09:00:00Z: why"
    )


ORIGIN = Origin(at(50), at(-3600))


@pytest.mark.parametrize(
    ("known", "stored", "words"),
    [
        (None, {"actions": [NOTE]}, "there is no record of the alert itself"),
        (replace(pair(), unpaged="incident #7 is the bot's"), {}, "nobody is paged: incident #7 is the bot's"),
        (pair(None), {}, "nobody is paged yet: there is no incident"),
        (
            pair(None),
            {"actions": [replace(CREATION, incident_id=None, error="403")]},
            "nobody is paged yet: there is no incident: 403",
        ),
        (pair(None, tracked=False), {}, "baseline: it was recorded before there was a journal"),
        (
            pair(None, tracked=False),
            {"origin": ORIGIN},
            "baseline: the first start at 2026-11-23 09:00:50Z paged what was raised since 2026-11-23 08:00:00Z",
        ),
        (
            replace(pair(), alerts=AlertBaseline(False, False, at(0), deleted=True)),
            {},
            "the alert was deleted in Opsgenie",
        ),
        (replace(pair(), unexplained_since=at(50)), {}, "PagerDuty's log does not say yet who did it"),
    ],
)
def test_the_most_important_conclusion_comes_first(
    database: Database, known: Pair | None, stored: dict[str, Any], words: str
) -> None:
    assert words in told(database, known=known, **stored).shortly[0]


def test_a_baseline_is_told_in_the_words_of_its_record(database: Database) -> None:
    recorded = Entry(at(1), Event.BASELINE, "a-1", Side.ALERTS, words="raised at nine: too old")
    assert told(database, recorded, known=pair(None, tracked=False)).shortly == (
        "nobody is paged, on purpose: this alert is a baseline: raised at nine: too old",
    )


@pytest.mark.parametrize(
    "words",
    [
        "incident #7 https://acme.pagerduty.com/incidents/PINC1",
        "its effect is there https://acme.pagerduty.com/incidents/PINC1",
        "incident #7 https://acme.pagerduty.com/incidents/PINC1 existed already",
    ],
)
def test_the_incidents_page_is_the_one_that_the_journal_names(database: Database, words: str) -> None:
    other = planned(incident_id="POLD", words="incident #1 https://acme.pagerduty.com/incidents/POLD")
    found = told(database, other, planned(incident_id="PINC1", words=words), known=pair())
    assert found.incident_url == "https://acme.pagerduty.com/incidents/PINC1"
    assert told(database, known=pair(None)).incident_url == ""


def test_both_sides_are_told_as_the_snapshot_knows_them() -> None:
    known = pair("acknowledged", (BOT, JANE), as_of=at(9))
    assert story.state_of_alert(known) == "open, not acknowledged, P3"
    assert story.state_of_incident(known) == "acknowledged by Opsgenie Bridge, Jane Doe"
    assert (story.as_of(known, Side.ALERTS), story.as_of(known, Side.PAGERDUTY)) == (at(0), at(9))
    odd = AlertBaseline(False, True, at(0), at(60), missing_since=at(5))
    assert story.state_of_alert(replace(known, alerts=odd)) == (
        "closed, acknowledged, snoozed until 2026-11-23 09:01:00Z, not found since 2026-11-23 09:00:05Z"
    )
    assert story.state_of_alert(replace(known, alerts=replace(odd, deleted=True))).startswith("deleted, ")
    assert story.state_of_incident(replace(known, pagerduty=IncidentBaseline("resolved"))) == "resolved"
    assert (story.state_of_incident(pair(None)), story.as_of(pair(None), Side.PAGERDUTY)) == ("no incident", None)
