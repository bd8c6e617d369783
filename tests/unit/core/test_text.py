"""Titles, bodies, notes and marks: their text, and how our notes are recognised."""

from datetime import datetime, timedelta, timezone

import pytest

from reconciler.core import text
from reconciler.core.model import Note, Person, Side
from reconciler.core.product import JSM, OPSGENIE, Product
from tests.support.builders import ANA, BOT, JANE, NOBODY, alert, at, note

OG, PD = Side.ALERTS, Side.PAGERDUTY
STAMP = datetime.fromisoformat("2026-11-23T09:14:05.123456+00:00")
OPSGENIE_MARK = "[Opsgenie · Ana Ruiz · 2026-11-23 09:14:05.123Z]"
JSM_MARK = "[JSM · Ana Ruiz · 2026-11-23 09:14:05.123Z]"
PAGERDUTY_NOTE_MARK = "[PagerDuty · Jane Doe · note PXYZ123]"
PAGERDUTY_ACT_MARK = "[PagerDuty · Jane Doe · 2026-11-23 09:14:05Z]"


# -- marks --


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        pytest.param(
            text.note_mark(OG, Note("o1", ANA, "text", STAMP)),
            OPSGENIE_MARK,
            id="an Opsgenie note by its time",
        ),
        pytest.param(
            text.note_mark(PD, Note("PXYZ123", JANE, "text", STAMP)),
            PAGERDUTY_NOTE_MARK,
            id="a PagerDuty note by its id",
        ),
        pytest.param(text.act_mark(OG, "Ana Ruiz", STAMP), OPSGENIE_MARK, id="an Opsgenie act to the millisecond"),
        pytest.param(text.act_mark(PD, "Jane Doe", STAMP), PAGERDUTY_ACT_MARK, id="a PagerDuty act to the second"),
        pytest.param(
            text.act_mark(OG, "Ana Ruiz", STAMP.astimezone(timezone(timedelta(hours=5)))),
            OPSGENIE_MARK,
            id="always in UTC",
        ),
        pytest.param(
            text.act_mark(OG, "Ana Ruiz", at(0)),
            "[Opsgenie · Ana Ruiz · 2026-11-23 09:00:00.000Z]",
            id="zero milliseconds are written too",
        ),
    ],
)
def test_a_mark_names_side_author_and_time_or_note(made: str, expected: str) -> None:
    assert made == expected


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param("Ana Ruiz", "Ana Ruiz", id="an ordinary name stays"),
        pytest.param("Ana [DBA] Ruiz", "Ana (DBA) Ruiz", id="brackets cannot end the mark"),
        pytest.param("Ana · Ruiz", "Ana - Ruiz", id="a dot cannot split the mark"),
        pytest.param("Ana\r\n Ruiz\t", "Ana Ruiz", id="lines become one"),
        pytest.param("Ana\u200cRuiz\x07", "Ana Ruiz", id="an unprintable character becomes a space"),
        pytest.param("", "somebody", id="a missing name becomes somebody"),
        pytest.param(" \n ", "somebody", id="an empty name becomes somebody"),
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


