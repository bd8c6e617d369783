"""What both sides last showed: pairs with a baseline per side, notes already known, and the feeds' cursors."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Executable, Row, Select, Table, bindparam, delete, func, select, union
from sqlalchemy.dialects import postgresql, sqlite

from reconciler.core.model import AlertBaseline, IncidentBaseline, Pair, Side, Status
from reconciler.store.schema import actions, cursors, notes, pairs

_ALERT = TypeAdapter(AlertBaseline)
_INCIDENT = TypeAdapter(IncidentBaseline)
_COUNT_OPEN = select(func.count()).where(pairs.c.route == bindparam("of"), pairs.c.open)
_CHUNK = 500  # bound variables in one IN (…), well below every database's limit


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The snapshot within one transaction."""

    connection: Connection
    route: str

    def pairs(self, alert_ids: Collection[str]) -> dict[str, Pair]:
        """Pairs by alert id; an alert never seen has none."""
        rows = self._chunks(select(pairs), pairs.c.alert_id, alert_ids)
        return {row.alert_id: _pair(row) for row in rows}

    def pairs_of_incidents(self, incident_ids: Collection[str]) -> dict[str, Pair]:
        """Pairs by incident id; an incident that is not ours has none."""
        rows = self._chunks(select(pairs), pairs.c.incident_id, incident_ids)
        return {row.incident_id: _pair(row) for row in rows}

    def open_pairs(self) -> int:
        """How many pairs are open."""
        return self.connection.execute(_COUNT_OPEN, {"of": self.route}).scalar_one()

    def swept_before(self, moment: datetime, limit: int) -> list[Pair]:
        """Open pairs that nobody has looked at since `moment`, the longest waiting first."""
        due = (
            select(pairs)
            .where(pairs.c.route == self.route, pairs.c.open, pairs.c.swept_at <= moment)
            .order_by(pairs.c.swept_at)
            .limit(limit)
        )
        return [_pair(row) for row in self.connection.execute(due)]

    def finished(
        self, ages: Sequence[timedelta], span: tuple[datetime, datetime], after: str, limit: int
    ) -> list[str]:
        """Alerts of pairs that are over and reached one of these ages in that time, by id, from `after` on.

        A pair's age counts from when it was last swept while it was open. One narrow range of the index for
        each age: what is over for a month is never gone through.
        """
        began, until = span
        if not ages:
            return []
        over = select(pairs.c.alert_id).where(
            pairs.c.route == self.route,
            ~pairs.c.open,
            pairs.c.incident_id.is_not(None),
            pairs.c.alert_id > after,
        )
        ripe = union(
            *(over.where(pairs.c.swept_at > began - age, pairs.c.swept_at <= until - age) for age in ages)
        ).subquery()
        due = select(ripe.c.alert_id).order_by(ripe.c.alert_id).limit(limit)
        return list(self.connection.execute(due).scalars())

    def open_ids(self, side: Side) -> dict[str, str]:
        """Of every open pair: the id of its alert or of its incident, by alert id."""
        own = pairs.c.alert_id if side is Side.OPSGENIE else pairs.c.incident_id
        mine = select(pairs.c.alert_id, own).where(pairs.c.route == self.route, pairs.c.open, own.is_not(None))
        return {row[0]: row[1] for row in self.connection.execute(mine)}

    def known_notes(self, alert_ids: Collection[str]) -> dict[str, frozenset[tuple[Side, str]]]:
        """Ids of the notes already seen, by alert id."""
        known: dict[str, set[tuple[Side, str]]] = defaultdict(set)
        for row in self._chunks(select(notes), notes.c.alert_id, alert_ids):
            known[row.alert_id].add((Side(row.side), row.note_id))
        return {alert_id: frozenset(ids) for alert_id, ids in known.items()}

    def cursors(self) -> dict[str, str]:
        """Where the feeds stand."""
        rows = self.connection.execute(select(cursors).where(cursors.c.route == self.route))
        return {row.name: row.value for row in rows}

    def save_pairs(self, values: Iterable[Pair]) -> None:
        """Remember these pairs as they are."""
        rows = [_row(pair) for pair in values]
        _upsert(self.connection, pairs, rows)

    def save_notes(self, values: Iterable[tuple[str, Side, str]]) -> None:
        """Remember that these notes are known: (alert id, side, note id)."""
        rows = [
            {"route": self.route, "alert_id": alert_id, "side": side.value, "note_id": note_id}
            for alert_id, side, note_id in values
        ]
        _upsert(self.connection, notes, rows)

    def save_cursors(self, values: Mapping[str, str]) -> None:
        """Move the feeds' cursors."""
        rows = [{"route": self.route, "name": name, "value": value} for name, value in values.items()]
        _upsert(self.connection, cursors, rows)

    def forget(self, before: datetime, limit: int = 1000) -> int:
        """Drop pairs that were over before that, with their notes and actions; how many. Never what is still open.

        An action that is dead, or still to be done, keeps its pair.
        """
        kept = select(actions.c.alert_id).where(
            actions.c.route == pairs.c.route,
            actions.c.alert_id == pairs.c.alert_id,
            actions.c.status.in_([status.value for status in (Status.PLANNED, Status.SENT, Status.DEAD)]),
        )
        over = select(pairs.c.alert_id).where(
            pairs.c.route == self.route, ~pairs.c.open, pairs.c.swept_at < before, ~kept.exists()
        )
        gone = list(self.connection.execute(over.limit(limit)).scalars())
        for table in (notes, actions, pairs):
            mine = delete(table).where(table.c.route == self.route, table.c.alert_id == bindparam("gone"))
            if gone:
                self.connection.execute(mine, [{"gone": alert_id} for alert_id in gone])
        return len(gone)

    def _chunks(self, query: Select[Any], column: Any, values: Collection[str]) -> Iterable[Row[Any]]:
        wanted = sorted(set(values))
        for start in range(0, len(wanted), _CHUNK):
            chunk = wanted[start : start + _CHUNK]
            mine = column.table.c.route == self.route
            yield from self.connection.execute(query.where(mine, column.in_(chunk)))


