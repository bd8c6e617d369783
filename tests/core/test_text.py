"""Titles, bodies, notes and marks: what people read, and what makes our notes recognisable."""

from datetime import datetime, timedelta, timezone

import pytest
from worlds import ANA, BOT, JANE, NOBODY, alert, at, note

from reconciler.core import text
from reconciler.core.model import Note, Person, Side

OG, PD = Side.OPSGENIE, Side.PAGERDUTY
DESIGN_STAMP = datetime.fromisoformat("2026-11-23T09:14:05.123456+00:00")
OPSGENIE_MARK = "[Opsgenie · Ana Ruiz · 2026-11-23 09:14:05.123Z]"
PAGERDUTY_NOTE_MARK = "[PagerDuty · Jane Doe · note PXYZ123]"
PAGERDUTY_ACT_MARK = "[PagerDuty · Jane Doe · 2026-11-23 09:14:05Z]"


# -- marks --


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        pytest.param(
            text.note_mark(OG, Note("o1", ANA, "text", DESIGN_STAMP)),
            OPSGENIE_MARK,
            id="an Opsgenie note by its stamp",
        ),
        pytest.param(
            text.note_mark(PD, Note("PXYZ123", JANE, "text", DESIGN_STAMP)),
            PAGERDUTY_NOTE_MARK,
            id="a PagerDuty note by its id",
        ),
        pytest.param(
            text.act_mark(OG, "Ana Ruiz", DESIGN_STAMP), OPSGENIE_MARK, id="an Opsgenie act to the millisecond"
        ),
        pytest.param(
            text.act_mark(PD, "Jane Doe", DESIGN_STAMP), PAGERDUTY_ACT_MARK, id="a PagerDuty act to the second"
        ),
        pytest.param(
            text.act_mark(OG, "Ana Ruiz", DESIGN_STAMP.astimezone(timezone(timedelta(hours=5)))),
            OPSGENIE_MARK,
            id="always in UTC",
        ),
        pytest.param(
            text.act_mark(OG, "Ana Ruiz", at(0)),
            "[Opsgenie · Ana Ruiz · 2026-11-23 09:00:00.000Z]",
            id="milliseconds are written even when they are none",
        ),
    ],
)
def test_mark(made: str, expected: str) -> None:
    assert made == expected


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param("Ana Ruiz", "Ana Ruiz", id="an ordinary name stays"),
        pytest.param("Ana [DBA] Ruiz", "Ana (DBA) Ruiz", id="brackets cannot end the mark"),
        pytest.param("Ana · Ruiz", "Ana - Ruiz", id="a dot cannot split the mark"),
        pytest.param("Ana\r\n Ruiz\t", "Ana Ruiz", id="lines become one"),
        pytest.param("Ana\u200cRuiz\x07", "Ana Ruiz", id="what cannot be printed becomes a space"),
        pytest.param("", "somebody", id="no name is somebody"),
        pytest.param(" \n ", "somebody", id="an empty name is somebody"),
    ],
)
@pytest.mark.parametrize("side", [OG, PD])
def test_names_in_marks_are_cleaned(name: str, shown: str, side: Side) -> None:
    mark = text.act_mark(side, name, at(0))
    assert mark.split(" · ")[1] == shown
    assert text.is_copy_from(mark + " words", side)
    copied = text.note_mark(PD, Note("P1", Person("", name), "words", at(0)))
    assert copied == f"[PagerDuty · {shown} · note P1]"
    assert text.is_copy_from(copied, PD)