def test_the_notes_of_twins_carry_different_marks() -> None:
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
        pytest.param(OPSGENIE_MARK.replace("Ana", "Bea") + " words", False, id="of another person"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_a_text_carries_a_mark_only_at_its_beginning(words: str, expected: bool) -> None:
    assert text.carries(words, OPSGENIE_MARK) is expected


COPIES = [
    pytest.param(f"{OPSGENIE_MARK} text", OG, id="an Opsgenie note"),
    pytest.param(f"{OPSGENIE_MARK[:-1]} #2] text", OG, id="an Opsgenie twin"),
    pytest.param(f"  \n{OPSGENIE_MARK} text", OG, id="after spaces"),
    pytest.param(f"{OPSGENIE_MARK}", OG, id="without words"),
    pytest.param("[Opsgenie · Ana Ruiz · 2026-11-23 09:14:05Z] text", OG, id="without milliseconds"),
    pytest.param(f"{JSM_MARK} text", OG, id="a note of JSM"),
    pytest.param(f" {JSM_MARK[:-1]} #2] text", OG, id="a twin of JSM"),
    pytest.param(f"{JSM_MARK[:-1]} (1/2)] text", OG, id="a part of a note of JSM"),
    pytest.param(f"{PAGERDUTY_NOTE_MARK} text", PD, id="a PagerDuty note"),
    pytest.param(f"{PAGERDUTY_ACT_MARK} text", PD, id="a PagerDuty act"),
]


@pytest.mark.parametrize(("words", "side"), COPIES)
def test_a_copy_is_recognised_by_the_side_in_its_mark(words: str, side: Side) -> None:
    assert text.is_copy_from(words, side)


@pytest.mark.parametrize(("words", "side"), COPIES)
def test_a_copy_is_not_mistaken_for_one_of_the_other_side(words: str, side: Side) -> None:
    assert not text.is_copy_from(words, PD if side is OG else OG)


@pytest.mark.parametrize(
    "words",
    [
        pytest.param("", id="nothing"),
        pytest.param("Opsgenie · Ana Ruiz · 2026-11-23 09:14:05.123Z text", id="no brackets"),
        pytest.param(f"see {OPSGENIE_MARK}", id="quoted later in the text"),
        pytest.param(f"> {OPSGENIE_MARK} text", id="quoted as in a mail"),
        pytest.param("[Opsgenie] text", id="the vendor alone"),
        pytest.param("[Opsgenie · Ana Ruiz] text", id="no provenance"),
        pytest.param("[Opsgenie · Ana Ruiz · yesterday] text", id="no time"),
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
def test_a_text_that_resembles_a_mark_is_none(words: str, side: Side) -> None:
    assert not text.is_copy_from(words, side)


# -- marks of another product --


@pytest.mark.parametrize("written", [OPSGENIE_MARK, JSM_MARK])
@pytest.mark.parametrize("sought", [OPSGENIE_MARK, JSM_MARK])
def test_an_alerts_mark_is_found_under_the_name_of_any_product(written: str, sought: str) -> None:
    copy = f"\n {written} words [JSM · quoted]"
    assert text.carries(copy, sought)
    assert text.after(copy, sought) == "words [quoted: JSM · quoted]"
    assert text.head(copy) == text.head(sought) == OPSGENIE_MARK
    assert not text.carries(copy, sought.replace("Ana", "Bea"))


def test_no_other_mark_is_changed_to_be_compared() -> None:
    for words in (PAGERDUTY_NOTE_MARK, "[JSM] text", "JSM · Ana", ""):
        assert text.in_one_form(words) == words


def test_a_copy_is_compared_as_if_this_version_had_made_it() -> None:
    raw = f"{PAGERDUTY_ACT_MARK} red \x1b[31m\r\n[PagerDuty · Jane Doe · note P9] approved"
    safe = f"{PAGERDUTY_ACT_MARK} red  [31m\n[quoted: PagerDuty · Jane Doe · note P9] approved"
    assert text.in_one_form(raw) == text.in_one_form(safe) == safe
    assert text.carries(raw, safe)
    assert text.carries(safe, raw)
    assert text.head(raw) == PAGERDUTY_ACT_MARK


@pytest.mark.parametrize(("product", "mark"), [(OPSGENIE, OPSGENIE_MARK), (JSM, JSM_MARK)])
def test_an_alerts_marks_bear_the_products_name(product: Product, mark: str) -> None:
    written = Note("o1", ANA, "text", STAMP)
    assert text.act_mark(OG, "Ana Ruiz", STAMP, product) == mark
    assert text.note_mark(OG, written, product=product) == mark
    twins = text.note_marks(OG, [written, Note("o2", ANA, "text", STAMP)], product)
    assert twins == {"o1": mark, "o2": f"{mark[:-1]} #2]"}
    assert text.note_mark(PD, Note("PXYZ123", JANE, "text", STAMP), product=product) == PAGERDUTY_NOTE_MARK


def test_a_title_that_is_lacking_names_the_product() -> None:
    assert text.title(alert(message=" "), JSM) == "JSM alert #17"
    assert text.plain_title("\x00", JSM) == "JSM alert"


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
def test_a_cut_text_says_that_it_was_cut(length: int, limit: int, ending: str) -> None:
    result = text.cut("x" * length, limit)
    assert len(result) == min(length, limit)
    assert result.endswith(ending)
    assert result.startswith("x")


@pytest.mark.parametrize(
    ("given", "shown"),
    [(" two\n lines\u00a0", "two lines"), ("x" * 100, "x" * 100), ("x" * 101, "x" * 99 + "…")],
)
def test_a_text_is_shown_in_one_line_in_lists(given: str, shown: str) -> None:
    assert text.shortened(given) == shown


def test_a_note_of_25000_characters_is_sent_as_it_is() -> None:
    words = "x" * (24_999 - len(OPSGENIE_MARK))
    assert text.split(OPSGENIE_MARK, words) == ((OPSGENIE_MARK, f"{OPSGENIE_MARK} {words}"),)
    assert len(text.split(OPSGENIE_MARK, words + "x")) == 2


@pytest.mark.parametrize(
    "words",
    [
        pytest.param("x" * 60_000, id="one word"),
        pytest.param("some words " * 5_000, id="words"),
        pytest.param("a line\n" * 9_000, id="lines"),
        pytest.param("word " * 20_000 + "x" * 30_000, id="words and one that is long"),
    ],
)
@pytest.mark.parametrize("limit", [25_000, 1_000])
@pytest.mark.parametrize("mark", [OPSGENIE_MARK, PAGERDUTY_NOTE_MARK, OPSGENIE_MARK[:-1] + " #2]"])
def test_a_note_that_is_too_long_is_sent_in_numbered_parts_without_loss(words: str, limit: int, mark: str) -> None:
    parts = text.split(mark, words, limit)
    assert len(parts) > 2
    assert [own for own, _ in parts] == [f"{mark[:-1]} ({n}/{len(parts)})]" for n in range(1, len(parts) + 1)]
    assert all(sent.startswith(f"{own} ") and len(sent) <= limit for own, sent in parts)
    assert "".join(sent.removeprefix(f"{own} ") for own, sent in parts) == words
    assert all(text.MARK.fullmatch(own) for own, _ in parts)


def test_a_part_ends_after_a_word_where_possible() -> None:
    parts = text.split(OPSGENIE_MARK, "four " * 1_000, 1_000)
    assert all(sent.endswith("four ") for _, sent in parts)


def test_a_part_that_is_too_long_for_the_plainest_form_is_split_again() -> None:
    (own, sent), *_ = text.split(OPSGENIE_MARK, "x" * 60_000)
    again = text.plain_parts(sent, own)
    assert again[1][0] == f"{own[:-1]} (2/{len(again)})]"
    assert text.is_copy_from(again[1][1], OG)


def test_the_note_of_an_act_that_is_too_long_is_left_without_its_details() -> None:
    told = f"{PAGERDUTY_ACT_MARK} resolved the incident"
    assert text.plain_parts(f"{told}\n(merged)", told) == ((told, told),)


@pytest.mark.parametrize(
    "mark",
    [
        f'{PAGERDUTY_ACT_MARK} incident #7 "soft\u00adhyphen" bears this alert\'s key, too',
        "[PagerDuty · reconciler · incident Q1 key abc]",
        OPSGENIE_MARK,
    ],
    ids=["of an act, with an unprintable character", "a key note", "without words"],
)
def test_a_note_that_is_only_its_mark_cannot_be_made_shorter(mark: str) -> None:
    (part,) = text.plain_parts(mark, mark)
    assert part == (mark, text.plain_note(mark))
    assert text.plain_parts(part[1], mark) == (part,)


def test_a_note_that_is_refused_in_plain_form_is_halved_until_it_is_short() -> None:
    words = "word " * 100
    sizes, notes = [], [(OPSGENIE_MARK, text.marked(OPSGENIE_MARK, words))]
    while (halves := [part for own, sent in notes for part in text.plain_parts(sent, own)]) != notes:
        notes = halves
        sizes.append(max(len(text.after(sent, own)) for own, sent in notes))
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[1] <= 280, "after a short part and the rest"
    assert sizes[-1] <= text.LEAST_PART
    assert all(text.is_copy_from(sent, OG) and text.carries(sent, own) for own, sent in notes)
    assert " ".join(text.after(sent, own) for own, sent in notes).split() == ["word"] * 100


def test_the_plain_parts_of_a_long_note_are_complete() -> None:
    (own, first), (rest, others) = text.plain_parts(text.marked(OPSGENIE_MARK, "line\nline " * 400), OPSGENIE_MARK)
    assert len(text.after(first, own)) <= text.LEAST_PART
    parts = ((own, first), *text.plain_parts(others, rest))
    assert all(len(sent) <= 1_000 and sent.isprintable() and text.carries(sent, own) for own, sent in parts)
    assert " ".join(text.after(sent, own) for own, sent in parts).split() == ["line"] * 800


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("Jane Doe", "Jane Doe (PagerDuty)", id="the engineer and where she is"),
        pytest.param("x" * 88, "x" * 88 + " (PagerDuty)", id="just the limit"),
        pytest.param("x" * 89, "x" * 87 + "… (PagerDuty)", id="a name too long is cut, the signature stays"),
        pytest.param(
            "Jane\u202e [DBA]\nDoe", "Jane [DBA] Doe (PagerDuty)", id="in one line, without control characters"
        ),
    ],
)
def test_a_signature_names_the_person_and_the_vendor(name: str, expected: str) -> None:
    signed = text.signature(name)
    assert signed == expected
    assert len(signed) <= 100
    assert text.is_signature(signed, text.name_in_mark(name))
    assert not text.is_signature(name, name)
    assert not text.is_signature(signed, f"Z{name}")
    assert not text.is_signature(signed, "")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("x" * 100, "x" * 100, id="just the limit"),
        pytest.param("x" * 101, "x" * 99 + "…", id="one too many"),
        pytest.param("", "", id="no name"),
    ],
)
def test_a_signature_fits_into_the_100_characters_of_an_opsgenie_user(name: str, expected: str) -> None:
    assert text.cut_name(name) == expected


