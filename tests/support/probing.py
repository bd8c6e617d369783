"""The probe in this process, against the sandbox without a socket and in simulated time."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from reconciler.core.model import Side
from reconciler.core.product import JSM
from reconciler.probe.findings import Finding
from reconciler.probe.run import Result
from reconciler.probe.steps import chosen
from reconciler.runtime.probing import Probe, assemble_probe
from reconciler.runtime.sessions import session
from reconciler.sandbox.app import Sandbox
from reconciler.sandbox.settings import SandboxSettings
from reconciler.sandbox.wire import Request, Response
from reconciler.vendors.http import Http, RequestRecord
from reconciler.vendors.rate_limiter import RateLimiter
from tests.support.clock import SimClock
from tests.support.in_process import settings as product_settings
from tests.support.simulated_daemon import Wire

Step = Callable[[Any], Any]


@dataclass
class Bench:
    """The sandbox, and a probe that works with it."""

    sandbox: Sandbox
    clock: SimClock
    probe: Probe
    wire: Wire
    source: str
    stop: threading.Event

    def run(self, *only: str, quick: bool = False) -> Result:
        """The steps of these names, or all."""
        return self.probe.run(chosen(self.source, only, quick=quick), lambda *_: None)

    def open(self) -> list[str]:
        """Titles of what is open in the sandbox."""
        alerts = [row["message"] for row in self.sandbox.opsgenie.state()["alerts"] if row["status"] == "open"]
        incidents = self.sandbox.pagerduty.state()["incidents"]
        return alerts + [row["title"] for row in incidents if row["status"] != "resolved"]


def bench(
    source: str = "opsgenie", *, vendor: Any = None, changed: dict[str, Any] | None = None, **knobs: Any
) -> Bench:
    """A sandbox with these settings. `source` as in `in_process.SOURCES`; `vendor` stands before the sandbox."""
    clock = SimClock()
    is_jsm = source != "opsgenie"
    sandbox = Sandbox(clock, SandboxSettings(jsm_only=is_jsm, **knobs))

    def answer(request: Request) -> Response:
        reply = vendor(request, sandbox) if vendor else sandbox.handle(request)
        assert isinstance(reply, Response)
        return reply

    wire = Wire(answer, clock)
    config = product_settings(source, **(changed or {}))

    def make(side: Side, name: str, on_request: Callable[[RequestRecord], None]) -> Http:
        made = session(config, side, clock, RateLimiter(clock), on_request, name=name)
        made._session.requests.mount("https://", wire)
        return made

    stop = threading.Event()
    probe = assemble_probe(config, stop, clock, make)
    return Bench(sandbox, clock, probe, wire, JSM.key if is_jsm else source, stop)


def finding(result: Result, words: str) -> Finding:
    """The only finding whose question has these words."""
    (found,) = [each for each in result.findings if words in each.question]
    return found
