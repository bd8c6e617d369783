"""The move to another alert source, wired: both products are read, the lock is taken, one transaction moves all.

A crash before that transaction leaves everything as it was, but for a new epoch; after it, the move is made.
"""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from reconciler.core.product import PRODUCTS
from reconciler.errors import Misconfigured, Transient
from reconciler.operations.migrating import Choices, Examination, examine, move_of
from reconciler.operations.migration_reads import Horizon, Progress, stored
from reconciler.operations.migration_text import as_data
from reconciler.runtime.bootstrap import DryWiring, assemble
from reconciler.runtime.once import run_once
from reconciler.runtime.report import Collector, Report
from reconciler.settings import Settings
from reconciler.store.copies import backup, copied
from reconciler.store.database import Database, file_of
from reconciler.store.lock import lock_for
from reconciler.store.moving import apply
from reconciler.store.overview import lead, shown
from reconciler.vendors.ports import AlertReader, Clock

DRAINS = 5
"""The most runs that are made until nothing is left to be done."""
LOCK_SECONDS = 5.0
"""How long the lock is waited for."""
STEP = 0.2
"""Seconds between two attempts to take it."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The settings of both sources. `here`: of the one that is left; None if it is not to be read."""

    there: Settings
    here: Settings | None

    @property
    def url(self) -> str:
        """The database's address."""
        return self.there.database_url.get_secret_value()

    @property
    def query(self) -> str:
        """The query that selects the new source's alerts."""
        query: str = getattr(self.there, PRODUCTS[self.there.alert_source].query.lower())
        return query


@dataclass(frozen=True, slots=True)
class Moved:
    """The result of a move. `seen.obstacles`: it was not made. `backup` is the copy of the database."""

    seen: Examination
    backup: Path | None = None


def is_there(database: Database, to: str, now: datetime) -> bool:
    """Whether the database follows this source already. Misconfigured if it follows none yet."""
    with database.reading() as unit:
        positions = unit.cursors.load(now)
    if positions.origin is None:
        raise Misconfigured(
            f"migrate: no reconciler has finished a first start on this database: set ALERT_SOURCE={to}, run it"
        )
    return (positions.source or "opsgenie") == to


def look(database: Database, sources: Sources, choices: Choices, clock: Clock, progress: Progress) -> Examination:
    """Read both sides. Raises what the clients raise."""
    there = _reader(sources.there, database)
    here = _reader(sources.here, database) if sources.here is not None else None
    now, settings = clock.now(), sources.there
    horizon = Horizon(
        now, timedelta(seconds=settings.staleness_seconds), timedelta(seconds=settings.retention_seconds)
    )
    return examine(stored(database, now), there, here, settings.alert_source, choices, horizon, progress)


def first_cycle(database: Database, sources: Sources, seen: Examination) -> Report:
    """The plan of the first cycle after the move, made over a copy of the database. Nothing is written."""
    copy = copied(database)
    with copy.writing() as unit:
        apply(unit, move_of(seen, sources.query, "{}", copy.route))
    wiring = DryWiring(sources.there, threading.Event(), copy)
    program, worker, collector = wiring.dry()
    report = run_once(program, worker, collector, lambda _done, _left: None)
    return replace(report, names=wiring.names(report), left=wiring.queue.size())


def drain(here: Settings) -> Report | None:
    """Let the present source's changes be mirrored and its writes be settled, as `once` does; the last report.

    None if another reconciler is at work.
    """
    wiring = assemble(here)
    try:
        if not wiring.leadership.confirm(wiring.account.policy()):
            return None
        program, collector = wiring.whole(is_whole=True), Collector()
        worker = wiring.worker(program, (collector,))
        report = run_once(program, worker, collector, lambda _done, _left: None)
        for _ in range(DRAINS):
            wiring.committer.flush()
            if report.problems or not wiring.queue.size():
                break
            report = run_once(program, worker, collector, lambda _done, _left: None)
        wiring.committer.flush()
    finally:
        wiring.leadership.give_up()
        wiring.database.close()
    return report


def move(
    database: Database,
    sources: Sources,
    choices: Choices,
    clock: Clock,
    progress: Progress,
    *,
    keeps_copy: bool,
    say: Callable[[str], None],
) -> Moved:
    """Move everything, unless something has to be decided first. Transient if another process has the lock."""
    url, to = sources.url, sources.there.alert_source
    if keeps_copy and file_of(url) is None:
        raise Misconfigured(
            f"migrate: make a backup of {shown(url)} with `pg_dump` first, then run this again with --no-backup"
        )
    lock = lock_for(url, database.route)
    _take(lock.acquire, database, clock)
    try:
        database.lead()
        seen = look(database, sources, choices, clock, progress)
        while seen.settles_at is not None and not seen.obstacles:
            wait = (seen.settles_at - clock.now()).total_seconds()
            say(f"waiting {max(wait, 0):.0f} s: {seen.there.name} may not show yet what was mirrored a moment ago")
            clock.wait(max(wait, STEP))
            seen = look(database, sources, choices, clock, progress)
        if seen.obstacles:
            return Moved(seen)
        copy = backup(url, f"before-{to}", clock.now()) if keeps_copy else None
        with database.writing() as unit:
            apply(unit, move_of(seen, sources.query, json.dumps(as_data(seen)), database.route))
        return Moved(seen, copy)
    finally:
        lock.release()


def _take(acquire: Callable[[], bool], database: Database, clock: Clock) -> None:
    until = clock.monotonic() + LOCK_SECONDS
    while not acquire():
        if clock.monotonic() >= until or clock.wait(STEP):
            with database.reading() as unit:
                holder = lead(unit)
            who = f" ({holder.process})" if holder else ""
            raise Transient(f"migrate: another reconciler{who} is at work on this database: stop it first")


def _reader(settings: Settings, database: Database) -> AlertReader:
    return DryWiring(settings, threading.Event(), database).opsgenie
