"""A database with many alerts that were raised, paged and commented on, written directly."""

import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from sqlalchemy import update

from reconciler.core.model import Action, AlertBaseline, IncidentBaseline, Kind, Pair, Side, Status
from reconciler.store.cursors import LogMark, Origin
from reconciler.store.database import open_database
from reconciler.store.migrate import upgrade
from reconciler.store.schema import actions
from tests.support.canned import Canned, alert_id, incident_id

CHUNK = 5000
SWEEP = 300.0
"""The default of SWEEP_INTERVAL_SECONDS."""
LINK = "https://app.opsgenie.com/alert/detail"
BODY = "Priority: P3\nAlert: {link}/{id}/details\nSource: nagios\nTags: disk\n\n" + "x" * 150
NOTE = "[Opsgenie · Ana Ruiz · 2026-11-23 09:14:05.123Z] Is anybody looking at this? It fills up by the minute."


def seed(file: Path, canned: Canned, now: datetime, sweep_interval: float = SWEEP) -> None:
    """Write an open pair for each of the vendor's, with its page and one mirrored note, evenly swept until now."""
    database = open_database(f"sqlite:///{file}")
    upgrade(database)
    for start in range(0, canned.pairs, CHUNK):
        numbers = range(start, min(start + CHUNK, canned.pairs))
        with database.writing() as unit:
            unit.snapshot.save_pairs(_pair(number, canned, now, sweep_interval) for number in numbers)
            unit.snapshot.save_notes(
                (alert_id(number), side, f"N{number}{side}") for number in numbers for side in Side
            )
            unit.outbox.add((action for number in numbers for action in _actions(number, canned)), now)
    with database.writing() as unit:
        unit.outbox.connection.execute(update(actions).values(status=Status.DONE.value, settled_at=now))
        begun = canned.created(-1)
        unit.cursors.save(
            origin=Origin(begun, begun), query="", alerts=now, pagerduty=LogMark(now), sweep=now,
            polled_alerts=now, polled_pagerduty=now,
        )  # fmt: skip
    database.close()


@cache
def _keep() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="bench-seed-")


@cache
def _seeded(pairs: int, sweep_interval: float) -> tuple[Path, datetime]:
    now = datetime.now(UTC)
    file = Path(_keep().name) / f"{pairs}-{sweep_interval:.0f}.db"
    seed(file, Canned(pairs, now, lambda: now), now, sweep_interval)
    return file, now


def copy(file: Path, pairs: int, sweep_interval: float = SWEEP) -> datetime:
    """A copy of a seeded database that several sections share; returns when it was made."""
    original, epoch = _seeded(pairs, sweep_interval)
    shutil.copyfile(original, file)
    return epoch


def _pair(number: int, canned: Canned, now: datetime, sweep_interval: float) -> Pair:
    left = timedelta(seconds=sweep_interval * (number + 1) / canned.pairs)
    return Pair(
        alert_id(number), str(number), tracked=True,
        alerts=AlertBaseline(open=True, acknowledged=False, updated_at=canned.created(number)),
        incident_id=incident_id(number), incident_number=number + 1, pagerduty=IncidentBaseline("triggered"),
        swept_at=now, title=f"disk {number} is filling up", next_look_at=now + left,
    )  # fmt: skip


def _actions(number: int, canned: Canned) -> list[Action]:
    own, at = alert_id(number), canned.created(number)
    return [
        Action(
            f"{own} create", Kind.CREATE_INCIDENT, own, "the alert was raised in Opsgenie", at, "nagios",
            f"disk {number} is filling up", BODY.format(link=LINK, id=own), "low", result_id=incident_id(number),
        ),
        Action(
            f"{own} note", Kind.PAGERDUTY_NOTE, own, "Ana Ruiz added a note in Opsgenie", at, "Ana Ruiz",
            NOTE, mark=NOTE[:48], result_id=f"N{number}",
        ),
    ]  # fmt: skip
