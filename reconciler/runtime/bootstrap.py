"""The composition root: opens the database, and wires the routes of this process."""

import threading
from collections.abc import Collection
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from reconciler.core.product import PRODUCTS
from reconciler.routes import Routes
from reconciler.runtime.connections import Connections
from reconciler.runtime.process import Process
from reconciler.runtime.reading import report_bad_rows
from reconciler.runtime.renewal import Given
from reconciler.runtime.request_log import log_request
from reconciler.runtime.shared_keys import SharedKeys
from reconciler.runtime.shares import shares_for
from reconciler.runtime.wiring import DryWiring, Wiring
from reconciler.settings import Settings
from reconciler.store.address import exists, file_of
from reconciler.store.database import Database, DatabaseDown, open_database
from reconciler.store.files import check_owner, check_private
from reconciler.store.lock import FileLock
from reconciler.store.read_only import open_read_only
from reconciler.store.source import check_source
from reconciler.vendors.http import SystemClock
from reconciler.vendors.ports import Clock

if TYPE_CHECKING:
    from reconciler.observability.metrics import Metrics


def assemble(settings: Settings, stop: threading.Event | None = None) -> Wiring:
    """The whole program. The database is opened, but not migrated. Misconfigured if it is another user's."""
    database = _opened(settings)
    with suppress(DatabaseDown):  # the daemon waits for its database, and checks again before it leads
        check_source(database, settings.alert_source)
    return Wiring(settings, stop or threading.Event(), database, _metrics(settings))


def assemble_dry_run(settings: Settings) -> DryWiring:
    """A program that only reads: no writers, no deliveries, a database that cannot be written to."""
    url = settings.database_url.get_secret_value()
    if exists(url):
        check_source(open_database(url), settings.alert_source)
    return DryWiring(settings, threading.Event(), open_read_only(url))


def assemble_process(routes: Routes, given: Given) -> Process:
    """The process that runs these routes. `given` is where their settings came from."""
    process = routes.each[0].settings
    database, stop = _opened_for(routes), threading.Event()
    clock = SystemClock(stop)
    interval = timedelta(seconds=process.poll_interval_seconds)
    shares = shares_for(process.database_url.get_secret_value(), database.holder, clock, interval)
    return Process(routes, given, stop, clock, database, shares, _metrics)


def assemble_each(routes: Routes, stop: threading.Event) -> tuple[Wiring, ...]:
    """A program for each route, for one run of all, one after the other. They share their keys."""
    if routes.file is None:
        return (assemble(routes.each[0].settings, stop),)
    return _wirings(routes, routes.names(), stop)


def assemble_one(routes: Routes, name: str) -> Wiring:
    """The whole program of one route, as `assemble` makes it; the others count, and are not polled."""
    if routes.file is None:
        return assemble(routes.each[0].settings)
    (wiring,) = _wirings(routes, (name,), threading.Event())
    return wiring


def assemble_reader(routes: Routes, database: Database) -> DryWiring:
    """A program that only reads, for the route of this database; the others count, and are not polled."""
    return _dry_wirings(routes, (database.route,), database, threading.Event())[0]


def assemble_dry_runs(routes: Routes, stop: threading.Event) -> tuple[DryWiring, ...]:
    """A program for each route that only reads, as `assemble_dry_run` makes it."""
    url = routes.each[0].settings.database_url.get_secret_value()
    if exists(url):
        _check_sources(routes, open_database(url))
    return _dry_wirings(routes, routes.names(), open_read_only(url), stop)


def _wirings(routes: Routes, polled: Collection[str], stop: threading.Event) -> tuple[Wiring, ...]:
    """The whole programs of those of the file's routes that are polled here."""
    database, clock = _opened_for(routes), SystemClock(stop)
    shared, connections = _shared(routes, polled, database, clock)
    return tuple(
        Wiring(
            route.settings,
            stop,
            database.for_route(route.name),
            _metrics(route.settings),
            clock,
            connections,
            shared,
            route,
        )
        for route in routes.each
        if route.name in polled
    )


def _dry_wirings(
    routes: Routes, polled: Collection[str], database: Database, stop: threading.Event
) -> tuple[DryWiring, ...]:
    """Programs that only read, of those of the routes that are polled here."""
    clock = SystemClock(stop)
    if routes.file is None:
        return (DryWiring(routes.each[0].settings, stop, database, clock=clock),)
    shared, connections = _shared(routes, polled, database, clock)
    return tuple(
        DryWiring(
            route.settings,
            stop,
            database.for_route(route.name),
            None,
            clock,
            connections,
            shared,
            route,
        )
        for route in routes.each
        if route.name in polled
    )


def _shared(
    routes: Routes, polled: Collection[str], database: Database, clock: Clock
) -> tuple[SharedKeys, Connections]:
    """What the routes share of which these are polled here, one after the other."""
    connections = Connections(clock)
    shared = SharedKeys(database, connections, clock, log_request, report_bad_rows(), lambda _names: None)
    shared.use(routes.each, polled)
    return shared, connections


def _opened_for(routes: Routes) -> Database:
    database = _opened(routes.each[0].settings)
    with suppress(DatabaseDown):  # the daemon waits for its database, and checks again before it leads
        _check_sources(routes, database)
    return database


def _check_sources(routes: Routes, database: Database) -> None:
    """OtherSource if the only route follows another product. Each of several finds that out for itself."""
    if routes.file is None:
        check_source(database, routes.each[0].settings.alert_source)


def _opened(settings: Settings) -> Database:
    url = settings.database_url.get_secret_value()
    file = file_of(url)
    if file is not None:
        check_owner(file)
        check_private(FileLock(file).path)
    return open_database(url)


def _metrics(settings: Settings) -> "Metrics | None":
    """The metrics, if there is an HTTP listener that serves them."""
    if settings.http_listen is None:
        return None
    from reconciler.observability.health import Health  # noqa: PLC0415 - most can do without its tenth of a second
    from reconciler.observability.metrics import Metrics  # noqa: PLC0415 - the same

    health = Health(settings.poll_interval_seconds, product=PRODUCTS[settings.alert_source])
    return Metrics(health, SystemClock())
