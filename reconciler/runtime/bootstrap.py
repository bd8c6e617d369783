"""The composition root: opens the database, and wires the routes of this process."""

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from reconciler import __version__
from reconciler.core.product import PRODUCTS
from reconciler.runtime.daemon import Daemon
from reconciler.runtime.renewal import Given
from reconciler.runtime.route_schedule import RouteSchedule
from reconciler.runtime.schedule import Schedule
from reconciler.runtime.wiring import DryWiring, Wiring
from reconciler.runtime.worker_pool import WorkerPool
from reconciler.settings import Settings
from reconciler.store.address import exists, file_of
from reconciler.store.database import Database, DatabaseDown, open_database
from reconciler.store.files import check_owner, check_private
from reconciler.store.lock import FileLock
from reconciler.store.overview import shown
from reconciler.store.read_only import open_read_only
from reconciler.store.source import check_source
from reconciler.vendors.http import SystemClock

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


def daemon_of(wiring: Wiring, given: Given | None = None) -> Daemon:
    """The daemon of a single route. `given` is where the settings came from."""
    schedule, settings = Schedule(wiring.clock), wiring.settings
    route = wiring.jobs(RouteSchedule(schedule, wiring.database.route), given)
    about = {
        "version": __version__,
        "database": shown(settings.database_url.get_secret_value()),
        **wiring.about(),
        "interval_seconds": settings.poll_interval_seconds,
    }
    return Daemon(wiring.database, schedule, WorkerPool(), (route,), wiring.stop.set, about)


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
