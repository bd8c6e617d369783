"""The snapshot: pairs with a baseline per side, and the ids of known notes."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import (
    Connection,
    Row,
    bindparam,
    delete,
    func,
    literal_column,
    select,
    union_all,
    update,
)

from reconciler.core.model import AlertBaseline, IncidentBaseline, Pair, Side, Status
from reconciler.store.schema import actions, journal, moved, notes, pairs
from reconciler.store.statements import rows_by, rows_of, upsert

_ALERT = TypeAdapter(AlertBaseline)
_INCIDENT = TypeAdapter(IncidentBaseline)
_PAIR = select(pairs).where(pairs.c.route == bindparam("route"), pairs.c.alert_id == bindparam("alert_id"))
_PAIRS = rows_by(pairs.c.alert_id, select(pairs))
_PAIRS_OF_INCIDENTS = rows_by(pairs.c.incident_id, select(pairs))
_MOVED = rows_by(moved.c.old_id, select(moved))
_NOTES = rows_by(notes.c.alert_id, select(notes))
_COUNT_OPEN = select(func.count()).where(pairs.c.route == bindparam("route"), pairs.c.open)
_COUNT_OPEN_ALERTS = _COUNT_OPEN.where(pairs.c.opsgenie.startswith('{"open":true'))
_DUE = (
    select(pairs.c.alert_id, pairs.c.incident_id, pairs.c.tracked)
    .where(
        pairs.c.route == bindparam("route"),
        pairs.c.next_look_at.is_not(None),
        pairs.c.next_look_at <= bindparam("moment"),
        pairs.c.open == bindparam("is_open"),
    )
    .order_by(pairs.c.next_look_at)
    .limit(bindparam("most"))
)
_UNEXPLAINED = select(pairs).where(pairs.c.route == bindparam("route"), pairs.c.unexplained_since.is_not(None))
_UNPAGED = select(pairs).where(  # without a bound value, so that the partial index is used
    pairs.c.route == bindparam("route"), pairs.c.unpaged != literal_column("''")
)
_UNSETTLED = union_all(_UNEXPLAINED, _UNPAGED)
_UNDECIDED = select(actions.c.alert_id).where(
    actions.c.route == pairs.c.route,
    actions.c.alert_id == pairs.c.alert_id,
    actions.c.status.in_([status.value for status in (Status.PLANNED, Status.SENT, Status.DEAD)]),
)
_FORGOTTEN = (
    select(pairs.c.alert_id)
    .where(
        pairs.c.route == bindparam("route"),
        ~pairs.c.open,
        pairs.c.swept_at < bindparam("moment"),
        ~_UNDECIDED.exists(),
    )
    .limit(bindparam("most"))
)
_FORGET = (
    *(
        delete(table).where(table.c.route == bindparam("route"), table.c.alert_id == bindparam("gone"))
        for table in (notes, actions, journal, pairs)
    ),
    delete(moved).where(moved.c.route == bindparam("route"), moved.c.new_id == bindparam("gone")),
)


@dataclass(frozen=True, slots=True)
class DuePair:
    """The fields of a pair that the sweep needs."""

    alert_id: str
    incident_id: str | None
    tracked: bool


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The snapshot within one transaction."""

    connection: Connection
    route: str

    def pair(self, alert_id: str) -> Pair | None:
        """The alert's pair; None if the alert is not in the snapshot."""
        row = self.connection.execute(_PAIR, {"route": self.route, "alert_id": alert_id}).one_or_none()
        return None if row is None else _pair(row)

    def pairs(self, alert_ids: Collection[str]) -> dict[str, Pair]:
        """Pairs by alert id; alerts that are not in the snapshot are left out."""
        rows = rows_of(self.connection, _PAIRS, self.route, alert_ids)
        return {row.alert_id: _pair(row) for row in rows}

    def pairs_by_key(self, keys: Collection[str]) -> dict[str, Pair]:
        """Pairs by their incident's key: the alert's id, or one that it had in another product."""
        moved = {row.old_id: row.new_id for row in rows_of(self.connection, _MOVED, self.route, keys)}
        found = self.pairs({*keys, *moved.values()})
        return {key: found[moved.get(key, key)] for key in keys if moved.get(key, key) in found}

    def pairs_of_incidents(self, incident_ids: Collection[str]) -> dict[str, tuple[Pair, ...]]:
        """Pairs by incident id: several after a merge. Incidents that no pair follows are left out."""
        found: dict[str, list[Pair]] = defaultdict(list)
        for row in rows_of(self.connection, _PAIRS_OF_INCIDENTS, self.route, incident_ids):
            found[row.incident_id].append(_pair(row))
        return {incident_id: tuple(pairs) for incident_id, pairs in found.items()}

    def unexplained(self) -> list[Pair]:
        """Pairs whose incident has a status that no log entry explains yet."""
        return [_pair(row) for row in self.connection.execute(_UNEXPLAINED, {"route": self.route})]

    def unpaged(self) -> list[Pair]:
        """Pairs with an incident that pages nobody."""
        return [_pair(row) for row in self.connection.execute(_UNPAGED, {"route": self.route})]

    def unsettled(self) -> list[Pair]:
        """Unexplained and unpaged pairs, in one statement; a pair may occur twice."""
        return [_pair(row) for row in self.connection.execute(_UNSETTLED, {"route": self.route})]

    def open_pairs(self) -> int:
        """Number of open pairs."""
        return self.connection.execute(_COUNT_OPEN, {"route": self.route}).scalar_one()

    def open_alerts(self) -> int:
        """Number of alerts that are open, whatever their incidents are."""
        return self.connection.execute(_COUNT_OPEN_ALERTS, {"route": self.route}).scalar_one()

    def due(self, moment: datetime, limit: int, *, is_open: bool) -> list[DuePair]:
        """Open or finished pairs that the sweep is to read by this time, the longest overdue first."""
        due = {"route": self.route, "moment": moment, "most": limit, "is_open": is_open}
        return [DuePair(*row) for row in self.connection.execute(_DUE, due)]

    def open_ids(self, side: Side) -> dict[str, str]:
        """For every open pair, the id of its alert or of its incident, by alert id."""
        own = pairs.c.alert_id if side is Side.ALERTS else pairs.c.incident_id
        mine = select(pairs.c.alert_id, own).where(pairs.c.route == self.route, pairs.c.open, own.is_not(None))
        return {row[0]: row[1] for row in self.connection.execute(mine)}

    def known_notes(self, alert_ids: Collection[str]) -> dict[str, frozenset[tuple[Side, str]]]:
        """Ids of the known notes, by alert id."""
        known: dict[str, set[tuple[Side, str]]] = defaultdict(set)
        for row in rows_of(self.connection, _NOTES, self.route, alert_ids):
            known[row.alert_id].add((Side(row.side), row.note_id))
        return {alert_id: frozenset(ids) for alert_id, ids in known.items()}

    def save_pairs(self, values: Iterable[Pair]) -> None:
        """Store these pairs."""
        rows = [_row(pair, self.route) for pair in values]
        upsert(self.connection, pairs, rows)

    def save_notes(self, values: Iterable[tuple[str, Side, str]]) -> None:
        """Store these notes as known: (alert id, side, note id)."""
        rows = [
            {"route": self.route, "alert_id": alert_id, "side": side.value, "note_id": note_id}
            for alert_id, side, note_id in values
        ]
        upsert(self.connection, notes, rows)

    def save_sweeps(self, values: Collection[Pair]) -> None:
        """Store only when these pairs were swept and are read next; older times replace no newer ones."""
        if values:
            looks = [
                {
                    "of": self.route,
                    "key": pair.alert_id,
                    "swept_at": pair.swept_at,
                    "next_look_at": pair.next_look_at,
                }
                for pair in values
            ]
            self.connection.execute(_SAVE_SWEEP, looks)

    def forget(self, before: datetime, limit: int = 1000) -> int:
        """Delete pairs that were finished before this time, with notes, actions and journal; returns how many.

        A pair that is open, or has an action that is dead or still to be done, is kept.
        """
        over = {"route": self.route, "moment": before, "most": limit}
        gone = [{"route": self.route, "gone": row.alert_id} for row in self.connection.execute(_FORGOTTEN, over)]
        for forget in _FORGET if gone else ():
            self.connection.execute(forget, gone)
        return len(gone)


