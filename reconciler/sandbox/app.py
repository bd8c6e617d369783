"""The whole sandbox without sockets: takes requests for both vendors and for the control API, applies faults."""

from dataclasses import dataclass, replace
from datetime import timedelta
from threading import Lock

from reconciler.sandbox import control, faults
from reconciler.sandbox.faults import Fault
from reconciler.sandbox.settings import SandboxSettings
from reconciler.sandbox.vendors import Vendors
from reconciler.sandbox.wire import Clock, Request, Response, json_response


@dataclass(frozen=True, slots=True)
class Cut:
    """Close the connection after `after` seconds: without an answer, or in the middle of `partial`'s body."""

    after: float = 0.0
    partial: Response | None = None


@dataclass(frozen=True, slots=True)
class Delayed:
    """Answer after `seconds`."""

    seconds: float
    response: Response


@dataclass(frozen=True, slots=True)
class Dripped:
    """Answer byte by byte over `seconds`: the head, or with `body` the body after a prompt head."""

    seconds: float
    response: Response
    body: bool = False


Reply = Response | Cut | Delayed | Dripped
"""What the server does with a request."""


class Sandbox(Vendors):
    """Both vendors behind one lock. `handle` may be called from any thread; other methods need the lock."""

    def __init__(self, clock: Clock | None = None, settings: SandboxSettings | None = None) -> None:
        super().__init__(clock, settings)
        self.lock = Lock()

    def handle(self, request: Request) -> Reply:
        """Answer a request to a path that begins with /opsgenie, /jsm, /pagerduty or /control."""
        prefix, _, rest = request.path.lstrip("/").partition("/")
        inner = replace(request, path=f"/{rest}", prefix=f"/{prefix}")
        with self.lock:
            self.late.apply(self.clock.now())
            match prefix:
                case "opsgenie" | "jsm" | "pagerduty":
                    return self._call(prefix, inner)
                case "control":
                    return control.handle(self, inner)
        return json_response(404, {"error": "paths begin with /opsgenie, /jsm, /pagerduty or /control"})

    def answer(self, vendor: str, request: Request) -> Response:
        """A vendor's own answer, without faults and journal. The caller locks."""
        apis = {"opsgenie": self.opsgenie.handle, "jsm": self.jsm.handle, "pagerduty": self.pagerduty.handle}
        return apis[vendor](request)

    def _call(self, vendor: str, request: Request) -> Reply:
        at = self.clock.now()
        fault = self.faults.next(vendor, request)
        reply = self._reply(vendor, request, fault) if fault else self.answer(vendor, request)
        sent = reply.response if isinstance(reply, Delayed | Dripped) else reply
        status = sent.status if isinstance(sent, Response) else 0
        self.journal.call(
            at, vendor, request.method, request.path, query=request.query, status=status,
            fault=fault.do if fault else None,
        )  # fmt: skip
        return reply

    def _reply(self, vendor: str, request: Request, fault: Fault) -> Reply:  # noqa: PLR0911 - one for each kind
        real = self.answer(vendor, request) if fault.has_effect else None
        match fault.do:
            case "refuse_before" | "drop_after":
                return Cut()
            case "late":
                self._postpone(vendor, request, fault.seconds)
                return Cut()
            case "hang":
                return Cut(after=fault.seconds)
        response = faults.answer(fault, vendor, real, self.clock.now())
        match fault.do:
            case "truncate_after":
                return Cut(partial=response)
            case "slow":
                return Delayed(fault.seconds, response)
            case "drip" | "drip_body":
                return Dripped(fault.seconds, response, fault.do == "drip_body")
        return response

    def _postpone(self, vendor: str, request: Request, seconds: float) -> None:
        """Carry the call out later, stamped with that time."""
        due = self.clock.now() + timedelta(seconds=seconds)

        def carry_out(at: object) -> None:
            del at  # the same as `due`
            with self.clock.held(due):
                self.answer(vendor, request)

        self.late.put(due, carry_out)
