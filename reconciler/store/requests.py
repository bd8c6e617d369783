"""What operators' commands have asked of the daemon, over all routes at once."""

from sqlalchemy import select

from reconciler.store.database import Database
from reconciler.store.schema import pauses, work

_ASKED = select(work.c.route).where(work.c.external).union(select(pauses.c.route))


def asked(database: Database) -> frozenset[str]:
    """The routes with a pause, or with an item that a command has put into the queue's table."""
    with database.connected(immediate=False) as connection:
        return frozenset(row.route for row in connection.execute(_ASKED))
