"""What the page of a pair shows of its story."""

from dataclasses import replace
from typing import Any

from reconciler.core.journal import Entry, Event
from reconciler.core.model import Kind, Pair, Side, Status
from reconciler.operations.explain import Explanation
from reconciler.operations.story import BEFORE_JOURNAL, Step, Story
from reconciler.operations.waits import Wait
from reconciler.web.pair_view import MOST_STEPS, StepView, StoryView, pair_view
from reconciler.web.view import Cell, moment
from tests.support.builders import ALERT_ID, JANE, action, at, pair

SEEN = Entry(
    at(1), Event.SEEN, ALERT_ID, Side.PAGERDUTY, incident_id="PINC1", who="Jane Doe", words="acknowledged"
)
SEEN = replace(SEEN, source="feed")


def told(
    *steps: Step, pair: Pair | None = None, alert_url: str = "", dead: bool = False, waits: tuple[Wait, ...] = ()
) -> StoryView:
    refused = action(Kind.PAGERDUTY_NOTE, Status.DEAD, error="422")
    story = Story(ALERT_ID, pair, ("nobody is paged",), steps, waits, (refused,) if dead else (), alert_url)
    polled = ((Side.ALERTS, at(97)), (Side.PAGERDUTY, None))
    (found,) = pair_view(
        Explanation("17", at(100), "r.db", (story,), polled=polled), lambda alert_id: f"https://app/{alert_id}"
    ).stories
    return found


def step(entry: Entry, **more: Any) -> StepView:
    (found,) = told(replace(Step(entry), **more)).steps
    return found


def test_both_sides_are_shown_with_their_states_and_pages() -> None:
    opsgenie, pagerduty = told(pair=pair("acknowledged", (JANE,), acknowledged=True, as_of=at(20))).sides
    assert (opsgenie.name, opsgenie.state) == ("Opsgenie", "open, acknowledged, P3")
    assert (opsgenie.as_of, opsgenie.polled, opsgenie.url) == (moment(at(0)), "3 s ago", f"https://app/{ALERT_ID}")
    assert (pagerduty.state, pagerduty.as_of) == ("acknowledged by Jane Doe", moment(at(20)))
    assert (pagerduty.polled, pagerduty.url) == ("never", "")
    assert told(pair=pair(), alert_url="https://named").sides[0].url == "https://named"


def test_a_pair_without_a_record_or_an_incident_is_told_as_far_as_it_is_known() -> None:
    found = told()
    assert (found.name, found.sides, found.sweep) == (f"alert {ALERT_ID}", (), "")
    assert found.shortly == ("Nobody is paged.",)
    (_, pagerduty) = told(pair=pair(status=None)).sides
    assert (pagerduty.state, pagerduty.as_of) == ("no incident", None)


def test_the_sweep_is_told_with_when_it_comes_again() -> None:
    assert told(pair=pair()).sweep == ""
    swept = pair(swept_at=at(10))
    assert told(pair=swept).sweep == (
        "Both sides were read by the sweep at 2026-11-23 09:00:10 UTC, next at 2026-11-23 09:00:00 UTC."
    )
    assert told(pair=replace(swept, next_look_at=None)).sweep.endswith(", and not by it again.")


def test_an_act_stands_on_its_side_with_who_did_it() -> None:
    found = step(SEEN)
    assert (found.place, found.side, found.event, found.tone) == ("pagerduty", "PagerDuty", "seen", "")
    assert (found.who, found.words, found.what) == ("Jane Doe", "acknowledged", "")
    assert found.more == ("found by feed", "incident PINC1")


def test_a_write_names_its_action_and_note_and_its_author_only_where_they_did_it_themselves() -> None:
    write = Entry(at(2), Event.DONE, ALERT_ID, Side.ALERTS, Kind.ALERT_NOTE, "k", who="Jane Doe", request_id="R")
    found = step(write, note="on it", is_journalled=False)
    assert (found.place, found.what, found.tone, found.who) == ("opsgenie", "opsgenie.add_note", "ours", "")
    assert (found.note, found.more) == ("on it", ("request R", BEFORE_JOURNAL))
    assert step(replace(write, event=Event.RETRIED)).who == "Jane Doe"
    assert step(replace(write, event=Event.DEAD)).tone == "bad"


def test_what_concerns_no_side_stands_across_both() -> None:
    found = step(Entry(at(3), Event.LINKED, ALERT_ID, who="ana@bastion"))
    assert (found.place, found.side, found.who) == ("both", "both sides", "ana@bastion")


def test_a_long_story_keeps_its_newest_steps_and_says_how_many_it_leaves_out() -> None:
    many = tuple(Step(replace(SEEN, at=at(number))) for number in range(MOST_STEPS + 2))
    found = told(*many, pair=pair())
    assert (len(found.steps), found.steps[0].at) == (MOST_STEPS, moment(at(2)))
    assert (found.earlier, found.command) == (
        "2 earlier steps are left out. All of them:",
        "reconciler explain 17",
    )
    assert told(*many[2:], pair=pair()).earlier == ""


def test_what_waits_and_what_is_dead_have_tables_and_the_command() -> None:
    open_action = action(Kind.PAGERDUTY_NOTE)
    waits = (Wait(open_action, "back-off after 1 try: 503", at(130)), Wait(open_action, "due"))
    waiting, dead = told(pair=pair(), waits=waits, dead=True).tables
    assert waiting.rows[0] == (
        Cell("pagerduty.add_note"),
        Cell("planned"),
        Cell("because"),
        Cell("2026-11-23 09:02:10 UTC", time="2026-11-23T09:02:10+00:00"),
        Cell("back-off after 1 try: 503"),
    )
    assert waiting.rows[1][3] == Cell("no set time")
    assert dead.rows == ((Cell("pagerduty.add_note"), Cell("because"), Cell("422")),)
    assert dead.commands == ("reconciler retry 17",)
    assert told(dead=True).tables[0].commands == (f"reconciler retry {ALERT_ID}",)
    quiet = told(pair=pair())
    assert (quiet.tables, quiet.empty) == ((), "Nothing waits, and nothing is dead.")
