"""Rendering of titles, bodies and notes, and the marks by which our notes are recognised.

A mark opens every note that we write and says where it came from:

    [Opsgenie · Ana Ruiz · 2026-11-23 09:14:05.123Z] text      a note or an act of a customer's developer
    [JSM · Ana Ruiz · 2026-11-23 09:14:05.123Z] text           the same, where alerts come from JSM
    [PagerDuty · Jane Doe · note PXYZ123] text                 an engineer's note
    [PagerDuty · Jane Doe · 2026-11-23 09:20:00Z] text         an engineer's act; its words are part of the mark

A note longer than the other side accepts is sent in numbered parts; the mark then ends in ` (1/3)]`. The alert
side's marks are recognised under every product's name: an incident keeps those from before a move.

The mark is the idempotency key of a note: it shows whether a write has happened, and survives the loss of the
database.
"""

import html
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime

from reconciler.core.model import Alert, Note, Side
from reconciler.core.product import OPSGENIE, PRODUCTS, Product
from reconciler.core.sanitize import clean, defanged, one_line, printable, safe, safe_line
from reconciler.core.title import MESSAGE, filled

TITLE_LIMIT = 1024
"""PagerDuty's incident title, in characters (Events API summary; REST states none)."""
NOTE_LIMIT = 25_000
"""Opsgenie's note, in characters; PagerDuty states none, so that the same limit serves both."""
USER_LIMIT = 100
"""Opsgenie's `user` field, in characters."""
PLAIN_TITLE_LIMIT = 100
"""Limit for a title that was refused. The vendor documents none; this is below any that is known."""
PLAIN_NOTE_LIMIT = 1_000
LEAST_PART = 50
"""Characters of a note's text that are not divided further, however short a note the vendor may accept."""
SHOWN = 100
"""Characters of a text that a plan shows."""
CUT_NAME = 20
"""Vendors may cut names: a prefix of this length counts as the whole name."""

PRIORITIES = frozenset({"P1", "P2", "P3", "P4", "P5"})
"""Opsgenie's priorities. Anything else counts as unknown."""
_SIDES = {product.name_of(side): side for side in Side for product in PRODUCTS.values()}
_ANY_PRODUCT = re.compile(rf"\[(?:{'|'.join(product.name for product in PRODUCTS.values())}) · ")
MARK = re.compile(
    rf"\[(?P<vendor>{'|'.join(_SIDES)}) · "
    r"(?P<name>[^\]]+) · "
    r"(?:note (?P<note>[^\]\s]+)|(?P<stamp>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?Z))(?: #\d+)?"
    r"(?P<part>(?: \(\d+/\d+\))*)\]"
)
"""A mark, with its parts: `note` is the id of PagerDuty's note, `stamp` is anything else's time."""
_HEAD = re.compile(r"\[[^\]]*\]")
_SIGNATURE = " (PagerDuty)"
_FIRST_LINE = "Priority: "


def cut(text: str, limit: int, rest: str = "") -> str:
    """The text, cut to `limit` with a visible sign of how much is missing and where to find it."""
    if len(text) <= limit:
        return text
    sign = f"… [cut: {len(text)} characters in all{rest}]"
    return text[: limit - len(sign)] + sign


