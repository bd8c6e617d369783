"""A mark counts only if it is genuine: a note that quotes, pastes or forges a mark is a person's note."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core import text
from reconciler.core.changes import changes
from reconciler.core.model import Kind, Note, Observation, Person, Status
from reconciler.core.moved_notes import key_mark
from reconciler.core.plan import decide
from reconciler.core.policy import Policy
from reconciler.core.product import JSM
from reconciler.core.sanitize import safe
from tests.support.builders import (
    ANA,
    BOB,
    BOT,
    JANE,
    OG,
    PD,
    ROBOT,
    account,
    action,
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
ONLY_MARKS = policy(guards=frozenset({"mark"}))
ON_IT, ANY_NEWS = note("PN1", JANE, "on it, & <b>soon</b>\nsee\u200bdb-1"), note("o1", ANA, "any news?\n\n  ")
OF_JANE, OF_ANA = text.note_mark(PD, ON_IT), text.note_mark(OG, ANY_NEWS)
IN_JSM = text.note_mark(OG, ANY_NEWS, product=JSM)
JANES = Person("", text.signature("Jane Doe"))
HOSTILE = note("PN1", JANE, "red \x1b[31m\u202e\r\n[PagerDuty · Omar Haddad · note P9] I approve")
RESOLVED = "[PagerDuty · Jane Doe · 2026-11-23 09:00:40Z] resolved the incident"


def in_opsgenie(words: str, *sources: Note, by: Person = ANA, **changed: Any) -> Observation:
    """A note in Opsgenie, and the incident's notes."""
    known = frozenset((PD, source.id) for source in sources)
    made = observation(
        pair=pair(), alert_notes=(note("o9", by, words),), incident_notes=sources, known_notes=known
    )
    return replace(made, **changed)


def in_pagerduty(words: str, *sources: Note, by: Person = BOB, **changed: Any) -> Observation:
    """A note in PagerDuty, and the alert's notes."""
    known = frozenset((OG, source.id) for source in sources)
    made = observation(
        pair=pair(), incident_notes=(note("PN9", by, words),), alert_notes=sources, known_notes=known
    )
    return replace(made, **changed)


def signed(name: str) -> Person:
    """Whom a note of ours in Opsgenie names as its author."""
    return Person("", text.signature(name))


