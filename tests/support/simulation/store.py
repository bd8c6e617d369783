"""The product's own store over a database in memory, which outlives crashes of the program until it is lost.

Every writing transaction is a step of the world, named after its caller.
"""

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import PoolProxiedConnection, StaticPool

from reconciler.store.database import Database, UnitOfWork, open_database
from reconciler.store.migrate import upgrade
from reconciler.store.schema import metadata

_NAMES = {
    ("reconciler.sources.intake", "accept"): "db.intake",
    ("reconciler.reconcile.commit", "_write"): "db.plan",
    ("reconciler.reconcile.commit", "flush"): "db.kept",
    ("reconciler.sources.sweep", "apply"): "db.kept",
    ("reconciler.reconcile.delivery_action", "_write"): "db.sent",
    ("reconciler.reconcile.delivery_action", "_succeeded"): "db.accepted",
    ("reconciler.reconcile.delivery_action", "_settle"): "db.settled",
}
"""Kinds of transactions by caller. Every other one records the outcome of a failed write."""


@cache
def _template() -> sqlite3.Connection:
    """An empty database, migrated once by the product's own migrations."""
    with TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{folder}/template.db")
        upgrade(database)
        database.close()
        memory, file = sqlite3.connect(":memory:"), sqlite3.connect(Path(folder) / "template.db")
        file.backup(memory)
        file.close()
    return memory


class _Shelf:
    """The in-memory database of the current history, kept alive by a connection of its own."""

    def __init__(self) -> None:
        self._number = 0
        self._keeper: sqlite3.Connection | None = None

    def put_empty(self) -> None:
        """Replace the database by an empty, migrated one."""
        if self._keeper is not None:
            self._keeper.close()
        self._number += 1
        self._keeper = self.connect()
        _template().backup(self._keeper)

    def connect(self) -> sqlite3.Connection:
        """Connect as the product's engine does."""
        name = f"file:simulation{self._number}?mode=memory&cache=shared"
        made = sqlite3.connect(name, uri=True, isolation_level=None, check_same_thread=False)
        made.execute("PRAGMA foreign_keys=ON")
        return made


_SHELF = _Shelf()


@cache
def _engine() -> Engine:
    """One engine for all histories, which keeps its compiled statements; like the product's own, but in memory.

    Transactions begin without an event: one listener makes SQLAlchemy look for listeners at each statement.
    """
    engine = create_engine("sqlite://", creator=_SHELF.connect, poolclass=StaticPool)
    engine.dialect.do_begin = _begin  # type: ignore[method-assign]
    return engine


def _begin(dbapi_connection: PoolProxiedConnection) -> None:
    dbapi_connection.cursor().execute("BEGIN")


class SimDatabase(Database):
    """The product's Database; `step` is called for each commit and returns the fault to inject."""

    def __init__(self, step: Callable[[str], str], gone: Callable[[], bool], engine: Engine | None = None) -> None:
        super().__init__(engine or _engine())
        self._step = step
        self._gone = gone
        self.lose()

    def lose(self) -> None:
        """Lose all data, as when a person deletes the file: an empty database takes its place."""
        self.engine.dispose()
        _SHELF.put_empty()

    def copy(self) -> sqlite3.Connection:
        """A backup."""
        kept = sqlite3.connect(":memory:")
        self._raw().backup(kept)
        return kept

    def restore(self, kept: sqlite3.Connection) -> None:
        """Restore a backup."""
        kept.backup(self._raw())

    @contextmanager
    def reading(self) -> Iterator[UnitOfWork]:
        """As the product's."""
        with super().reading() as unit:
            if self._gone():
                raise _down("unable to open database file")
            yield unit

    @contextmanager
    def writing(self) -> Iterator[UnitOfWork]:
        """As the product's, a step of the world."""
        caller = sys._getframe(2)
        fault = self._step(_NAMES.get((caller.f_globals["__name__"], caller.f_code.co_name), "db.doubt"))
        with super().writing() as unit:
            if fault == "busy" or self._gone():
                raise _down("database is locked")
            yield unit
            if fault == "crash_before":
                raise Crash
            if fault == "full":
                raise _down("database or disk is full")
            if fault == "lost":
                raise Lost
        if fault == "crash_after":
            raise Crash

    @contextmanager
    def read_only(self) -> Iterator[Database]:
        """The same database for a dry run: a write would fail."""
        connection = self.engine.raw_connection()
        connection.cursor().execute("PRAGMA query_only=ON")
        try:
            yield Database(self.engine)
        finally:
            connection.cursor().execute("PRAGMA query_only=OFF")
            connection.close()

    def content(self) -> str:
        """Everything in it."""
        return "\n".join(self._raw().iterdump())

    def _raw(self) -> sqlite3.Connection:
        return self.engine.raw_connection().driver_connection  # type: ignore[return-value]


class ServerDatabase(SimDatabase):
    """The same over a server's database, which loses the rows of its tables."""

    def lose(self) -> None:
        """Delete the rows of every table."""
        names = ", ".join(table.name for table in metadata.sorted_tables)
        with self.engine.begin() as connection:
            connection.exec_driver_sql(f"TRUNCATE {names} RESTART IDENTITY")


class Crash(BaseException):
    """A crash of the process. It is no Exception, so that the product does not catch it."""


class Lost(Crash):
    """A crash of the process together with the loss of its database."""


def _down(words: str) -> OperationalError:
    return OperationalError("…", None, sqlite3.OperationalError(words))