def _pair(row: Row[Any]) -> Pair:
    return Pair(
        route=row.route,
        alert_id=row.alert_id,
        tiny_id=row.tiny_id,
        tracked=row.tracked,
        incident_id=row.incident_id,
        incident_number=row.incident_number,
        opsgenie=_ALERT.validate_json(row.opsgenie),
        pagerduty=None if row.pagerduty is None else _INCIDENT.validate_json(row.pagerduty),
        swept_at=row.swept_at,
    )


def _row(pair: Pair) -> dict[str, Any]:
    return {
        "route": pair.route,
        "alert_id": pair.alert_id,
        "tiny_id": pair.tiny_id,
        "tracked": pair.tracked,
        "open": pair.is_open,
        "incident_id": pair.incident_id,
        "incident_number": pair.incident_number,
        "opsgenie": _ALERT.dump_json(pair.opsgenie).decode(),
        "pagerduty": None if pair.pagerduty is None else _INCIDENT.dump_json(pair.pagerduty).decode(),
        "swept_at": pair.swept_at,
    }


def _upsert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert, or overwrite by primary key: executemany, the fastest form on both databases."""
    if rows:
        connection.execute(_upsert_into(table, connection.dialect.name), rows)


@cache
def _upsert_into(table: Table, database: str) -> Executable:
    dialect = postgresql if database == "postgresql" else sqlite
    statement = dialect.insert(table)
    keys = [column.name for column in table.primary_key]
    fields = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in keys}
    whole: Executable = (
        statement.on_conflict_do_update(index_elements=keys, set_=fields)
        if fields
        else statement.on_conflict_do_nothing(index_elements=keys)
    )
    return whole
