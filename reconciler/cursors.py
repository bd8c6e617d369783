"""What is stored about where the feeds stand, read so that no stored value can stop anything.

A stamp that cannot be read, or that lies ahead of our clock, is replaced by the caller's default: what is read
twice is recognised, and what lies in between is found by the sweep.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.core.model import Side

OLDEST = datetime(2000, 1, 1, tzinfo=UTC)
"""No stamp of either vendor is older than this; arithmetic never leads further back."""


@dataclass(frozen=True, slots=True)
class LogMark:
    """How far PagerDuty's log was read, and the entries within the overlap that were looked at already."""

    at: datetime
    seen: frozenset[str] = frozenset()

    def stored(self) -> str:
        """As it is kept."""
        return json.dumps([self.at.isoformat(), sorted(self.seen)])


def earlier(stamp: datetime, by: timedelta) -> datetime:
    """That much before the stamp, and never before the year 2000: a year 1 from a vendor is no obstacle."""
    return stamp - by if stamp - OLDEST > by else OLDEST


def moment(value: object, now: datetime, default: datetime) -> datetime:
    """A stored stamp; the default where it cannot be read or lies ahead of now."""
    try:
        stamp = datetime.fromisoformat(str(value))
    except ValueError:
        return default
    return stamp if stamp.tzinfo is not None and OLDEST <= stamp <= now else default


def moments(value: str | None, count: int, now: datetime, defaults: tuple[datetime, ...]) -> tuple[datetime, ...]:
    """The first `count` stored stamps of a list, each replaced by its default where it is of no use."""
    stored = _list(value)[:count]
    padded = [*stored, *[None] * (count - len(stored))]
    return tuple(moment(one, now, default) for one, default in zip(padded, defaults, strict=True))


def log_mark(value: str | None, now: datetime, default: datetime) -> LogMark:
    """Where PagerDuty's log stands."""
    match _list(value):
        case [at, list(seen)]:
            mark = moment(at, now, default)
            return LogMark(mark, frozenset(one for one in seen if isinstance(one, str)))
        case _:
            return LogMark(default)


def unread(value: str | None) -> dict[str, set[Side]]:
    """Alerts of which a side could not be read. An older version stored ids alone: both sides."""
    found: dict[str, set[Side]] = {}
    for one in _list(value):
        match one:
            case str():
                found[one] = set(Side)
            case [str(alert_id), str(side)] if side in tuple(Side):
                found.setdefault(alert_id, set()).add(Side(side))
            case _:
                continue
    return found


def stored_unread(sides: dict[str, set[Side]]) -> str:
    """As it is kept."""
    return json.dumps([[alert_id, side] for alert_id in sorted(sides) for side in sorted(sides[alert_id])])


def keys(value: str | None) -> list[str]:
    """A stored list of ids."""
    return [one for one in _list(value) if isinstance(one, str)]


def stored_keys(values: Iterable[str]) -> str:
    """As it is kept."""
    return json.dumps(sorted(values))


def place(value: str | None) -> str | None:
    """The third of a stored list: how far a walk has come; None where none is under way."""
    match _list(value):
        case [_, _, str(after)]:
            return after
        case _:
            return None


def _list(value: str | None) -> list[Any]:
    try:
        found = json.loads(value or "[]")
    except ValueError:
        return []
    return found if isinstance(found, list) else []
