"""One harness for every test of the installed command: the sandbox over HTTP, people, a database, and daemons.

`World` is all of it; each of its bases is one concern: commands (the reconciler's processes), people, vendors
(what the sandbox shows, and what goes wrong there), snapshot (the database, read beside the reconciler) and
listener (the daemon's own HTTP endpoints).
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reconciler.core.product import JSM, OPSGENIE
from reconciler.sandbox.server import RunningSandbox, environment, serve
from reconciler.sandbox.settings import SandboxSettings
from tests.support.harness.commands import COMMAND, NO_KEYS, Json
from tests.support.harness.listener import DaemonClient
from tests.support.harness.snapshot import SnapshotReader

BUSY_RATE = 96_000
"""PagerDuty requests a minute; a hundred times the usual limit, as daemons under test poll as much more often."""


SOURCE = os.environ.get("RECONCILER_ALERT_SOURCE", OPSGENIE.key)
"""Where alerts are raised, unless a test says so: opsgenie, jsm, or "jsm named", with an integration's key."""

TURNED = "RECONCILER_SANDBOX"
"""The environment variable with settings of the sandbox, as JSON, that hold unless a test says so."""

__all__ = ["COMMAND", "NO_KEYS", "SOURCE", "Json", "World", "a_world"]


class World(DaemonClient, SnapshotReader):
    """The sandbox with people in it, and the reconciler beside it, over SQLite in `folder` or as `use` says.

    `product` is the one that raises the alerts; `names_engineers`: its alerts bear the engineers' names.
    """

    def __init__(self, sandbox: RunningSandbox, folder: Path) -> None:
        self.running = sandbox
        self.sandbox = sandbox.sandbox
        self.folder = folder
        self.database = folder / "reconciler.db"
        self.daemons = []
        settings, is_named = sandbox.sandbox.settings, SOURCE == "jsm named"
        self.product = JSM if settings.jsm_only else OPSGENIE
        self.names_engineers = is_named or not settings.jsm_only
        self.environment = environment(sandbox.url, settings, is_named=is_named) | {
            "DATABASE_URL": f"sqlite:///{self.database}",
            "POLL_INTERVAL_SECONDS": "0.2",
            "STALENESS_SECONDS": "2",
            "LOG_FORMAT": "json",
        }


@contextmanager
def a_world(folder: Path, **settings: Any) -> Iterator[World]:
    """A world with these settings of the sandbox; no daemon outlives it."""
    folder.mkdir(parents=True, exist_ok=True)
    usual = {"pagerduty_per_minute": BUSY_RATE, "jsm_only": OPSGENIE.key != SOURCE}
    turned = SandboxSettings().changed(json.loads(os.environ.get(TURNED, "{}")))
    with serve(settings=turned.changed(usual | settings)) as sandbox:
        world = World(sandbox, folder)
        try:
            yield world
        finally:
            world.end()