def test_twins_of_one_author_and_millisecond_are_numbered_in_the_order_of_their_ids() -> None:
    first, second, third = (note(key, ANA, "again", 5) for key in ("o1", "o2", "o3"))
    stranger, later = note("o0", JANE, "again", 5), note("o4", ANA, "again", 5.001)
    among = (third, stranger, later, first, second)
    marks = [text.note_mark(OG, each, among) for each in (first, second, third)]
    assert marks == [
        "[Opsgenie · Ana Ruiz · 2026-11-23 09:00:05.000Z]",
        "[Opsgenie · Ana Ruiz · 2026-11-23 09:00:05.000Z #2]",
        "[Opsgenie · Ana Ruiz · 2026-11-23 09:00:05.000Z #3]",
    ]
    assert all(text.is_copy_from(mark, OG) for mark in marks)
    assert text.note_mark(OG, later, among) == "[Opsgenie · Ana Ruiz · 2026-11-23 09:00:05.001Z]"
    assert text.note_mark(OG, stranger, among) == "[Opsgenie · Jane Doe · 2026-11-23 09:00:05.000Z]"


def test_no_twin_s_note_carries_another_twin_s_mark() -> None:
    marks = [f"{OPSGENIE_MARK[:-1]}{number}]" for number in ("", " #2", " #20")]
    for mark in marks:
        assert [other for other in marks if text.carries(text.marked(mark, "words"), other)] == [mark]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param(f"{OPSGENIE_MARK} words", True, id="at its head"),
        pytest.param(f"\n  {OPSGENIE_MARK} words", True, id="at its head after spaces"),
        pytest.param(OPSGENIE_MARK, True, id="alone"),
        pytest.param(f"words {OPSGENIE_MARK}", False, id="not at its head"),
        pytest.param(OPSGENIE_MARK.replace("Ana", "Bea") + " words", False, id="of somebody else"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_carries(words: str, expected: bool) -> None:
    assert text.carries(words, OPSGENIE_MARK) is expected


COPIES = [
    pytest.param(f"{OPSGENIE_MARK} text", OG, id="an Opsgenie note"),
    pytest.param(f"{OPSGENIE_MARK[:-1]} #2] text", OG, id="an Opsgenie twin"),
    pytest.param(f"  \n{OPSGENIE_MARK} text", OG, id="after spaces"),
    pytest.param(f"{OPSGENIE_MARK}", OG, id="without words"),
    pytest.param("[Opsgenie · Ana Ruiz · 2026-11-23 09:14:05Z] text", OG, id="without milliseconds"),
    pytest.param(f"{PAGERDUTY_NOTE_MARK} text", PD, id="a PagerDuty note"),
    pytest.param(f"{PAGERDUTY_ACT_MARK} text", PD, id="a PagerDuty act"),
]


@pytest.mark.parametrize(("words", "side"), COPIES)
def test_a_copy_is_recognised_as_of_its_side(words: str, side: Side) -> None:
    assert text.is_copy_from(words, side)


@pytest.mark.parametrize(("words", "side"), COPIES)
def test_a_copy_is_not_taken_for_one_of_the_other_side(words: str, side: Side) -> None:
    assert not text.is_copy_from(words, PD if side is OG else OG)


@pytest.mark.parametrize(
    "words",
    [
        pytest.param("", id="nothing"),
        pytest.param("Opsgenie · Ana Ruiz · 2026-11-23 09:14:05.123Z text", id="no brackets"),
        pytest.param(f"see {OPSGENIE_MARK}", id="quoted later in the text"),
        pytest.param(f"> {OPSGENIE_MARK} text", id="quoted in the mail fashion"),
        pytest.param("[Opsgenie] text", id="the vendor alone"),
        pytest.param("[Opsgenie · Ana Ruiz] text", id="no provenance"),
        pytest.param("[Opsgenie · Ana Ruiz · yesterday] text", id="no stamp"),
        pytest.param("[Opsgenie · Ana Ruiz · 2026-11-23 09:14:05.123] text", id="no zone"),
        pytest.param("[Opsgenie · Ana Ruiz · 2026-11-23 09:14:05.123Z text", id="never closed"),
        pytest.param("[Opsgenie - Ana Ruiz - 2026-11-23 09:14:05.123Z] text", id="hyphens for dots"),
        pytest.param("[opsgenie · Ana Ruiz · 2026-11-23 09:14:05.123Z] text", id="small letters"),
        pytest.param("[VictorOps · Ana Ruiz · 2026-11-23 09:14:05.123Z] text", id="another vendor"),
        pytest.param("[PagerDuty · Jane Doe · note ] text", id="a note without an id"),
        pytest.param("[PagerDuty · Jane Doe · note P 1] text", id="an id in two words"),
        pytest.param("[PagerDuty · Jane Doe · note P1 #x] text", id="a twin that is not numbered"),
    ],
)
@pytest.mark.parametrize("side", [OG, PD])
def test_what_is_nearly_a_mark_is_not_one(words: str, side: Side) -> None:
    assert not text.is_copy_from(words, side)


# -- notes and names --


def test_a_note_is_its_mark_a_space_and_its_text() -> None:
    assert text.marked(OPSGENIE_MARK, "text") == "[Opsgenie · Ana Ruiz · 2026-11-23 09:14:05.123Z] text"
    assert text.marked(PAGERDUTY_NOTE_MARK, "text") == "[PagerDuty · Jane Doe · note PXYZ123] text"


@pytest.mark.parametrize(
    ("length", "limit", "ending"),
    [
        pytest.param(9, 10, "x", id="shorter than the limit"),
        pytest.param(40, 40, "x", id="just the limit"),
        pytest.param(41, 40, "… [cut: 41 characters in all]", id="one too many"),
        pytest.param(99_999, 40, "… [cut: 99999 characters in all]", id="far too many"),
    ],
)
def test_cut_shows_what_it_did(length: int, limit: int, ending: str) -> None:
    result = text.cut("x" * length, limit)
    assert len(result) == min(length, limit)
    assert result.endswith(ending)
    assert result.startswith("x")


@pytest.mark.parametrize(
    ("given", "shown"),
    [(" two\n lines\u00a0", "two lines"), ("x" * 100, "x" * 100), ("x" * 101, "x" * 99 + "…")],
)
def test_a_list_shows_one_line_of_a_text(given: str, shown: str) -> None:
    assert text.shortened(given) == shown


def test_a_note_is_cut_to_25000_characters_and_keeps_its_mark() -> None:
    whole = text.marked(OPSGENIE_MARK, "x" * (24_999 - len(OPSGENIE_MARK)))
    assert (len(whole), whole[-1]) == (25_000, "x")
    too_long = text.marked(OPSGENIE_MARK, "x" * (25_000 - len(OPSGENIE_MARK)))
    assert (len(too_long), too_long[-32:]) == (25_000, "… [cut: 25001 characters in all]")
    assert text.carries(too_long, OPSGENIE_MARK)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("Jane Doe", "Jane Doe (PagerDuty)", id="the engineer and where she is"),
        pytest.param("x" * 88, "x" * 88 + " (PagerDuty)", id="just the limit"),
        pytest.param("x" * 89, "x" * 87 + "… (PagerDuty)", id="a name too long is cut, the signature stays"),
    ],
)
def test_signature(name: str, expected: str) -> None:
    signed = text.signature(name)
    assert signed == expected
    assert len(signed) <= 100
    assert text.is_signed(signed)
    assert not text.is_signed(name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("x" * 100, "x" * 100, id="just the limit"),
        pytest.param("x" * 101, "x" * 99 + "…", id="one too many"),
        pytest.param("", "", id="no name"),
    ],
)
def test_a_user_in_opsgenie_has_100_characters(name: str, expected: str) -> None:
    assert text.cut_name(name) == expected


