"""The installed command: its daemons, its one-shot commands, and what they print."""

import json
import os
import signal
import subprocess
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from tests.support.database import write_migrated
from tests.support.launcher import Launched, launch

COMMAND = Path(sysconfig.get_path("scripts")) / "reconciler"
PATIENCE = 120.0
"""Seconds that a test waits for an expected condition: processes start slowly on a busy machine."""
NO_KEYS = dict.fromkeys(
    ("PAGERDUTY_API_KEY", "PAGERDUTY_SERVICE_ID", "PAGERDUTY_EMAIL", "PAGERDUTY_USER", "OPSGENIE_API_KEY"), ""
)
"""The environment of commands that need the database alone."""
Json = dict[str, Any]


class Commands:
    """The reconciler's processes. Each gets `environment`, with a test's own changes."""

    folder: Path
    database: Path
    daemons: list[Launched]
    environment: dict[str, str]
    is_migrated = True
    """Whether daemons and `once` find an empty database with the schema instead of none."""

    def run(self, *arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
        """Run the installed command to its end."""
        with TemporaryFile("w+") as out, TemporaryFile("w+") as err:
            started = launch(arguments, self.env(environ), self.folder, out, err)
            try:
                status = started.wait(PATIENCE)
            finally:
                started.kill()
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(arguments, status, out.read(), err.read())

    def once(self, **environ: str) -> Json:
        """Run `once`; returns its JSON report."""
        self._migrate()
        done = self.run("once", "--json", **environ)
        assert done.returncode == 0, done.stdout + done.stderr
        report: Json = json.loads(done.stdout)
        return report

    def start(self, **environ: str) -> Launched:
        """Start a daemon."""
        self._migrate()
        with self._log_of(len(self.daemons)).open("w") as log:
            daemon = launch(["run"], self.env(environ), self.folder, log, log)
        self.daemons.append(daemon)
        return daemon

    def kill(self) -> None:
        """kill -9 of the newest daemon."""
        self.daemons[-1].kill()
        self.daemons[-1].wait()

    def stop(self) -> int:
        """Send SIGTERM to the newest daemon; returns its exit status."""
        self.daemons[-1].send_signal(signal.SIGTERM)
        return self.daemons[-1].wait(timeout=20)

    def end(self) -> None:
        """Kill every daemon that still runs."""
        for daemon in self.daemons:
            if daemon.poll() is None:
                daemon.kill()
                daemon.wait()

    def log(self) -> str:
        """The newest daemon's log; empty without a daemon."""
        return self._log_of(len(self.daemons) - 1).read_text() if self.daemons else ""

    def events(self, daemon: int = -1) -> list[Json]:
        """A daemon's log events, parsed."""
        lines = self._log_of(daemon % len(self.daemons)).read_text().splitlines()
        return [json.loads(line) for line in lines if line.endswith("}")]  # the last may be half written

    def told(self, words: str, daemon: int = -1) -> int:
        """How many of a daemon's log lines contain these words."""
        return sum(words in line["event"] for line in self.events(daemon))

    def files(self) -> dict[str, bytes]:
        """The content of every file in the folder but the daemons' logs."""
        return {file.name: file.read_bytes() for file in self.folder.iterdir() if file.suffix != ".log"}

    def until(self, shown: Callable[[], bool], what: str = "", patience: float = PATIENCE) -> None:
        """Wait until a condition holds."""
        last = time.monotonic() + patience
        while not shown():
            assert time.monotonic() < last, f"not seen: {what}\n{self.log()}"
            time.sleep(0.02)

    def env(self, changes: dict[str, str]) -> dict[str, str]:
        """The whole environment of a process."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return kept | self.environment | changes

    def _log_of(self, daemon: int) -> Path:
        return self.folder / f"daemon-{daemon}.log"

    def _migrate(self) -> None:
        """Copy in a migrated database, which saves each world half a second. `run` starts without one."""
        if (
            self.is_migrated
            and self.environment["DATABASE_URL"] == f"sqlite:///{self.database}"
            and not self.database.exists()
        ):
            write_migrated(self.database)
