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

SAME_NOTE = timedelta(seconds=1)
"""How far two products' times of one note may differ."""
_TOKEN = re.compile(r"(?P<ms>\d{13})_(?P<id>(?P=ms)\d{6})")
"""Opsgenie's note id: the time in milliseconds, and the number that JSM has as its note id."""
_NUMBER = re.compile(r"(?P<ms>\d{13})\d{6}")
_MILLISECOND = timedelta(milliseconds=1)
_KEY_MARK = re.compile(r"\[PagerDuty · reconciler · incident (?P<incident>\S+) key (?P<key>\S+)\]")


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


def known_there(kept: KeptNotes, there: Iterable[Note], settled: datetime) -> frozenset[str]:
    """Ids of the known notes in the product that is moved to.

    A note that nothing identifies is history if it is older than the last look, and news otherwise. A known note
    that does not show there although it is younger than `settled` may yet appear, under its converted id.
    """
    shown = tuple(there)
    found = {note.id for note in shown if _is_known(kept, note)}
    late = {_converted(known) for known in kept.ids if (at := _time_of(known)) is not None and at > settled}
    return frozenset(found | late)


def was_mirrored(note: Note, mine: Iterable[Action], product: Product) -> bool:
    """Whether the note was copied to the incident while the alert was in another product than this one.

    A list that lags may show a note only after the move.
    """
    others = tuple(f"[{other.name} · " for other in PRODUCTS.values() if other is not product)
    return any(_is_mirror(action, note) for action in mine if action.mark.startswith(others))


def key_mark(incident_id: str, key: str) -> str:
    """The note by which an alert with a new id finds its incident again, whose key is the old id."""
    return f"[PagerDuty · reconciler · incident {incident_id} key {key}]"


def keys_in(notes: Iterable[Note]) -> tuple[str, ...]:
    """Keys that such notes name."""
    found = (_KEY_MARK.fullmatch(note.text.strip()) for note in notes)
    return tuple(dict.fromkeys(match["key"] for match in found if match))


def is_key_mark(words: str) -> bool:
    """Whether this is the text of such a note."""
    return _KEY_MARK.fullmatch(words.strip()) is not None


def _is_known(kept: KeptNotes, note: Note) -> bool:
    if note.id in kept.ids or _converted(note.id) in kept.ids:
        return True
    if any(_is_same_moment(known, note.at) for known in kept.ids):
        return True
    mirrored = (_is_mirror(action, note) for action in kept.mine)
    return any(mirrored) or _is_among(kept, note) or note.at <= kept.looked_at


def _is_among(kept: KeptNotes, note: Note) -> bool:
    """Whether it is one of the known notes of the product that is left, by its words and time."""
    return any(
        known.id in kept.ids and known.text == note.text and abs(known.at - note.at) <= SAME_NOTE
        for known in kept.notes or ()
    )


def _is_mirror(action: Action, note: Note) -> bool:
    """Whether the action copies this note to the incident: the same words at the same time, or a part of them."""
    if action.kind is not Kind.PAGERDUTY_NOTE or abs(action.at - note.at) > SAME_NOTE:
        return False
    words, copy = _squeezed(note.text), _squeezed(text.after(action.text, action.mark))
    mark = text.MARK.fullmatch(action.mark)
    return words == copy or bool(mark and mark["part"] and copy in words)


def _squeezed(words: str) -> str:
    return " ".join(text.printable(words).split())


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
