"""Which notes are new, and which are copies of our own."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.core import text
from reconciler.core.changes import changes
from reconciler.core.model import Kind, Note, Observation, Person, Side, Status
from reconciler.core.plan import decide
from reconciler.core.policy import Policy
from tests.support.builders import (
    ANA,
    BOT,
    JANE,
    OG,
    PD,
    action,
    alert,
    at,
    incident,
    inputs,
    note,
    observation,
    pair,
    policy,
    shown,
)

NOW = at(60)


def verbs(seen: Observation, rules: Policy | None = None) -> list[tuple[Side, str]]:
    return [(change.side, change.verb) for change in changes(seen, rules or policy(), NOW).changes]


def kinds(seen: Observation) -> list[Kind]:
    return [planned.kind for planned in decide(inputs(seen)).actions]


MARKED_BY_US = "[PagerDuty · Jane Doe · note PN1] on it"
MARKED_THERE = "[Opsgenie · Ana Ruiz · 2026-11-23 09:00:05.000Z] any news?"
OUR_NOTE = action(Kind.PAGERDUTY_NOTE, Status.DONE, result_id="PN9")
COPIED = text.marked(text.note_mark(OG, note("o1", ANA, "any news?", 5)), "any news?")
ADOPTED = observation(alert=alert(), incident=incident(), since=at(0))


def test_notes_of_the_same_time_are_in_the_order_of_their_ids() -> None:
    seen = observation(pair=pair(), alert_notes=tuple(note(key, ANA, key, 5) for key in ("o3", "o1", "o2")))
    assert [change.ref for change in changes(seen, policy(), NOW).changes] == ["o1", "o2", "o3"]


def test_a_known_note_is_no_change_and_its_id_is_scoped_to_its_side() -> None:
    seen = observation(
        pair=pair(),
        alert_notes=(note("X1", ANA, "any news?"),),
        incident_notes=(note("X1", JANE, "on it"),),
        known_notes=frozenset({(OG, "X1")}),
    )
    assert verbs(seen) == [(PD, "note")]


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(
            observation(alert_notes=(note("o1", ANA, MARKED_THERE),)), id="a copy pasted back in Opsgenie"
        ),
        pytest.param(
            observation(incident_notes=(note("PN1", JANE, MARKED_BY_US),)), id="a copy pasted back in PagerDuty"
        ),
        pytest.param(
            observation(alert_notes=(note("o1", ANA, f"see {MARKED_BY_US}"),)), id="a copy that is quoted"
        ),
        pytest.param(
            observation(alert_notes=(note("o1", ANA, "any news?"),), mine=(OUR_NOTE,)),
            id="a text that the outbox has for the other side",
        ),
        pytest.param(
            observation(incident_notes=(note("PN1", Person("PX", BOT.name), "on it"),)),
            id="a namesake of the automation user",
        ),
    ],
)
def test_a_persons_note_that_resembles_a_copy_is_mirrored(seen: Observation) -> None:
    assert len(verbs(replace(seen, pair=pair()))) == 1


@pytest.mark.parametrize(
    ("there", "copies", "mirrored"),
    [
        pytest.param(note("o1", ANA, "any news?", 5), (), True, id="a note without a copy is mirrored"),
        pytest.param(note("o1", ANA, "any news?", 0), (), True, id="a note at the age limit is mirrored"),
        pytest.param(
            note("o1", ANA, "any news?", -1), (), False, id="a note older than the age limit is not mirrored"
        ),
        pytest.param(
            note("o1", ANA, "any news?", 5),
            (note("PN9", BOT, COPIED, 6),),
            False,
            id="a note whose mark the incident shows is not repeated",
        ),
        pytest.param(
            note("o1", ANA, "any news?", 5),
            (note("PN9", JANE, COPIED, 6),),
            False,
            id="a note whose mark the incident shows is not repeated, whatever its author",
        ),
        pytest.param(
            note("o1", ANA, "any news?", 5),
            (note("PN9", BOT, "Ana Ruiz: any news?", 6),),
            False,
            id="a note that the webhook proxy copied without a mark is not repeated",
        ),
        pytest.param(
            note("o1", ANA, "ok", 5),
            (note("PN9", BOT, "Bob Lee: looks broken", 6),),
            True,
            id="a short note is not mistaken for a part of another note",
        ),
        pytest.param(
            note("o1", ANA, "any news?", 5),
            (note("PN9", JANE, "Ana asks: any news?", 6),),
            True,
            id="a note that an engineer quotes is mirrored",
        ),
        pytest.param(
            note("o1", ANA, "any news?", 5),
            (note("PN9", BOT, "[Opsgenie · Ana Ruiz · 2026-11-23 08:00:00.000Z] any news?", 6),),
            True,
            id="the same words under another mark are another note",
        ),
    ],
)
def test_adoption_copies_an_alerts_recent_notes_that_have_no_copy_yet(
    there: Note, copies: tuple[Note, ...], mirrored: bool
) -> None:
    known = frozenset((PD, copy.id) for copy in copies)
    seen = replace(ADOPTED, alert_notes=(there,), incident_notes=copies, known_notes=known)
    assert kinds(seen) == ([Kind.PAGERDUTY_NOTE] if mirrored else [])


@pytest.mark.parametrize(
    ("there", "copies", "mirrored"),
    [
        pytest.param(note("PN1", JANE, "on it", 5), (), True, id="a note without a copy is mirrored"),
        pytest.param(note("PN1", JANE, "on it", 0), (), True, id="a note at the age limit is mirrored"),
        pytest.param(
            note("PN1", JANE, "on it", -1), (), False, id="a note older than the age limit is not mirrored"
        ),
        pytest.param(
            note("PN1", JANE, "on it", 5),
            (note("o1", Person("", "Jane Doe (PagerDuty)"), MARKED_BY_US, 6),),
            False,
            id="a note whose mark the alert shows is not repeated",
        ),
        pytest.param(
            note("PN1", JANE, "on it", 5),
            (note("o1", Person("", "Jane Doe (PagerDuty)"), MARKED_BY_US.replace("PN1", "PN2"), 6),),
            True,
            id="the same words under another mark are another note",
        ),
    ],
)
def test_adoption_copies_an_incidents_recent_notes_that_have_no_copy_yet(
    there: Note, copies: tuple[Note, ...], mirrored: bool
) -> None:
    seen = replace(ADOPTED, alert_notes=copies, incident_notes=(there,))
    assert kinds(seen) == ([Kind.ALERT_NOTE] if mirrored else [])


def test_adoption_without_an_age_limit_copies_notes_of_any_age() -> None:
    old = timedelta(days=-400).total_seconds()
    seen = observation(
        alert=alert(),
        incident=incident(),
        alert_notes=(note("o1", ANA, "any news?", old),),
        incident_notes=(note("PN1", JANE, "on it", old + 1),),
    )
    assert verbs(seen) == [(OG, "note"), (PD, "note")]


def test_adoption_mirrors_the_notes_of_the_side_that_was_read() -> None:
    seen = replace(ADOPTED, alert_notes=(note("o1", ANA, "any news?", 5),))
    assert verbs(seen) == [(OG, "note")]
    seen = replace(ADOPTED, incident_notes=(note("PN1", JANE, "on it", 5),))
    assert verbs(seen) == [(PD, "note")]


def test_twins_are_numbered_and_each_is_copied() -> None:
    twins = tuple(note(key, ANA, "again", 5) for key in ("o2", "o1"))
    plan = decide(inputs(observation(pair=pair(), alert_notes=twins)))
    mark = "[Opsgenie · Ana Ruiz · 2026-11-23 09:00:05.000Z"
    assert [planned.text for planned in plan.actions] == [f"{mark}] again", f"{mark} #2] again"]
    assert len({planned.key for planned in plan.actions}) == 2


def test_a_later_twin_is_numbered_after_the_known_one() -> None:
    twins = tuple(note(key, ANA, "again", 5) for key in ("o1", "o2"))
    seen = observation(pair=pair(), alert_notes=twins, known_notes=frozenset({(OG, "o1")}))
    assert [mark for _, _, mark in shown(decide(inputs(seen)))] == [
        "[Opsgenie · Ana Ruiz · 2026-11-23 09:00:05.000Z #2] again"
    ]


def test_adoption_does_not_copy_mirrored_twins_again() -> None:
    twins = tuple(note(key, ANA, "again", 5) for key in ("o1", "o2", "o3"))
    marks = [text.note_mark(OG, twin, twins) for twin in twins[:2]]
    copies = tuple(note(f"PN{n}", BOT, text.marked(mark, "again")) for n, mark in enumerate(marks))
    seen = replace(ADOPTED, alert_notes=twins, incident_notes=copies)
    assert [planned.text for planned in decide(inputs(seen)).actions] == [
        "[Opsgenie · Ana Ruiz · 2026-11-23 09:00:05.000Z #3] again"
    ]
