"""What people read on the other side: titles, bodies, notes, and the marks that make our notes recognisable.

A mark opens every note that we write and says where it came from:

    [Opsgenie · Ana Ruiz · 2026-11-23 09:14:05.123Z] text      a note or an act of a customer's developer
    [PagerDuty · Jane Doe · note PXYZ123] text                 an engineer's note
    [PagerDuty · Jane Doe · 2026-11-23 09:20:00Z] text         an engineer's act; the words belong to its mark

It is the echo guard that survives the loss of the database, and the way to ask whether a write has happened.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from reconciler.core.model import Alert, Note, Side

TITLE_LIMIT = 1024
"""PagerDuty's incident title, in characters (Events API summary; REST states none)."""
NOTE_LIMIT = 25_000
"""Opsgenie's note, in characters; PagerDuty states none, so that the same cut serves both."""
USER_LIMIT = 100
"""Opsgenie's `user` field, in characters."""
PLAIN_TITLE_LIMIT = 255
PLAIN_NOTE_LIMIT = 1_000
SHOWN = 100
"""How much of a text is shown to who looks at a plan."""

_NAMES = {Side.OPSGENIE: "Opsgenie", Side.PAGERDUTY: "PagerDuty"}
_MARK = re.compile(
    r"\[(?P<side>Opsgenie|PagerDuty) · [^\]]+ · "
    r"(?:note [^\]\s]+|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?Z)(?: #\d+)?\]"
)
_SIGNATURE = " (PagerDuty)"


def name_of(side: Side) -> str:
    """The vendor's name as people write it."""
    return _NAMES[side]


def cut(text: str, limit: int) -> str:
    """The text, or as much of it as `limit` allows with a visible sign of how much is missing."""
    if len(text) <= limit:
        return text
    sign = f"… [cut: {len(text)} characters in all]"
    return text[: limit - len(sign)] + sign


def shortened(text: str, limit: int = SHOWN) -> str:
    """A text as one line of a list shows it."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def act_mark(side: Side, name: str, at: datetime) -> str:
    """The mark of something done at a time. Opsgenie's stamps have milliseconds, PagerDuty's seconds."""
    precision = "milliseconds" if side is Side.OPSGENIE else "seconds"
    stamp = at.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec=precision)
    return f"[{name_of(side)} · {_clean(name)} · {stamp}Z]"


def note_mark(side: Side, note: Note, among: Iterable[Note] = ()) -> str:
    """The mark of a note. Opsgenie's notes have no id: twins of one author and millisecond are numbered."""
    if side is Side.PAGERDUTY:
        return f"[PagerDuty · {_clean(note.author.name)} · note {note.id}]"
    mark = act_mark(side, note.author.name, note.at)
    twins = sorted({n.id for n in among if act_mark(side, n.author.name, n.at) == mark} | {note.id})
    nth = twins.index(note.id) + 1
    return mark if nth == 1 else f"{mark[:-1]} #{nth}]"


def marked(mark: str, text: str) -> str:
    """A note as it is sent: mark, space, text, cut to the limit."""
    return cut(f"{mark} {text}", NOTE_LIMIT)


def carries(text: str, mark: str) -> bool:
    """Whether the text opens with this very mark."""
    return text.lstrip().startswith(mark)


def after(text: str, mark: str) -> str:
    """What follows the mark that the text opens with."""
    return text.lstrip().removeprefix(mark).strip()


def is_copy_from(text: str, side: Side) -> bool:
    """Whether the text opens with a mark of that side, and so is a copy that we made of something there."""
    found = _MARK.match(text.lstrip())
    return found is not None and found["side"] == name_of(side)


def signature(name: str) -> str:
    """The author of a note that we add in Opsgenie: the engineer, and where she is."""
    return cut_name(name, USER_LIMIT - len(_SIGNATURE)) + _SIGNATURE


def is_signed(name: str) -> bool:
    """Whether a note's author in Opsgenie is one of our signatures."""
    return name.endswith(_SIGNATURE)


def cut_name(name: str, limit: int = USER_LIMIT) -> str:
    """A person's name within Opsgenie's limit."""
    return name if len(name) <= limit else name[: limit - 1] + "…"


def is_same_name(shown: str, name: str) -> bool:
    """Whether Opsgenie shows the name that we gave it, spaces aside."""
    return shown.split() == cut_name(name).split()


def title(alert: Alert) -> str:
    """The incident's title. PagerDuty refuses an empty one."""
    return cut(" ".join(alert.message.split()) or f"Opsgenie alert #{alert.tiny_id}", TITLE_LIMIT)


def body(alert: Alert) -> str:
    """The incident's details, what matters at three in the morning first."""
    lines = [f"Priority: {alert.priority}", f"Alert: {alert.url}"]
    if alert.source:
        lines.append(f"Source: {alert.source}")
    if alert.tags:
        lines.append(f"Tags: {', '.join(alert.tags)}")
    if alert.description:
        lines += ["", alert.description]
    if alert.details:
        lines += ["", "Details:", *(f"  {key}: {value}" for key, value in alert.details)]
    return cut("\n".join(lines), NOTE_LIMIT)


def urgency(priority: str) -> str:
    """P1 and P2 wake somebody; the rest waits for the morning."""
    return "high" if priority in ("P1", "P2") else "low"


def plain_title(text: str) -> str:
    """A title that no form check should refuse."""
    return _printable(text).strip()[:PLAIN_TITLE_LIMIT] or "Opsgenie alert"


def plain_note(text: str) -> str:
    """A note that no form check should refuse; the mark at its head stays."""
    return cut(_printable(text), PLAIN_NOTE_LIMIT)


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


def _clean(name: str) -> str:
    """A name that cannot end or split the mark, and that the plain form of a note leaves as it is."""
    return " ".join(_printable(name).replace("]", ")").replace("[", "(").replace("·", "-").split()) or "somebody"
