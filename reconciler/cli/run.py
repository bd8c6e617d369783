"""`reconciler run`: the daemon."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import configured_routes, env_file, route_warnings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.routes import Routes
    from reconciler.runtime.process import Process
    from reconciler.runtime.signals import StopSignals
    from reconciler.settings import Settings
    from reconciler.web.app import Several
    from reconciler.web.server import Server
    from reconciler.web.status_app import Sources


@click.command()
def run() -> None:
    """Run the daemon until SIGTERM or SIGINT.

    Secrets in files, and the file of ROUTES_FILE, are read again when they change; SIGHUP reads them and LOG_LEVEL
    at once.
    """
    from reconciler.runtime.signals import StopSignals

    signals = StopSignals()  # before anything that takes time
    if not _run(signals, configured_routes()):
        sys.stdout.flush()
        os._exit(0)  # a thread that hangs in a read would be waited for


def _run(signals: StopSignals, routes: Routes) -> bool:
    """Run the daemon until a signal comes; whether all threads have ended."""
    from reconciler.observability.logs import get_logger
    from reconciler.runtime.bootstrap import assemble_process
    from reconciler.runtime.renewal import Given

    settings = routes.each[0].settings
    for name in settings.unused():
        get_logger(__name__).warning(f"{name}: is of no use without HTTP_LISTEN: nothing listens for webhooks")
    for line in route_warnings(routes):
        get_logger(__name__).warning(line)
    process = assemble_process(routes, Given(os.environ, env_file(), lambda: signals.hang_ups))
    with ExitStack() as listeners:
        for server in _servers(settings, process):
            listeners.enter_context(server)
        return process.daemon.run(signals.wait)


def _servers(settings: Settings, process: Process) -> Iterator[Server]:
    """The listeners that are configured, each bound."""
    if settings.http_listen is not None:
        from reconciler.web.app import create
        from reconciler.web.server import Server

        several = _several(process)
        metrics = process.own if several and process.own else next(iter(process.metrics().values()))
        yield Server(create(settings, metrics, process.put, process.settings, several), settings.http_listen)
    if settings.status_listen is not None:
        from reconciler.web import status_app
        from reconciler.web.server import Server

        page = status_app.create(_sources(settings, process))
        yield Server(page, settings.status_listen, "STATUS_LISTEN", status_app.LIMITS, "the status page is there")


def _several(process: Process) -> Several | None:
    """The data of the endpoints for several routes; None without a routes file."""
    if not process.is_of_several:
        return None
    from reconciler.observability.route_metrics import RouteMetrics
    from reconciler.web.app import Several

    return Several(process.health, RouteMetrics(process.metrics, process.removed, process.pods, process.own).text)


def _sources(settings: Settings, process: Process) -> Sources:
    """What the status page is made from."""
    from reconciler import settings as configuration
    from reconciler.operations.config import survey
    from reconciler.runtime.lookups import alert_page
    from reconciler.store.overview import shown
    from reconciler.web.status_app import Sources

    return Sources(
        process.database,
        shown(settings.database_url.get_secret_value()),
        process.settings,
        survey(configuration.read(os.environ, env_file())),
        lambda route, alert_id: alert_page(process.settings_of(route), alert_id),
    )