def shortened(text: str, limit: int = SHOWN) -> str:
    """A text on one line, shortened for a list."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def act_mark(side: Side, name: str, at: datetime, product: Product = OPSGENIE) -> str:
    """Mark of an act, by its time. An alert's time stamps have milliseconds, PagerDuty's seconds."""
    precision = "milliseconds" if side is Side.ALERTS else "seconds"
    stamp = at.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec=precision)
    return f"[{product.name_of(side)} · {name_in_mark(name)} · {stamp}Z]"


def note_marks(side: Side, notes: Iterable[Note], product: Product = OPSGENIE) -> dict[str, str]:
    """Marks of all notes of one alert or incident, by note id.

    Opsgenie's notes have no id, and what JSM's are after a move is not known: an alert's notes are named by author
    and time, and those of one author within one millisecond are numbered.
    """
    if side is Side.PAGERDUTY:
        return {note.id: f"[PagerDuty · {name_in_mark(note.author.name)} · note {note.id}]" for note in notes}
    twins: dict[str, set[str]] = defaultdict(set)
    for note in notes:
        twins[act_mark(side, note.author.name, note.at, product)].add(note.id)
    numbered = ((mark, nth, note_id) for mark, ids in twins.items() for nth, note_id in enumerate(sorted(ids), 1))
    return {note_id: mark if nth == 1 else f"{mark[:-1]} #{nth}]" for mark, nth, note_id in numbered}


def note_mark(side: Side, note: Note, among: Iterable[Note] = (), product: Product = OPSGENIE) -> str:
    """The mark of one note."""
    return note_marks(side, (*among, note), product)[note.id]


def marked(mark: str, text: str) -> str:
    """A note as it is sent: mark, space, text."""
    return f"{mark} {text}"


def split(mark: str, text: str, limit: int = NOTE_LIMIT) -> tuple[tuple[str, str], ...]:
    """A note as it is sent: one part, or as many numbered ones as `limit` requires, each with its own mark.

    Nothing is left out. A part ends after a space or a line break if there is one near its end.
    """
    whole = marked(mark, text)
    if len(whole) <= limit:
        return ((mark, whole),)
    digits, pieces = 0, [text]
    while digits < len(str(len(pieces))):
        digits = len(str(len(pieces)))
        pieces = _pieces(text, max(limit - len(mark) - len(" (/) ") - 2 * digits, PLAIN_NOTE_LIMIT // 2))
    return _numbered(mark, pieces)


def _numbered(mark: str, pieces: list[str]) -> tuple[tuple[str, str], ...]:
    end = mark.index("]")
    marks = [f"{mark[:end]} ({nth}/{len(pieces)}){mark[end:]}" for nth in range(1, len(pieces) + 1)]
    return tuple((own, marked(own, piece)) for own, piece in zip(marks, pieces, strict=True))


def _pieces(text: str, room: int) -> list[str]:
    pieces, start = [], 0
    while start < len(text):
        end = start + room
        if end < len(text):
            near = start + room * 9 // 10
            gap = max(text.rfind("\n", near, end), text.rfind(" ", near, end))
            end = gap + 1 if gap >= 0 else end
        pieces.append(text[start:end])
        start = end
    return pieces


def in_one_form(text: str) -> str:
    """A note of ours in the form in which notes are compared, for any product and version.

    The same note has the mark of another product if it was copied before a move, and earlier versions copied words
    without sanitizing them.
    """
    text = _renamed(clean(text))
    found = _HEAD.match(text)
    end = found.end() if found else 0
    return text[:end] + defanged(text[end:])


def _renamed(text: str) -> str:
    """The text, with a mark of the alert side under Opsgenie's name."""
    text = text.lstrip()
    found = _ANY_PRODUCT.match(text)
    return f"[{OPSGENIE.name} · {text[found.end() :]}" if found else text


def carries(text: str, mark: str) -> bool:
    """Whether the text begins with exactly this mark. The names of both alert products count as equal."""
    return in_one_form(text).startswith(in_one_form(mark))


def after(text: str, mark: str) -> str:
    """The text without the mark at its beginning."""
    return in_one_form(text).removeprefix(in_one_form(mark)).strip()


def head(text: str) -> str:
    """The bracketed head of a text, by which copies are looked up; empty if there is none."""
    found = _HEAD.match(_renamed(text))
    return found[0] if found else ""


def side_of(mark: re.Match[str]) -> Side:
    """The side that a mark names: what it marks is our copy of something there."""
    return _SIDES[mark["vendor"]]


def is_copy_from(text: str, side: Side) -> bool:
    """Whether the text begins with a mark of that side, and so looks like our copy of something there."""
    found = MARK.match(text.lstrip())
    return found is not None and side_of(found) is side


def named_in(text: str, side: Side) -> str:
    """The name in a mark of that side at the beginning of the text; empty if there is none."""
    found = MARK.match(text.lstrip())
    return found["name"] if found is not None and side_of(found) is side else ""


def signature(name: str) -> str:
    """Author of a note that we add to an alert: the engineer's name and the vendor's."""
    return cut_name(name, USER_LIMIT - len(_SIGNATURE)) + _SIGNATURE


def is_signature(author: str, name: str) -> bool:
    """Whether the author of an alert's note is our signature for the person whom a mark names like this."""
    is_signed = author.endswith(_SIGNATURE) and bool(name)
    return is_signed and is_same_name(name_in_mark(author.removesuffix(_SIGNATURE)), name)


