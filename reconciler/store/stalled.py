"""Ending the transactions for which a new leader waits: their process was stopped inside.

PostgreSQL's own limit does not reach all of them: a session inside a pipeline is not idle, and one that waits for
another stopped one begins to be idle when that has ended. On SQLite there is nothing to end from outside.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

_SESSION = text("SELECT pg_backend_pid()")
_END = text("""
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE xact_start < clock_timestamp() - CAST(:longest AS interval) AND pid = ANY(pg_blocking_pids(:session))
""")
"""Ends the sessions that block this one with a transaction that lasts too long, and no others: the transactions of
other routes touch the same tables."""
EVERY = 0.1
"""Seconds between two looks. A lead that does not wait takes less, and costs no look."""


@contextmanager
def ending_stalled(engine: Engine, connection: Connection, longest: str) -> Iterator[None]:
    """While this connection waits for a lock, end who holds it in a transaction that lasts longer than `longest`.

    `longest` is an interval of PostgreSQL. A DBAPIError of the block is replaced by that of the ending, if it
    failed: this role may not be allowed to end them.
    """
    if engine.dialect.name != "postgresql":
        yield
        return
    session = connection.execute(_SESSION).scalar_one()
    over = threading.Event()
    failed: list[DBAPIError] = []

    def watch() -> None:
        while not over.wait(EVERY):
            try:
                with engine.connect() as watching:
                    watching.execute(_END, {"longest": longest, "session": session})
            except DBAPIError as error:
                failed.append(error)
                return
            except PoolTimeout:  # as long as other threads use all connections
                continue

    watcher = threading.Thread(target=watch, name="stalled", daemon=True)
    watcher.start()
    try:
        yield
    except DBAPIError as error:
        over.set()
        watcher.join()
        if failed:
            raise failed[0] from error
        raise
    finally:
        over.set()
        watcher.join()
