"""One harness for every test of the installed command: the sandbox over HTTP, people, a database, and daemons.

`World` is all of it; each of its bases is one concern: commands (the reconciler's processes), people, vendors
(what the sandbox shows, and what goes wrong there), snapshot (the database, read beside the reconciler) and
listener (the daemon's own HTTP endpoints).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reconciler.sandbox.server import RunningSandbox, environment, serve
from reconciler.sandbox.settings import SandboxSettings
from tests.support.harness.commands import COMMAND, NO_KEYS, Json
from tests.support.harness.listener import DaemonClient
from tests.support.harness.snapshot import SnapshotReader

BUSY_RATE = 96_000
"""PagerDuty requests a minute; a hundred times the usual limit, as daemons under test poll as much more often."""


__all__ = ["COMMAND", "NO_KEYS", "Json", "World", "a_world"]


class World(DaemonClient, SnapshotReader):
    """The sandbox with people in it, and the reconciler beside it, over SQLite in `folder` or as `use` says."""

    def __init__(self, sandbox: RunningSandbox, folder: Path) -> None:
        self.running = sandbox
        self.sandbox = sandbox.sandbox
        self.folder = folder
        self.database = folder / "reconciler.db"
        self.daemons = []
        self.environment = environment(sandbox.url, sandbox.sandbox.settings) | {
            "DATABASE_URL": f"sqlite:///{self.database}",
            "POLL_INTERVAL_SECONDS": "0.2",
            "STALENESS_SECONDS": "2",
            "LOG_FORMAT": "json",
        }


@contextmanager
def a_world(folder: Path, **settings: Any) -> Iterator[World]:
    """A world with these settings of the sandbox; no daemon outlives it."""
    folder.mkdir(parents=True, exist_ok=True)
    with serve(settings=SandboxSettings(**({"pagerduty_per_minute": BUSY_RATE} | settings))) as sandbox:
        world = World(sandbox, folder)
        try:
            yield world
        finally:
            world.end()