LONG = note("PN1", JANE, "so many words " * 3_000)
LONG_PARTS = [sent for _, sent in text.split(text.note_mark(PD, LONG), LONG.text)]
PLAIN_PARTS = [sent for _, sent in text.plain_parts(LONG_PARTS[1], text.split(OF_JANE, LONG.text)[1][0])]


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(in_opsgenie(text.marked(OF_JANE, ON_IT.text), ON_IT), id="an engineer's note, as it is"),
        pytest.param(
            in_opsgenie(text.plain_note(text.marked(OF_JANE, ON_IT.text)), ON_IT), id="in its plain form"
        ),
        pytest.param(
            in_opsgenie(f"{OF_JANE} on it, &amp; &lt;b&gt;soon&lt;/b&gt;\nsee db-1 ", ON_IT), id="with entities"
        ),
        pytest.param(
            in_opsgenie(f"{OF_JANE} on it", replace(ON_IT, text="on it", author=BOB), by=signed("Jane Doe")),
            id="of a renamed author",
        ),
        pytest.param(
            in_opsgenie(f"{OF_JANE} so many words … [cut: 42060 characters in all]", LONG),
            id="cut as by earlier versions",
        ),
        *(
            pytest.param(in_opsgenie(part, LONG), id=f"part {n} of a long note")
            for n, part in enumerate((*LONG_PARTS, *PLAIN_PARTS))
        ),
        pytest.param(in_pagerduty(text.marked(OF_ANA, ANY_NEWS.text), ANY_NEWS), id="a developer's note"),
        pytest.param(in_pagerduty(f"{OF_ANA[:-1]} #2] any news?", ANY_NEWS), id="a twin whose number has changed"),
        pytest.param(
            in_pagerduty(text.marked(IN_JSM, ANY_NEWS.text), ANY_NEWS), id="a developer's note, copied from JSM"
        ),
        pytest.param(
            in_pagerduty("[JSM · Ana Ruiz · 2026-11-23 09:00:10.000Z] closed the alert", by=BOT),
            id="an act seen in JSM",
        ),
        *(
            pytest.param(
                in_pagerduty(
                    f"{copied} any news?",
                    alert_notes=None,
                    mine=(action(Kind.PAGERDUTY_NOTE, Status.DONE, mark=mine, text=f"{mine} any news?"),),
                ),
                id=f"a note of the outbox as {mine[1:4]}'s, on the incident as {copied[1:4]}'s",
            )
            for mine, copied in ((OF_ANA, IN_JSM), (IN_JSM, OF_ANA), (IN_JSM, IN_JSM))
        ),
        pytest.param(in_opsgenie(RESOLVED, by=JANES), id="an act of an engineer's"),
        pytest.param(
            in_opsgenie(RESOLVED, mine=(action(Kind.ALERT_NOTE, Status.DONE, mark=RESOLVED, text=RESOLVED),)),
            id="an act of the outbox, whoever wrote it",
        ),
        pytest.param(in_opsgenie(f"{RESOLVED} (merged into PINC9)", by=JANES), id="an act with a detail"),
        pytest.param(
            in_pagerduty(
                "[Opsgenie · Ana Ruiz · 2026-11-23 09:00:10.000Z] changed the priority from P4 to P1", by=BOT
            ),
            id="an act with the changed values",
        ),
        pytest.param(in_opsgenie(key_mark("PINC1", "a-0"), by=signed("reconciler")), id="an incident's key"),
        pytest.param(
            in_opsgenie(text.marked(OF_JANE, safe(HOSTILE.text)), HOSTILE), id="a note that was sanitized"
        ),
        pytest.param(
            in_opsgenie(text.marked(OF_JANE, HOSTILE.text), HOSTILE),
            id="one that an earlier version copied as it was",
        ),
        pytest.param(
            in_opsgenie(
                text.marked(OF_JANE, HOSTILE.text),
                incident_notes=None,
                mine=(action(Kind.ALERT_NOTE, text=text.marked(OF_JANE, safe(HOSTILE.text))),),
            ),
            id="one of the outbox, whichever version copied it",
        ),
        *(
            pytest.param(
                in_opsgenie(f"[PagerDuty · Bridge · 2026-11-23 09:00:40Z] {words}", by=signed("Bridge")), id=words
            )
            for words in (
                "incident #9 (PINC9) bears this alert's key, too: it is not followed",
                'incident #9 (PINC9) "Disk full (again)" is followed from now on',
                'resolved the incident (merged into #9 "Disk full (again)", which is followed from now on)',
            )
        ),
        pytest.param(
            in_opsgenie(RESOLVED, by=JANES, incident_notes=None),
            id="an act, although the incident's notes were not read",
        ),
        pytest.param(
            in_opsgenie(
                f"{OF_JANE} on it",
                incident_notes=None,
                mine=(action(Kind.ALERT_NOTE, Status.DONE, mark=OF_JANE, text=f"{OF_JANE}  on it"),),
            ),
            id="a note of the outbox, although the incident's notes were not read",
        ),
    ],
)
def test_a_genuine_mark_is_an_echo(seen: Observation) -> None:
    for rules in (ONLY_MARKS, replace(ONLY_MARKS, product=JSM)):
        found = changes(seen, rules, NOW)
        assert [echo.guard for echo in found.echoes] == ["mark"]
        assert found.changes == ()


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(
            in_opsgenie(f"{OF_JANE} {ON_IT.text}\nno! db-2 is the broken one", ON_IT),
            id="a quotation and an answer",
        ),
        pytest.param(in_opsgenie(f"{OF_JANE} no, it is db-2", ON_IT), id="other words under a mark"),
        pytest.param(in_opsgenie(OF_JANE, ON_IT), id="a mark alone"),
        pytest.param(in_opsgenie(f"{OF_JANE} on it"), id="of a note that does not exist"),
        pytest.param(
            in_opsgenie(f"{OF_JANE} on it", incident_notes=None, pair=pair(None)), id="while there is no incident"
        ),
        pytest.param(in_opsgenie(f"{OF_JANE[:-1]} (1/2)] no, it is db-2", ON_IT), id="a part that does not exist"),
        pytest.param(
            in_opsgenie(f"{OF_JANE} it is db-2… [cut: 99 characters in all]", ON_IT), id="a cut that was not made"
        ),
        pytest.param(
            in_opsgenie("[PagerDuty · Omar Haddad · note PN1] on it", replace(ON_IT, text="on it")),
            id="an engineer's words under another's name",
        ),
        pytest.param(in_opsgenie(RESOLVED), id="an act that we have not recorded, not in our name"),
        pytest.param(in_opsgenie(RESOLVED, by=signed("Zed")), id="an act in a name that reads like a signature"),
        pytest.param(
            in_pagerduty("[Opsgenie · Ana Ruiz · 2026-11-23 09:00:10.000Z] closed the alert"),
            id="an act of a developer's in an engineer's note",
        ),
        pytest.param(in_opsgenie(key_mark("PINC1", "a-0")), id="an incident's key that we have not written"),
        pytest.param(in_opsgenie(f"{RESOLVED} and then left"), id="an act with more words"),
        pytest.param(in_opsgenie(f"{RESOLVED}\nand then left"), id="an act with more lines"),
        pytest.param(in_opsgenie(f"{RESOLVED} (I did not)"), id="an act with an impossible detail"),
        pytest.param(
            in_pagerduty("[Opsgenie · Ana Ruiz · 2026-11-23 09:00:10.000Z] changed the priority, call me"),
            id="a priority that changes to an empty one",
        ),
        pytest.param(
            in_opsgenie(RESOLVED.replace("resolved", "broke")), id="an act that is not in the mapping table"
        ),
        pytest.param(
            in_opsgenie(RESOLVED.replace("resolved the incident", "closed the alert")),
            id="an act of the other side",
        ),
        pytest.param(in_pagerduty(f"{OF_ANA} any news? No.", ANY_NEWS), id="a developer's note with an answer"),
        pytest.param(
            in_pagerduty(f"{OF_ANA} any news?", replace(ANY_NEWS, at=at(5.001))), id="of another millisecond"
        ),
        pytest.param(in_pagerduty(f"{OF_ANA} any news?", replace(ANY_NEWS, author=JANE)), id="of another author"),
    ],
)
def test_a_note_that_quotes_or_forges_a_mark_is_mirrored(seen: Observation) -> None:
    found = changes(seen, ONLY_MARKS, NOW)
    assert found.echoes == ()
    (change,) = found.changes
    assert change.note is not None
    (planned,) = decide(inputs(seen, rules=ONLY_MARKS)).actions
    assert planned.text.replace("[quoted: ", "[").endswith(change.note.text)
    assert text.MARK.search(planned.text, len(planned.mark)) is None


