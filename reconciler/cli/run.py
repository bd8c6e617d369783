"""`reconciler run`: the daemon."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import configured, env_file, warnings

if TYPE_CHECKING:
    from reconciler.runtime.signals import StopSignals
    from reconciler.settings import Settings


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
    from reconciler.runtime.bootstrap import assemble
    from reconciler.runtime.renewal import Given

    for name in settings.unused():
        get_logger(__name__).warning(f"{name}: is of no use without HTTP_LISTEN: nothing listens for webhooks")
    for line in warnings(settings):
        get_logger(__name__).warning(line)
    wiring = assemble(settings)
    daemon = wiring.daemon(Given(os.environ, env_file(), lambda: signals.hang_ups))
    if wiring.metrics is None or settings.http_listen is None:
        return daemon.run(signals.wait)
    from reconciler.web.app import create
    from reconciler.web.server import Server

    app = create(settings, wiring.metrics, daemon.program.hints.waiting.put, lambda: daemon.renewal.settings)
    with Server(app, settings.http_listen):
        return daemon.run(signals.wait)
