"""`explain`: which stories an id means, when the vendors are asked, and what is printed."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.core.journal import Entry, Event
from reconciler.core.model import Kind, Settlement, Side, Status
from reconciler.core.work import WorkItem
from reconciler.operations import explain
from reconciler.operations.explain import Explanation, Known
from reconciler.operations.untracked import Searches, Verdict
from reconciler.store.cursors import Origin
from reconciler.store.database import Database
from tests.support.builders import action, at, pair

KNOWN = Known(10.0, "tag:prod", timedelta(days=30))
SEEN = Entry(
    at(1), Event.SEEN, "a-1", Side.PAGERDUTY, incident_id="PINC1", who="Jane Doe", words="resolved", source="feed"
)
DONE = Entry(
    at(2),
    Event.DONE,
    "a-1",
    Side.PAGERDUTY,
    Kind.PAGERDUTY_NOTE,
    "k",
    "PINC1",
    "Ana Ruiz",
    "note PN1",
    request_id="01PD",
)


def page(alert_id: str) -> str:
    return f"https://opsgenie/{alert_id}"


def never() -> Searches:
    raise AssertionError("a tracked alert is asked about")


@pytest.fixture
def stored(database: Database) -> Database:
    """Two pairs: #17 with incident #4711, and #4711 with incident #4712, the first with a dead note."""
    with database.writing() as unit:
        first = pair(swept_at=at(0))
        other = replace(first, alert_id="a-2", tiny_id="4711", incident_id="PINC2", incident_number=4712)
        unit.snapshot.save_pairs([first, replace(other, title="Other", next_look_at=None)])
        unit.outbox.add([action(Kind.PAGERDUTY_NOTE, text="any news?", key="k")], at(0))
        unit.outbox.settle(Settlement(1, Status.DEAD, "422"), at(3))
        unit.journal.append(
            [SEEN, DONE, replace(DONE, event=Event.RETRIED, who="ana@bastion", words="it was dead")]
        )
        unit.cursors.save(origin=Origin(at(-9), at(-9)), polled_alerts=at(5), query="")
    return database


@pytest.mark.parametrize("given", ["", "#"])
def test_an_empty_id_names_no_story(stored: Database, given: str) -> None:
    with stored.writing() as unit:
        unit.journal.append([replace(SEEN, incident_id="")])
    found = explain.read_tracked(stored, "db", given)
    assert (found.stories, found.left_out) == ((), 0)


def test_of_many_stories_of_one_id_the_first_ten_are_told(stored: Database) -> None:
    with stored.writing() as unit:
        unit.journal.append(
            [replace(SEEN, alert_id=f"b-{number:02}", incident_id="PINC8") for number in range(13)]
        )
    found = explain.read_tracked(stored, "db", "PINC8")
    assert ([one.alert_id for one in found.stories][-1], found.left_out) == ("b-09", 3)
    assert explain.as_text(found, page).endswith("The first 10 of 13 stories that name this id.")
    assert explain.as_data(found, page)["stories_left_out"] == 3


def test_what_is_tracked_is_told_without_asking_a_vendor(stored: Database) -> None:
    found = explain.read_tracked(stored, "sqlite:///r.db", "17")
    assert [one.alert_id for one in found.stories] == ["a-1"]
    assert found.polled == ((Side.ALERTS, at(5)), (Side.PAGERDUTY, None))
    assert explain.retry_command(found.stories[0]) == "reconciler retry 17"
    unknown = explain.read_tracked(stored, "sqlite:///r.db", "99")
    assert (unknown.stories, unknown.verdicts, unknown.is_answer) == ((), (), False)


def read(database: Database, given: str) -> Explanation:
    return explain.read(database, "sqlite:///r.db", given, KNOWN, never)


@pytest.mark.parametrize("given", ["17", "#17", "a-1", "PINC1"])
def test_any_name_of_a_pair_tells_its_story_and_asks_nobody(stored: Database, given: str) -> None:
    found = read(stored, given)
    assert [one.alert_id for one in found.stories] == ["a-1"]
    assert found.is_answer


def test_a_name_of_several_pairs_tells_all_of_them(stored: Database) -> None:
    assert sorted(one.alert_id for one in read(stored, "4711").stories) == ["a-1", "a-2"]


def test_an_id_that_is_not_tracked_is_asked_about(stored: Database) -> None:
    found = explain.read(stored, "sqlite:///r.db", "99", KNOWN, Searches)
    (verdict,) = found.verdicts
    assert (verdict.kind, found.is_answer) == ("not asked", False)
    assert explain.as_text(found, page).startswith(
        "99 is not tracked in sqlite:///r.db: not asked\n  To look further"
    )
    assert explain.as_data(found, page)["untracked"][0]["verdict"] == "not asked"


