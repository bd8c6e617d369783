"""How the audit reads notes: marks, names and texts.

Names and texts are compared leniently: each vendor changes some characters, and the product may cut or split.
"""

import html
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from reconciler.sandbox.audit.events import Did
from reconciler.sandbox.jsm.directory import user_of
from reconciler.sandbox.pagerduty.directory import AGENTS

_MARK = re.compile(
    r"\s*\[(?P<side>Opsgenie|JSM|PagerDuty) · (?P<name>[^\]]*?) · (?P<ref>[^\]·]*)\]\s*(?P<text>.*)", re.DOTALL
)
_ANY_MARK = re.compile(r"\[(?:Opsgenie|JSM|PagerDuty) ·")
_CUT = re.compile(r"(?P<kept>.*)… \[cut: \d+ characters in all\]$", re.DOTALL)
_NUMBER = re.compile(r" \((\d+)/(\d+)\)")
_PART = re.compile(r"\s*[(\[]?(?:part )?(?P<number>\d+)(?:/| of )(?P<of>\d+)[)\]]?:?\s*(?P<text>.*)", re.DOTALL)

SAYS = {
    Did.ALERT_ACKNOWLEDGED: ("acknowledged the alert", "acknowledge"),
    Did.ALERT_UNACKNOWLEDGED: ("unacknowledged the alert", "unacknowledge"),
    Did.ALERT_CLOSED: ("closed the alert", "close"),
    Did.RESOLVED: ("resolved the incident", "resolve"),
    Did.REOPENED: ("reopened the incident", "reopen"),
}
"""For each kind of act: the first words of the note that reports it on the other side, and the journal's verb."""
FOLLOWED = "is followed from now on"
NEWLY_FOLLOWED = re.compile(rf"incident #\d+ \((\w+)\) .* {FOLLOWED}")
NOT_FOLLOWED = re.compile(r"incident #\d+ \((\w+)\) bears this alert's key, too: it is not followed")
"""Notes that name another incident of the alert; the group is its id."""
TOLD_INSTEAD = {Did.ACKNOWLEDGED: "acknowledged the incident", Did.UNACKNOWLEDGED: "unacknowledged the incident"}
"""The first words of a note that names the engineer where the act itself cannot bear their name."""
DETAILS = tuple(
    f"[{product} · {words} · "
    for product in ("Opsgenie", "JSM")
    for words in ("alert details", "details that PagerDuty refused")
)
"""The first words of a note with the alert's details."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A note that opens with a mark. `ref` is a time or `note ID`. The alerts' `side` is always Opsgenie.

    `parts`: it is the n-th of so many, which together are the n-th of so many, and so on from the end.
    """

    side: str
    name: str
    ref: str
    text: str
    parts: tuple[tuple[int, int], ...] = ()


def read_copy(text: str) -> Copy | None:
    """The note in parts, None when it opens with no mark."""
    found = _MARK.match(text)
    if found is None:
        return None
    side = "PagerDuty" if found["side"] == "PagerDuty" else "Opsgenie"
    numbers = _NUMBER.findall(found["ref"])
    part = None if numbers else _PART.match(found["text"])
    if part is not None and 1 <= int(part["number"]) <= int(part["of"]) != 1:
        return Copy(side, found["name"], found["ref"], part["text"], ((int(part["number"]), int(part["of"])),))
    parts = tuple((int(number), int(of)) for number, of in numbers)
    return Copy(side, found["name"], _NUMBER.sub("", found["ref"]), found["text"], parts)


def whole(copies: Iterable[Copy]) -> list[Copy]:
    """The copies, where those that were split and numbered are one: "(1/2) …" and "(2/2) …" of one mark.

    A part may have been split again: its mark then ends in "(1/2) (2/3)".
    """
    found = list(copies)
    for level in range(max((len(copy.parts) for copy in found), default=0), 0, -1):
        found = _joined(found, level)
    return found


def _joined(copies: Iterable[Copy], level: int) -> list[Copy]:
    found, parts = list[Copy](), defaultdict[tuple[Copy, int], dict[int, str]](dict)
    for copy in copies:
        if len(copy.parts) < level:
            found.append(copy)
            continue
        number, of = copy.parts[-1]
        mark = replace(copy, text="", parts=copy.parts[:-1])
        texts = parts[mark, of]
        texts[number] = copy.text
        if len(texts) == of:
            found.append(replace(mark, text="".join(texts[nth] for nth in sorted(texts))))
            del parts[mark, of]
    return found


def count_in(text: str) -> int:
    """How many marks the text contains."""
    return len(_ANY_MARK.findall(text))


def letters(name: str) -> str:
    """The letters and digits of a name: what is left in every form in which a vendor or a mark shows it."""
    plain = unicodedata.normalize("NFKD", html.unescape(name)).casefold()
    return "".join(character for character in plain if character.isalnum())


def forms_of(who: str) -> tuple[str, ...]:
    """The forms in which a customer may be named."""
    return who, user_of(who).email


def is_person(shown: str, who: str) -> bool:
    """Whether a shown name is a customer's or an engineer's."""
    return letters(shown) in map(letters, forms_of(who))


def is_name(shown: str, who: str) -> bool:
    """Whether a shown name is somebody's. An agent that is not a person may be named in more words."""
    if any(who == agent.name for agent in AGENTS.values()):
        return letters(who) in letters(shown)
    return letters(who) == letters(shown)


def is_same(copy: str, text: str) -> bool:
    """Whether the texts are equal apart from spacing and unprintable characters; the copy may be cut."""
    if _plain(copy) == _plain(text):
        return True
    cut = _CUT.match(copy)
    return cut is not None and _plain(text).startswith(_plain(cut["kept"]))


def _plain(text: str) -> str:
    return "".join("".join(c if c.isprintable() else " " for c in text).split())