def cut_name(name: str, limit: int = USER_LIMIT) -> str:
    """A person's name as it is written to an alert: without control characters, and cut to Opsgenie's limit."""
    name = one_line(name)
    return name if len(name) <= limit else name[: limit - 1] + "…"


def is_same_name(shown: str, name: str) -> bool:
    """Whether a vendor's form of a name is this name.

    Vendors change case and Unicode form, escape characters or replace them by "?", drop accents, and cut.
    """
    seen, known = _folded(shown).removesuffix("...").rstrip(), _folded(name)
    is_cut = len(known) > len(seen) >= CUT_NAME
    if len(seen) != len(known) and not is_cut:
        return False
    return all(a in (b, "?") for a, b in zip(seen, known, strict=False))


def _folded(name: str) -> str:
    parts = unicodedata.normalize("NFKD", clean(html.unescape(name))).casefold()
    return " ".join("".join(part for part in parts if not unicodedata.combining(part)).split())


def title(alert: Alert, product: Product = OPSGENIE, template: str = MESSAGE) -> str:
    """The incident's title. PagerDuty refuses an empty one, which no template makes."""
    default = f"{product.name} alert #{alert.tiny_id}"
    return cut(safe_line(filled(template, alert, safe_line(alert.message) or default)) or default, TITLE_LIMIT)


def body(alert: Alert, shown: frozenset[str] | None = None) -> str:
    """The incident's details, with the most urgent facts first. `shown`: see `details`."""
    lines = [f"{_FIRST_LINE}{alert.priority}", f"Alert: {alert.url}"]
    if alert.source:
        lines.append(f"Source: {alert.source}")
    if alert.tags:
        lines.append(f"Tags: {', '.join(alert.tags)}")
    lines = [safe_line(line) for line in lines]
    found = details(alert, shown)
    lines += ["", found] if found else []
    return cut("\n".join(lines), NOTE_LIMIT, f"; the rest is in the alert: {alert.url}" if alert.url else "")


def details(alert: Alert, shown: frozenset[str] | None = None) -> str:
    """The alert's description and details (all, or those with a `shown` name), which a list row lacks."""
    parts = [alert.description] if alert.description else []
    told = [f"  {key}: {value}" for key, value in alert.details if shown is None or key in shown]
    parts += ["\n".join(("Details:", *told))] if told else []
    return safe("\n\n".join(parts))


def has_no_details(body: str) -> bool:
    """Whether an incident's details, as `body` makes them, come from a list row: one block of lines."""
    return body.startswith(_FIRST_LINE) and "\n\n" not in body


def urgency(priority: str, high: frozenset[str]) -> str:
    """PagerDuty's urgency for a priority. Anything that is not known to be low is high."""
    return "low" if priority in PRIORITIES - high else "high"


def plain_title(text: str, product: Product = OPSGENIE) -> str:
    """A title in its plainest form, for a vendor that has refused the full one."""
    return printable(text).strip()[:PLAIN_TITLE_LIMIT] or f"{product.name} alert"


def plain_note(text: str) -> str:
    """A note in its plainest form. Its mark is kept and nothing is cut."""
    return printable(text)


def plain_parts(text: str, mark: str) -> tuple[tuple[str, str], ...]:
    """Parts of a note whose plain form was refused, each with its own mark.

    At first a short part and the rest: if that part is refused too, the note's length is not the reason. Then
    parts within every known limit and, where the note is so already, about half as long. The note of an act, whose
    words are part of the mark, is left without its details. A note that cannot be made shorter is its only part.
    """
    plain, bare = plain_note(text), plain_note(mark)
    if plain == bare:
        return ((mark, plain),)
    words = plain.removeprefix(marked(bare, ""))
    if mark.endswith("]") and not mark.endswith(")]") and len(words) > 2 * LEAST_PART:
        first = _pieces(words, LEAST_PART)[0]
        return _numbered(mark, [first, words.removeprefix(first)])
    if len(plain) > PLAIN_NOTE_LIMIT:
        return split(mark, words, PLAIN_NOTE_LIMIT)
    if not mark.endswith("]"):
        return ((mark, bare),)
    if len(words) <= LEAST_PART:
        return ((mark, plain),)
    return _numbered(mark, _pieces(words, len(words) * 5 // 9 + 1))


def name_in_mark(name: str) -> str:
    """A name as marks have it: it can neither end nor split a mark, and a note's plain form does not change it."""
    return " ".join(printable(name).replace("]", ")").replace("[", "(").replace("·", "-").split()) or "somebody"
