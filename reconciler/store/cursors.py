"""Positions of the sources: one typed value, stored field by field, so that no stored value can stop a source.

A time stamp that cannot be read, or that lies ahead of our clock, counts as not stored: what is then read twice is
recognised, and what is missed is found by the sweep.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, select

from reconciler.core.absence import Vanished
from reconciler.core.outage import Outage
from reconciler.core.shadow import Comparison
from reconciler.store.leader_state import LeaderState, dumped, loaded
from reconciler.store.schema import cursors
from reconciler.store.statements import upsert

OLDEST = datetime(2000, 1, 1, tzinfo=UTC)
"""No time stamp of either vendor is older than this; arithmetic never leads further back."""
MOST_VANISHED = 1_000
"""The most ids of vanished alerts that are stored."""
_ALL = select(cursors).where(cursors.c.route == bindparam("route"))


@dataclass(frozen=True, slots=True)
class Origin:
    """The time of the first start, and the earliest creation time of the open alerts that it pages."""

    at: datetime
    since: datetime


@dataclass(frozen=True, slots=True)
class LogMark:
    """How far PagerDuty's log has been read, and the entries within the overlap that were already acted upon."""

    at: datetime
    seen: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Positions:
    """The positions of the sources; None: not known.

    `source` is the value of ALERT_SOURCE that the stored pairs come from; None is Opsgenie. `query` selected them.
    `alerts` is how far the alert feed has been read (Opsgenie: the newest `updatedAt` seen; JSM: `createdAt`),
    `sweep` the time at which the last listing of everything began, and `polled_…` the time at which that side last
    answered a whole poll. `leader` is what the leader last knew. `outage` is the outage of
    Opsgenie that lasts, or whose incident is still open. `vanished` are alerts that the key stopped seeing
    together. `shadow` is the last comparison with the product that ALERT_SHADOW names.
    """

    origin: Origin | None = None
    source: str | None = None
    query: str | None = None
    alerts: datetime | None = None
    pagerduty: LogMark | None = None
    sweep: datetime | None = None
    polled_alerts: datetime | None = None
    polled_pagerduty: datetime | None = None
    leader: LeaderState | None = None
    outage: Outage | None = None
    vanished: Vanished | None = None
    shadow: Comparison | None = None


@dataclass(frozen=True, slots=True)
class Cursors:
    """The table of positions within one transaction."""

    connection: Connection
    route: str

    def load(self, now: datetime) -> Positions:
        """The positions of the sources."""
        stored = {row.name: row.value for row in self.connection.execute(_ALL, {"route": self.route})}
        found = {name: parse(stored[key], now) for name, (key, parse, _) in _FIELDS.items() if key in stored}
        return Positions(**found)

    def save(self, **moved: Any) -> None:
        """Store these fields of Positions; the others stay."""
        rows = [
            {"route": self.route, "name": _FIELDS[name][0], "value": _FIELDS[name][2](value)}
            for name, value in moved.items()
        ]
        upsert(self.connection, cursors, rows)


def earlier(stamp: datetime, by: timedelta) -> datetime:
    """The time stamp less `by`, but never before the year 2000, so that a year 1 from a vendor causes no error."""
    return stamp - by if stamp - OLDEST > by else OLDEST


def _moment(value: object, now: datetime) -> datetime | None:
    try:
        stamp = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return stamp if stamp.tzinfo is not None and OLDEST <= stamp <= now else None


def _origin(value: str, now: datetime) -> Origin:
    """The stored first start. One without a readable time counts as now, because it must not be repeated."""
    match _list(value):
        case [at, since, *_]:
            begun = _moment(at, now) or now
            return Origin(begun, _moment(since, now) or begun)
        case _:
            return Origin(now, now)


def _log_mark(value: str, now: datetime) -> LogMark | None:
    match _list(value):
        case [at, list(seen)] if (stamp := _moment(at, now)) is not None:
            return LogMark(stamp, frozenset(one for one in seen if isinstance(one, str)))
        case _:
            return None


def _outage(value: str, now: datetime) -> Outage | None:
    match _list(value):
        case [since, asked_at, str(incident_id)] if (begun := _moment(since, now)) is not None:
            return Outage(begun, _moment(asked_at, now), incident_id)
        case _:
            return None


def _of_outage(outage: Outage | None) -> str:
    """The stored form; empty for none."""
    if outage is None:
        return ""
    asked_at = outage.asked_at.isoformat() if outage.asked_at else ""
    return json.dumps([outage.since.isoformat(), asked_at, outage.incident_id])


def _vanished(value: str, now: datetime) -> Vanished | None:
    match _list(value):
        case [since, int(most), list(alerts)] if (last := _moment(since, now)) is not None:
            return Vanished(last, frozenset(one for one in alerts if isinstance(one, str)), most)
        case _:
            return None


def _of_vanished(vanished: Vanished | None) -> str:
    """The stored form; empty for none. Of very many alerts, a part says enough."""
    if vanished is None:
        return ""
    kept = sorted(vanished.alerts)[:MOST_VANISHED]
    return json.dumps([vanished.since.isoformat(), min(vanished.most, MOST_VANISHED), kept])


def _shadow(value: str, now: datetime) -> Comparison | None:
    match _list(value):
        case [at, dict(counts)] if (seen := _moment(at, now)) is not None:
            return Comparison(seen, {verdict: n for verdict, n in counts.items() if isinstance(n, int)})
        case _:
            return None


def _list(value: str) -> list[Any]:
    try:
        found = json.loads(value)
    except ValueError:
        return []
    return found if isinstance(found, list) else []


_Parse = Callable[[str, datetime], Any]
_Store = Callable[[Any], str]
_FIELDS: dict[str, tuple[str, _Parse, _Store]] = {
    "origin": ("origin", _origin, lambda o: json.dumps([o.at.isoformat(), o.since.isoformat()])),
    "source": ("source", lambda text, _: text, str),
    "query": ("query", lambda text, _: text, str),
    "alerts": ("opsgenie", _moment, datetime.isoformat),
    "pagerduty": ("pagerduty", _log_mark, lambda mark: json.dumps([mark.at.isoformat(), sorted(mark.seen)])),
    "sweep": ("sweep", _moment, datetime.isoformat),
    "polled_alerts": ("polled.opsgenie", _moment, datetime.isoformat),
    "polled_pagerduty": ("polled.pagerduty", _moment, datetime.isoformat),
    "leader": ("leader", lambda text, _: loaded(text), dumped),
    "outage": ("outage", _outage, _of_outage),
    "vanished": ("vanished", _vanished, _of_vanished),
    "shadow": ("shadow", _shadow, lambda seen: json.dumps([seen.at.isoformat(), dict(seen.counts)])),
}
"""Per field: the name it is stored under, its parser, and its serialiser."""
assert set(_FIELDS) == {field.name for field in fields(Positions)}  # noqa: S101 - one table
