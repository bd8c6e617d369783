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
_QUOTED = re.compile("(?<=[\\[\uff3b\ufe47])quoted: ")
"""What the product puts into a text that poses as a mark, after the opening bracket."""
_ANY_MARK = re.compile(r"\[(?:quoted: )?(?:Opsgenie|JSM|PagerDuty) ·")
_CUT = re.compile(r"(?P<kept>.*)… \[cut: \d+ characters in all\]$", re.DOTALL)
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

    `text` has what poses as a mark as a person wrote it.
    """

    side: str
    name: str
    ref: str
    text: str


def read_copy(text: str) -> Copy | None:
    """The note in parts, None when it opens with no mark."""
    found = _MARK.match(text)
    if found is None:
        return None
    side = "PagerDuty" if found["side"] == "PagerDuty" else "Opsgenie"
    return Copy(side, found["name"], found["ref"], _QUOTED.sub("", found["text"]))


def whole(copies: Iterable[Copy]) -> list[Copy]:
    """The copies, where those that were split and numbered are one: "(1/2) …" and "(2/2) …" of one mark."""
    found, parts = list[Copy](), defaultdict[Copy, dict[int, str]](dict)
    for copy in copies:
        part = _PART.match(copy.text)
        if part is None or not 1 <= int(part["number"]) <= int(part["of"]) or part["of"] == "1":
            found.append(copy)
            continue
        mark = replace(copy, text="")
        texts = parts[mark]
        texts[int(part["number"])] = part["text"]
        if len(texts) == int(part["of"]):
            found.append(replace(mark, text="".join(texts[number] for number in sorted(texts))))
            del parts[mark]
    return found


def count_in(text: str) -> int:
    """How many marks the text contains, those shown as quotations among them."""
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
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
