"""Verification of marks: whether a note that begins with one is our copy, or a person's who quotes or forges one.

A mark alone proves nothing, because anybody can paste one. It counts only if its claim holds: the note that it
names exists on the other side and has that text, the words are those of an act in the mapping, or the outbox
contains it.
"""

import html
import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property

from reconciler.core import text
from reconciler.core.mapping import is_act_text
from reconciler.core.model import Action, Note, Side

_CUT = re.compile(r"(?P<kept>.*)… \[cut: \d+ characters in all[^\]]*\]", re.DOTALL)


class Sources:
    """Notes of `side` that marked notes on the other side may be copies of.

    `notes` is None if that side's notes were not read; `mine` are our own actions that add notes.
    """

    def __init__(self, side: Side, notes: tuple[Note, ...] | None, mine: Iterable[Action]) -> None:
        self.side = side
        self.were_read = notes is not None
        self._texts: dict[str, list[_Text]] = defaultdict(list)
        for note in notes or ():
            self._texts[_origin(side, note)].append(_Text(note.text))
        self._sent: dict[str, list[_Text]] = defaultdict(list)
        for action in mine:
            self._sent[text.head(action.mark)].append(_Text(text.in_one_form(action.text)))

    def has(self, copy: str) -> bool | None:
        """Whether this text is our copy of something on that side; None if that depends on unread notes."""
        found = text.MARK.match(copy.lstrip())
        if found is None or text.side_of(found) is not self.side:
            return False
        words = copy.lstrip()[found.end() :].strip()
        if found["stamp"] and is_act_text(self.side, words):
            return True
        whole = _Text(text.in_one_form(copy))
        if any(sent.is_same(whole) for sent in self._sent.get(text.head(copy), ())):
            return True
        if not self.were_read:
            return None
        origin = f"note {found['note']}" if found["note"] else f"{found['name']} · {found['stamp']}"
        sources = self._texts.get(origin, ())
        return any(_is_copy(words, source, is_part=bool(found["part"])) for source in sources)


class _Text:
    """A text, compared regardless of plain form, white space and HTML entities; each form is computed once."""

    def __init__(self, words: str) -> None:
        self.words = words

    @cached_property
    def plain(self) -> str:
        return _squeezed(html.unescape(self.words))

    @cached_property
    def escaped(self) -> str:
        return _squeezed(self.words)

    def is_same(self, other: "_Text") -> bool:
        return other.plain in (self.plain, self.escaped) or self.plain == other.escaped


def _squeezed(words: str) -> str:
    return " ".join(text.printable(words).split())


def _origin(side: Side, note: Note) -> str:
    """The part of a mark that identifies a note, without a twin's number, which may change as twins are added."""
    if side is Side.PAGERDUTY:
        return f"note {note.id}"
    return text.act_mark(side, note.author.name, note.at).removesuffix("]").partition(" · ")[2]


def _is_copy(words: str, source: _Text, *, is_part: bool) -> bool:
    """Whether the words are the source's: in full, cut as earlier versions did, or one part of several."""
    if source.is_same(_Text(words)):
        return True
    cut = _CUT.fullmatch(words)
    if cut is not None:
        return source.plain.startswith(_Text(cut["kept"]).plain)
    return is_part and _Text(words).plain in source.plain
