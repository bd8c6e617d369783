"""What all routes of the database have in common: queries that are not bound to one route."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from sqlalchemy import bindparam, func, select, union

from reconciler.store.database import UnitOfWork
from reconciler.store.schema import actions, leader, pairs, work
from reconciler.store.statements import chunks

_KEYS: Any = bindparam("keys", expanding=True)
_OWNERS = union(
    select(pairs.c.alert_id, pairs.c.route).where(pairs.c.alert_id.in_(_KEYS)),
    select(work.c.alert_id, work.c.route).where(work.c.alert_id.in_(_KEYS)),
)
_FOLLOWED = select(pairs.c.incident_id).where(pairs.c.incident_id.in_(_KEYS)).distinct()
_OPEN = select(pairs.c.route, func.count()).where(pairs.c.route.in_(_KEYS), pairs.c.open).group_by(pairs.c.route)

_MARKS = select(actions.c.mark).where(
    actions.c.route.in_(select(leader.c.route).where(leader.c.route != bindparam("but"))),
    actions.c.alert_id == bindparam("of"),
    actions.c.mark != "",
)


def owners(unit: UnitOfWork, alert_ids: Collection[str]) -> dict[str, frozenset[str]]:
    """Names of the routes that have taken in each of these alerts; alerts that none has are left out.

    One has taken in what it has a pair for, or what waits in its work queue to become one.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for some in chunks(alert_ids):
        for row in unit.snapshot.connection.execute(_OWNERS, {"keys": some}):
            found[row.alert_id].add(row.route)
    return {alert_id: frozenset(routes) for alert_id, routes in found.items()}


def followed(unit: UnitOfWork, incident_ids: Collection[str]) -> set[str]:
    """Those of these incidents that a pair of any route follows."""
    connection = unit.snapshot.connection
    return {
        incident_id
        for some in chunks(incident_ids)
        for incident_id in connection.execute(_FOLLOWED, {"keys": some}).scalars()
    }


def open_pairs(unit: UnitOfWork, routes: Collection[str]) -> dict[str, int]:
    """Number of open pairs of each of these routes."""
    connection = unit.snapshot.connection
    counted = {
        route: count for some in chunks(routes) for route, count in connection.execute(_OPEN, {"keys": some})
    }
    return {route: counted.get(route, 0) for route in routes}


def marks(unit: UnitOfWork, alert_id: str) -> set[str]:
    """The marks of all writes that other routes have made for this alert."""
    given = {"of": alert_id, "but": unit.snapshot.route}
    return set(unit.snapshot.connection.execute(_MARKS, given).scalars())
