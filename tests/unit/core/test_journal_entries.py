"""What each decision adds to a pair's story, and what adds nothing."""

from dataclasses import replace

import pytest

from reconciler.core.journal import Entry, Event
from reconciler.core.journal_entries import ACTS, of_action, of_failure, of_moved_pair, of_plan
from reconciler.core.mapping import TABLE
from reconciler.core.model import Echo, Kind, Observation, Plan, Settlement, Side, Status
from reconciler.core.plan import decide
from reconciler.core.work import Reason
from tests.support.builders import (
    ANA,
    BOT,
    INCIDENT_ID,
    JANE,
    OG,
    PD,
    RESOLVED,
    Bench,
    action,
    after,
    alert,
    at,
    incident,
    inputs,
    note,
    observation,
    pair,
    policy,
)

NOW = at(60)
FEED = (Reason.SWEEP, Reason.FEED)


def entries(seen: Observation, *reasons: Reason) -> tuple[Entry, ...]:
    """The entries of the plan that is made of this observation."""
    given = inputs(seen)
    return of_plan(decide(given), given, reasons or FEED)


def told(found: tuple[Entry, ...]) -> list[tuple[Event, str]]:
    return [(entry.event, entry.words) for entry in found]


def test_an_act_and_what_follows_from_it_are_told_with_their_source() -> None:
    written = note("PN1", JANE, "on it", 20)
    seen, planned = entries(observation(pair=pair(), incident=incident(), incident_notes=(written,)))
    assert seen == Entry(
        NOW,
        Event.SEEN,
        "a-1",
        PD,
        incident_id=INCIDENT_ID,
        who="Jane Doe",
        words="added note PN1 at 2026-11-23 09:00:20Z",
        source="feed, sweep",
    )
    assert (planned.event, planned.kind, planned.side, planned.who) == (
        Event.PLANNED,
        Kind.ALERT_NOTE,
        OG,
        "Jane Doe",
    )
    assert planned.words == "Jane Doe added a note in PagerDuty"
    assert planned.key
    assert planned.source == "feed, sweep"


def test_the_text_of_a_note_is_not_told() -> None:
    written = note("PN1", JANE, "the password is hunter2", 20)
    found = entries(observation(pair=pair(), incident=incident(), incident_notes=(written,)))
    assert "hunter2" not in repr(found)


def test_a_new_priority_and_a_merge_are_told_with_what_they_add() -> None:
    risen = observation(pair=pair(), alert=alert(priority="P1", updated_at=at(30)), incident=incident())
    assert entries(risen)[0].words == "changed the priority from P3 to P1 at 2026-11-23 09:00:30Z"
    merged = replace(RESOLVED, merged_into="PINC2", merged_name="[#9] Site down")
    found = entries(observation(pair=pair(), incident=merged))
    assert found[0].words.startswith("resolved the incident (merged into [#9] Site down, which")


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("verb", ["note", "acknowledge", "unacknowledge", "end"])
def test_what_was_told_is_not_told_at_the_next_read(side: Side, verb: str) -> None:
    bench = Bench(policy()).cycles(4)
    acted, end = (bench.ana, "close") if side is OG else (bench.jane, "resolve")
    if verb == "unacknowledge":
        acted("acknowledge").cycles(4)
    acted(end if verb == "end" else verb).cycles(4)
    for _ in range(3):
        given = inputs(bench.observation(), now=at(bench.clock + 10))
        assert of_plan(decide(given), given, FEED) == ()


def test_a_second_incident_is_told_by_its_notes_alone_and_once() -> None:
    seen = observation(pair=pair(), incident=incident(), twins=(incident(id="PINC9", number=9),))
    found = entries(seen)
    assert {entry.event for entry in found} == {Event.PLANNED}
    assert all("second incident, #9 (PINC9)" in entry.words for entry in found)
    given = inputs(seen)
    assert entries(after(seen, decide(given))) == ()


@pytest.mark.parametrize(
    ("side", "guard", "words"),
    [
        (PD, "author", "note PN1: done by the automation user, whose acts are never passed on"),
        (OG, "outbox", "note PN1: the reconciler wrote it"),
        (PD, "mark", "note PN1: its mark names a note in Opsgenie"),
        (OG, "mark", "note PN1: its mark names a note in PagerDuty"),
        (OG, "author", "note PN1: it was done in PagerDuty, and is not passed back"),
        (PD, "outbox", "note PN1: the reconciler wrote it"),
    ],
)
def test_an_echo_names_its_guard(side: Side, guard: str, words: str) -> None:
    given = inputs(observation(pair=pair()))
    (entry,) = of_plan(Plan(echoes=(Echo(side, "a-1", guard, "note PN1"),)), given, FEED)
    assert (entry.event, entry.side, entry.words) == (Event.ECHO, side, words)