def test_vendors_are_named_as_people_write_them() -> None:
    assert [text.name_of(side) for side in Side] == ["Opsgenie", "PagerDuty"]


# -- titles and bodies --


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param("Disk full", "Disk full", id="the message"),
        pytest.param(" Disk\n\tfull  ", "Disk full", id="in one line"),
        pytest.param("", "Opsgenie alert #17", id="no message: the tiny id"),
        pytest.param(" \n", "Opsgenie alert #17", id="an empty message: the tiny id"),
        pytest.param("x" * 1024, "x" * 1024, id="just the limit"),
        pytest.param(
            "x" * 1025, "x" * 993 + "… [cut: 1025 characters in all]", id="cut visibly at 1024 characters"
        ),
    ],
)
def test_title(message: str, expected: str) -> None:
    assert text.title(alert(message=message)) == expected
    assert len(expected) <= 1024


URL = "https://example.app.opsgenie.com/alert/detail/a-1"


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        pytest.param({}, ["Priority: P3", f"Alert: {URL}"], id="priority and link"),
        pytest.param(
            {"source": "probe"}, ["Priority: P3", f"Alert: {URL}", "Source: probe"], id="source where there is one"
        ),
        pytest.param(
            {"tags": ("db", "eu")},
            ["Priority: P3", f"Alert: {URL}", "Tags: db, eu"],
            id="tags where there are any",
        ),
        pytest.param(
            {"description": "9 of\n9 GB"},
            ["Priority: P3", f"Alert: {URL}", "", "9 of", "9 GB"],
            id="the description as it is",
        ),
        pytest.param(
            {"details": (("host", "db1"), ("disk", "/var"))},
            ["Priority: P3", f"Alert: {URL}", "", "Details:", "  host: db1", "  disk: /var"],
            id="details in their order",
        ),
        pytest.param({"description": ""}, ["Priority: P3", f"Alert: {URL}"], id="an empty description is none"),
    ],
)
def test_body(changed: dict[str, str], expected: list[str]) -> None:
    assert text.body(alert(**changed)).splitlines() == expected


