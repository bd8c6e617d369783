"""Sanitizing of what people and vendors wrote, before it is passed on to another vendor.

Nobody's text may act on its reader's screen, or pose as a note of ours: `clean` replaces control characters, and
`defanged` changes what looks like one of our marks. Both leave their own result unchanged, so that texts can be
compared in one form, whichever version of the program copied them.
"""

import re
import unicodedata
from functools import lru_cache

from reconciler.core.model import Side
from reconciler.core.product import PRODUCTS

SIGN = "quoted: "
"""What `defanged` puts between the opening bracket and the name in `[PagerDuty · …`, which then is no mark."""

_BREAK = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
_HARMFUL = re.compile(
    "["
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"  # C0 but tab and line breaks, DEL and C1: terminal sequences
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # every character with Bidi_Control (Unicode, PropList.txt)
    "\u206a-\u206f\ufff9-\ufffb"  # deprecated format characters, and those that hide text as an annotation
    "]+"
)
_OPENING = re.compile("[\\[\uff3b\ufe47](?![\\[\uff3b\ufe47])")  # of several in a row the last one
_DOTS = "·•‧∙⋅・᛫⸱ꞏ"
_BLANK = "\u115f\u1160\u2800"
_LETTERS = str.maketrans("аеорѕіјуοριυ" + _DOTS, "aeopsijyopiy" + "·" * len(_DOTS))  # noqa: RUF001 - as above
"""Letters of other alphabets that look like those of the names below; small ones, as all are compared small."""
_NAMES = frozenset(f"{each.name_of(side).casefold()}·" for side in Side for each in PRODUCTS.values())
_BEGINNINGS = frozenset(name[:length] for name in _NAMES for length in range(len(name)))


def clean(words: str) -> str:
    """The text without characters that control a terminal or change the direction of text.

    Each kind of line break becomes a newline, and each run of other such characters one space. Format characters
    that only join, separate or spell their neighbours stay (zero-width joiners and spaces, soft hyphens, tags):
    scripts and emoji consist of them. The rule names characters instead of asking whether they are printable,
    because a new emoji is unprintable to an older Python.
    """
    return words if words.isprintable() else _HARMFUL.sub(" ", _BREAK.sub("\n", words))


def defanged(words: str) -> str:
    """The text with `SIGN` in everything that poses as one of our marks: `[quoted: PagerDuty · Jane Doe · …]`.

    That is an opening bracket, the name of a product and a middle dot, anywhere in the text, in any case, with any
    spaces, accents and invisible characters, and in letters and dots of another form that look the same.
    """
    if words.isascii() and "[" not in words:  # as most are, and long texts are compared often
        return words
    return _OPENING.sub(lambda found: found[0] + (SIGN if _poses(words, found.end()) else ""), words)


def _poses(words: str, start: int) -> bool:
    """Whether what follows an opening bracket reads as the beginning of a mark."""
    seen = ""
    for place in range(start, len(words)):
        seen += _as_read(words[place])
        if seen in _NAMES:
            return True
        if seen not in _BEGINNINGS:
            return False
    return False


@lru_cache(maxsize=1024)
def _as_read(character: str) -> str:
    """What a reader sees of a character: small plain letters and dots; nothing where it is invisible."""
    parts = unicodedata.normalize("NFKD", character).casefold().translate(_LETTERS)
    return "".join(part for part in parts if not _is_invisible(part))


def _is_invisible(part: str) -> bool:
    return unicodedata.category(part)[0] in "MCZ" or part in _BLANK


def safe(words: str) -> str:
    """A text of any number of lines, as it may be passed on."""
    return defanged(clean(words))


def safe_line(words: str) -> str:
    """The same in one line."""
    return defanged(one_line(words))


def one_line(words: str) -> str:
    """The text without control characters, in one line: a person's name as it may be passed on."""
    return " ".join(clean(words).split())


def printable(words: str) -> str:
    """The text with a space in place of each unprintable character."""
    if words.isprintable():
        return words
    return "".join(character if character.isprintable() else " " for character in words)


def comparable(words: str) -> str:
    """The text in one line, as texts are compared: `clean` and a plain form change nothing in it."""
    return " ".join(printable(words).split())