def test_a_note_by_the_automation_user_is_told_as_an_echo() -> None:
    seen = observation(pair=pair(), incident=incident(), incident_notes=(note("PN1", BOT, "by hand"),))
    assert told(entries(seen)) == [
        (Event.ECHO, "note PN1: done by the automation user, whose acts are never passed on")
    ]


def test_an_act_of_the_automation_user_is_told_as_an_echo() -> None:
    held = incident("acknowledged", acknowledgers=(BOT,), changed_by=BOT, changed_at=at(20))
    found = told(entries(observation(pair=pair(), incident=held)))
    assert found[0] == (Event.ECHO, "acknowledge: done by the automation user, whose acts are never passed on")


# -- records --


OLD = alert(created_at=at(-7200), updated_at=at(-7200))


@pytest.mark.parametrize(
    ("since", "reasons", "words"),
    [
        (at(-3600), (Reason.FIRST_START,), "pages what was raised since 2026-11-23 08:00:00Z (INITIAL_LOOKBACK"),
        (at(-9000), (Reason.FIRST_START,), "when a changed OPSGENIE_QUERY first showed it"),
        (None, (Reason.FEED,), "recorded as it is, and pages nobody"),
    ],
)
def test_a_baseline_is_told_with_the_reason(since: object, reasons: tuple[Reason, ...], words: str) -> None:
    (entry,) = entries(observation(alert=OLD, tracked=False, since=since), *reasons)
    assert entry.event is Event.BASELINE
    assert entry.words.startswith("raised at 2026-11-23 07:00:00Z: ")
    assert words in entry.words


def test_a_baseline_whose_alert_was_not_read_has_no_time() -> None:
    given = inputs(observation())
    (entry,) = of_plan(Plan(pairs=(pair(None, tracked=False),)), given, FEED)
    assert entry.words == "recorded as it is, and pages nobody"


def test_an_incident_that_existed_is_followed_and_its_history_is_named() -> None:
    seen = observation(alert=alert(), incident=incident(), since=at(-3600), alert_notes=(), incident_notes=())
    (entry, *_) = entries(seen)
    assert (entry.event, entry.incident_id) == (Event.FOLLOWED, INCIDENT_ID)
    assert entry.words == (
        "incident #4711 existed already: nothing that was done on it before is mirrored as a state, "
        "and notes from before 2026-11-23 08:00:00Z are history"
    )
    assert entries(replace(seen, since=None))[0].words.endswith("mirrored as a state")
    shown = replace(seen, incident=incident(url="https://acme/PINC1"))
    assert entries(shown)[0].words.startswith("incident #4711 https://acme/PINC1 existed already: ")


def test_an_incident_that_we_made_is_not_told_as_followed() -> None:
    creation = action(Kind.CREATE_INCIDENT, Status.SENT, incident_id=None, error="503")
    found = entries(observation(pair=pair(None), alert=alert(), incident=incident(), mine=(creation,)))
    assert told(found) == [(Event.DONE, "its effect is there")]
    assert (found[0].kind, found[0].incident_id) == (Kind.CREATE_INCIDENT, INCIDENT_ID)
    shown = observation(
        pair=pair(None), alert=alert(), incident=incident(url="https://acme/PINC1"), mine=(creation,)
    )
    assert told(entries(shown)) == [(Event.DONE, "its effect is there https://acme/PINC1")]


@pytest.mark.parametrize(
    ("ours", "words"),
    [
        (RESOLVED, "incident #9 from now on: incident #4711 is resolved"),
        (replace(RESOLVED, merged_into="PINC9"), "incident #9 from now on: incident #4711 was merged into it"),
    ],
)
def test_a_successor_is_told_with_the_reason(ours: object, words: str) -> None:
    seen = observation(pair=pair(), incident=ours, successor=incident(id="PINC9", number=9))
    (entry,) = [entry for entry in entries(seen) if entry.event is Event.FOLLOWED]
    assert (entry.words, entry.incident_id) == (words, "PINC9")


def test_that_nobody_is_paged_is_told_once_and_so_is_its_end() -> None:
    left = incident(assignees=(BOT,))
    found = entries(observation(pair=pair(), incident=left))
    assert (Event.UNPAGED, "nobody is paged: incident #4711 is assigned to the automation user alone") in told(
        found
    )
    known = replace(pair(), unpaged="incident #4711 is assigned to the automation user alone")
    assert Event.UNPAGED not in {e.event for e in entries(observation(pair=known, incident=left))}
    (paged,) = entries(observation(pair=known, incident=incident(assignees=(JANE,))))
    assert (paged.event, paged.incident_id) == (Event.PAGED, INCIDENT_ID)
    assert "the incident is triggered" in paged.words


