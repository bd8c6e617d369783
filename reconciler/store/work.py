"""The work queue's table: one row for each pair to be reconciled, kept until that is done.

Every change of a row increases its `generation`. A finished item deletes its row only in the generation that was
leased, so that a request that arrived meanwhile is kept.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, bindparam, delete, func, select, update

from reconciler.core.work import Priority, ReadRequest, Reason, WorkItem
from reconciler.store.schema import work
from reconciler.store.statements import insert_if_new, insert_new, rows_by, rows_of, upsert

_REQUEST = TypeAdapter(ReadRequest)
_REASONS = TypeAdapter(list[Reason])
_KEY = ("route", "alert_id")
_OF_ALERTS = rows_by(work.c.alert_id, select(work))
_LOCKED = rows_by(work.c.alert_id, select(work)).order_by(work.c.alert_id).with_for_update()
_ALL = select(work).where(work.c.route == bindparam("route")).order_by(work.c.priority, work.c.due_at)
_EXTERNAL = _ALL.where(work.c.external)
_FIRST_START = select(func.count()).where(
    work.c.route == bindparam("route"), work.c.reasons.contains(Reason.FIRST_START.value)
)
_SAME = (
    work.c.route == bindparam("of"),
    work.c.alert_id == bindparam("key"),
    work.c.generation == bindparam("was"),
)
_TAKE_AWAY = delete(work).where(*_SAME)
_TAKEN_IN = update(work).where(*_SAME).values(external=False)


@dataclass(frozen=True, slots=True)
class Work:
    """The table within one transaction."""

    connection: Connection
    route: str

    def add(self, items: Iterable[WorkItem], *, external: bool = False) -> list[WorkItem]:
        """Add pairs, merged with their rows. `external`: from another process, until the leader takes them in.

        Returns the items for the leader's queue, with their rows' generation: as given, and with what another
        process has requested, which is thereby taken in. What a row requests besides is in the queue already, or
        has been read since.
        """
        wanted: dict[str, WorkItem] = {}
        for item in items:
            known = wanted.get(item.alert_id)
            wanted[item.alert_id] = item if known is None else known.merged(item)
        there = {row.alert_id: row for row in self._locked(wanted)}
        rows, queued = [], []
        for alert_id, item in wanted.items():
            row = there.get(alert_id)
            merged = item if row is None else _item(row).merged(item)
            merged = replace(merged, generation=merged.generation + 1)
            rows.append(self._row(merged, external=external))
            is_whole = row is not None and row.external
            queued.append(merged if is_whole else replace(item, generation=merged.generation))
        upsert(self.connection, work, rows)
        return queued

    def put_back(self, item: WorkItem) -> WorkItem | None:
        """Replace the leased row. None if it has changed meanwhile: then it has everything already."""
        kept = replace(item, generation=item.generation + 1)
        values = self._row(kept, external=False)
        row = self.connection.execute(_ONE, {"route": self.route, "key": item.alert_id}).one_or_none()
        if row is None:
            return kept if insert_if_new(self.connection, work, _KEY, values) else None
        if row.generation != item.generation:
            return None
        upsert(self.connection, work, [values])
        return kept

    def take_away(self, items: Collection[WorkItem]) -> None:
        """Delete the rows of reconciled items. A row that has changed meanwhile is kept."""
        if items:
            self.connection.execute(_TAKE_AWAY, [self._same(item) for item in items])

    def all(self) -> list[WorkItem]:
        """All items, the most urgent first."""
        return [_item(row) for row in self.connection.execute(_ALL, {"route": self.route})]

    def of(self, alert_id: str) -> WorkItem | None:
        """The alert's item; None if nothing waits."""
        row = self.connection.execute(_OF_ALERT, {"route": self.route, "key": alert_id}).one_or_none()
        return None if row is None else _item(row)

    def baselines(self, alert_ids: Collection[str]) -> set[str]:
        """Which of these alerts wait to be recorded as baselines."""
        items = (_item(row) for row in rows_of(self.connection, _OF_ALERTS, self.route, alert_ids))
        return {item.alert_id for item in items if item.request.is_baseline}

    def has_external(self) -> bool:
        """Whether another process has added an item: one query of a small index."""
        return self.connection.execute(_EXTERNAL.limit(1), {"route": self.route}).first() is not None

    def waiting_since_first_start(self) -> int:
        """Number of waiting pairs that were added by a first start or a changed query."""
        return self.connection.execute(_FIRST_START, {"route": self.route}).scalar_one()

    def take_in(self) -> list[WorkItem]:
        """Items that other processes have added since the last call."""
        items = [_item(row) for row in self.connection.execute(_EXTERNAL, {"route": self.route})]
        if items:
            self.connection.execute(_TAKEN_IN, [self._same(item) for item in items])
        return items

    def _locked(self, wanted: Mapping[str, WorkItem]) -> list[Row[Any]]:
        """The rows of these keys, which no other transaction changes until this one has ended.

        PostgreSQL runs writers at the same time: without a lock, the later of two that have read the same row
        would overwrite what the earlier one requests. A missing row cannot be locked, so it is inserted first.
        """
        if self.connection.dialect.name == "postgresql":
            new = [self._row(wanted[alert_id], external=False) for alert_id in sorted(wanted)]
            insert_new(self.connection, work, _KEY, new)
        return list(rows_of(self.connection, _LOCKED, self.route, wanted))

    def _same(self, item: WorkItem) -> dict[str, Any]:
        return {"of": self.route, "key": item.alert_id, "was": item.generation}

    def _row(self, item: WorkItem, *, external: bool) -> dict[str, Any]:
        return {
            "route": self.route,
            "alert_id": item.alert_id,
            "priority": item.priority.value,
            "due_at": item.due_at,
            "reasons": _REASONS.dump_json(sorted(item.reasons)).decode(),
            "request": _REQUEST.dump_json(item.request, exclude_defaults=True).decode(),
            "attempts": item.attempts,
            "generation": item.generation,
            "external": external,
        }


_IS_ALERTS = (work.c.route == bindparam("route"), work.c.alert_id == bindparam("key"))
_OF_ALERT = select(work).where(*_IS_ALERTS)
_ONE = select(work.c.generation).where(*_IS_ALERTS).with_for_update()


def _item(row: Row[Any]) -> WorkItem:
    return WorkItem(
        alert_id=row.alert_id,
        due_at=row.due_at,
        request=_REQUEST.validate_json(row.request),
        priority=Priority(row.priority),
        reasons=frozenset(_REASONS.validate_json(row.reasons)),
        attempts=row.attempts,
        generation=row.generation,
    )