def test_a_body_is_cut_visibly_and_keeps_what_matters_first() -> None:
    body = text.body(alert(priority="P1", description="x" * 30_000))
    assert len(body) == 25_000
    assert body.startswith("Priority: P1\nAlert: https://")
    assert body.endswith("characters in all]")


@pytest.mark.parametrize(
    ("priority", "urgency"),
    [("P1", "high"), ("P2", "high"), ("P3", "low"), ("P4", "low"), ("P5", "low"), ("", "low")],
)
def test_urgency(priority: str, urgency: str) -> None:
    assert text.urgency(priority) == urgency


# -- plain forms --


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        pytest.param("Disk full", "Disk full", id="plain already"),
        pytest.param("Disk\nfull\x00", "Disk full", id="what cannot be printed goes"),
        pytest.param("x" * 256, "x" * 255, id="255 characters"),
        pytest.param("", "Opsgenie alert", id="never empty"),
        pytest.param("\u200b\x07", "Opsgenie alert", id="never empty, though nothing in it can be printed"),
    ],
)
def test_plain_title(title: str, expected: str) -> None:
    assert text.plain_title(title) == expected


@pytest.mark.parametrize(
    "mark",
    [
        pytest.param(OPSGENIE_MARK, id="of an Opsgenie act"),
        pytest.param(PAGERDUTY_NOTE_MARK, id="of a PagerDuty note"),
        pytest.param(text.act_mark(OG, "Nasim\u200cReza", at(0)), id="of a name with a joiner in it"),
        pytest.param(text.act_mark(OG, BOT.name + "\u200b", at(0)), id="of a name with an invisible space"),
        pytest.param(text.note_mark(OG, note("o1", NOBODY, "")), id="of somebody"),
    ],
)
def test_a_plain_note_keeps_its_mark(mark: str) -> None:
    plain = text.plain_note(text.marked(mark, "line\nline\x00 " + "x" * 2_000))
    assert text.carries(plain, mark)
    assert plain.startswith(f"{mark} line line")
    assert plain.isprintable()
    assert len(plain) == 1_000
    assert plain.endswith("characters in all]")
