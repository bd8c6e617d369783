"""Notes of an alert that was moved to another product: which of them were mirrored before the move.

The other product may give a note another id, another form of its author's name, or a time that is cut. So a note
is recognised by its id in either form, by its words and time, or by our record of its copy on the incident.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from reconciler.core import text
from reconciler.core.model import Action, Kind, Note
from reconciler.core.product import PRODUCTS, Product
from reconciler.core.sanitize import comparable, defanged

SAME_NOTE = timedelta(seconds=1)
"""How far two products' times of one note may differ."""
_TOKEN = re.compile(r"(?P<ms>\d{13})_(?P<id>(?P=ms)\d{6})")
"""Opsgenie's note id: the time in milliseconds, and the number that JSM has as its note id."""
_NUMBER = re.compile(r"(?P<ms>\d{13})\d{6}")
_MILLISECOND = timedelta(milliseconds=1)
MOVER = "reconciler"
"""Who writes the notes that name an incident's key after a move."""
_KEY_MARK = re.compile(rf"\[PagerDuty · {MOVER} · incident (?P<incident>\S+) key (?P<key>\S+)\]")


@dataclass(frozen=True, slots=True)
class KeptNotes:
    """What is known of the notes of an alert before its move.

    `ids` are the known ones; `notes` are the alert's notes in the product that is left, None if they were not
    read; `mine` are our actions for this alert. `looked_at` is when all of its notes were certainly seen.
    """

    ids: frozenset[str]
    notes: tuple[Note, ...] | None
    mine: tuple[Action, ...]
    looked_at: datetime


def known_there(kept: KeptNotes, there: Iterable[Note], now: datetime, lag: timedelta) -> frozenset[str]:
    """Ids of the known notes in the product that is moved to, which may show a note by `lag` late.

    A note that nothing identifies is history if it is older than the last look and, as far as its notes were read,
    was in the product that is left; otherwise it is news. A known note that does not show there yet may appear
    later, under its converted id.
    """
    shown = tuple(there)
    found = {note.id for note in shown if _is_known(kept, note)} | _mirrored(kept.mine, shown, lag)
    late = {_converted(known) for known in kept.ids if (at := _time_of(known)) is not None and at > now - lag}
    return frozenset(found | late)


def rests_on_age(kept: KeptNotes, there: Iterable[Note], lag: timedelta) -> bool:
    """Whether some notes count as history by their age alone, as the product that is left was not read."""
    shown = tuple(there)
    mirrored = _mirrored(kept.mine, shown, lag)
    left = (note for note in shown if note.id not in mirrored and not _is_identified(kept, note))
    return kept.notes is None and any(_is_history(kept, note) for note in left)


def was_mirrored(note: Note, mine: Iterable[Action], product: Product) -> bool:
    """Whether the note was copied to the incident while the alert was in another product than this one.

    A list that lags may show a note only after the move.
    """
    others = tuple(f"[{other.name} · " for other in PRODUCTS.values() if other is not product)
    return any(
        _has_words_of(action, note) and abs(action.at - note.at) <= SAME_NOTE
        for action in mine
        if action.mark.startswith(others)
    )


def key_mark(incident_id: str, key: str) -> str:
    """The note by which an alert with a new id finds its incident again, whose key is the old id."""
    return f"[PagerDuty · {MOVER} · incident {incident_id} key {key}]"


def keys_in(notes: Iterable[Note]) -> tuple[str, ...]:
    """Keys that such notes name."""
    found = (_KEY_MARK.fullmatch(note.text.strip()) for note in notes)
    return tuple(dict.fromkeys(match["key"] for match in found if match))


def is_key_mark(words: str) -> bool:
    """Whether this is the text of such a note."""
    return _KEY_MARK.fullmatch(words.strip()) is not None


def _is_known(kept: KeptNotes, note: Note) -> bool:
    return _is_identified(kept, note) or _is_history(kept, note)


def _is_history(kept: KeptNotes, note: Note) -> bool:
    """Whether the note is older than the last look at the product that is left, and was there to be seen."""
    if note.at > kept.looked_at:
        return False
    return kept.notes is None or any(
        comparable(known.text) == comparable(note.text) and abs(known.at - note.at) <= SAME_NOTE
        for known in kept.notes
    )


def _is_identified(kept: KeptNotes, note: Note) -> bool:
    if note.id in kept.ids or _converted(note.id) in kept.ids:
        return True
    if any(_is_same_moment(known, note.at) for known in kept.ids):
        return True
    return _is_among(kept, note)


def _is_among(kept: KeptNotes, note: Note) -> bool:
    """Whether it is one of the known notes of the product that is left, by its words and time."""
    return any(
        known.id in kept.ids and known.text == note.text and abs(known.at - note.at) <= SAME_NOTE
        for known in kept.notes or ()
    )


def _mirrored(mine: Iterable[Action], notes: Iterable[Note], lag: timedelta) -> set[str]:
    """Notes that we have copied to the incident. Each copy is of one note: who writes the same again says news."""
    copies: dict[datetime, Action] = {}
    for action in sorted(mine, key=lambda action: (action.at, action.id)):
        if action.kind is Kind.PAGERDUTY_NOTE:
            copies.setdefault(action.at, action)
    left = {note.id: note for note in sorted(notes, key=lambda note: (note.at, note.id))}
    found: set[str] = set()
    for latest in (SAME_NOTE, lag):
        for at, action in list(copies.items()):
            match = next(
                (
                    note
                    for note in left.values()
                    if -SAME_NOTE <= note.at - at <= latest and _has_words_of(action, note)
                ),
                None,
            )
            if match is not None:
                found.add(match.id)
                del left[match.id], copies[at]
    return found


def _has_words_of(action: Action, note: Note) -> bool:
    """Whether the action copies a note with these words to the incident, or a part of them."""
    if action.kind is not Kind.PAGERDUTY_NOTE:
        return False
    copy = comparable(text.after(action.text, action.mark))
    words = comparable(defanged(note.text))
    mark = text.MARK.fullmatch(action.mark)
    return words == copy or bool(mark and mark["part"] and copy in words)


def _converted(note_id: str) -> str:
    """The note's id in the other product's form; as it is if it has neither form."""
    if token := _TOKEN.fullmatch(note_id):
        return token["id"]
    if number := _NUMBER.fullmatch(note_id):
        return f"{number['ms']}_{note_id}"
    return note_id


def _time_of(note_id: str) -> datetime | None:
    found = _TOKEN.fullmatch(note_id) or _NUMBER.fullmatch(note_id)
    return datetime.fromtimestamp(int(found["ms"]) / 1000, UTC) if found else None


def _is_same_moment(note_id: str, at: datetime) -> bool:
    known = _time_of(note_id)
    return known is not None and abs(known - at) < _MILLISECOND
