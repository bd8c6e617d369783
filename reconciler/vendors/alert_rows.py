"""What the rows of all products that raise alerts have in common: time stamps, and who did what by a log line."""

import re
from collections.abc import Collection
from datetime import datetime
from typing import Any

from reconciler.core.model import Act, Actor, Person
from reconciler.vendors.json_fields import mapping, moment, shown
from reconciler.vendors.ports import SKEW

_EPOCH = re.compile(r"\d{12,13}")
_ALERT = r"(?:the\s+)?(?:alert\s+)?"
_IS = r"(?:(?:is|was|has\s+been)\s+)?"
_ENDED = r"(?:removed|withdrawn|revoked|cancell?ed|cleared|undone|reverted|taken\s+back)\b"
_LINES = (
    (
        "unacknowledge",
        rf"{_ALERT}{_IS}(?:un[\s_-]*ack(?:ed|nowledged?|nowledge?ment)?|no\s+longer\s+acknowledged)\b",
    ),
    ("unacknowledge", rf"{_ALERT}ack(?:nowledge(?:ment)?|nowledgment)?\s+{_IS}{_ENDED}"),
    ("acknowledge", rf"{_ALERT}{_IS}ack(?:ed|nowledged?)\b"),
    ("close", rf"{_ALERT}{_IS}clos"),
    ("snooze", rf"{_ALERT}{_IS}snooz"),
    ("annotate", r"(?:added\s+)?(?:a\s+)?note"),
)
"""Beginnings of log lines and their verbs. The texts differ by year and product; people's words may follow."""
_VERBS = tuple((verb, re.compile(rf"\s*(?:{begins})", re.IGNORECASE)) for verb, begins in _LINES)
_BY_PEOPLE = frozenset({"acknowledge", "unacknowledge"})


def log_entry(entry_id: str, at: datetime, line: str, person: Person, machines: Collection[str]) -> Act:
    """One line of a log. `machines` are the names, in lower case, under which the product logs its own steps.

    Only a person's line is an acknowledgement or the end of one: machines log both beforehand, afterwards and in
    between.
    """
    machine = person.name.lower() in machines
    verb = next((verb for verb, begins in _VERBS if begins.match(line)), "other")
    return Act(
        id=entry_id,
        verb="other" if machine and verb in _BY_PEOPLE else verb,
        at=at,
        actor=Actor.MACHINE if machine else Actor.PERSON,
        person=None if machine else person,
        agent=person.name if machine else "",
    )


def last_change(row: Any, now: datetime) -> datetime | None:
    """When an alert last changed; None if that cannot be read. No change can be long before its creation."""
    updated, created = (moment(mapping(row).get(name), now) for name in ("updatedAt", "createdAt"))
    return created if updated and created and updated < created - SKEW else updated


def creation(row: dict[str, Any], alert_id: str, now: datetime) -> datetime:
    """When the alert was created, or the next best time that the row has.

    A modern id ends in the milliseconds of its alert's creation.
    """
    by_id = milliseconds(alert_id.rpartition("-")[2], now)
    stamps = (moment(row.get("createdAt"), now), moment(row.get("updatedAt"), now), by_id, now)
    return next(at for at in stamps if at)


def milliseconds(digits: str, now: datetime) -> datetime | None:
    """A time as it stands in ids and tokens."""
    return moment(int(digits), now) if _EPOCH.fullmatch(digits) else None


def details(value: Any) -> tuple[tuple[str, str], ...]:
    """Names and values for display, without the empty ones."""
    named = value if isinstance(value, dict) else {"details": value}
    pairs = ((name, shown(one)) for name, one in named.items())
    return tuple((name, one) for name, one in pairs if one.strip())