# -- titles and bodies --


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param("Disk full", "Disk full", id="the message"),
        pytest.param(" Disk\n\tfull  ", "Disk full", id="in one line"),
        pytest.param("", "Opsgenie alert #17", id="no message: the tiny id"),
        pytest.param(" \n", "Opsgenie alert #17", id="an empty message: the tiny id"),
        pytest.param("\x1b\u202e", "Opsgenie alert #17", id="nothing but control characters: the tiny id"),
        pytest.param("\x1b[31mred\u202e\u2028alert", "[31mred alert", id="without control characters"),
        pytest.param(
            "[PagerDuty · Jane Doe · note P9] ok", "[quoted: PagerDuty · Jane Doe · note P9] ok", id="no mark"
        ),
        pytest.param("x" * 1024, "x" * 1024, id="just the limit"),
        pytest.param(
            "x" * 1025, "x" * 993 + "… [cut: 1025 characters in all]", id="cut visibly at 1024 characters"
        ),
    ],
)
def test_a_title_is_one_line_within_the_limit(message: str, expected: str) -> None:
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
        pytest.param(
            {"source": "a\n\nPriority: P1", "tags": ("x\x1b", "[JSM · y")},
            ["Priority: P3", f"Alert: {URL}", "Source: a Priority: P1", "Tags: x , [quoted: JSM · y"],
            id="each of the first facts in one line, safe to show",
        ),
        pytest.param(
            {"description": "no\x1b[2J\r\n [Opsgenie · Ana · x] yes", "details": (("k", "[PagerDuty · v\u2066"),)},
            [
                "Priority: P3",
                f"Alert: {URL}",
                "",
                "no [2J",
                " [quoted: Opsgenie · Ana · x] yes",
                "",
                "Details:",
                "  k: [quoted: PagerDuty · v ",
            ],
            id="description and details without control characters and marks",
        ),
    ],
)
def test_a_body_lists_the_alerts_fields(changed: dict[str, str], expected: list[str]) -> None:
    assert text.body(alert(**changed)).splitlines() == expected


