"""Problems that last, stored so that `status` can show them without asking a vendor."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, select

from reconciler.store.database import Database, UnitOfWork
from reconciler.store.schema import troubles
from reconciler.store.statements import upsert

_ALL = select(troubles).where(troubles.c.route == bindparam("of")).order_by(troubles.c.since, troubles.c.subject)
_CLEAR = delete(troubles).where(troubles.c.route == bindparam("of"))


@dataclass(frozen=True, slots=True)
class KeptTrouble:
    """One lasting problem: its subject, since when it lasts, and the text that was logged."""

    subject: str
    since: datetime
    words: str

    @property
    def public_subject(self) -> str:
        """The subject as logs, metrics and the runbook name it."""
        return public(self.subject)


def public(subject: str) -> str:
    """A subject without ids: all alerts that a vendor refuses while it accepts others are `objects`."""
    side, _, rest = subject.partition(" ")
    return "objects" if rest and rest != "rate" else side


def load(unit: UnitOfWork) -> list[KeptTrouble]:
    """The stored problems, the oldest first."""
    rows = unit.snapshot.connection.execute(_ALL, {"of": unit.snapshot.route})
    return [KeptTrouble(row.subject, row.since, row.words) for row in rows]


def save(unit: UnitOfWork, values: Iterable[KeptTrouble]) -> None:
    """Store these problems in place of all others."""
    _save(unit.snapshot.connection, unit.snapshot.route, values)


def hold(database: Database, subject: str, words: str, now: datetime) -> None:
    """Store why a route cannot be led, which needs no lead but the route's lock.

    It replaces all other problems, and stays as it is while the text is the same. The next leader clears it.
    """
    with database.connected(immediate=True) as connection:
        rows = connection.execute(_ALL, {"of": database.route})
        if [(row.subject, row.words) for row in rows] != [(subject, words)]:
            _save(connection, database.route, [KeptTrouble(subject, now, words)])


def clear(unit: UnitOfWork) -> None:
    """Forget the stored problems: they are those of another product."""
    _save(unit.snapshot.connection, unit.snapshot.route, ())


def _save(connection: Connection, route: str, values: Iterable[KeptTrouble]) -> None:
    connection.execute(_CLEAR, {"of": route})
    rows = [{"route": route, "subject": each.subject, "since": each.since, "words": each.words} for each in values]
    upsert(connection, troubles, rows)
