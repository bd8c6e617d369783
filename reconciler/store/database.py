"""Opening the database, and its transactions. SQLite and PostgreSQL; nothing is cached between transactions.

The process that holds the lock leads. `lead` begins a new epoch, which is the fencing token: from then on every
writing transaction of an earlier leader is refused, even if that process still believes that it holds the lock. A
transaction reads the epoch under a row lock for which the next `lead` waits, so that no commit follows a takeover.
"""

import os
import secrets
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, create_engine, event, inspect, make_url, select, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import StaticPool

from reconciler.errors import Transient
from reconciler.store.address import file_of, is_blank, tcp
from reconciler.store.cursors import Cursors
from reconciler.store.files import OpenedFile, check_owner, create_private
from reconciler.store.group_commit import GroupCommit
from reconciler.store.journal import Journal
from reconciler.store.outbox import Outbox
from reconciler.store.pauses import Pauses
from reconciler.store.schema import leader
from reconciler.store.snapshot import Snapshot
from reconciler.store.stalled import ending_stalled
from reconciler.store.statements import insert_into
from reconciler.store.work import Work

_LEADER = (
    select(leader.c.epoch, leader.c.holder).where(leader.c.route == bindparam("of")).with_for_update(read=True)
)
DEFAULT_ROUTE = "default"
"""The route that the variables configure where there is no ROUTES_FILE."""
BUSY_SECONDS = 10
SESSION_LIMITS = {"lock_timeout": "5s", "idle_in_transaction_session_timeout": "3s"}
"""PostgreSQL settings: our transactions last milliseconds, and a stopped process must not delay a takeover."""
POOL_SIZE = 32
"""Connections kept in the pool, for all routes. More threads may use it: they wait for the milliseconds that the
transactions of others last."""
POOL_SECONDS = 10
"""Seconds that a thread waits for a free connection of the pool."""
_POOL: dict[str, Any] = {"pool_size": POOL_SIZE, "max_overflow": 0, "pool_timeout": POOL_SECONDS}


class DatabaseDown(Transient):
    """The database does not work; nothing may be written to a vendor meanwhile.

    `kind` is the same for the same cause, whichever statement fails; "away" if the database was not reached.
    """

    def __init__(self, message: str, kind: str = "") -> None:
        super().__init__(message)
        self.kind = kind


class Superseded(DatabaseDown):
    """Another process leads now, and this one may no longer write."""


@dataclass(frozen=True, slots=True)
class UnitOfWork:
    """The tables' interfaces within one transaction."""

    snapshot: Snapshot
    outbox: Outbox
    work: Work
    cursors: Cursors
    journal: Journal
    pauses: Pauses


class Database:
    """The database of one route."""

    def __init__(
        self,
        engine: Engine,
        route: str = DEFAULT_ROUTE,
        file: OpenedFile | None = None,
        holder: str = "",
        turn: "threading.Lock | None" = None,
    ) -> None:
        """`holder` names this process; `turn` is that of the routes which write to the same SQLite file."""
        self.engine = engine
        self._file = file
        self.route = route
        self._turn = turn or threading.Lock()
        # SQLite has one writer at a time, and its busy wait sleeps for longer than a write takes.
        self._write = GroupCommit(self._led_in_turn).write if engine.dialect.name == "sqlite" else self._led
        self.holder = holder or f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._epoch: int | None = None
        self._origin: Database | None = None  # kept alive, as a database opened for reading closes with its object

    def for_route(self, route: str) -> "Database":
        """The same database for another route, which shares the connections with this one."""
        made = Database(self.engine, route, self._file, self.holder, self._turn)
        made._origin = self
        return made

    def lead(self) -> int:
        """Begin a new epoch, which ends every earlier one, and return it. Only for the holder of the lock."""
        with self.connected(immediate=True) as connection:
            first = insert_into(leader, connection.dialect.name)
            first = first.values(route=self.route, epoch=1, holder=self.holder)
            following = {"epoch": leader.c.epoch + 1, "holder": self.holder}
            with ending_stalled(self.engine, connection, SESSION_LIMITS["idle_in_transaction_session_timeout"]):
                connection.execute(first.on_conflict_do_update(index_elements=["route"], set_=following))
            epoch, _ = self._leader(connection)
        self._epoch = epoch
        return epoch

    def check_file(self) -> None:
        """DatabaseDown if SQLite's file was removed or replaced while open. What is there now is opened next."""
        if self._file is None or not self._file.is_gone():
            return
        self.engine.dispose()
        self._file.forget()
        raise DatabaseDown(
            f"DATABASE_URL: {self._file.path} was removed or replaced while in use, and what it held is lost with "
            "it: going on with what is there now, as with a lost database",
            "gone",
        )

    @contextmanager
    def reading(self) -> Iterator[UnitOfWork]:
        """A transaction that only reads."""
        with self.connected(immediate=False) as connection:
            yield self._books(connection)

    @contextmanager
    def writing(self) -> Iterator[UnitOfWork]:
        """A transaction that is committed at the end, or leaves nothing behind.

        DatabaseDown if it fails; Superseded if another process has begun to lead since this one did.
        """
        with self._write() as connection:
            yield self._books(connection)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextmanager
    def _led_in_turn(self) -> Iterator[Connection]:
        with self._turn, self._led() as connection:
            yield connection

    @contextmanager
    def _led(self) -> Iterator[Connection]:
        with self.connected(immediate=True) as connection:
            if self._epoch is not None and self._leader(connection) != (self._epoch, self.holder):
                raise Superseded("another reconciler has taken over this database: this one writes nothing more")
            yield connection

    @contextmanager
    def in_turn(self) -> Iterator[Connection]:
        """A writing transaction of any process, which waits for its turn among the routes of an SQLite file."""
        with self._turn, self.connected(immediate=True) as connection:
            yield connection

    @contextmanager
    def connected(self, *, immediate: bool) -> Iterator[Connection]:
        """A transaction of any process, whether it leads or not."""
        try:
            with self.engine.connect() as opened:
                connection = opened.execution_options(immediate=immediate)
                with connection.begin():
                    yield connection
        except DBAPIError as error:
            self.engine.dispose()  # the session may be the cause: it is read-only, or its file is gone
            raise down(error) from error
        except PoolTimeout as error:
            raise DatabaseDown(
                f"DATABASE_URL: the database does not answer: all {POOL_SIZE} connections have been in use for "
                f"{POOL_SECONDS} s: look for a lock, a slow disk or an overloaded server",
                "away",
            ) from error

    def _leader(self, connection: Connection) -> tuple[int, str]:
        row = connection.execute(_LEADER, {"of": self.route}).one_or_none()
        return (row.epoch, row.holder) if row else (0, "")

    def _books(self, connection: Connection) -> UnitOfWork:
        return UnitOfWork(
            Snapshot(connection, self.route),
            Outbox(connection, self.route),
            Work(connection, self.route),
            Cursors(connection, self.route),
            Journal(connection, self.route),
            Pauses(connection, self.route),
        )


