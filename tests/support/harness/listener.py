"""The HTTP listener: clients that send requests to it, and the listener alone, without the rest of the daemon."""

import hashlib
import hmac
import json
import os
import re
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import requests

from tests.support.harness.commands import PATIENCE, Json
from tests.support.harness.people import People
from tests.support.harness.vendors import Vendors

OLD, NEW = "old-signing-secret-7f31", "new-signing-secret-a902"
INTEGRATION = "0b9c4d1e-5a77-4b7e-9a51-integration"
SHARED = "shared-secret-of-the-integration"
SECRETS = (OLD, NEW, SHARED)
RARELY = "6000"
"""Seconds between two cycles where a test is about webhooks alone."""
FAST_PATH = {
    "PAGERDUTY_WEBHOOK_SECRET": f"{OLD},{NEW}",
    "OPSGENIE_INTEGRATION_ID": INTEGRATION,
    "OPSGENIE_WEBHOOK_SECRET": SHARED,
}


REQUIRED = {
    "PAGERDUTY_API_KEY": "key-of-pagerduty",
    "PAGERDUTY_SERVICE_ID": "PSERVICE",
    "PAGERDUTY_EMAIL": "bot@example.com",
    "PAGERDUTY_USER": "PBOT",
    "OPSGENIE_API_KEY": "key-of-opsgenie",
}


def signature(body: bytes, secret: str = NEW) -> str:
    """As PagerDuty makes it."""
    return "v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def pagerduty_body(incident_id: str, kind: str = "incident.acknowledged", **data: object) -> bytes:
    """One event about an incident."""
    found = {"id": incident_id, "type": "incident", "status": "acknowledged"} | data
    event = {"id": "01EVENT", "event_type": kind, "resource_type": "incident", "agent": None, "data": found}
    return json.dumps({"event": event}).encode()


def opsgenie_body(alert_id: str, action: str = "Acknowledge", **alert: object) -> Json:
    """One act upon an alert."""
    return {"action": action, "alert": {"alertId": alert_id} | alert, "integrationId": INTEGRATION}


class Client:
    """Requests to a listener in a process of its own, and what that process needs."""

    port = 0

    @property
    def pid(self) -> int:
        """The newest process."""
        raise NotImplementedError

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, timeout: float = 10) -> requests.Response:
        """Ask."""
        return requests.get(self.url + path, timeout=timeout)

    def metrics(self) -> dict[str, float]:
        """Every sample by its name and labels as they are written."""
        lines = [line for line in self.get("/metrics").text.splitlines() if not line.startswith("#")]
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}

    def metric(self, name: str, **labels: str) -> float | None:
        """The sum of the samples of that name with these labels among theirs; None when there is none."""
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        found = [
            value
            for sample, value in self.metrics().items()
            if sample.partition("{")[0] == name and all(label in sample for label in wanted)
        ]
        return sum(found) if found else None

    def deliver(
        self, incident_id: str, delivery: str = "", *, body: bytes | None = None, **headers: str
    ) -> requests.Response:
        """PagerDuty delivers an event, signed with the new secret."""
        sent = pagerduty_body(incident_id) if body is None else body
        given = {"X-PagerDuty-Signature": signature(sent), "X-Webhook-Id": delivery or os.urandom(8).hex()}
        return requests.post(f"{self.url}/pd-webhook", data=sent, headers=given | headers, timeout=10)

    def report(self, body: Any, **headers: str) -> requests.Response:
        """Opsgenie delivers an act."""
        given = {"X-Webhook-Secret": SHARED} | headers
        return requests.post(f"{self.url}/ops-webhook", json=body, headers=given, timeout=10)

    def connect(self) -> socket.socket:
        """A bare connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def raw(self, sent: bytes, timeout: float = 10) -> bytes:
        """What comes back for these bytes, until the other end closes."""
        with closing(self.connect()) as connection:
            connection.settimeout(timeout)
            connection.sendall(sent)
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
            return answer

    def descriptors(self) -> int:
        """Open file descriptors of the newest process."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def memory(self) -> int:
        """Resident bytes of the newest daemon."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found
        return int(found[1]) * 1024


class Listener(Client):
    """The listener without the rest of the daemon."""

    def __init__(self, folder: Path, *arguments: str, **environ: str) -> None:
        self._log = folder / "listener.log"
        given = REQUIRED | FAST_PATH | environ | {"HTTP_LISTEN": "127.0.0.1:0", "PATH": os.environ["PATH"]}
        with self._log.open("w") as log:
            module = [sys.executable, str(Path(__file__).with_name("listener_alone.py")), *arguments]
            self._process = subprocess.Popen(
                module, env=given, cwd=folder, stdin=subprocess.PIPE, stderr=log, stdout=log, text=True
            )
        last = time.monotonic() + PATIENCE
        while not (found := re.search(r'"port": (\d+)', self.log())):
            assert time.monotonic() < last, self.log()
            time.sleep(0.05)
        self.port = int(found[1])

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def log(self) -> str:
        """What it has logged."""
        return self._log.read_text()

    def events(self) -> list[Json]:
        """The same as data."""
        return [json.loads(line) for line in self.log().splitlines()]

    def end(self) -> int:
        """Let it end; its exit status."""
        self._process.communicate(timeout=20)
        return self._process.returncode


class DaemonClient(Client, Vendors, People):
    """Requests to a daemon that listens."""

    @property
    def pid(self) -> int:
        """The newest daemon."""
        return self.daemons[-1].pid

    def open(self, **environ: str) -> str:
        """Start a daemon; its address once it listens."""
        self.start(**({"HTTP_LISTEN": "127.0.0.1:0"} | FAST_PATH | environ))
        self.until(lambda: '"listening"' in self.log(), "it listens")
        found = re.search(r'"port": (\d+)', self.log())
        assert found
        self.port = int(found[1])
        return self.url

    def open_ready(self, **environ: str) -> None:
        """The same, once it is ready."""
        self.open(**environ)
        self.until(lambda: self.get("/readyz").status_code == 200, "it is ready")

    def paired(self, message: str = "db-primary is down") -> tuple[str, str]:
        """Raise an alert that Opsgenie reports by webhook; ids of it and its incident, once all is mirrored."""
        alert = self.raise_alert(message)
        self.until(lambda: self.report(opsgenie_body(alert, "Create")).ok and self.is_paged(alert), "a page")
        self.rest()  # the last of these reports is worked on
        return alert, str(self.incident(alert)["id"])
