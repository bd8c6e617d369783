"""A vendor of any size that never changes: it computes each answer on request and stores nothing.

Pair number n is the same alert and incident in every answer. PagerDuty's log contains entries of other incidents
at a given rate.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from reconciler.sandbox.opsgenie import shapes as opsgenie_shapes
from reconciler.sandbox.opsgenie.state import Alert
from reconciler.sandbox.pagerduty import shapes as pagerduty_shapes
from reconciler.sandbox.pagerduty.directory import JANE, POLICY_ID, SERVICES, USERS
from reconciler.sandbox.pagerduty.state import Incident, LogEntry
from reconciler.sandbox.settings import SandboxSettings
from reconciler.sandbox.wire import Request, Response, json_response, parse_time

PAGE = 100
AGE = timedelta(days=2)
"""The age of the oldest pair; the newest is older than any overlap of the feeds."""


def alert_id(number: int) -> str:
    """The id of the pair's alert."""
    return f"{number:08x}-4b17-4c39-8c39-602a02fe417c-{1_763_000_000_000 + number}"


def incident_id(number: int) -> str:
    """The id of the pair's incident."""
    return f"Q{number:013d}"


class Canned:
    """Both vendors. `log_rate` is log entries a second in the account; `asked` counts requests."""

    def __init__(self, pairs: int, epoch: datetime, now: Callable[[], datetime], log_rate: float = 0.0) -> None:
        self.pairs = pairs
        self.epoch = epoch
        self.now = now
        self.log_rate = log_rate
        self.asked = 0
        self._alerts = lru_cache(64)(self._alert_page)
        self._incidents = lru_cache(64)(self._incident_page)

    def created(self, number: int) -> datetime:
        """When the pair's alert was raised."""
        return self.epoch - AGE + timedelta(seconds=number)

    def __call__(self, request: Request) -> Response:
        """Answer a request as the sandbox does."""
        self.asked += 1
        match request.path.strip("/").split("/"):
            case ["opsgenie", "v2", "alerts"]:
                newest = request.first("order") == "desc"
                body = self._alerts(self._first(request), int(request.first("offset", "0")), newest)
                return Response(200, body, {"Content-Type": "application/json"})
            case ["opsgenie", "v2", "alerts", _, "notes" | "logs"]:
                return json_response(200, {"data": [], "paging": {}})
            case ["pagerduty", "incidents"]:
                body = self._incidents(int(request.first("offset", "0")))
                return Response(200, body, {"Content-Type": "application/json", **_limits()})
            case ["pagerduty", "incidents", _, "notes"]:
                return json_response(200, {"notes": []}, _limits())
            case ["pagerduty", "log_entries"]:
                return json_response(200, self._log(request), _limits())
        return _about_us(request)

    def _first(self, request: Request) -> int:
        """The number of the first pair that the query selects; it may contain `createdAt>=…`."""
        _, found, stamp = request.first("query").partition("createdAt>=")
        if not found:
            return 0
        since = datetime.fromtimestamp(int(stamp) / 1000, UTC)
        return max(0, int((since - self.created(0)).total_seconds()))

    def _alert_page(self, first: int, offset: int, newest: bool) -> bytes:
        numbers = range(self.pairs - 1, -1, -1) if newest else range(first, self.pairs)
        page = numbers[offset : offset + PAGE]
        rows = [opsgenie_shapes.row(self._alert(number)) for number in page]
        more = {"next": "https://more.invalid"} if offset + PAGE < len(numbers) else {}
        return json.dumps({"data": rows, "paging": more, "took": 0.01}).encode()

    def _alert(self, number: int) -> Alert:
        at = self.created(number)
        return Alert(
            alert_id(number), str(number), alert_id(number), f"disk {number} is filling up", at, at, at,
            source="nagios", tags=("disk", "eu-west-1"),
        )  # fmt: skip

    def _incident_page(self, offset: int) -> bytes:
        page = range(self.pairs)[offset : offset + PAGE]
        rows = [pagerduty_shapes.incident_json(self._incident(number)) for number in page]
        return json.dumps({"incidents": rows, "more": offset + PAGE < self.pairs}).encode()

    def _incident(self, number: int) -> Incident:
        at = self.created(number)
        return Incident(
            incident_id(number), number + 1, f"disk {number} is filling up", alert_id(number), at, at, at
        )

    def _log(self, request: Request) -> dict[str, Any]:
        """A page of the log, newest first; an entry's number determines its content."""
        since = parse_time(request.first("since"))
        offset, limit = int(request.first("offset", "0")), int(request.first("limit", "25"))
        last = self.now().timestamp()
        newest, oldest = int(last * self.log_rate), int(since.timestamp() * self.log_rate)
        numbers = range(newest, oldest, -1)
        page = [self._entry(number) for number in numbers[offset : offset + limit]]
        return {"log_entries": page, "more": offset + limit < len(numbers)}

    def _entry(self, number: int) -> dict[str, Any]:
        at = datetime.fromtimestamp(number / self.log_rate, UTC)
        other = Incident(f"QOTHER{number % 997:06d}", 1, "somebody else's", "", at, at, at)
        kind, channel = "acknowledge_log_entry", {"type": "web"}
        line = LogEntry(f"R{number:024d}", kind, "Acknowledged", at, other, JANE, channel, {})
        return pagerduty_shapes.log_entry_json(line, channels=True)


def _about_us(request: Request) -> Response:
    """Answers about the account: users, the service, who is on call."""
    match request.path.strip("/").split("/"):
        case ["pagerduty", "users"]:
            page = {"users": [pagerduty_shapes.user_json(user) for user in USERS], "more": False}
            return json_response(200, page, _limits())
        case ["pagerduty", "users", "me"]:
            return json_response(400, {"error": "an account-level access token has no user"}, _limits())
        case ["pagerduty", "services", service_id]:
            service = pagerduty_shapes.service_json(service_id, "active", SandboxSettings())
            return json_response(200, {"service": service}, _limits())
        case ["pagerduty", "oncalls"]:
            page = {"oncalls": [pagerduty_shapes.on_call_json(POLICY_ID, 1, JANE)], "more": False}
            return json_response(200, page, _limits())
        case ["pagerduty", "escalation_policies", _]:
            policy = pagerduty_shapes.policy_json(POLICY_ID, [[JANE]], SERVICES)
            return json_response(200, {"escalation_policy": policy}, _limits())
    return json_response(404, {"error": {"message": f"canned: {request.path}"}})


def _limits() -> dict[str, str]:
    return {"ratelimit-limit": "960", "ratelimit-remaining": "900", "ratelimit-reset": "30"}
