"""The work queue's table: one row for each pair that is to be reconciled, kept until it has been.

A row changes its `generation` with every change. A finished item deletes the row of the generation that was
leased only: a request that arrived meanwhile stays.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, bindparam, delete, func, select, update

from reconciler.core.work import Priority, ReadRequest, Reason, WorkItem
from reconciler.store.schema import work
from reconciler.store.statements import rows_by, rows_of, upsert

_REQUEST = TypeAdapter(ReadRequest)
_REASONS = TypeAdapter(list[Reason])
_OF_ALERTS = rows_by(work.c.alert_id, select(work))
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
        """Add pairs, merged with what is there already; as they stand now. `external`: from another process."""
        wanted: dict[str, WorkItem] = {}
        for item in items:
            known = wanted.get(item.alert_id)
            wanted[item.alert_id] = item if known is None else known.merged(item)
        rows = list(rows_of(self.connection, _OF_ALERTS, self.route, wanted))
        there = {row.alert_id: _item(row) for row in rows}
        from_outside = {row.alert_id for row in rows if row.external}  # until they have been taken in
        merged = [
            replace(one, generation=one.generation + 1)
            for one in (there[key].merged(item) if key in there else item for key, item in wanted.items())
        ]
        upsert(
            self.connection,
            work,
            [self._row(item, external=external or item.alert_id in from_outside) for item in merged],
        )
        return merged

    def put_back(self, item: WorkItem) -> WorkItem | None:
        """Replace the row of that generation; None where it has changed meanwhile: then it holds everything."""
        row = self.connection.execute(_ONE, {"route": self.route, "key": item.alert_id}).one_or_none()
        if row is not None and row.generation != item.generation:
            return None
        kept = replace(item, generation=item.generation + 1)
        upsert(self.connection, work, [self._row(kept, external=False)])
        return kept

    def take_away(self, items: Collection[WorkItem]) -> None:
        """These have been reconciled. A row that has changed meanwhile stays."""
        if items:
            self.connection.execute(_TAKE_AWAY, [self._same(item) for item in items])

    def all(self) -> list[WorkItem]:
        """Everything, the most urgent first."""
        return [_item(row) for row in self.connection.execute(_ALL, {"route": self.route})]

    def has_external(self) -> bool:
        """Whether another process has added something: one look at a small index."""
        return self.connection.execute(_EXTERNAL.limit(1), {"route": self.route}).first() is not None

    def waiting_since_first_start(self) -> int:
        """How many pairs wait that a first start, or another query, has put here."""
        return self.connection.execute(_FIRST_START, {"route": self.route}).scalar_one()

    def take_in(self) -> list[WorkItem]:
        """What other processes have added since this was last asked."""
        items = [_item(row) for row in self.connection.execute(_EXTERNAL, {"route": self.route})]
        if items:
            self.connection.execute(_TAKEN_IN, [self._same(item) for item in items])
        return items

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


_ONE = select(work.c.generation).where(work.c.route == bindparam("route"), work.c.alert_id == bindparam("key"))


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
