"""The whole sandbox behind one lock: both vendors, journal, faults and the control API. No sockets here."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from threading import Lock
from typing import Any

from reconciler.sandbox import control, faults
from reconciler.sandbox.due_queue import DueQueue
from reconciler.sandbox.faults import Fault, Faults
from reconciler.sandbox.journal import Journal
from reconciler.sandbox.opsgenie.api import OpsgenieApi
from reconciler.sandbox.pagerduty.api import PagerDutyApi
from reconciler.sandbox.settings import SandboxSettings
from reconciler.sandbox.wire import Clock, Json, Request, Response, StampClock, SystemClock, json_response


@dataclass(frozen=True, slots=True)
class Cut:
    """Close the connection after `after` seconds: without an answer, or in the middle of `partial`'s body."""

    after: float = 0.0
    partial: Response | None = None


@dataclass(frozen=True, slots=True)
class Delayed:
    """Answer after some seconds."""

    seconds: float
    response: Response


@dataclass(frozen=True, slots=True)
class Dripped:
    """Answer byte by byte over some seconds: the head, or with `body` the body after a prompt head."""

    seconds: float
    response: Response
    body: bool = False


Reply = Response | Cut | Delayed | Dripped
"""What becomes of a request on the wire."""


class Sandbox:
    """Both vendors. Everything public may be called from any thread, except on the machines themselves."""

    def __init__(self, clock: Clock | None = None, settings: SandboxSettings | None = None) -> None:
        self.clock = StampClock(clock or SystemClock())
        self.lock = Lock()
        self.faults = Faults(self.clock)
        self._initial = settings or SandboxSettings()
        self.reset()

    def reset(self) -> None:
        """Everything as it was in the beginning: no alerts, no incidents, no faults, the first settings."""
        self.journal = Journal()
        self.opsgenie = OpsgenieApi(self.clock, self._initial, self.journal)
        self.pagerduty = PagerDutyApi(self.clock, self._initial, self.journal)
        self._late = DueQueue()
        self.faults.clear()

    @property
    def settings(self) -> SandboxSettings:
        """The settings of both."""
        return self.opsgenie.settings

    @settings.setter
    def settings(self, settings: SandboxSettings) -> None:
        self.opsgenie.settings = self.pagerduty.settings = settings

    def handle(self, request: Request) -> Reply:
        """Answer a request by its first path segment: opsgenie, pagerduty or control."""
        prefix, _, rest = request.path.lstrip("/").partition("/")
        inner = replace(request, path=f"/{rest}", prefix=f"/{prefix}")
        with self.lock:
            self._late.apply(self.clock.now())
            match prefix:
                case "opsgenie" | "pagerduty":
                    return self._call(prefix, inner)
                case "control":
                    return control.handle(self, inner)
        return json_response(404, {"error": "paths begin with /opsgenie, /pagerduty or /control"})

    def change(self, changes: Mapping[str, Any], for_seconds: float | None = None) -> None:
        """Change settings; with `for_seconds` those that were changed become what they were after that time."""
        before = self.settings.as_json()
        self.settings = self.settings.changed(changes)
        if for_seconds is None:
            return
        earlier = {name: before[name] for name in changes}

        def restore(at: object) -> None:
            del at  # it makes no difference when
            self.settings = self.settings.changed(earlier)

        self._late.put(self.clock.now() + timedelta(seconds=for_seconds), restore)

    def state(self) -> Json:
        """Both sides whole, as GET /control/state shows them. The caller holds the lock."""
        self._late.apply(self.clock.now())
        return {
            "now": control.now(self),
            "opsgenie": self.opsgenie.state(),
            "pagerduty": self.pagerduty.state(),
            "journal": self.journal.acts_json(),
        }

    def _call(self, vendor: str, request: Request) -> Reply:
        at = self.clock.now()
        fault = self.faults.next(vendor, request)
        reply = self._reply(vendor, request, fault)
        sent = reply.response if isinstance(reply, Delayed | Dripped) else reply
        status = sent.status if isinstance(sent, Response) else 0
        self.journal.call(
            at, vendor, request.method, request.path, query=request.query, status=status,
            fault=fault.do if fault else None,
        )  # fmt: skip
        return reply

    def _reply(self, vendor: str, request: Request, fault: Fault | None) -> Reply:  # noqa: PLR0911 - one a kind
        if fault is None:
            return self._machine(vendor, request)
        real = self._machine(vendor, request) if fault.has_effect else None
        match fault.do:
            case "refuse_before" | "drop_after":
                return Cut()
            case "late":
                self._postpone(vendor, request, fault.seconds)
                return Cut()
            case "hang":
                return Cut(after=fault.seconds)
            case "truncate_after":
                return Cut(partial=faults.answer(fault, vendor, real))
            case "slow":
                return Delayed(fault.seconds, faults.answer(fault, vendor, real))
            case "drip" | "drip_body":
                return Dripped(fault.seconds, faults.answer(fault, vendor, real), fault.do == "drip_body")
        return faults.answer(fault, vendor, real)

    def _machine(self, vendor: str, request: Request) -> Response:
        return self.opsgenie.handle(request) if vendor == "opsgenie" else self.pagerduty.handle(request)

    def _postpone(self, vendor: str, request: Request, seconds: float) -> None:
        """The call is carried out later, and then has that moment's stamp."""
        due = self.clock.now() + timedelta(seconds=seconds)

        def carry_out(at: object) -> None:
            del at  # the same as `due`
            with self.clock.held(due):
                self._machine(vendor, request)

        self._late.put(due, carry_out)
