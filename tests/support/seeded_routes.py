"""A database with several routes: "shop" is in step, "search" has a dead note, "legacy" was removed."""

from dataclasses import replace
from datetime import UTC, datetime

from reconciler.core.model import Kind, Settlement, Status
from reconciler.core.sharing import Pod
from reconciler.store.cursors import LogMark, Origin
from reconciler.store.database import Database
from reconciler.store.routes import REMOVED
from reconciler.store.schema import cursors
from reconciler.store.statements import upsert
from tests.support.builders import action, at, pair

SHOP, SEARCH, LEGACY = "shop", "search", "legacy"
REMOVED_AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
SHARED_ID = "a-1"
"""An alert that two routes follow."""


def with_routes(database: Database) -> None:
    """Write the three routes."""
    for route in (SHOP, SEARCH, LEGACY):
        at_work(database, route)
    follow(database, SHOP, "a-1", "17")
    follow(database, SHOP, "a-2", "18")
    follow(database, SEARCH, "a-1", "17")
    follow(database, SEARCH, "a-3", "19")
    dead_note(database, SEARCH, "a-3")
    planned_note(database, LEGACY, "a-9")
    mark_removed(database, LEGACY)


def at_work(database: Database, route: str) -> None:
    """A route that polls."""
    own, now = database.for_route(route), datetime.now(UTC)
    own.lead()
    with own.writing() as unit:
        unit.cursors.save(
            origin=Origin(now, now), query="", alerts=now, pagerduty=LogMark(now), sweep=now,
            polled_alerts=now, polled_pagerduty=now,
        )  # fmt: skip


def follow(database: Database, route: str, alert_id: str, tiny_id: str) -> None:
    """An open pair."""
    made = pair(alert_id=alert_id, tiny_id=tiny_id, swept_at=at(0), incident_id=f"P{alert_id}")
    with database.for_route(route).writing() as unit:
        unit.snapshot.save_pairs([replace(made, incident_number=int(tiny_id) + 100)])


def planned_note(database: Database, route: str, alert_id: str) -> int:
    """A note that waits; its number in the outbox."""
    note = action(Kind.PAGERDUTY_NOTE, alert_id=alert_id, key=f"{route} {alert_id}")
    with database.for_route(route).writing() as unit:
        unit.outbox.add([note], datetime.now(UTC))
        (stored,) = unit.outbox.of([alert_id])[alert_id]
    return stored.id


def dead_note(database: Database, route: str, alert_id: str) -> None:
    """A note that was given up."""
    number = planned_note(database, route, alert_id)
    with database.for_route(route).writing() as unit:
        unit.outbox.settle(Settlement(number, Status.DEAD, "too long"), datetime.now(UTC))


def mark_removed(database: Database, route: str, when: str = REMOVED_AT.isoformat()) -> None:
    """Note that the route was taken out of the file."""
    with database.connected(immediate=True) as connection:
        upsert(connection, cursors, [{"route": route, "name": REMOVED, "value": when}])


def pod(name: str, routes: int) -> Pod:
    """A process that leads so many routes."""
    return Pod(name, 1, at(0), 0.1, routes, "")
