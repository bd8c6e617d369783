"""Pauses: one row a side, until `resume` deletes it or it is over."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, select

from reconciler.core.model import Side
from reconciler.core.pause import Pause
from reconciler.store.schema import pauses
from reconciler.store.statements import upsert

_ALL = select(pauses).where(pauses.c.route == bindparam("of")).order_by(pauses.c.side)
_END = delete(pauses).where(pauses.c.route == bindparam("of"), pauses.c.side == bindparam("which"))


@dataclass(frozen=True, slots=True)
class Pauses:
    """The table within one transaction."""

    connection: Connection
    route: str

    def all(self) -> list[Pause]:
        """Every pause, those that are over included."""
        return [
            Pause(Side(row.side), row.since, row.reason, row.who, row.pages, row.until)
            for row in self.connection.execute(_ALL, {"of": self.route})
        ]

    def save(self, values: Iterable[Pause]) -> None:
        """Store these pauses, each in the place of its side's earlier one."""
        rows = [
            {
                "route": self.route,
                "side": each.side.value,
                "since": each.since,
                "reason": each.reason,
                "who": each.who,
                "pages": each.pages,
                "until": each.until,
            }
            for each in values
        ]
        upsert(self.connection, pauses, rows)

    def end(self, sides: Iterable[Side]) -> None:
        """Delete the pauses of these sides."""
        for side in sides:
            self.connection.execute(_END, {"of": self.route, "which": side.value})
