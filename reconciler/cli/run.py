"""`reconciler run`: the daemon."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import configured, env_file, warnings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.runtime.route_jobs import RouteJobs
    from reconciler.runtime.signals import StopSignals
    from reconciler.runtime.wiring import Wiring
    from reconciler.settings import Settings
    from reconciler.web.server import Server
    from reconciler.web.status_app import Sources


@click.command()
def run() -> None:
    """Run the daemon until SIGTERM or SIGINT.

    Secrets in files are read again when they change; SIGHUP reads them and LOG_LEVEL at once.
    """
    from reconciler.runtime.signals import StopSignals

    signals = StopSignals()  # before anything that takes time
    settings = configured()
    if not _run(signals, settings):
        sys.stdout.flush()
        os._exit(0)  # a thread that hangs in a read would be waited for


def _run(signals: StopSignals, settings: Settings) -> bool:
    """Run the daemon until a signal comes; whether all threads have ended."""
    from reconciler.observability.logs import get_logger
    from reconciler.runtime.bootstrap import assemble, daemon_of
    from reconciler.runtime.renewal import Given

    for name in settings.unused():
        get_logger(__name__).warning(f"{name}: is of no use without HTTP_LISTEN: nothing listens for webhooks")
    for line in warnings(settings):
        get_logger(__name__).warning(line)
    wiring = assemble(settings)
    daemon = daemon_of(wiring, Given(os.environ, env_file(), lambda: signals.hang_ups))
    (route,) = daemon.routes.values()
    with ExitStack() as listeners:
        for server in _servers(settings, wiring, route):
            listeners.enter_context(server)
        return daemon.run(signals.wait)


def _servers(settings: Settings, wiring: Wiring, route: RouteJobs) -> Iterator[Server]:
    """The listeners that are configured, each bound."""
    if wiring.metrics is not None and settings.http_listen is not None:
        from reconciler.web.app import create
        from reconciler.web.server import Server

        app = create(settings, wiring.metrics, route.program.hints.waiting.put, lambda: route.renewal.settings)
        yield Server(app, settings.http_listen)
    if settings.status_listen is not None:
        from reconciler.web import status_app
        from reconciler.web.server import Server

        page = status_app.create(_sources(settings, wiring, route))
        yield Server(page, settings.status_listen, "STATUS_LISTEN", status_app.LIMITS, "the status page is there")


def _sources(settings: Settings, wiring: Wiring, route: RouteJobs) -> Sources:
    """What the status page is made from."""
    from reconciler import settings as configuration
    from reconciler.operations.config import survey
    from reconciler.runtime.lookups import alert_page
    from reconciler.store.overview import shown
    from reconciler.web.status_app import Sources

    return Sources(
        wiring.database,
        shown(settings.database_url.get_secret_value()),
        lambda: route.renewal.settings,
        survey(configuration.read(os.environ, env_file())),
        partial(alert_page, settings),
    )
