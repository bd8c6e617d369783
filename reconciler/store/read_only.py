"""Read-only access to the database: it is never created, migrated or written to."""

import atexit
import shutil
import weakref
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import StaticPool

from reconciler.errors import Misconfigured
from reconciler.store.address import file_of, is_blank
from reconciler.store.database import Database, reading_engine, revision_of
from reconciler.store.lock import lock_is_free
from reconciler.store.migrate import known
from reconciler.store.schema import REVISION, metadata


def open_read_only(url: str) -> Database:
    """The database as it is, for a dry run. Misconfigured if its schema is not of this version.

    If there is none yet, an empty database in memory replaces it: the plan is that of a first start.
    """
    file = file_of(url)
    if file is None:
        engine = create_engine(url, connect_args={"options": "-c default_transaction_read_only=on"})
    elif is_blank(file):
        return in_memory()
    else:
        engine = untouching(file)
    database = _closed_with_its_last_user(engine)
    return database if _has_tables(engine) else in_memory()


def untouching(file: Path) -> Engine:
    """An engine that reads the database and changes no file beside it, unless another process works on it."""
    return _copied(file) or reading_engine(file)


def _copied(file: Path) -> Engine | None:
    """A copy of the database if a killed process has left a journal, because reading that changes files beside it.

    None if there is no such journal, another process works on the database, or there is no room for a copy.
    """
    journal = file.with_name(file.name + "-wal")
    if not journal.exists():
        return None
    with lock_is_free(file) as alone, suppress(OSError):
        if alone:
            folder = TemporaryDirectory(prefix="reconciler-")
            atexit.register(folder.cleanup)
            for each in (file, journal):
                shutil.copyfile(each, Path(folder.name) / each.name)
            return reading_engine(Path(folder.name) / file.name)
    return None


def _has_tables(engine: Engine) -> bool:
    found = known(revision_of(engine))
    if found is not None and found != REVISION:
        raise Misconfigured(
            f"DATABASE_URL: its schema is at revision {found}, this program needs {REVISION}: "
            "run `reconciler db upgrade` first"
        )
    return found is not None


def in_memory() -> Database:
    """An empty database in memory."""
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    metadata.create_all(engine)
    return _closed_with_its_last_user(engine)


def _closed_with_its_last_user(engine: Engine) -> Database:
    """Commands read for a moment, in many places: so none of them has to close it."""
    database = Database(engine)
    weakref.finalize(database, engine.dispose)
    return database
