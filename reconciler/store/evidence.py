"""Queries for `doctor`: what was written last, whether a reconciler is at work, whether this user may write."""

import os
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import bindparam, func, select, text

from reconciler.core.model import Kind, Status
from reconciler.errors import Misconfigured
from reconciler.store.address import file_of
from reconciler.store.database import UnitOfWork, open_database
from reconciler.store.files import check_owner, check_private
from reconciler.store.lock import FileLock, lock_is_free
from reconciler.store.schema import actions

_WRITTEN = select(func.max(actions.c.settled_at)).where(
    actions.c.route == bindparam("of"),
    actions.c.status == Status.DONE.value,
    actions.c.sent_at.is_not(None),
    actions.c.kind.in_(bindparam("kinds", expanding=True)),
)
_MAY_WRITE = text(
    "SELECT NOT pg_is_in_recovery() AND CASE WHEN to_regclass('actions') IS NULL "
    "THEN has_schema_privilege(current_schema(), 'CREATE') ELSE has_table_privilege('actions', 'INSERT') "
    "AND has_table_privilege('actions', 'UPDATE') AND has_table_privilege('pairs', 'UPDATE') END"
)


def last_written(unit: UnitOfWork, kinds: Iterable[Kind]) -> datetime | None:
    """When a write of one of these kinds was last known to have succeeded."""
    given = {"of": unit.snapshot.route, "kinds": [kind.value for kind in kinds]}
    found: datetime | None = unit.snapshot.connection.execute(_WRITTEN, given).scalar()
    return found


def is_at_work(url: str) -> bool | None:
    """Whether a reconciler works on this database now; None if that cannot be seen from here."""
    file = file_of(url)
    if file is None:
        return None
    if not FileLock(file).path.exists():
        return False
    with lock_is_free(file) as is_free:
        return not is_free


def obstacle(url: str) -> str:
    """Why this user may not write to the database, found without a write; empty if nothing speaks against it."""
    file = file_of(url)
    if file is not None:
        try:
            check_owner(file)
            check_private(FileLock(file).path)
        except Misconfigured as error:
            return str(error).removeprefix("DATABASE_URL: ")
        unwritable = [each for each in (file.parent, file) if each.exists() and not os.access(each, os.W_OK)]
        return f"{unwritable[0]} may not be written to" if unwritable else ""
    database = open_database(url)
    with database.reading() as unit:
        may_write = unit.snapshot.connection.execute(_MAY_WRITE).scalar()
    database.close()
    return "" if may_write else "its user may not write, or the server is a read-only replica"
