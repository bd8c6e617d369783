"""The installed command against the sandbox over real HTTP, with a real SQLite file."""

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

import requests

from reconciler.sandbox.server import RunningSandbox, environment
from reconciler.sandbox.settings import SandboxSettings
from tests.support.launcher import Launched, launch

COMMAND = Path(sysconfig.get_path("scripts")) / "reconciler"
PATIENCE = 15.0
Json = dict[str, Any]


def hurried(**settings: Any) -> SandboxSettings:
    """The sandbox for daemons that poll a hundred times as often as any other: a minute's rate goes as far."""
    return SandboxSettings(**({"pagerduty_per_minute": 96_000} | settings))


class World:
    """The sandbox with people in it, and the reconciler beside it."""

    def __init__(self, sandbox: RunningSandbox, folder: Path) -> None:
        self.sandbox = sandbox
        self.folder = folder
        self.database = folder / "reconciler.db"
        self.daemons: list[Launched] = []
        self.environment = environment(sandbox.url) | {
            "DATABASE_URL": f"sqlite:///{self.database}",
            "POLL_INTERVAL_SECONDS": "0.2",
            "STALENESS_SECONDS": "2",
            "LOG_FORMAT": "json",
        }

    # -- the reconciler --

    def run(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """The installed command, to its end."""
        with TemporaryFile("w+") as out, TemporaryFile("w+") as err:
            started = launch(arguments, self._env(environ), self.folder, out, err)
            try:
                status = started.wait(60)
            finally:
                started.kill()
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(arguments, status, out.read(), err.read())

    def once(self, **environ: str) -> Json:
        """One cycle; its JSON report."""
        done = self.run("once", "--json", **environ)
        assert done.returncode == 0, done.stdout + done.stderr
        report: Json = json.loads(done.stdout)
        return report

    def start(self, **environ: str) -> Launched:
        """The daemon."""
        log = (self.folder / f"daemon-{len(self.daemons)}.log").open("w")
        daemon = launch(["run"], self._env(environ), self.folder, log, log)
        log.close()
        self.daemons.append(daemon)
        return daemon

    def kill(self) -> None:
        """kill -9 of the newest daemon."""
        self.daemons[-1].kill()
        self.daemons[-1].wait()

    def stop(self) -> int:
        """SIGTERM to the newest daemon; its exit status."""
        self.daemons[-1].send_signal(signal.SIGTERM)
        return self.daemons[-1].wait(timeout=20)

    def log(self) -> str:
        """What the newest daemon has logged."""
        return (self.folder / f"daemon-{len(self.daemons) - 1}.log").read_text()

    # -- people --

    def control(self, path: str, **body: Any) -> Json:
        """Somebody does something."""
        answer = requests.post(f"{self.sandbox.url}/control/{path}", json=body, timeout=10)
        assert answer.ok, answer.text
        found: Json = answer.json()
        return found

    def raise_alert(self, message: str = "db-primary is down", **more: object) -> str:
        """A customer raises an alert; its id."""
        return str(self.control("opsgenie/alerts", message=message, **({"user": "Ana Ruiz"} | more))["id"])

    def customer(self, alert_id: str, verb: str, **more: object) -> None:
        """Ana does something to an alert."""
        self.control(f"opsgenie/alerts/{alert_id}/{verb}", **({"user": "Ana Ruiz"} | more))

    def engineer(self, alert_id: str, verb: str, **more: object) -> None:
        """Jane does something to the alert's incident."""
        self.control(f"pagerduty/incidents/{alert_id}/{verb}", **({"user": "Jane Doe"} | more))

    def settings(self, **changes: Any) -> None:
        """Turn the sandbox's knobs."""
        requests.patch(f"{self.sandbox.url}/control/settings", json=changes, timeout=10).raise_for_status()

    # -- what is there --

    def state(self) -> Json:
        """Both sides whole."""
        found: Json = requests.get(f"{self.sandbox.url}/control/state", timeout=10).json()
        return found

    def alert(self, alert_id: str) -> Json:
        """One alert with its notes and logs."""
        return next(alert for alert in self.state()["opsgenie"]["alerts"] if alert["id"] == alert_id)

    def incidents(self, alert_id: str) -> list[Json]:
        """The incidents whose key is the alert's id."""
        return [i for i in self.state()["pagerduty"]["incidents"] if i["incident_key"] == alert_id]

    def incident(self, alert_id: str) -> Json:
        """The alert's only incident."""
        (incident,) = self.incidents(alert_id)
        return incident

    def alert_notes(self, alert_id: str) -> list[str]:
        """Texts of the alert's notes, oldest first."""
        return [note["note"] for note in sorted(self.alert(alert_id)["notes"], key=lambda n: n["offset"])]

    def incident_notes(self, alert_id: str) -> list[str]:
        """Texts of the incident's notes, oldest first."""
        notes = self.incident(alert_id)["notes"]
        return [note["content"] for note in sorted(notes, key=lambda n: n["created_at"])]

    def writes(self) -> list[Json]:
        """Every write that either API has taken."""
        calls = requests.get(f"{self.sandbox.url}/control/requests", timeout=10).json()["requests"]
        return [call for call in calls if call["write"]]

    def audit(self) -> Json:
        """Findings of the sandbox's audit; empty when all is well."""
        found: Json = requests.get(f"{self.sandbox.url}/control/audit", timeout=10).json()
        return {name: findings for name, findings in found.items() if findings}

    def until(self, shown: Callable[[], bool], what: str = "") -> None:
        """Wait for something to show."""
        last = time.monotonic() + PATIENCE
        while not shown():
            assert time.monotonic() < last, f"not seen: {what}\n{self.log() if self.daemons else ''}"
            time.sleep(0.05)

    def cycles(self) -> int:
        """How many cycles the reconciler has begun, seen from outside: polls of the alerts' list."""
        calls = requests.get(f"{self.sandbox.url}/control/requests", timeout=10).json()["requests"]
        return sum(1 for c in calls if c["path"].endswith("/v2/alerts") and "updatedAt" in str(c["query"]))

    def _env(self, changes: dict[str, str]) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return kept | self.environment | changes
