"""The wire: passes requests of the product's client to the sandbox's state machines, and injects faults."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import BaseAdapter
from urllib3.exceptions import NewConnectionError, ProtocolError

from reconciler.sandbox import faults, wire
from reconciler.sandbox.wire import Refused, Response
from tests.support.in_process import answer_to, asked_of
from tests.support.simulation.schedule import ANSWERS
from tests.support.simulation.store import Crash

if TYPE_CHECKING:
    from tests.support.simulation.world import World

LATENCY = 0.013
LAG = 25.0
HTML = b"<html>oops</html>"
HANG = 31.0


class _Raw:
    """The stream of a body, which may be truncated."""

    def __init__(self, body: bytes, *, cut: bool = False) -> None:
        self._body = body
        self._cut = cut

    def read1(self, _amount: int, *, decode_content: bool) -> bytes:
        """Everything available, then the end or a broken connection."""
        del decode_content
        body, self._body = self._body, b""
        if not body and self._cut:
            raise ProtocolError("Connection broken")
        return body

    def read(self, _amount: int = -1, **_: object) -> bytes:
        """The same, as `requests` itself reads the body of a redirection."""
        return self.read1(-1, decode_content=False)

    def close(self) -> None:
        """Nothing to close."""


class SimAdapter(BaseAdapter):
    """A transport adapter for `requests`, one for each vendor. `side` is the key of the vendor's outages."""

    def __init__(self, world: "World", side: str) -> None:
        super().__init__()
        self.world = world
        self.side = side
        self.vendor = world.history.vendor if side == "opsgenie" else side

    def close(self) -> None:
        """Nothing to close."""

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """One call: a step of the world."""
        asked = asked_of(request)
        asked = replace(asked, path=asked.path.removeprefix(f"/{self.vendor}"))
        kind = kind_of(asked)
        self.world.clock.advance(LATENCY)
        fault = self.world.step(kind, asked)
        if fault == "crash_before":
            raise Crash
        response, cut = self._exchange(asked, kind, fault, request)
        if fault == "crash_after":
            raise Crash
        return answer_to(request, response, _Raw(response.body, cut=cut))

    def _exchange(
        self, asked: wire.Request, kind: str, fault: str, request: requests.PreparedRequest
    ) -> tuple[Response, bool]:
        """The answer, and whether it is truncated."""
        early = self._before_any_effect(asked, kind, fault, request)
        if early is not None:
            return early, False
        return self._after_the_effect(self._handle(asked, fault), fault, request)

    def _before_any_effect(
        self, asked: wire.Request, kind: str, fault: str, request: requests.PreparedRequest
    ) -> Response | None:
        """Apply a fault that keeps the call from the vendor; None when the call gets there."""
        world = self.world
        state = world.outages.get(self.side, "")
        if state == "gone" or fault == "refused":
            raise requests.ConnectionError(NewConnectionError(None, "refused"), request=request)  # type: ignore[arg-type]
        if fault == "down":
            world.failing[kind] = 5
        if world.failing.get(kind):
            world.failing[kind] -= 1
            return self._refusal("500")
        if state == "401" or fault in ("429", "429_bare", "500", "503", "401", "500_before"):
            return self._refusal("401" if state == "401" else fault)
        if fault in ANSWERS:
            return faults.answer(ANSWERS[fault], self.vendor, None)
        if fault in ("late", "late_beyond"):
            world.postpone(self.vendor, asked, beyond=fault == "late_beyond")
        if fault in ("drop_before", "hang_before", "drop", "hang", "late", "late_beyond"):
            raise self._silence(fault, request)
        if fault in ("pending", "unknown") or world.is_forgotten(asked):
            pending = {"X-Opsgenie-Errortype": "RequestNotProcessed"} if fault == "pending" else {}
            return wire.json_response(404, {"message": "Request not found"}, pending)
        return None

    def _after_the_effect(  # noqa: PLR0911 - a table
        self, response: Response, fault: str, request: requests.PreparedRequest
    ) -> tuple[Response, bool]:
        """Apply a fault to the answer."""
        match fault:
            case "drop_after" | "hang_after":
                raise self._silence(fault, request)
            case "500_after":
                return self._refusal("500"), False
            case "truncated" | "truncated_after":
                return Response(response.status, response.body[: len(response.body) // 2], response.headers), True
            case "empty" | "empty_after":
                return Response(200), False
            case "html":
                return Response(200, HTML, {"Content-Type": "text/html"}), False
            case "html_after":
                return Response(502, HTML, {"Content-Type": "text/html"}), False
            case "skip" | "repeat":
                return _bent(response, fault), False
        return response, False

    def _handle(self, asked: wire.Request, fault: str) -> Response:
        world, sandbox = self.world, self.world.sandbox
        before = sandbox.settings
        bent = {"stale": {"list_lag": LAG, "log_lag": LAG}, "queued": {"write_lag": world.late},
                "queued_beyond": {"write_lag": world.too_late}}.get(fault)  # fmt: skip
        if bent:
            sandbox.settings = before.changed(bent)
        try:
            response = sandbox.handle(replace(asked, path=f"/{self.vendor}{asked.path}"))
        finally:
            sandbox.settings = before
        assert isinstance(response, Response)
        if fault in ("fails_later", "forgotten_failure", "forgotten") and response.status == 202:
            request_id = response.json()["requestId"]
            if fault != "forgotten":
                world.spoil(request_id)
            if fault != "fails_later":
                world.forgotten.add(request_id)
        return response

    def _silence(self, name: str, request: requests.PreparedRequest) -> Exception:
        if name.startswith("hang"):
            self.world.clock.advance(HANG)
            return requests.ReadTimeout("Read timed out.", request=request)
        return requests.ConnectionError(ProtocolError("Connection aborted."), request=request)

    def _throttled(self) -> dict[str, str]:
        """The headers by which this vendor says when its rate limit ends."""
        if self.vendor == "opsgenie":
            return {"X-RateLimit-State": "THROTTLED", "X-RateLimit-Period-In-Sec": "1"}
        if self.vendor == "jsm":
            ends = self.world.vendors_time.now() + timedelta(seconds=2)
            return {
                "X-RateLimit-Reset": ends.isoformat(timespec="seconds"),
                "RateLimit-Reason": "jira-burst-based",
            }
        return {"ratelimit-limit": "960", "ratelimit-remaining": "0", "ratelimit-reset": "2"}

    def _refusal(self, fault: str) -> Response:
        status = int(fault.partition("_")[0])
        headers: dict[str, str] = {}
        if fault == "429":
            headers = self._throttled()
        return wire.json_response(status, {"message": "sorry"}, headers)


_JSM = re.compile(r"^jsm/ops/(?:api/[^/]+/v1|integration/v2)/")
"""The beginnings of JSM's addresses, behind which they are like Opsgenie's."""


def kind_of(asked: wire.Request) -> str:  # noqa: C901, PLR0911, PLR0912 - a table
    """The kind of step of a call."""
    parts = _JSM.sub("v2/", asked.path.strip("/")).split("/")
    match (asked.method, *parts):
        case ("GET", "v2", "alerts") if asked.first("size"):
            return _kind_of_list(asked)
        case ("GET", "v2", "alerts"):
            is_probe = asked.first("limit") == "1"
            return "og.key" if is_probe else "og.list" if asked.first("sort") == "updatedAt" else "og.open"
        case ("GET", "v2", "alerts", "requests", _):
            return "og.request"
        case ("GET", "v2", "alerts", _):
            return "og.alert"
        case ("GET", "v2", "alerts", _, what):
            return f"og.{what}"
        case ("POST", "v2", "alerts", _, what):
            return {"acknowledge": "og.ack", "unacknowledge": "og.unack", "notes": "og.note"}.get(
                what, f"og.{what}"
            )
        case ("GET", "log_entries"):
            return "pd.log"
        case ("GET", "incidents"):
            return "pd.by_key" if asked.first("incident_key") else "pd.open"
        case ("GET", "incidents", _):
            return "pd.incident"
        case ("GET", "incidents", _, what):
            return {"notes": "pd.notes", "log_entries": "pd.acts"}.get(what, f"pd.{what}")
        case ("POST", "incidents"):
            return "pd.create"
        case ("PUT", "incidents", _):
            return "pd.status"
        case ("POST", "incidents", _, "notes"):
            return "pd.note"
    return "pd.who"


def _kind_of_list(asked: wire.Request) -> str:
    """The kind of one of JSM's lists: of the newest alerts, or of the open ones."""
    if asked.first("size") == "1":
        return "og.key"
    is_feed = asked.first("order") == "desc" and "status" not in asked.first("query")
    return "og.list" if is_feed else "og.open"


def _bent(response: Response, fault: str) -> Response:
    """A list that skips its first row or repeats it."""
    body = response.json()
    name = next(
        (name for name in ("data", "values", "incidents", "log_entries") if isinstance(body.get(name), list)), ""
    )
    if not name:
        return response
    rows = body[name]
    body[name] = rows[1:] if fault == "skip" else rows[:1] + rows
    return wire.json_response(response.status, body, response.headers)


def refused_later(reason: str) -> Callable[[Any], Any]:
    """An effect that fails when it is due."""

    def effect(_at: Any) -> Any:
        raise Refused(reason)

    return effect


def shown(asked: wire.Request) -> str:
    """A request in one line, for the trace."""
    body = json.dumps(json.loads(asked.body), sort_keys=True) if asked.body else ""
    return f"{asked.method} {asked.path} {sorted(asked.query.items())} {body}"
