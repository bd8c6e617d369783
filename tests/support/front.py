"""The HTTP listener under test, alone or in the installed daemon, and clients that send requests to it."""

import hashlib
import hmac
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import requests

from reconciler.sandbox.app import Reply
from reconciler.sandbox.server import RunningSandbox, serve
from reconciler.sandbox.wire import Request
from tests.support.harness import Json, World, hurried
from tests.support.launcher import Launched

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
    """Requests to a listener in a process of its own, and what that process logs and needs."""

    port = 0
    daemons: Sequence[Launched | subprocess.Popen[str]]

    def log(self) -> str:
        """What the newest process has logged."""
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

    def events(self) -> list[Json]:
        """What the newest daemon has logged, as data."""
        return [json.loads(line) for line in self.log().splitlines()]

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
        return len(list(Path(f"/proc/{self.daemons[-1].pid}/fd").iterdir()))

    def memory(self) -> int:
        """Resident bytes of the newest daemon."""
        status = Path(f"/proc/{self.daemons[-1].pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found
        return int(found[1]) * 1024


class Listener(Client):
    """The listener without the rest of the daemon."""

    def __init__(self, folder: Path, *arguments: str, **environ: str) -> None:
        self._log = folder / "listener.log"
        given = REQUIRED | FAST_PATH | environ | {"HTTP_LISTEN": "127.0.0.1:0", "PATH": os.environ["PATH"]}
        with self._log.open("w") as log:
            module = [sys.executable, str(Path(__file__).with_name("listener.py")), *arguments]
            self._process = subprocess.Popen(
                module, env=given, cwd=folder, stdin=subprocess.PIPE, stderr=log, stdout=log, text=True
            )
        self.daemons = [self._process]
        last = time.monotonic() + 15
        while not (found := re.search(r'"port": (\d+)', self.log())):
            assert time.monotonic() < last, self.log()
            time.sleep(0.05)
        self.port = int(found[1])

    def log(self) -> str:
        """What it has logged."""
        return self._log.read_text()

    def end(self) -> int:
        """Let it end; its exit status."""
        self._process.communicate(timeout=20)
        return self._process.returncode


class Front(World, Client):
    """A world whose daemon listens."""

    daemons: list[Launched]

    def open(self, **environ: str) -> str:
        """Start the daemon; its address once it is ready to be asked."""
        self.start(**({"HTTP_LISTEN": "127.0.0.1:0"} | FAST_PATH | environ))
        self.until(lambda: '"listening"' in self.log(), "it listens")
        found = re.search(r'"port": (\d+)', self.log())
        assert found
        self.port = int(found[1])
        return self.url

    def open_ready(self, **environ: str) -> None:
        """The same, after the first cycle."""
        self.open(**environ)
        self.until(lambda: self.get("/readyz").status_code == 200, "it is ready")

    def paired(self, message: str = "db-primary is down") -> tuple[str, str]:
        """An alert and its incident, both mirrored and at rest; their ids."""
        alert = self.raise_alert(message)
        self.until(
            lambda: self.report(opsgenie_body(alert, "Create")).ok and bool(self.incidents(alert)), "a page"
        )
        incident = str(self.incident(alert)["id"])
        self.rest()  # the last of those reports is looked at
        return alert, incident

    def rest(self, seconds: float = 0.7) -> None:
        """Wait until no API has been asked anything for so long, 5 s at most: a busy machine takes its time."""
        seen, since = self.seq(), time.monotonic()
        last = since + 5
        while time.monotonic() < min(last, since + seconds):
            time.sleep(0.05)
            if self.seq() != seen:
                seen, since = self.seq(), time.monotonic()

    def state(self) -> Json:
        """Both sides whole, taken from the sandbox itself: asked for very often."""
        sandbox = self.sandbox.sandbox
        with sandbox.lock:
            return sandbox.state()

    def is_noted(self, alert: str, words: str) -> bool:
        """Whether a note of the alert ends so; cheaper than the whole state."""
        sandbox = self.sandbox.sandbox
        with sandbox.lock:
            sandbox.opsgenie.settle()
            return any(note.text.endswith(words) for note in sandbox.opsgenie.find(alert).notes)

    def is_told(self, alert: str, words: str) -> bool:
        """Whether a note of the alert's incident ends so."""
        sandbox = self.sandbox.sandbox
        with sandbox.lock:
            return any(note.content.endswith(words) for note in sandbox.pagerduty.find(alert).notes)

    def is_paged(self, alert: str) -> bool:
        """Whether the alert has an incident."""
        sandbox = self.sandbox.sandbox
        with sandbox.lock:
            return bool(sandbox.pagerduty.incidents.by_key(alert))

    @contextmanager
    def held(self, path: str) -> Iterator[Event]:
        """Nothing asked of the vendors at this path is answered meanwhile; the event says that something was."""
        sandbox, asked, released = self.sandbox.sandbox, Event(), Event()
        handle = sandbox.handle

        def hold(request: Request) -> Reply:
            if request.path == path:
                asked.set()
                released.wait(20)
            return handle(request)

        sandbox.handle = hold  # type: ignore[method-assign]
        try:
            yield asked
        finally:
            released.set()
            sandbox.handle = handle  # type: ignore[method-assign]

    def calls(self, since: int = 0) -> list[Json]:
        """API requests with a higher `seq`."""
        sandbox = self.sandbox.sandbox
        with sandbox.lock:
            return sandbox.journal.calls_json(since)

    def seq(self) -> int:
        """The number of the newest API request."""
        return max((int(call["seq"]) for call in self.calls()), default=0)


@contextmanager
def a_front(folder: Path, **settings: Any) -> Iterator[Front]:
    """A world, with the sandbox's knobs turned."""
    with serve(settings=hurried(**settings)) as sandbox:
        yield from _until_the_end(Front(sandbox, folder))


def beside(sandbox: RunningSandbox, folder: Path) -> Front:
    """Another daemon of its own folder beside the same sandbox."""
    return Front(sandbox, folder)


def _until_the_end(front: Front) -> Iterator[Front]:
    try:
        yield front
    finally:
        for daemon in front.daemons:
            if daemon.poll() is None:
                daemon.kill()
                daemon.wait()
