"""All locks of one process on a PostgreSQL server: one session that takes and releases the locks of many routes.

The keys of the locks are those of `AdvisoryLock`, so that `once`, or a daemon of an earlier version, and a pod
exclude each other. Every statement is a transaction of its own: a process that is stopped between two of them
delays nobody.
"""

import contextlib
from collections.abc import Collection, Iterator, Sequence

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.pool import NullPool

from reconciler.core.sharing import Pod, View
from reconciler.errors import Misconfigured
from reconciler.store import pods
from reconciler.store.address import tcp
from reconciler.store.database import down
from reconciler.store.lock import KEEPALIVES, POOLED

_OPEN = text(f"SELECT {KEEPALIVES}, set_config('application_name', :called, false)")
_SESSION = text("SELECT pg_backend_pid()")
_FACTS = text("SELECT pg_backend_pid(), extract(epoch FROM clock_timestamp()), to_regclass('pods') IS NOT NULL")
_HAS_LOCKS = text("""
    SELECT EXISTS (
        SELECT FROM pg_locks
        WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid()
        AND (classid, objsubid) = (hashtext('reconciler')::oid, 2)
    )
""")
"""Query: whether this session has any route's lock."""
_HOLDERS = text("""
    SELECT route, pid FROM unnest(CAST(:routes AS text[])) AS route, pg_locks
    WHERE locktype = 'advisory' AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (classid, objid, objsubid) = (hashtext('reconciler')::oid, hashtext(route)::oid, 2)
""")
"""Query: the sessions that have the locks of these routes."""
_TAKE = text("""
    SELECT route, pg_try_advisory_lock(hashtext('reconciler'), hashtext(route))
    FROM unnest(CAST(:routes AS text[])) AS route
""")
_RELEASE = text("""
    SELECT pg_advisory_unlock(hashtext('reconciler'), hashtext(route))
    FROM unnest(CAST(:routes AS text[])) AS route
""")
_END = text("""
    SELECT pg_terminate_backend(pid), pg_sleep(0.1) FROM pg_stat_activity
    WHERE pid = :session AND application_name = :called
""")
"""Ends a pod's session, and gives the server the time to release its locks, so that they can be taken at once."""
_END_FORMER = text("""
    SELECT pg_terminate_backend(pid), pg_sleep(0.1) FROM pg_stat_activity
    WHERE pid <> pg_backend_pid() AND application_name = :called
""")
"""Ends sessions that this process has lost: to the server, they may live on for a while and keep their locks."""
_NOT_ALLOWED = "42501"
"""PostgreSQL's code for a missing privilege."""


class LockSession:
    """The session of the pod `holder`, opened by `beat`. For one thread at a time.

    Every method may raise DatabaseDown, or Misconfigured if a pooler shares the session with other clients. After
    an error the session is closed, and its locks are free; the next beat opens another one.
    """

    def __init__(self, url: str, holder: str) -> None:
        self._engine = create_engine(url, poolclass=NullPool, connect_args=tcp(url), isolation_level="AUTOCOMMIT")
        self.holder = holder
        self._connection: Connection | None = None
        self._session = 0

    def beat(self, routes: Collection[str], knows: str) -> View:
        """Renew this pod's row, and see who holds the locks of these routes.

        Before the table `pods` exists, no pod is seen: the first one that leads a route creates it.
        """
        with self._closed_on_error():
            connection = self._opened()
            session, now, has_table = connection.execute(_FACTS).one()
            if session != self._session:
                raise Misconfigured(POOLED)
            seen: tuple[Pod, ...] = ()
            if has_table:
                seen = pods.renew(connection, self.holder, knows)
            holders = connection.execute(_HOLDERS, {"routes": sorted(routes)}).all()
        mine = frozenset(route for route, holder in holders if holder == session)
        return View(float(now), seen, mine, frozenset(route for route, _ in holders) - mine)

    def take(self, routes: Sequence[str]) -> frozenset[str]:
        """Try to take the locks of these routes, none of which this session has; returns those that it has now."""
        with self._closed_on_error():
            taken = self._opened().execute(_TAKE, {"routes": list(routes)}).all()
        return frozenset(route for route, is_ours in taken if is_ours)

    def release(self, routes: Collection[str]) -> None:
        """Release the locks of these routes."""
        with self._closed_on_error():
            if self._connection is not None:
                self._connection.execute(_RELEASE, {"routes": sorted(routes)})

    def end(self, pod: Pod) -> bool:
        """End another pod's session, which releases its locks; False if this role may not do that."""
        with self._closed_on_error():
            try:
                self._opened().execute(_END, {"session": pod.session, "called": pods.called(pod.name)})
            except ProgrammingError as error:
                if getattr(error.orig, "sqlstate", "") != _NOT_ALLOWED:
                    raise
                return False
        return True

    def close(self) -> None:
        """Close the session, which releases its locks; leaves no row behind if the server still answers."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(DBAPIError), connection:
                pods.leave(connection, self.holder)

    def _opened(self) -> Connection:
        if self._connection is None:
            with contextlib.ExitStack() as opened:
                connection = opened.enter_context(self._engine.connect())
                session = _session_of(connection)
                if self._is_shared(connection, session):
                    raise Misconfigured(POOLED)
                ours = {"called": pods.called(self.holder)}
                connection.execute(_OPEN, ours)
                connection.execute(_END_FORMER, ours)
                self._connection, self._session = connection, session
                opened.pop_all()
        return self._connection

    def _is_shared(self, connection: Connection, session: int) -> bool:
        """Whether our connection changes its session, shares it with a second one, or has got one with locks."""
        if _session_of(connection) != session or connection.execute(_HAS_LOCKS).scalar():
            return True
        with self._engine.connect() as other:
            return _session_of(other) == session or _session_of(connection) != session

    @contextlib.contextmanager
    def _closed_on_error(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            self._drop()
            raise down(error) from error
        except Misconfigured:
            self._drop()
            raise

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(DBAPIError):
                connection.close()


def _session_of(connection: Connection) -> int:
    return int(connection.execute(_SESSION).scalar_one())
