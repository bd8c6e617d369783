"""The sandbox over real HTTP in this process; records each write at the moment it is carried out."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from typing import Any

from reconciler.sandbox.app import Sandbox
from reconciler.sandbox.server import environment, serve
from reconciler.sandbox.settings import SandboxSettings
from reconciler.sandbox.wire import Request, Response

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Written:
    """A successful write."""

    at: float
    vendor: str
    method: str
    path: str
    body: str

    @property
    def values(self) -> Json:
        """The values that were sent."""
        found: Json = json.loads(self.body)
        return found


@dataclass(frozen=True, slots=True)
class Live:
    """A sandbox that listens."""

    url: str
    sandbox: Sandbox
    writes: "Queue[Written]"

    def environment(self, file: Path, **more: str) -> dict[str, str]:
        """The product's configuration."""
        given = {"DATABASE_URL": f"sqlite:///{file}", "LOG_FORMAT": "json", "LOG_LEVEL": "WARNING"}
        return environment(self.url) | given | more

    def until_polled(self, polls: int = 1) -> None:
        """Wait until this many cycles have begun."""
        last = time.monotonic() + 60
        while sum(call.path == "/log_entries" for call in list(self.sandbox.journal.calls)) < polls:
            assert time.monotonic() < last, "the daemon does not poll"
            time.sleep(0.01)


@contextmanager
def live(settings: SandboxSettings) -> Iterator[Live]:
    """A sandbox until the end of the block."""
    with serve(settings=settings) as running:
        sandbox, writes = running.sandbox, Queue[Written]()
        machine = sandbox.answer

        def noted(vendor: str, request: Request) -> Response:
            answer = machine(vendor, request)
            if request.method != "GET" and answer.status < 300:
                writes.put(Written(time.monotonic(), vendor, request.method, request.path, request.body.decode()))
            return answer

        sandbox.answer = noted  # type: ignore[method-assign]
        yield Live(running.url, sandbox, writes)
