"""The move to another alert source, wired: both products are read, the lock is taken, one transaction moves all.

A crash before that transaction leaves everything as it was, but for a new epoch; after it, the move is made.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from reconciler.core.product import PRODUCTS
from reconciler.errors import Misconfigured, Transient
from reconciler.operations.migrating import Choices, Examination, examine, move_of
from reconciler.operations.migration_reads import Horizon, Progress, stored
from reconciler.operations.migration_text import as_data
from reconciler.routes import Routes
from reconciler.runtime.alert_side import query_of
from reconciler.runtime.bootstrap import assemble_one, assemble_reader
from reconciler.runtime.once import run_once
from reconciler.runtime.report import Collector, Report
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
class Source:
    """The route `name` as it is with one of the two products, among all routes of the file."""

    routes: Routes
    name: str

    @property
    def settings(self) -> Settings:
        """The route's settings."""
        return self.routes.named(self.name).settings

    @property
    def alert_source(self) -> str:
        """The value of ALERT_SOURCE."""
        return self.settings.alert_source


@dataclass(frozen=True, slots=True)
class Sources:
    """A route with both products. `here`: with the one that is left; None if that is not to be read."""

    there: Source
    here: Source | None

    @property
    def url(self) -> str:
        """The database's address."""
        return self.there.settings.database_url.get_secret_value()

    @property
    def stop(self) -> str:
        """How the lock is got from a reconciler that holds it: one that shares routes lets go of one alone."""
        if self.there.routes.file is None or file_of(self.url) is not None:
            return "stop it first"
        source = f'alert_source = "{self.there.alert_source}" in [routes.{self.there.name}]'
        return f"it lets go of the route once it has read {source}; else stop it first"


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


def is_there(database: Database, to: str, now: datetime, route: str = "") -> bool:
    """Whether the database follows this source already. Misconfigured if it follows none yet.

    `route` is its name in ROUTES_FILE.
    """
    with database.reading() as unit:
        positions = unit.cursors.load(now)
    if positions.origin is None:
        place, fix = "on this database", f"set ALERT_SOURCE={to}"
        if route:
            place, fix = f"of route {route}", f'write alert_source = "{to}" into [routes.{route}]'
        raise Misconfigured(f"migrate: no reconciler has finished a first start {place}: {fix}, run it")
    return (positions.source or "opsgenie") == to


def check_query(database: Database, here: Source, now: datetime) -> None:
    """Misconfigured if the query of the product that is left is not the one that the route has mirrored with.

    Another one selects other routes' alerts, which would be drained to this route's service.
    """
    product, query = PRODUCTS[here.alert_source], query_of(here.settings)
    with database.reading() as unit:
        stored = unit.cursors.load(now).query
    if stored is not None and stored != query:
        raise Misconfigured(
            f"{product.query}: for route {here.name} it is {query or 'none'}, and the alerts that it mirrors are "
            f"those of {stored or 'no query'}; write {product.query.lower()} = {json.dumps(stored)} into "
            f"[routes.{here.name}]"
        )


def last_poll(database: Database, now: datetime) -> datetime | None:
    """When the source that is left last answered a whole poll."""
    with database.reading() as unit:
        return unit.cursors.load(now).polled_alerts


def sides(sources: Sources, database: Database) -> Sides:
    """The readers of both sources: of what the route's queries select, without what is other routes'."""
    settings = sources.there.settings
    return Sides(
        _reader(sources.there, database),
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
        apply(unit, move_of(seen, query_of(sources.there.settings), "{}"))
    wiring = assemble_reader(sources.there.routes, copy)
    program, worker, collector = wiring.dry()
    report = run_once(program, worker, collector, lambda _done, _left: None)
    product = wiring.account.policy().product
    return replace(report, names=wiring.names(report), left=wiring.queue.size(), product=product)


def drain(here: Source) -> Report | None:
    """Let the present source's changes be mirrored and its writes be settled, as `once` does; the last report.

    None if another reconciler is at work.
    """
    wiring = assemble_one(here.routes, here.name)
    try:
        if not _patiently(lambda: wiring.leadership.confirm(wiring.account.policy()), wiring.clock):
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
    """The move. `keep` makes a backup of the database; `say` prints the reason for a wait.

    `stop` says how to get the lock from the reconciler that holds it.
    """

    database: Database
    lock: Lock
    both: Sides
    clock: Clock
    progress: Progress
    keep: Callable[[], Path | None]
    say: Callable[[str], None]
    stop: str = "stop it first"

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
        if _patiently(self.lock.acquire, self.clock):
            return
        with self.database.reading() as unit:
            holder = lead(unit)
        who = f" ({holder.process})" if holder else ""
        raise Transient(f"migrate: another reconciler{who} is at work on this database: {self.stop}")


def _patiently(acquire: Callable[[], bool], clock: Clock) -> bool:
    """Take the lock, and wait a little for it: one that looks whether it may lead holds it for a moment."""
    until = clock.monotonic() + LOCK_SECONDS
    while not acquire():
        if clock.monotonic() >= until or clock.wait(STEP):
            return False
    return True


def _reader(source: Source, database: Database) -> AlertReader:
    wiring = assemble_reader(source.routes, database)
    if wiring.shared is None:
        return wiring.alerts
    return wiring.shared.alerts(wiring.route).reader(source.name, query_of(wiring.settings))
