"""The routes that a database knows: which there are, and which of them the file of routes names no more."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, text

from reconciler.errors import Misconfigured
from reconciler.store.database import DEFAULT_ROUTE, Database
from reconciler.store.schema import cursors

REMOVED = "removed"
"""The cursor of a route that was taken out of ROUTES_FILE: when that was, in ISO 8601."""
_MOST_NAMED = 20
"""The most routes that an error names."""

# `pairs` is the one large table: its names are found by one step of its index each, not by reading it.
_NAMES = text("""
    WITH RECURSIVE of_pairs(route) AS (
        SELECT min(route) FROM pairs
        UNION ALL
        SELECT (SELECT min(route) FROM pairs WHERE pairs.route > of_pairs.route) FROM of_pairs
        WHERE of_pairs.route IS NOT NULL
    )
    SELECT route FROM of_pairs WHERE route IS NOT NULL
    UNION SELECT route FROM cursors
    UNION SELECT route FROM leader
""")
_REMOVED = select(cursors.c.route, cursors.c.value).where(cursors.c.name == REMOVED)


@dataclass(frozen=True, slots=True)
class StoredRoutes:
    """The routes of one database, in the order of their names; never none.

    `database` is kept open here: the routes share its connections. `removed` is since when a route is in no file.
    """

    database: Database
    names: tuple[str, ...]
    removed: dict[str, datetime]

    @property
    def are_several(self) -> bool:
        """Whether anything but the route of the variables has worked on the database."""
        return self.names != (DEFAULT_ROUTE,)

    def of(self, name: str) -> Database:
        """One route's database."""
        return self.database if name == self.database.route else self.database.for_route(name)

    def each(self) -> tuple[Database, ...]:
        """Every route's database."""
        return tuple(map(self.of, self.names))

    def chosen(self, name: str | None) -> tuple[str, ...]:
        """The route of this name, or all for None. Misconfigured if the database does not know it."""
        if name is not None and name not in self.names:
            raise Misconfigured(f"--route: {name}: no such route in this database; it knows {listed(self.names)}")
        return self.names if name is None else (name,)

    def one(self, name: str | None, command: str) -> Database:
        """The route of this name, or the only one for None. Misconfigured if the database knows several."""
        found = self.chosen(name)
        if len(found) > 1:
            raise Misconfigured(f"{command}: name the route with --route: {listed(found)}")
        return self.of(found[0])


def stored_routes(database: Database, also: Collection[str] = ()) -> StoredRoutes:
    """The routes that the database knows; `also` are those of the file, which may not have begun yet."""
    with database.connected(immediate=False) as connection:
        found = {*routes_in(connection), *also}
        return StoredRoutes(database, tuple(sorted(found)) or (DEFAULT_ROUTE,), removed_in(connection))


def routes_in(connection: Connection) -> tuple[str, ...]:
    """The names of the routes that have led or hold anything, in their order."""
    return tuple(sorted(connection.execute(_NAMES).scalars()))


def removed_in(connection: Connection) -> dict[str, datetime]:
    """The routes that the file names no more, each with the time at which it was taken out.

    A time that cannot be read is not counted: the route is then shown as one that nobody polls.
    """
    found = {row.route: _moment(row.value) for row in connection.execute(_REMOVED)}
    return {route: at for route, at in found.items() if at is not None}


def listed(names: Collection[str]) -> str:
    """The names of routes in one phrase, shortened."""
    shown = list(names)[:_MOST_NAMED]
    left = len(names) - len(shown)
    return ", ".join(shown) + (f" and {left} more" if left else "")


def _moment(value: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None
