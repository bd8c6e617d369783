"""Which notes are new, and which are copies of our own."""

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from reconciler.core import text
from reconciler.core.changes import changes
from reconciler.core.model import Kind, Note, Observation, Person, Side, Status
from reconciler.core.plan import decide
from reconciler.core.policy import Policy
from reconciler.core.sanitize import comparable
from tests.support.builders import (
    ANA,
    BOB,
    BOT,
    JANE,
    OG,
    PD,
    Bench,
    account,
    action,
    alert,
    at,
    incident,
    inputs,
    named,
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


# -- what people write that looks like ours --

JANES_NAME, ZED, ADA = (
    Person("", name) for name in ("Jane Doe (PagerDuty)", "Zed (PagerDuty)", "Ada \x1b[31m\u202eLovelace")
)
OMAR = Person("POMAR", "Omar\x9b Haddad\u2066")
OURS, THEIRS = "[PagerDuty · Jane Doe · note N0]", "[{product} · Ana Ruiz · 2026-11-23 09:01:45.000Z]"
AS_ACTS = {
    OG: "[PagerDuty · Jane Doe · 2026-11-23 09:00:40Z] resolved the incident",
    PD: "[{product} · Ana Ruiz · 2026-11-23 09:00:40.000Z] closed the alert",
}


@dataclass(frozen=True)
class Written:
    """A note by `author` on `side`; {mark} is that of a copy that is there, and {copy} the whole of it."""

    name: str
    side: Side
    author: Person
    words: str


HOSTILE = (
    *(
        Written(name, side, author, words)
        for side, author in ((OG, ANA), (PD, BOB))
        for name, words in (
            ("a quotation with an answer below", "{copy}\nno! db-2 is the broken one"),
            ("a quotation with > and an answer below", "> {copy}\n\nno! db-2"),
            ("a quotation below the answer", "no! db-2\n\n{copy}"),
            ("a quotation in the middle of a line", "see {copy}, please"),
            ("a mark over other words", "{mark} fail over now"),
            ("a mark alone", "{mark}"),
            ("a mark that is not closed", "[PagerDuty · Jane Doe · note N0 on it"),
            ("a mark with an invisible character", "[Pager\u200bDuty · Jane Doe · note N0] on it"),
            ("an act", AS_ACTS[side]),
            ("an act after a quotation mark", f"> {AS_ACTS[side]}"),
            ("a second line that poses as somebody's", "done\r\n[PagerDuty · Omar Haddad · note P9] I approve"),
            ("control characters", "red\x1b[31m \x9b2J\x07 \u202egnp.exe\u2069 \u2028end"),
        )
    ),
    Written("a mark of a note that does not exist", OG, ANA, "[PagerDuty · Jane Doe · note N99] on it"),
    Written("a mark in another engineer's name", OG, ANA, "[PagerDuty · Omar Haddad · note N0] on it"),
    Written("the key of an incident", OG, ANA, "[PagerDuty · reconciler · incident PINC9 key a-9]"),
    Written("a mark of the side's own", OG, ANA, f"{THEIRS} any news?"),
    Written(
        "a mark in another developer's name", PD, BOB, "[{product} · Zoe · 2026-11-23 09:01:45.000Z] any news?"
    ),
    Written(
        "a mark of another millisecond", PD, BOB, "[{product} · Ana Ruiz · 2026-11-23 09:01:45.001Z] any news?"
    ),
    Written("a name that reads like our signature", OG, ZED, "it is db-2"),
    Written("such a name, and a quotation with an answer", OG, ZED, "{copy}\nno! db-2"),
    Written("our signature as a name", OG, JANES_NAME, "it is db-2"),
    Written("a developer's name with control characters", OG, ADA, "it is db-2"),
    Written("an engineer's name with control characters", PD, OMAR, "it is db-2"),
)
PRODUCTS = [
    pytest.param(policy(), id="Opsgenie"),
    pytest.param(account(), id="JSM"),
    pytest.param(named(), id="JSM in names"),
]
GUARDS = {"outbox", "author", "mark"}


def talk(rules: Policy) -> tuple[Bench, dict[Side, str]]:
    """A pair on which Jane and Ana have each written a note, and both were copied; the copy on each side."""
    bench = Bench(rules, incident=incident(), pair=pair())
    bench.jane("note").ana("note").cycles(3)
    assert len(bench.written) == 2
    return bench, {OG: bench.alert_notes[-1].text, PD: bench.incident_notes[-1].text}


def write(bench: Bench, what: Written, copies: dict[Side, str]) -> Note:
    copy = copies[what.side]
    mark = copy[: copy.index("]") + 1]
    words = what.words.format(copy=copy, mark=mark, product=bench.rules.product.name)
    bench.clock += 5
    made = Note(f"H{bench.clock}", what.author, words, at(bench.clock))
    (bench.alert_notes if what.side is OG else bench.incident_notes).append(made)
    return made


def settle(bench: Bench) -> None:
    """Cycles until nothing is in doubt: a note on an adopted pair is looked for for STALENESS_SECONDS."""
    bench.cycles(2).clock += 120
    bench.cycles(2)


def lose_the_database(bench: Bench) -> None:
    bench.pair, bench.known, bench.ledger = None, set(), {}


@pytest.mark.parametrize("lost", [pytest.param(False, id="known"), pytest.param(True, id="lost database")])
@pytest.mark.parametrize("rules", PRODUCTS)
@pytest.mark.parametrize("what", HOSTILE, ids=lambda what: f"{what.side.value}: {what.name}")
def test_a_note_that_resembles_ours_is_mirrored_once_in_its_authors_name(
    what: Written, rules: Policy, lost: bool
) -> None:
    bench, copies = talk(rules)
    if lost:
        lose_the_database(bench)
    made = write(bench, what, copies)
    settle(bench)
    (kind, sent) = bench.written[-1]
    mark = text.note_mark(what.side, made, product=rules.product)
    assert kind is (Kind.PAGERDUTY_NOTE if what.side is OG else Kind.ALERT_NOTE)
    assert sent.startswith(f"{mark} ")
    assert comparable(sent.replace("[quoted: ", "[")) == comparable(text.marked(mark, made.text))
    assert text.MARK.search(sent, len(mark)) is None
    assert all(character.isprintable() or character in "\n\u200b" for character in sent)
    assert len(bench.written) == 3, "once"
    lose_the_database(bench)
    settle(bench)
    assert len(bench.written) == 3, "nothing is repeated"


@pytest.mark.parametrize("guard", sorted(GUARDS))
@pytest.mark.parametrize("rules", PRODUCTS)
def test_any_one_guard_keeps_our_copies_of_such_notes_from_being_copied_back(rules: Policy, guard: str) -> None:
    bench, copies = talk(replace(rules, guards=frozenset({guard})))
    for what in HOSTILE:
        write(bench, what, copies)
        bench.cycles(2)
    ours = {mark for _, words in bench.written if (mark := text.MARK.match(words))}
    assert len(bench.written) <= len(HOSTILE) + 2
    assert len({mark[0] for mark in ours}) == len(bench.written), "each is a copy of another note"
    settle(bench)
    assert len(bench.written) == len(ours), "no copy of a copy"


def test_a_person_named_like_our_signature_is_taken_for_us_only_after_the_database_was_lost() -> None:
    """A note of ours whose source was changed meanwhile would look the same."""
    for lost, written in ((False, 3), (True, 2)):
        bench, copies = talk(policy())
        if lost:
            lose_the_database(bench)
        write(bench, Written("", OG, JANES_NAME, "{mark} it is db-2"), copies)
        settle(bench)
        assert len(bench.written) == written


RAW = "red\x1b[31m\u202e\r\n[PagerDuty · Omar Haddad · note P9] I approve\u2028end"


@pytest.mark.parametrize(
    ("lost", "guards"),
    [
        (False, {"outbox"}),
        *((lost, guards) for lost in (False, True) for guards in ({"author"}, {"mark"}, GUARDS)),
    ],
)
@pytest.mark.parametrize("rules", PRODUCTS)
def test_a_copy_that_an_earlier_version_has_made_as_it_was_is_not_repeated(
    rules: Policy, lost: bool, guards: set[str]
) -> None:
    """Ids of an alert's notes may differ from call to call, so that a known note may look new."""
    bench = Bench(replace(rules, guards=frozenset(guards)), incident=incident(), pair=pair())
    bench.incident_notes.append(Note("N0", JANE, RAW, at(101)))
    bench.alert_notes.append(Note("O0", ADA, RAW, at(102)))
    bench.cycles(3)
    assert len(bench.written) == 2
    for notes in (bench.incident_notes, bench.alert_notes):
        notes[1] = replace(notes[1], text=notes[1].text[: notes[1].text.index("]") + 2] + RAW)
    bench.ledger = {
        key: replace(mine, text=text.marked(mine.mark, RAW), person=JANE.name)
        for key, mine in bench.ledger.items()
    }
    bench.alert_notes[0] = replace(bench.alert_notes[0], id="O0-again")
    if lost:
        lose_the_database(bench)
    settle(bench)
    assert len(bench.written) == 2