def test_a_body_is_cut_visibly_and_keeps_its_most_important_fields() -> None:
    body = text.body(alert(priority="P1", description="x" * 30_000))
    assert len(body) == 25_000
    assert body.startswith("Priority: P1\nAlert: https://")
    assert body.endswith(f"characters in all; the rest is in the alert: {URL}]")
    assert text.body(alert(description="x" * 30_000, url="")).endswith("characters in all]")


@pytest.mark.parametrize(
    ("priority", "urgency"),
    [
        ("P1", "high"),
        ("P2", "high"),
        ("P3", "low"),
        ("P4", "low"),
        ("P5", "low"),
        ("", "high"),
        ("P2P2P2", "high"),
        ("P1-CRITICAL", "high"),
    ],
)
def test_urgency_is_low_only_for_a_known_low_priority(priority: str, urgency: str) -> None:
    assert text.urgency(priority, frozenset({"P1", "P2"})) == urgency


def test_which_priorities_are_high_is_a_setting() -> None:
    assert [text.urgency(f"P{n}", frozenset({"P3"})) for n in range(1, 5)] == ["low", "low", "high", "low"]


# -- plain forms --


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        pytest.param("Disk full", "Disk full", id="plain already"),
        pytest.param("Disk\nfull\x00", "Disk full", id="unprintable characters are removed"),
        pytest.param("x" * 101, "x" * 100, id="100 characters"),
        pytest.param("", "Opsgenie alert", id="never empty"),
        pytest.param("\u200b\x07", "Opsgenie alert", id="never empty, although nothing in it is printable"),
    ],
)
def test_a_plain_title_is_printable_short_and_never_empty(title: str, expected: str) -> None:
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
    assert plain.endswith("x" * 2_000), "a plain note that is too long is split and never cut"