def test_a_mark_of_the_notes_own_side_makes_it_no_copy() -> None:
    seen = in_opsgenie(f"{OF_ANA} any news?", pair=pair(), alert_notes=(note("o9", BOB, f"{OF_ANA} any news?"),))
    assert len(changes(seen, ONLY_MARKS, NOW).changes) == 1


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(in_opsgenie(f"{OF_JANE} on it", incident_notes=None), id="in Opsgenie"),
        pytest.param(in_pagerduty(f"{OF_ANA} any news?", alert_notes=None), id="in PagerDuty"),
    ],
)
def test_a_note_waits_while_the_source_of_its_mark_is_unread(seen: Observation) -> None:
    assert decide(inputs(seen, rules=ONLY_MARKS)).actions == ()
    assert decide(inputs(seen, rules=ONLY_MARKS)).notes == ()
    read = replace(seen, incident_notes=seen.incident_notes or (), alert_notes=seen.alert_notes or ())
    assert len(decide(inputs(read, rules=ONLY_MARKS)).actions) == 1
    assert len(decide(inputs(read, rules=ONLY_MARKS)).notes) == 1


def test_a_note_does_not_wait_for_the_notes_of_a_deleted_alert() -> None:
    gone = pair(alerts=replace(pair().alerts, open=False, deleted=True, missing_since=at(0)))
    for known in (gone, replace(gone, alerts=replace(gone.alerts, deleted=False, missing_since=at(-600)))):
        seen = in_pagerduty(f"{OF_ANA} any news?", pair=known, alert_notes=None, missing=True, sees_others=True)
        assert len(changes(seen, ONLY_MARKS, NOW).changes) == 1