@pytest.mark.parametrize(("query", "expected"), [(None, "tag:prod"), ("", ""), ("tag:x", "tag:x")])
def test_the_query_is_the_daemons_and_the_configured_one_before_it_has_run(
    database: Database, query: str | None, expected: str
) -> None:
    with database.writing() as unit:
        if query is not None:
            unit.cursors.save(query=query)
        running = explain._running(unit, unit.cursors.load(at(0)), KNOWN, at(0))
    assert (running.query, running.late) == (expected, 60.0)


def test_the_text_tells_state_story_and_what_to_do(stored: Database) -> None:
    lines = explain.as_text(read(stored, "17"), page).splitlines()
    assert lines[0] == '#17 "Disk full", incident #4711 (alert a-1)'
    assert "  The story begins with the upgrade" in lines[1]
    assert any(
        line.startswith("Opsgenie   open, not acknowledged, P3; as of 2026-11-23 09:00:00Z; Opsgenie")
        for line in lines
    )
    assert "           https://opsgenie/a-1" in lines
    assert "PagerDuty  triggered" in lines
    assert "Sweep      read both sides at 2026-11-23 09:00:00Z, next at 2026-11-23 09:00:00Z" in lines
    assert (
        "  2026-11-23 09:00:01  PagerDuty  seen      Jane Doe: resolved (found by: feed; incident PINC1)" in lines
    )
    assert "  2026-11-23 09:00:02  PagerDuty  done      pagerduty.add_note: note PN1 (request 01PD)" in lines
    assert any(
        "retried   pagerduty.add_note: it was dead (by ana@bastion; request 01PD)" in line for line in lines
    )
    assert lines[-3:] == [
        "Dead:",
        "  pagerduty.add_note (because): 422",
        "To try it again: reconciler retry 17",
    ]


def test_a_pair_that_is_read_no_more_and_has_no_story_says_so(stored: Database) -> None:
    text = explain.as_text(read(stored, "a-2"), page)
    assert "and is not read by it again" in text
    assert text.endswith("Story (UTC):\n  nothing is recorded")


def test_what_waits_is_told_with_its_end(stored: Database) -> None:
    with stored.writing() as unit:
        sent = action(Kind.ALERT_NOTE, alert_id="a-2", key="sent")
        unit.outbox.add([sent], at(0))
        (open_action,) = unit.outbox.open()
        unit.outbox.mark_sent(open_action, at(1))
        unit.work.add([WorkItem("a-2", at(60))])
    found = read(stored, "a-2")
    assert (
        "  opsgenie.add_note (because), in flight until 2026-11-23 09:01:00Z: in flight: its target is read"
        in explain.as_text(found, page).splitlines()
    )
    (wait,) = explain.as_data(found, page)["stories"][0]["waits"]
    assert (wait["until"], wait["state"]) == ("2026-11-23T09:01:00+00:00", "in flight")


def test_an_alert_without_a_pair_is_told_by_its_id(database: Database) -> None:
    with database.writing() as unit:
        unit.outbox.add([action(Kind.PAGERDUTY_NOTE)], at(0))
        unit.outbox.settle(Settlement(1, Status.DEAD, "422"), at(3))
    found = read(database, "a-1")
    assert explain.as_text(found, page).startswith(
        "alert a-1 (alert a-1)\n  There is no record of the alert itself"
    )
    (one,) = explain.as_data(found, page)["stories"]
    assert (one["alert"], one["opsgenie"], one["pagerduty"], one["retry"]) == (
        None,
        None,
        None,
        "reconciler retry a-1",
    )


def test_the_document_has_all_of_the_story(stored: Database) -> None:
    document = explain.as_data(read(stored, "17"), page)
    assert (document["id"], document["known"], document["untracked"]) == ("17", True, [])
    assert document["polled"] == {"opsgenie": "2026-11-23T09:00:05+00:00", "pagerduty": None}
    (one,) = document["stories"]
    assert (one["alert_id"], one["alert"], one["incident"], one["tracked"]) == ("a-1", "17", 4711, True)
    assert one["pagerduty"] == {"state": "triggered", "as_of": None}
    assert [step["event"] for step in one["story"]] == ["planned", "seen", "done", "retried", "dead"]
    assert one["story"][2]["request_id"] == "01PD"
    assert one["dead"][0]["error"] == "422"


def test_control_characters_of_others_are_escaped(stored: Database) -> None:
    with stored.writing() as unit:
        unit.journal.append([replace(SEEN, words="a\x1b[31m\nb")])
    text = explain.as_text(read(stored, "17"), page)
    assert "\x1b" not in text
    assert "\\u001b" in text


def test_a_verdict_is_told_with_name_and_page() -> None:
    known = Verdict("not followed", ("its key is a-9",), True, "a-9", '#9 "x"', "https://pagerduty/x")
    found = Explanation("PINC9", at(0), "db", verdicts=(known, Verdict("unknown", (), name="incident #3")))
    assert found.is_answer
    assert explain.as_text(found, page) == (
        '#9 "x" (alert a-9) is not tracked in db: not followed\n  Its key is a-9.\n  https://pagerduty/x\n\n'
        "incident #3 is not tracked in db: unknown"
    )
