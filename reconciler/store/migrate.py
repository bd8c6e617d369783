"""Schema migrations, forwards only. A database of a newer version is refused and left as it is."""

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from reconciler.errors import Misconfigured
from reconciler.store.database import Database, current_revision, down
from reconciler.store.schema import REVISION

if TYPE_CHECKING:
    from alembic.config import Config


def upgrade(database: Database) -> str:
    """Migrate and return the revision. Misconfigured when the database comes from a newer version."""
    if check(database) == REVISION:
        return REVISION
    from alembic import command  # noqa: PLC0415 - half a second, needed once in a schema's life

    config = _config()
    try:
        with database.engine.connect() as connection, connection.begin():
            if connection.dialect.name == "postgresql":  # one at a time; on SQLite the transaction ensures that
                connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('reconciler migration'))"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except DBAPIError as error:
        raise down(error) from error
    return REVISION


def check(database: Database) -> str | None:
    """The database's revision, read without changing it. Misconfigured when this version does not know it."""
    return known(current_revision(database))


def known(found: str | None) -> str | None:
    """The same revision. Misconfigured when this version does not know it."""
    if found in (None, REVISION):
        return found
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - half a second, needed once in a schema's life

    if found not in {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}:
        raise Misconfigured(
            f"DATABASE_URL: its schema is at revision {found}, which this version does not know "
            f"(its newest is {REVISION}): run the newer version, or name another database"
        )
    return found


def _config() -> "Config":
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(location()).replace("%", "%%"))
    return config


def location() -> Path:
    """The directory of the migrations: inside the package in a wheel, beside it in a clone."""
    packaged = Path(str(resources.files("reconciler"))) / "_migrations"
    return packaged if packaged.is_dir() else packaged.parent.parent / "migrations"
