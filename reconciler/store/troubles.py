"""What is wrong now, kept in the database so that `status` can show it without asking any vendor."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, select

from reconciler.store.database import Books
from reconciler.store.schema import troubles
from reconciler.store.statements import upsert

_ALL = select(troubles).where(troubles.c.route == bindparam("of")).order_by(troubles.c.since, troubles.c.subject)
_CLEAR = delete(troubles).where(troubles.c.route == bindparam("of"))


@dataclass(frozen=True, slots=True)
class KeptTrouble:
    """One state that lasts: what it is about, since when, and in which words it was said."""

    subject: str
    since: datetime
    words: str


def load(books: Books) -> list[KeptTrouble]:
    """What was last kept, the oldest first."""
    rows = books.snapshot.connection.execute(_ALL, {"of": books.snapshot.route})
    return [KeptTrouble(row.subject, row.since, row.words) for row in rows]


def save(books: Books, values: Iterable[KeptTrouble]) -> None:
    """Keep these, and nothing else."""
    connection, route = books.snapshot.connection, books.snapshot.route
    connection.execute(_CLEAR, {"of": route})
    rows = [{"route": route, "subject": each.subject, "since": each.since, "words": each.words} for each in values]
    upsert(connection, troubles, rows)