_SAVE_SWEEP = (
    update(pairs)
    .where(
        pairs.c.route == bindparam("of"),
        pairs.c.alert_id == bindparam("key"),
        pairs.c.swept_at <= bindparam("swept_at"),
    )
    .values(swept_at=bindparam("swept_at"), next_look_at=bindparam("next_look_at"))
)


def _pair(row: Row[Any]) -> Pair:
    return Pair(
        alert_id=row.alert_id,
        tiny_id=row.tiny_id,
        tracked=row.tracked,
        incident_id=row.incident_id,
        incident_number=row.incident_number,
        alerts=_ALERT.validate_json(row.opsgenie),
        pagerduty=None if row.pagerduty is None else _INCIDENT.validate_json(row.pagerduty),
        swept_at=row.swept_at,
        next_look_at=row.next_look_at,
        title=row.title,
        unexplained_since=row.unexplained_since,
        unpaged=row.unpaged,
        alias=row.alias,
        created_at=row.created_at,
    )


def _row(pair: Pair, route: str) -> dict[str, Any]:
    return {
        "route": route,
        "alert_id": pair.alert_id,
        "tiny_id": pair.tiny_id,
        "tracked": pair.tracked,
        "open": pair.is_open,
        "incident_id": pair.incident_id,
        "incident_number": pair.incident_number,
        "opsgenie": _ALERT.dump_json(pair.alerts).decode(),
        "pagerduty": None if pair.pagerduty is None else _INCIDENT.dump_json(pair.pagerduty).decode(),
        "swept_at": pair.swept_at,
        "next_look_at": pair.next_look_at,
        "title": pair.title,
        "unexplained_since": pair.unexplained_since,
        "unpaged": pair.unpaged,
        "alias": pair.alias,
        "created_at": pair.created_at,
    }
