"""Databases of several routes whose pairs are in step with the canned vendors, and evenly swept until now."""

from datetime import datetime, timedelta

from sqlalchemy import text, update

from benchmarks.routes.file import name_of
from benchmarks.routes.vendor import CannedRoutes
from reconciler.core.model import AlertBaseline, IncidentBaseline, Pair, Side, Status
from reconciler.store.cursors import LogMark, Origin
from reconciler.store.database import Database, open_database
from reconciler.store.migrate import upgrade
from reconciler.store.schema import actions, pairs
from tests.support.canned import alert_id, incident_id
from tests.support.seed import _actions

_COPIED = {
    "route": "'r' || lpad((n % :routes)::text, 3, '0')",
    "alert_id": "lpad(to_hex(n), 8, '0') || right(alert_id, -8 - 13) || (1763000000000 + n)",
    "tiny_id": "n::text",
    "incident_id": "'Q' || lpad(n::text, 13, '0')",
    "incident_number": "n + 1",
    "opsgenie": "replace(opsgenie, :stamp, to_char("
    'CAST(:first AS timestamp) + n * CAST(:step AS interval), \'YYYY-MM-DD"T"HH24:MI:SS.US"Z"\'))',
    "title": "'disk ' || n || ' is filling up'",
    "next_look_at": "swept_at + (n + 1) * CAST(:every AS interval)",
}
"""What the copies of the first pair have of their own, as SQL. `n` is the number of the copy."""


def seed(url: str, vendor: CannedRoutes, now: datetime, sweep_interval: float) -> None:
    """Write every pair, with its page."""
    database = open_database(url)
    upgrade(database)
    for route in range(vendor.routes):
        _seed_route(database.for_route(name_of(route)), vendor, route, now, sweep_interval)
    database.close()


def seed_many(url: str, vendor: CannedRoutes, now: datetime, sweep_interval: float) -> None:
    """The same on PostgreSQL, by copies of the first pair, its page and one note on each side."""
    database = open_database(url)
    upgrade(database)
    for route in range(vendor.routes):
        _positions(database.for_route(name_of(route)), vendor, now)
    with database.for_route(name_of(0)).writing() as unit:
        unit.snapshot.save_pairs([_pair(0, vendor, now, sweep_interval)])
        unit.snapshot.save_notes((alert_id(0), side, f"N0{side}") for side in Side)
        unit.outbox.add(_actions(0, vendor)[:1], now)
        unit.outbox.connection.execute(update(actions).values(status=Status.DONE.value, settled_at=now))
    given = {
        "routes": vendor.routes,
        "most": vendor.pairs - 1,
        "step": timedelta(milliseconds=vendor.step),
        "every": timedelta(seconds=sweep_interval / vendor.pairs),
        "first": vendor.created(0).replace(tzinfo=None),
        "stamp": vendor.created(0).isoformat().replace("+00:00", "Z"),
    }
    raw = database.for_route(name_of(0))
    with raw.connected(immediate=True) as connection:
        connection.execute(text(_copies("pairs", [each.name for each in pairs.columns])), given)
        of_page = [each.name for each in actions.columns if each.name != "id"]
        connection.execute(text(_copies("actions", of_page, key="alert_id || ' create'")), given)
        connection.execute(text(_copies("notes", ["route", "alert_id", "side", "note_id"])), given)
    with raw.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    database.close()


def _copies(table: str, columns: list[str], key: str = "") -> str:
    """The statement that copies the rows of the first pair."""
    own = {name: value for name, value in _COPIED.items() if name in columns}
    if key:
        own |= {"key": key.replace("alert_id", own["alert_id"]), "result_id": _COPIED["incident_id"]}
    values = ", ".join(own.get(name, name) for name in columns)
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} "  # noqa: S608 - names of our own columns
        f"FROM {table}, generate_series(1, :most) AS n"
    )


def _seed_route(
    database: Database, vendor: CannedRoutes, route: int, now: datetime, sweep_interval: float
) -> None:
    numbers = range(route, vendor.pairs, vendor.routes)
    with database.writing() as unit:
        unit.snapshot.save_pairs(_pair(number, vendor, now, sweep_interval) for number in numbers)
        unit.outbox.add((_actions(number, vendor)[0] for number in numbers), now)
    with database.writing() as unit:
        unit.outbox.connection.execute(update(actions).values(status=Status.DONE.value, settled_at=now))
    _positions(database, vendor, now)


def _positions(database: Database, vendor: CannedRoutes, now: datetime) -> None:
    begun = vendor.created(-1)
    with database.writing() as unit:
        unit.cursors.save(
            origin=Origin(begun, begun), query=f"tag: t{database.route[1:]}", alerts=now, pagerduty=LogMark(now),
            sweep=now, polled_alerts=now, polled_pagerduty=now,
        )  # fmt: skip


def _pair(number: int, vendor: CannedRoutes, now: datetime, sweep_interval: float) -> Pair:
    left = timedelta(seconds=sweep_interval * (number + 1) / vendor.pairs)
    return Pair(
        alert_id(number), str(number), tracked=True,
        alerts=AlertBaseline(open=True, acknowledged=False, updated_at=vendor.created(number)),
        incident_id=incident_id(number), incident_number=number + 1, pagerduty=IncidentBaseline("triggered"),
        swept_at=now, title=f"disk {number} is filling up", next_look_at=now + left,
    )  # fmt: skip
