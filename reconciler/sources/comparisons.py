"""Comparison of lists and single incidents with the snapshot in the database: see `core.listings`."""

from collections.abc import Collection
from datetime import datetime

from reconciler.core.listings import Bounds, absent, compare_alerts, compare_incidents
from reconciler.core.model import Alert, Incident, Side
from reconciler.core.work import Reason, WorkItem
from reconciler.errors import ObjectError
from reconciler.store.database import Database
from reconciler.vendors.ports import PagerDutyReader


def of_alerts(database: Database, rows: Collection[Alert], bounds: Bounds, reason: Reason) -> list[WorkItem]:
    """Items for these alerts. One that waits in the work queue to be recorded as a baseline is none of them."""
    if not rows:
        return []
    with database.reading() as unit:
        pairs = unit.snapshot.pairs([row.id for row in rows])
        baselines = unit.work.baselines([row.id for row in rows if row.id not in pairs])
    return compare_alerts([row for row in rows if row.id not in baselines], pairs, bounds, reason)


def of_incidents(database: Database, rows: Collection[Incident], now: datetime, reason: Reason) -> list[WorkItem]:
    """Items for these incidents."""
    if not rows:
        return []
    with database.reading() as unit:
        ours = unit.snapshot.pairs_of_incidents([row.id for row in rows])
        keyed = unit.snapshot.pairs([row.key for row in rows if row.key])
    return compare_incidents(rows, ours, keyed, now, reason)


def of_vanished(database: Database, alert_ids: Collection[str], now: datetime) -> list[WorkItem]:
    """Items for open pairs whose alerts the feed's lists no longer show, for whatever reason."""
    if not alert_ids:
        return []
    with database.reading() as unit:
        pairs = unit.snapshot.pairs(alert_ids)
    return absent(Side.ALERTS, pairs.values(), now)


def of_absent(
    database: Database, side: Side, listed: Collection[str], now: datetime, reason: Reason
) -> list[WorkItem]:
    """Items for pairs that are open in the snapshot and were not in a listing of everything open on that side."""
    with database.reading() as unit:
        ids = unit.snapshot.open_ids(side)
        missed = unit.snapshot.pairs([alert_id for alert_id, own in ids.items() if own not in listed])
    return absent(side, missed.values(), now, reason)


def of_stranger(
    reader: PagerDutyReader, database: Database, incident_id: str, now: datetime, reason: Reason
) -> list[WorkItem]:
    """Items for an incident that no pair follows: it may have the key of an alert of ours.

    An incident that is gone, or that the key may not see, gives no item and is no problem.
    """
    try:
        found = reader.incident(incident_id)
    except ObjectError:
        return []
    return of_incidents(database, [found], now, reason)
