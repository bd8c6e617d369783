"""The lock of a database: the process that holds it leads, the others stand by. It is released with the process.

A lock alone is not enough: a process that was stopped, or cut off from the server, may continue and still believe
that it holds the lock. So its next holder begins a new epoch (`Database.lead`), and an earlier epoch writes
nothing more. A process that is merely stopped keeps its lock: on SQLite until it ends, on PostgreSQL until
another one ends its session, see `runtime/pod_shares.py`. Daemons on PostgreSQL have all their locks in one
`LockSession`; a single run, such as `once`, has an `AdvisoryLock`.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Protocol

from sqlalchemy import Connection, TextClause, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from reconciler.errors import Misconfigured
from reconciler.store.address import tcp
from reconciler.store.database import down
from reconciler.store.files import open_private


class Lock(Protocol):
    """The exclusive right to work on one database and route."""

    def acquire(self) -> bool:
        """Take the lock, or check that it is still ours; False while another process has it.

        After False, or an error, it is not ours any more.
        """

    def release(self) -> None:
        """Release the lock."""

    def decline(self) -> None:
        """Release the lock, because this process cannot lead. Others that could are to take it first."""
        self.release()


class FileLock(Lock):
    """For SQLite: a lock on a file beside the database, which the kernel releases with the process.

    Only the owner can open the file, as whoever can may hold the lock, and the reconciler would stand by for ever.
    """

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(database.name + ".lock")
        self._file: IO[str] | None = None

    def acquire(self) -> bool:
        """Take the lock, or check that the locked file is the one that other processes would open."""
        if self._file is not None and self._is_there(self._file):
            return True
        self.release()
        try:
            file = os.fdopen(open_private(self.path), "a")
        except OSError as error:
            raise Misconfigured(
                f"DATABASE_URL: cannot write beside the database ({self.path}: {error.strerror}): "
                "give the program a folder that it may write to"
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        except OSError as error:  # ENOLCK, ENOTSUP: some network volumes have no locks
            file.close()
            raise Misconfigured(
                f"DATABASE_URL: the volume of {self.path} has no file locks ({error.strerror}): put the database "
                "on a local disk, or use PostgreSQL"
            ) from error
        self._file = file
        return True

    def release(self) -> None:
        """Release the lock."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _is_there(self, file: IO[str]) -> bool:
        try:
            return os.path.samestat(os.fstat(file.fileno()), self.path.stat())
        except FileNotFoundError:
            return False


@contextlib.contextmanager
def lock_is_free(database: Path) -> Iterator[bool]:
    """Whether no process works on this SQLite database; if so, none can begin meanwhile. Creates no file."""
    with contextlib.ExitStack() as held:
        alone = False
        with contextlib.suppress(OSError):
            descriptor = os.open(FileLock(database).path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            file = held.enter_context(os.fdopen(descriptor))
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            alone = True
        yield alone


class AdvisoryLock(Lock):
    """For PostgreSQL: a session's advisory lock on a connection of its own, never one from the pool.

    A pooler that shares one server session between clients makes such a lock worthless: two processes could hold
    it at the same time. It is recognised by a new connection that has the lock already, or has the same session as
    another one, or whose session changes. Then the lock is refused, with what to do.
    """

    def __init__(self, url: str, route: str) -> None:
        self._engine = create_engine(url, poolclass=NullPool, connect_args=tcp(url))
        self._route = {"route": route}
        self._connection: Connection | None = None
        self._session = 0

    def acquire(self) -> bool:
        """Take the lock, or check that the session that took it is alive and still has it."""
        try:
            return self._keep(self._connection) if self._connection is not None else self._take()
        except DBAPIError as error:
            self.release()
            raise down(error) from error
        except Misconfigured:
            self.release()
            raise

    def release(self) -> None:
        """Release the lock."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(DBAPIError):
                connection.close()

    def _take(self) -> bool:
        with contextlib.ExitStack() as opened:
            connection = opened.enter_context(self._engine.connect())
            with connection.begin():  # a pooler keeps to one session for the length of a transaction
                session, held_already = _row(connection, _SESSION, self._route)
                free = held_already or _row(connection, _TRY, self._route)[0]
            if not free:
                return False
            if held_already or self._is_shared(connection, session):
                raise Misconfigured(POOLED)
            with connection.begin():
                taken = bool(_row(connection, _TAKE, self._route)[0])
            if taken:
                self._connection, self._session = connection, session
                opened.pop_all()
        return taken

    def _keep(self, connection: Connection) -> bool:
        with connection.begin():
            session, held = _row(connection, _SESSION, self._route)
        if session != self._session:
            raise Misconfigured(POOLED)
        if not held:
            self.release()
            return self._take()
        return True

    def _is_shared(self, connection: Connection, session: int) -> bool:
        """Whether our connection changes its session, or shares it with a second connection."""
        if self._session_of(connection) != session:
            return True
        with self._engine.connect() as other, other.begin():
            same = _row(other, _SESSION, self._route)[0] == session
            return same or self._session_of(connection) != session

    def _session_of(self, connection: Connection) -> int:
        with connection.begin():
            return int(_row(connection, _SESSION, self._route)[0])


POOLED = (
    "DATABASE_URL: a connection pooler in front of PostgreSQL shares sessions between clients (transaction mode), "
    "so that two reconcilers could work at the same time: name the server itself, or a pool in session mode"
)
_KEY = "hashtext('reconciler'), hashtext(:route)"
KEEPALIVES = (
    "set_config('tcp_keepalives_idle', '10', false), "
    "set_config('tcp_keepalives_interval', '5', false), set_config('tcp_keepalives_count', '3', false)"
)
"""SQL: let the server notice within half a minute when our host is gone."""
_TAKE = text(f"SELECT pg_try_advisory_lock({_KEY}), {KEEPALIVES}")
_TRY = text(f"SELECT pg_try_advisory_xact_lock({_KEY})")
"""Query: whether the lock is free."""
_SESSION = text("""
    SELECT pg_backend_pid(), EXISTS (
        SELECT FROM pg_locks
        WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid()
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND (classid, objid, objsubid) = (hashtext('reconciler')::oid, hashtext(:route)::oid, 2)
    )
""")
"""Query: our session's number, and whether that session has the lock."""


def _row(connection: Connection, statement: TextClause, values: dict[str, str]) -> tuple[Any, ...]:
    return tuple(connection.execute(statement, values).one())


def lock_for(url: str, route: str = "default") -> Lock:
    """The lock that goes with this database."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        return FileLock(Path(address.database or ""))
    return AdvisoryLock(url, route)
