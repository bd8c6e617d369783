"""The move to another alert source, wired: both products are read, the lock is taken, one transaction moves all.

A crash before that transaction leaves everything as it was, but for a new epoch; after it, the move is made.
"""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from reconciler.errors import Misconfigured, Transient
from reconciler.operations.migrating import Choices, Examination, examine, move_of
from reconciler.operations.migration_reads import Horizon, Progress, stored
from reconciler.operations.migration_text import as_data
from reconciler.runtime.alert_side import query_of
from reconciler.runtime.bootstrap import assemble
from reconciler.runtime.once import run_once
from reconciler.runtime.report import Collector, Report
from reconciler.runtime.wiring import DryWiring
from reconciler.settings import Settings
from reconciler.store.address import file_of
from reconciler.store.copies import copied
from reconciler.store.database import Database
from reconciler.store.lock import Lock
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


@dataclass(frozen=True, slots=True)
class Sides:
    """What is read: both products, and how late an answer may be. `query` selects the alerts of the new one."""

    there: AlertReader
    here: AlertReader | None
    to: str
    query: str
    staleness: timedelta
    retention: timedelta


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


def last_poll(database: Database, now: datetime) -> datetime | None:
    """When the source that is left last answered a whole poll."""
    with database.reading() as unit:
        return unit.cursors.load(now).polled_alerts


def sides(sources: Sources, database: Database) -> Sides:
    """The readers of both sources."""
    settings = sources.there
    return Sides(
        _reader(settings, database),
        _reader(sources.here, database) if sources.here is not None else None,
        settings.alert_source,
        query_of(settings),
        timedelta(seconds=settings.staleness_seconds),
        timedelta(seconds=settings.retention_seconds),
    )


def look(database: Database, both: Sides, choices: Choices, clock: Clock, progress: Progress) -> Examination:
    """Read both sides. Raises what the clients raise."""
    horizon = Horizon(clock.now(), both.staleness, both.retention)
    snapshot = stored(database, horizon.now)
    return examine(snapshot, both.there, both.here, both.to, choices, horizon, progress)


def first_cycle(database: Database, sources: Sources, seen: Examination) -> Report:
    """The plan of the first cycle after the move, made over a copy of the database. Nothing is written."""
    copy = copied(database)
    with copy.writing() as unit:
        apply(unit, move_of(seen, query_of(sources.there), "{}"))
    wiring = DryWiring(sources.there, threading.Event(), copy)
    program, worker, collector = wiring.dry()
    report = run_once(program, worker, collector, lambda _done, _left: None)
    product = wiring.account.policy().product
    return replace(report, names=wiring.names(report), left=wiring.queue.size(), product=product)


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


def refuse_without_copy(url: str) -> None:
    """Misconfigured for a database of which no copy can be made here."""
    if file_of(url) is None:
        raise Misconfigured(
            f"migrate: make a backup of {shown(url)} with `pg_dump` first, then run this again with --no-backup"
        )


@dataclass(frozen=True, slots=True)
class Mover:
    """The move. `keep` makes a backup of the database; `say` prints the reason for a wait."""

    database: Database
    lock: Lock
    both: Sides
    clock: Clock
    progress: Progress
    keep: Callable[[], Path | None]
    say: Callable[[str], None]

    def move(self, choices: Choices) -> Moved:
        """Move everything, unless something has to be decided first. Transient if another process has the lock."""
        self._take_lock()
        try:
            self.database.lead()
            seen = self._settled(choices)
            if seen.obstacles:
                return Moved(seen)
            copy = self.keep()
            with self.database.writing() as unit:
                apply(unit, move_of(seen, self.both.query, json.dumps(as_data(seen))))
            return Moved(seen, copy)
        finally:
            self.lock.release()

    def _settled(self, choices: Choices) -> Examination:
        """What is read once everything that was mirrored must show in the other product."""
        seen = self._look(choices)
        while seen.settles_at is not None and not seen.obstacles:
            wait = max((seen.settles_at - self.clock.now()).total_seconds(), STEP)
            there = seen.there.name
            self.say(f"waiting {wait:.0f} s: {there} may not show yet what was mirrored a moment ago")
            self.clock.wait(wait)
            seen = self._look(choices)
        return seen

    def _look(self, choices: Choices) -> Examination:
        return look(self.database, self.both, choices, self.clock, self.progress)

    def _take_lock(self) -> None:
        until = self.clock.monotonic() + LOCK_SECONDS
        while not self.lock.acquire():
            if self.clock.monotonic() >= until or self.clock.wait(STEP):
                with self.database.reading() as unit:
                    holder = lead(unit)
                who = f" ({holder.process})" if holder else ""
                raise Transient(f"migrate: another reconciler{who} is at work on this database: stop it first")


def _reader(settings: Settings, database: Database) -> AlertReader:
    return DryWiring(settings, threading.Event(), database).alerts
