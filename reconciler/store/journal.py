"""The journal: append-only, one row a decision, deleted with its pair."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select

from reconciler.core.journal import Entry, Event
from reconciler.core.model import Kind, Side
from reconciler.store.schema import journal
from reconciler.store.statements import rows_by, rows_of

_OF_ALERTS = rows_by(journal.c.alert_id, select(journal).order_by(journal.c.id))
_OF_ROUTE = select(journal).where(journal.c.route == bindparam("of"))
_LAST = _OF_ROUTE.order_by(journal.c.id.desc()).limit(bindparam("most"))
_FORGET_GENERAL = delete(journal).where(
    journal.c.route == bindparam("of"), journal.c.alert_id == "", journal.c.at < bindparam("moment")
)


@dataclass(frozen=True, slots=True)
class Journal:
    """The journal within one transaction."""

    connection: Connection
    route: str

    def append(self, entries: Iterable[Entry]) -> None:
        """Append entries, in their order."""
        rows = [self._row(entry) for entry in entries]
        if rows:
            self.connection.execute(insert(journal), rows)

    def of(self, alert_ids: Collection[str]) -> list[Entry]:
        """The entries of these alerts, the oldest first; the empty id stands for entries of no single pair."""
        rows = rows_of(self.connection, _OF_ALERTS, self.route, alert_ids)
        return [_entry(row) for row in sorted(rows, key=lambda row: row.id)]

    def last(self, most: int) -> list[Entry]:
        """The newest entries of all pairs, the newest first."""
        return [_entry(row) for row in self.connection.execute(_LAST, {"of": self.route, "most": most})]

    def forget_general(self, before: datetime) -> None:
        """Delete entries of no single pair that are older. A pair's entries are deleted with the pair."""
        self.connection.execute(_FORGET_GENERAL, {"of": self.route, "moment": before})

    def _row(self, entry: Entry) -> dict[str, Any]:
        return {
            "route": self.route,
            "alert_id": entry.alert_id,
            "at": entry.at,
            "event": entry.event.value,
            "side": entry.side.value if entry.side else "",
            "kind": entry.kind.value if entry.kind else "",
            "action_key": entry.key,
            "incident_id": entry.incident_id,
            "who": entry.who,
            "words": entry.words,
            "source": entry.source,
            "request_id": entry.request_id,
        }


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        at=row.at,
        event=Event(row.event),
        alert_id=row.alert_id,
        side=Side(row.side) if row.side else None,
        kind=Kind(row.kind) if row.kind else None,
        key=row.action_key,
        incident_id=row.incident_id,
        who=row.who,
        words=row.words,
        source=row.source,
        request_id=row.request_id,
    )
