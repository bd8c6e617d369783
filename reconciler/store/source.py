"""The product whose alerts a database mirrors. A database of another product is refused and left as it is."""

from pathlib import Path

from sqlalchemy import Engine, bindparam, inspect, select
from sqlalchemy.exc import DBAPIError

from reconciler.core.product import OPSGENIE, PRODUCTS
from reconciler.errors import Misconfigured
from reconciler.store.address import is_blank
from reconciler.store.database import Database, down
from reconciler.store.read_only import untouching
from reconciler.store.schema import cursors

_POSITIONS = select(cursors.c.name, cursors.c.value).where(
    cursors.c.route == bindparam("of"), cursors.c.name.in_(("origin", "source"))
)


class OtherSource(Misconfigured):
    """The database mirrors the alerts of another product than ALERT_SOURCE names."""


def check_source(database: Database, wanted: str, route: str = "") -> None:
    """OtherSource if the database mirrors the alerts of another product. `route`: see `other_source`."""
    found = source_of(database)
    if found not in (None, wanted):
        raise OtherSource(other_source(found or "", wanted, route))


def other_source(found: str, wanted: str, route: str = "") -> str:
    """What is said of a database of another product, and what to do. `route` is its name in ROUTES_FILE."""
    product, other = (PRODUCTS[key].name if key in PRODUCTS else key for key in (found, wanted))
    if route:
        return (
            f"ALERT_SOURCE: of route {route} it is {wanted}, and this database mirrors {product}'s alerts for it; "
            f"run `reconciler migrate --to {wanted} --route {route}` to move it to {other}, or write "
            f'alert_source = "{found}" into [routes.{route}]'
        )
    return (
        f"ALERT_SOURCE: it is {wanted}, and this database mirrors {product}'s alerts; run "
        f"`reconciler migrate --to {wanted}` to move it to {other}, or set ALERT_SOURCE={found}"
    )


def source_of(database: Database) -> str | None:
    """The value of ALERT_SOURCE that the database belongs to, whatever its schema's revision.

    None if it has not seen a first start: then it belongs to no product yet. DatabaseDown if it cannot be read.
    """
    name = database.engine.url.database if database.engine.dialect.name == "sqlite" else None
    if name is None:
        return _source_in(database.engine, database.route)
    file = Path(name).absolute()
    if is_blank(file):
        return None
    engine = untouching(file)
    try:
        return _source_in(engine, database.route)
    finally:
        engine.dispose()


def _source_in(engine: Engine, route: str) -> str | None:
    try:
        with engine.connect() as connection:
            if not inspect(connection).has_table(cursors.name):
                return None
            stored = {row.name: row.value for row in connection.execute(_POSITIONS, {"of": route})}
    except DBAPIError as error:
        raise down(error) from error
    if "source" in stored:
        return str(stored["source"])
    return OPSGENIE.key if "origin" in stored else None
