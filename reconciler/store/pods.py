"""The table `pods`: the processes that share the routes of a PostgreSQL database. SQLite's has no rows.

A pod renews its row with every beat, by the server's clock. It lives as long as the session that holds its locks:
that session bears the pod's name as its `application_name`, which every role may see, so that a later session with
the same number is not taken for it.
"""

from datetime import UTC
from typing import Any

from sqlalchemy import Connection, text

from reconciler.core.sharing import Pod

_RENEW = text("""
    INSERT INTO pods (holder, session, started_at, seen_at, knows)
    SELECT :holder, pg_backend_pid(), now, now, :knows
    FROM (SELECT clock_timestamp() AT TIME ZONE 'UTC') AS clock (now)
    ON CONFLICT (holder) DO UPDATE SET
        started_at = CASE WHEN pods.session = excluded.session THEN pods.started_at ELSE excluded.started_at END,
        session = excluded.session, seen_at = excluded.seen_at, knows = excluded.knows
""")
_DELETE = text("DELETE FROM pods WHERE holder = :holder AND session = :session")
_LEAVE = text("DELETE FROM pods WHERE holder = :holder AND session = pg_backend_pid()")
_KNOWN = text("""
    SELECT holder, session, started_at, extract(epoch FROM clock_timestamp() AT TIME ZONE 'UTC' - seen_at),
        (
            SELECT count(*) FROM pg_locks WHERE pid = session AND locktype = 'advisory' AND granted
            AND (classid, objsubid) = (hashtext('reconciler')::oid, 2)
        ),
        knows,
        EXISTS (
            SELECT FROM pg_stat_activity
            WHERE pid = session AND application_name = 'reconciler pod ' || right(holder, 8)
        )
    FROM pods ORDER BY started_at, holder
""")


def called(holder: str) -> str:
    """The application name of the session of the pod that bears this name, which ends with a random number."""
    return f"reconciler pod {holder[-8:]}"


def known(connection: Connection) -> tuple[Pod, ...]:
    """The pods that the table shows, the oldest first; none on SQLite."""
    if connection.dialect.name != "postgresql":
        return ()
    return tuple(_pod(*row) for row in connection.execute(_KNOWN))


def renew(connection: Connection, holder: str, knows: str) -> tuple[Pod, ...]:
    """Write that this pod lives. Returns all pods that live, and deletes the rows of the others."""
    connection.execute(_RENEW, {"holder": holder, "knows": knows})
    every = known(connection)
    for pod in every:
        if not pod.lives:
            connection.execute(_DELETE, {"holder": pod.name, "session": pod.session})
    return tuple(pod for pod in every if pod.lives)


def leave(connection: Connection, holder: str) -> None:
    """Delete this pod's row, unless a later session of the same process has renewed it."""
    connection.execute(_LEAVE, {"holder": holder})


def _pod(holder: str, session: int, started_at: Any, age: Any, routes: int, knows: str, lives: bool) -> Pod:
    return Pod(holder, session, started_at.replace(tzinfo=UTC), float(age), routes, knows, lives)