def open_database(url: str) -> Database:
    """The database for reading and writing; a missing SQLite file is created. The schema is not migrated here."""
    file = file_of(url)
    if file is None:
        return Database(_postgresql(url))
    opened = OpenedFile(file)
    return Database(_sqlite(url, opened), file=opened)


def current_revision(database: Database) -> str | None:
    """The schema's revision; None for a database without our tables."""
    name = database.engine.url.database if database.engine.dialect.name == "sqlite" else None
    if name is None:
        return revision_of(database.engine)
    # An SQLite file is read through a connection that cannot write: merely opening it for writing changes it.
    file = Path(name).absolute()
    if is_blank(file):
        return None
    engine = reading_engine(file)
    try:
        return revision_of(engine)
    finally:
        engine.dispose()


def revision_of(engine: Engine) -> str | None:
    """The revision that the database records; None if it records none."""
    try:
        with engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    except DBAPIError as error:
        raise down(error) from error


def down(error: DBAPIError) -> DatabaseDown:
    """The error as one line in the driver's words, without the statement and its values."""
    said = str(error.orig).strip().splitlines()
    line = said[0] if said else type(error.orig).__name__
    away = error.connection_invalidated or (error.statement is None and not isinstance(error.orig, sqlite3.Error))
    kind = "cannot be reached" if away else "cannot be used now"
    if not isinstance(error, OperationalError):
        kind = "refused a statement"
    cause = getattr(error.orig, "sqlite_errorname", type(error.orig).__name__)
    return DatabaseDown(f"DATABASE_URL: the database {kind}: {line}", "away" if away else cause)


def reading_engine(file: Path) -> Engine:
    """An engine for the file's content, through a connection that cannot write."""
    # A WAL database without a live WAL is opened as immutable, so that not even a shared-memory file appears.
    immutable = "" if file.with_name(file.name + "-wal").exists() else "&immutable=1"
    return create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(
            f"{file.as_uri()}?mode=ro{immutable}", uri=True, check_same_thread=False, isolation_level=None
        ),
        poolclass=StaticPool,
    )


def _postgresql(url: str) -> Engine:
    engine = create_engine(url, pool_pre_ping=True, connect_args=tcp(url), **_POOL)

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        for name, value in SESSION_LIMITS.items():
            connection.execute("SELECT set_config(%s, %s, false)", (name, value))
        connection.commit()

    return engine


def _sqlite(url: str, file: OpenedFile) -> Engine:
    timeout = {} if "timeout" in make_url(url).query else {"timeout": BUSY_SECONDS}
    engine = create_engine(url, connect_args=timeout, **_POOL)

    @event.listens_for(engine, "do_connect")
    def _connects(*_: Any) -> None:
        create_private(file.path)
        check_owner(file.path)

    # The driver's own transactions lose updates and do not roll DDL back: begin by hand, immediately.
    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        file.opened()

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        at_once = connection.get_execution_options().get("immediate", True)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if at_once else "BEGIN")

    return engine
