"""Verification of marks: whether a note that begins with one is our copy, or a person's who quotes or forges one.

A mark alone proves nothing, because anybody can paste one. It counts only if its claim holds: the note that it
names exists on the other side, with that author and that text; the words are those of an act in the mapping, and
we may be their author; or the outbox contains it.
"""

import html
import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property

from reconciler.core import text
from reconciler.core.alert_authors import wrote
from reconciler.core.mapping import is_act_text
from reconciler.core.model import Action, Note, Observation, Side
from reconciler.core.moved_notes import is_key_mark
from reconciler.core.policy import Policy
from reconciler.core.readings import is_adoption
from reconciler.core.sanitize import clean, comparable, safe

_CUT = re.compile(r"(?P<kept>.*)… \[cut: \d+ characters in all\]", re.DOTALL)


class Sources:
    """Notes of `side` that marked notes on the other side may be copies of.

    `notes` is None if that side's notes were not read; `mine` are our own actions that add notes.
    """

    def __init__(self, side: Side, notes: tuple[Note, ...] | None, mine: Iterable[Action]) -> None:
        self.side = side
        self.were_read = notes is not None
        self._notes: dict[str, list[_Source]] = defaultdict(list)
        for note in notes or ():
            self._notes[_origin(side, note)].append(_Source(note))
        self._sent: dict[str, list[_Sent]] = defaultdict(list)
        for action in mine:
            self._sent[text.head(action.text)].append(_Sent(action.text))

    def has(self, copy: str, *, by_us: bool) -> bool | None:
        """Whether this text is our copy of something on that side; None if that depends on unread notes.

        `by_us`: we may be its author. An act has no note whose words prove it: without a record of ours, a note
        that tells of one is a person's unless we may be its author.
        """
        if self._is_recorded(copy):
            return True
        found = text.MARK.match(copy.lstrip())
        if found is None or text.side_of(found) is not self.side:
            return by_us and self.side is Side.PAGERDUTY and is_key_mark(copy)
        words = copy.lstrip()[found.end() :].strip()
        if by_us and found["stamp"] and is_act_text(self.side, clean(words)):
            return True
        if not self.were_read:
            return None
        origin = f"note {found['note']}" if found["note"] else f"{found['name']} · {found['stamp']}"
        sources = self._notes.get(origin, ())
        return any(source.is_copied_by(words, found, by_us=by_us) for source in sources)

    def _is_recorded(self, copy: str) -> bool:
        head = text.head(copy)
        if not head or head not in self._sent:
            return False
        whole = _Text(text.in_one_form(copy))
        return any(sent.text.is_same(whole) for sent in self._sent[head])


def is_ours_by_author(
    side: Side, note: Note, observation: Observation, policy: Policy, *, genuine: bool | None
) -> bool:
    """The author guard: whether the note's author shows that we wrote it.

    `genuine` is the verdict on its mark. Our own account is nobody else's. A signature may be a person's name: for
    a pair that is known, whose copies the outbox or their sources prove, it counts only beside a genuine mark.
    """
    if "author" not in policy.guards:
        return False
    if side is Side.PAGERDUTY:
        return policy.is_automation(note.author)
    is_proved = genuine is True or "mark" not in policy.guards
    is_known = observation.pair is not None and not is_adoption(observation)
    return policy.is_alert_user(note.author) or (wrote(note, policy) and (is_proved or not is_known))


class _Text:
    """A text, compared regardless of plain form, white space and HTML entities; each form is computed once."""

    def __init__(self, words: str) -> None:
        self.words = words

    @cached_property
    def plain(self) -> str:
        return comparable(html.unescape(self.words))

    @cached_property
    def escaped(self) -> str:
        return comparable(self.words)

    def is_same(self, other: "_Text") -> bool:
        return other.plain in (self.plain, self.escaped) or self.plain == other.escaped


class _Sent:
    """A note that we have sent, in the form in which notes are compared."""

    def __init__(self, words: str) -> None:
        self._words = words

    @cached_property
    def text(self) -> _Text:
        return _Text(text.in_one_form(self._words))


class _Source:
    """A note that may have been copied: as it is now, sanitized, or as it is, as earlier versions did."""

    def __init__(self, note: Note) -> None:
        self._note = note

    @cached_property
    def _forms(self) -> tuple[_Text, ...]:
        return tuple(_Text(form) for form in dict.fromkeys((self._note.text, safe(self._note.text))))

    def is_copied_by(self, words: str, mark: re.Match[str], *, by_us: bool) -> bool:
        """Whether a note with this mark and these words copies it: in full, cut as once was done, or in part.

        The mark names its author, or somebody who has been renamed since if we may have written it.
        """
        is_named = text.is_same_name(mark["name"], text.name_in_mark(self._note.author.name))
        # Whoever may not be us copies a part that is too long to be in the source by chance.
        is_part = bool(mark["part"]) and (by_us or len(words) >= text.LEAST_PART)
        return (by_us or is_named) and any(_is_copy(words, form, is_part=is_part) for form in self._forms)


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