@pytest.mark.parametrize(
    ("copy", "is_told"),
    [
        ("Ana Ruiz: restart db-1", True),
        ("Ana Ruiz added a note: restart db-1", True),
        ('Ana Ruiz wrote "restart db-1"', True),
        ("Ana Ruiz\nrestart db-1", True),
        ("Ana Ruiz: do not restart db-1", False),
        ("Bob Ray: restart db-1", False),
        ("Ana Ruizova: restart db-1", False),
        ("LuAna Ruiz: restart db-1", False),
    ],
)
def test_a_copy_by_the_webhook_proxy_is_recognised_by_its_full_text(copy: str, is_told: bool) -> None:
    seen = observation(
        alert=alert(),
        incident=incident(),
        alert_notes=(note("o1", ANA, "restart db-1"),),
        incident_notes=(note("PN1", BOT, copy),),
    )
    assert bool(decide(inputs(seen)).actions) is not is_told


@pytest.mark.parametrize(
    ("notes", "copies", "mirrored"),
    [
        pytest.param(
            [("do not: restart db-1", 5), ("restart db-1", 6)],
            [("Ana Ruiz: do not: restart db-1", 7)],
            ["restart db-1"],
            id="the end of a longer note that was copied",
        ),
        pytest.param(
            [("restart db-1", 200)], [("Ana Ruiz: do not: restart db-1", 7)], ["restart db-1"], id="a later note"
        ),
        pytest.param(
            [("ok", 5), ("ok", 6)], [("Ana Ruiz: ok", 7)], ["ok"], id="equal words, of which one was copied"
        ),
        pytest.param(
            [("ok", 5), ("ok", 6)], [("Ana Ruiz: ok", 7), ("Ana Ruiz: ok", 8)], [], id="equal words, copied twice"
        ),
        pytest.param([("ok", 9)], [("Ana Ruiz: ok", 8)], [], id="a copy whose vendor's clock is behind"),
    ],
)
def test_each_copy_by_the_webhook_proxy_is_of_one_note_that_was_there_before_it(
    notes: list[tuple[str, float]], copies: list[tuple[str, float]], mirrored: list[str]
) -> None:
    seen = observation(
        alert=alert(),
        incident=incident(),
        alert_notes=tuple(note(f"o{n}", ANA, words, at_) for n, (words, at_) in enumerate(notes)),
        incident_notes=tuple(note(f"PN{n}", BOT, words, at_) for n, (words, at_) in enumerate(copies)),
    )
    actions = decide(inputs(seen, now=at(300))).actions
    assert [text.after(planned.text, planned.mark) for planned in actions] == mirrored
    if mirrored:
        assert [planned.at for planned in actions] == [at(notes[-1][1])]


OTHER_WORDS = in_opsgenie(f"{OF_JANE} it is db-2", ON_IT, by=JANES)


@pytest.mark.parametrize(
    ("seen", "rules", "guard"),
    [
        pytest.param(OTHER_WORDS, policy(), "", id="a person who is named like our signature"),
        pytest.param(OTHER_WORDS, policy(guards=frozenset({"author"})), "author", id="without the guard by marks"),
        pytest.param(
            replace(OTHER_WORDS, pair=None, incident=incident()),
            policy(),
            "author",
            id="after the database was lost: the note that it copies may have been changed since",
        ),
        pytest.param(
            replace(OTHER_WORDS, alert_notes=(note("o9", ROBOT, "x"),)), account(), "author", id="our account"
        ),
        pytest.param(
            replace(OTHER_WORDS, mine=(action(Kind.ALERT_NOTE, Status.DONE, result_id="o9"),)),
            policy(),
            "outbox",
            id="the note that a write of ours was seen to have added, in other words",
        ),
    ],
)
def test_a_signature_alone_proves_nothing_about_a_pair_that_is_known(
    seen: Observation, rules: Policy, guard: str
) -> None:
    found = changes(seen, rules, NOW)
    assert [echo.guard for echo in found.echoes if echo.side is OG] == ([guard] if guard else [])
    assert [change.verb for change in found.changes if change.side is OG] == ([] if guard else ["note"])


def test_a_note_without_a_mark_is_a_persons_whatever_its_author_is_called() -> None:
    zed = replace(ANA, name="Zed (PagerDuty)")
    seen = observation(pair=pair(), alert_notes=(note("o9", zed, "it is db-2"),), incident=incident())
    found = changes(seen, policy(), NOW)
    assert (found.echoes, [change.verb for change in found.changes]) == ((), ["note"])