def test_a_write_after_which_nobody_is_paged_or_somebody_again_is_told() -> None:
    unpaged = replace(pair(), unpaged="incident #4711 was created acknowledged by the automation user")
    (entry,) = of_moved_pair(pair(), unpaged, NOW)
    assert (entry.at, entry.event) == (NOW, Event.UNPAGED)
    assert [e.event for e in of_moved_pair(unpaged, pair(), NOW)] == [Event.PAGED]
    assert of_moved_pair(pair(), pair("acknowledged"), NOW) == ()
    assert "unknown" in of_moved_pair(unpaged, pair(None), NOW)[0].words


# -- writes --


def settlements(mine: object, *found: Settlement) -> list[tuple[Event, str]]:
    given = inputs(observation(pair=pair(), mine=(mine,)))
    return told(of_plan(Plan(settlements=found), given, FEED))


def test_outcomes_that_a_read_has_shown_are_told() -> None:
    sent = action(Kind.PAGERDUTY_NOTE, Status.SENT)
    assert settlements(sent, Settlement(7, Status.DONE)) == [(Event.DONE, "its effect is there")]
    assert settlements(sent, Settlement(7, Status.DROPPED, "not needed")) == [(Event.DROPPED, "not needed")]
    assert settlements(sent, Settlement(7, Status.DEAD, "deleted")) == [(Event.DEAD, "deleted")]
    assert settlements(sent, Settlement(7, Status.PLANNED, "not seen")) == [(Event.PLANNED, "again: not seen")]
    assert settlements(sent, Settlement(8, Status.DONE)) == []


def test_a_write_that_is_never_seen_is_told_the_first_time_only() -> None:
    again = Settlement(7, Status.PLANNED, "not seen")
    assert settlements(action(Kind.PAGERDUTY_NOTE, Status.SENT, attempts=1), again) == []
    accepted = action(Kind.ALERT_NOTE, Status.SENT, attempts=1, request_id="r-1")
    given = inputs(observation(pair=pair(), mine=(accepted,)))
    (entry,) = of_plan(Plan(settlements=(again,)), given, FEED)
    assert entry.request_id == "r-1"


def test_a_step_of_an_action_says_what_where_for_whom_and_under_which_request() -> None:
    entry = of_action(action(Kind.PAGERDUTY_NOTE, person=ANA.name), Event.DONE, NOW, "note PN7", "01ABC")
    assert entry == Entry(
        NOW,
        Event.DONE,
        "a-1",
        PD,
        Kind.PAGERDUTY_NOTE,
        "pagerduty.add_note a-1",
        INCIDENT_ID,
        "Ana Ruiz",
        "note PN7",
        request_id="01ABC",
    )


def test_a_refusal_in_the_same_words_is_told_once_whatever_its_request() -> None:
    words = "PagerDuty: POST /incidents (request {}): 403: Access Denied"
    first = action(Kind.CREATE_INCIDENT)
    (entry,) = of_failure(first, Event.REFUSED, NOW, words.format("r-1"), "r-1")
    assert (entry.words, entry.request_id) == ("PagerDuty: POST /incidents: 403: Access Denied", "r-1")
    met = replace(first, error=words.format("r-1"))
    assert of_failure(met, Event.REFUSED, NOW, words.format("r-2"), "r-2") == ()
    looked_up = replace(met, error=f"{met.error}; PagerDuty has no incident with this key")
    assert of_failure(looked_up, Event.UNKNOWN, NOW, words.format("r-3"), "r-3") == ()
    assert of_failure(met, Event.REFUSED, NOW, "503", "") != ()


# -- what adds nothing --


def test_a_plan_of_looks_alone_has_no_entries() -> None:
    known = pair(swept_at=at(0), next_look_at=at(50))
    seen = observation(pair=known, alert=alert(), incident=incident(), swept=True)
    plan = decide(inputs(seen))
    assert plan.pairs
    assert plan.pairs[0].swept_at == NOW
    assert entries(seen) == ()


def test_every_act_that_the_mapping_knows_is_told_and_what_repeats_is_not() -> None:
    repeats = {"details", "refused details", "unpaged", "late acknowledgement", "twin", "follow", "urgency"}
    assert {row.verb for row in TABLE} == {*ACTS} | repeats


def test_a_baseline_that_changes_is_not_recorded_again() -> None:
    seen = observation(pair=pair(None, tracked=False), alert=replace(OLD, message="Disk fuller"), tracked=False)
    assert decide(inputs(seen)).pairs
    assert entries(seen) == ()
