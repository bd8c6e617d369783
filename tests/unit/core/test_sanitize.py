"""What people wrote, made safe to pass on: all that is visible stays, nothing acts, and no mark is forged."""

import re
import sys
import unicodedata

import pytest

from reconciler.core import sanitize, text

MARK = "[PagerDuty · Jane Doe · note PXYZ123]"
BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
READABLE = (
    "é 日本 🙂",
    "👩\u200d💻 and 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",  # joined; with tags
    "مرحبا بالعالم",
    "שלום",
    "می\u200cخواهم",  # noqa: RUF001 - Persian, with a non-joiner
    "Donau\u00addampf\u200bschiff",
    "a\tb\n  c",
    "\U0001fae9",  # an emoji of Unicode 16, which Python 3.11 does not know
)


@pytest.mark.parametrize("words", READABLE)
def test_what_people_can_read_stays(words: str) -> None:
    assert sanitize.safe(words) == words


def test_no_character_that_controls_a_terminal_or_the_direction_of_text_is_left() -> None:
    """Every character of Unicode: what is replaced is exactly what may act, and white space takes its place."""
    every = [chr(number) for number in range(sys.maxunicode + 1) if not 0xD800 <= number <= 0xDFFF]
    changed = {character for character in every if sanitize.clean(character) != character}
    controls = {character for character in every if unicodedata.category(character) in ("Cc", "Zl", "Zp")}
    assert changed >= (controls - {"\t", "\n"}) | set(BIDI)
    assert {sanitize.clean(character) for character in changed} == {" ", "\n"}
    assert {unicodedata.category(character) for character in changed} == {"Cc", "Cf", "Zl", "Zp"}
    assert not any(character.isprintable() for character in changed)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("\x1b[31mred\x1b[0m", " [31mred [0m"),
        ("one\r\ntwo\rthree\x85four\u2028five\u2029six\x0bseven", "one\ntwo\nthree\nfour\nfive\nsix\nseven"),
        ("a\u202e\u2066\x07b", "a b"),
        ("\x9b2J\x7f", " 2J "),
    ],
)
def test_a_line_break_stays_one_and_a_run_of_other_controls_becomes_one_space(words: str, expected: str) -> None:
    assert sanitize.clean(words) == expected


@pytest.mark.parametrize(
    "words",
    [
        MARK,
        "[Opsgenie · Ana Ruiz · 2026-11-23 09:14:05.123Z]",
        "[JSM · Ana Ruiz · 2026-11-23 09:14:05.123Z #2 (1/3)]",
        "[PagerDuty · Jane Doe",
        "[PagerDuty·Jane Doe]",
        "[ pagerDUTY  ·  Jane Doe]",
        "[Pager\u200bDuty · Jane Doe]",
        "[\u202ePagerDuty \u2066· Jane Doe]",
        "[\x1bPagerDuty · Jane Doe]",
        "[\nPagerDuty · Jane Doe]",
        "[Págerdùty • Jane Doe]",
        "[\uff30ager\uff24uty ∙ Jane Doe]",
        "［PagerDuty ・ Jane Doe]",  # noqa: RUF001 - a bracket of full width
        "[Раgеrduty · Jane Doe]",  # noqa: RUF001 - letters of the Cyrillic alphabet
        "[𝐏𝐚𝐠𝐞𝐫𝐃𝐮𝐭𝐲 · Jane Doe]",  # noqa: RUF001 - mathematical letters
    ],
)
@pytest.mark.parametrize("before", ["", "I approve\n", "  \t", "> ", "> > ", "* “", "[[", "see ", "\u200b"])
def test_what_poses_as_a_mark_is_shown_as_a_quotation(words: str, before: str) -> None:
    copy = sanitize.safe(f"{before}{words} and more")
    assert copy.replace("quoted: ", "") == sanitize.clean(f"{before}{words} and more")
    assert copy.count("[quoted: ") + copy.count("［quoted: ") == 1  # noqa: RUF001 - a bracket of full width
    assert text.MARK.search(copy) is None
    assert sanitize.safe(copy) == copy


@pytest.mark.parametrize(
    "words",
    [
        "",
        "[PagerDuty] is down",
        "[PagerDuty: sync failed]",
        "[Opsgenie-EU] disk full",
        "PagerDuty · Jane Doe · note PXYZ123",
        "[VictorOps · Jane Doe · note PXYZ123]",
        "[quoted: PagerDuty · Jane Doe]",
        "[Pager",
        "[" * 10,
    ],
)
def test_what_does_not_pose_as_a_mark_stays(words: str) -> None:
    assert sanitize.defanged(words) == words


def test_many_brackets_cost_no_more_than_their_number() -> None:
    words = "[PagerDut" * 20_000 + "[" + "\u200b" * 200_000
    assert sanitize.defanged(words) == words


def test_a_line_is_one_line() -> None:
    assert sanitize.safe_line(f" two\u2028lines \x1b\n{MARK}") == f"two lines {MARK.replace('[', '[quoted: ')}"
    assert sanitize.one_line("Ana\u202e [DBA]\r\n Ruiz") == "Ana [DBA] Ruiz"


@pytest.mark.parametrize("words", ["a\x1bb", "a\u202eb\u2028c\x85", "a\r\n b", *READABLE])
def test_a_sanitized_copy_and_a_plain_one_are_compared_as_equal_to_their_source(words: str) -> None:
    assert sanitize.comparable(sanitize.clean(words)) == sanitize.comparable(words)
    assert sanitize.comparable(sanitize.printable(words)) == sanitize.comparable(words)
    assert re.search(r"\s\s", sanitize.comparable(words)) is None