# -- names --


@pytest.mark.parametrize(
    ("shown", "name", "same"),
    [
        pytest.param("Jane Doe", "Jane Doe", True, id="the same"),
        pytest.param("jane  DOE ", "Jane Doe", True, id="other case and spaces"),
        pytest.param("Jos\u00e9 Nu\u00f1ez", "Jose\u0301 Nun\u0303ez", True, id="another Unicode form"),
        pytest.param("Jose Nunez", "José Nuñez", True, id="without accents"),
        pytest.param("Jos? Nu?ez", "José Nuñez", True, id="with question marks for unsupported characters"),
        pytest.param("Tim O&#39;Neil &amp; Co", "Tim O'Neil & Co", True, id="with entities"),
        pytest.param("\uff2aane Doe", "Jane Doe", True, id="in full width"),
        pytest.param("Bartholomew Fitzgerald", "Bartholomew Fitzgerald-Jones", True, id="cut"),
        pytest.param("Bartholomew Fitzger…", "Bartholomew Fitzgerald", False, id="cut at less than 20 characters"),
        pytest.param("Bartholomew Fitzgeral…", "Bartholomew Fitzgerald", True, id="cut with a sign"),
        pytest.param("Bartholomew Fitzgeral...", "Bartholomew Fitzgerald", True, id="cut with dots"),
        pytest.param("x" * 99 + "…", "x" * 150, True, id="cut as we cut it"),
        pytest.param("Jane", "Jane Doe", False, id="a first name alone"),
        pytest.param("Jane Doe-Smith", "Jane Doe", False, id="a longer name"),
        pytest.param("Jane Roe", "Jane Doe", False, id="another name"),
        pytest.param("Jane Doe", "Jane\u202e\x07Doe", True, id="as we write it, without control characters"),
        pytest.param("Jane\u202e\x07Doe", "Jane\u202e\x07Doe", True, id="as earlier versions wrote it"),
        pytest.param("Jane Doe", "Jane ?oe", False, id="a question mark in the known name is literal"),
        pytest.param("", "Jane Doe", False, id="no name"),
        pytest.param("", "", True, id="no names"),
    ],
)
def test_a_name_is_recognised_in_any_unicode_form(shown: str, name: str, same: bool) -> None:
    assert text.is_same_name(shown, name) is same
