"""The time that a move of all pairs to another alert source takes, without that of the vendors' answers."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from benchmarks.figures import Finding, at_most
from benchmarks.scale import Scale
from reconciler.core.model import Kind, Side, Status
from reconciler.operations.migrating import Choices
from reconciler.runtime.moving import Mover, Sides
from reconciler.store.cursors import Origin
from reconciler.store.database import Database, open_database
from reconciler.store.migrate import upgrade
from tests.support.builders import ANA, action, alert, at, note, pair
from tests.support.clock import SimClock
from tests.support.moves import Alerts, FreeLock

SECTION = "Move to another alert source"
NOW = 3600.0
ACTIONS = 5
"""Writes of each pair that the outbox remembers."""


def run(scale: Scale, folder: Path) -> Iterator[Finding]:
    """Every alert has another id, and a note, in the other product."""
    pairs = scale.of(10_000, 500)
    database = open_database(f"sqlite:///{folder}/moving.db")
    upgrade(database)
    _fill(database, pairs)
    there = Alerts(alert_notes={f"j-{n}": [note("n", ANA, "words", -200)] for n in range(pairs)})
    there.put(
        *(alert(id=f"j-{n}", alias=f"alias {n}", message=f"alert {n}", created_at=at(-n)) for n in range(pairs))
    )
    both = Sides(there, None, "jsm", "", timedelta(seconds=120), timedelta(days=30))
    clock, began = SimClock(NOW), time.monotonic()
    mover = Mover(database, FreeLock(), both, clock, lambda _words: None, lambda: None, lambda _words: None)
    moved = len(mover.move(Choices()).seen.moved)
    took = time.monotonic() - began
    database.close()
    yield at_most(SECTION, "reading, deciding and one transaction", took, 60, "s", note=f"{moved:,} pairs")


def _fill(database: Database, pairs: int) -> None:
    known = [
        replace(
            pair(alert_id=f"a-{n}", alias=f"alias {n}", title=f"alert {n}", created_at=at(-n), swept_at=at(0)),
            incident_id=f"P{n}",
            incident_number=n,
        )
        for n in range(pairs)
    ]
    done = action(Kind.PAGERDUTY_NOTE, Status.DONE)
    with database.writing() as unit:
        unit.snapshot.save_pairs(known)
        unit.snapshot.save_notes([(each.alert_id, Side.ALERTS, "t") for each in known])
        unit.outbox.add(
            [
                replace(done, key=f"{done.kind.value} {each.alert_id} note {n}", alert_id=each.alert_id)
                for each in known
                for n in range(ACTIONS)
            ],
            at(0),
        )
        unit.cursors.save(origin=Origin(at(-pairs), at(-pairs)), polled_alerts=at(NOW))
