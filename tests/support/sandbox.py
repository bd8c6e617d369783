"""The sandbox without sockets, for its own tests: a single vendor, or both with the control API."""

from collections.abc import Mapping
from typing import Any

from reconciler.sandbox.app import Sandbox
from reconciler.sandbox.opsgenie.api import OpsgenieApi
from reconciler.sandbox.pagerduty.api import PagerDutyApi
from reconciler.sandbox.settings import SandboxSettings
from reconciler.sandbox.wire import ManualClock, Response, request

KEY = {"Authorization": "GenieKey sandbox-opsgenie-key", "Host": "og.example"}
READ = {"Authorization": "Token token=sandbox-pagerduty-key"}
WRITE = READ | {"From": "reconciler@example.com", "Content-Type": "application/json"}
NEW = {"type": "incident", "title": "disk full", "service": {"id": "PSVC001", "type": "service_reference"}}
OG = {"Authorization": "GenieKey sandbox-opsgenie-key"}


class OpsgenieBench:
    def __init__(self, **settings: Any) -> None:
        self.clock = ManualClock()
        self.api = OpsgenieApi(self.clock, SandboxSettings(**settings))

    def get(self, target: str, headers: Mapping[str, str] = KEY) -> Response:
        return self.api.handle(request("GET", target, None, headers))

    def post(self, target: str, body: Any = None) -> Response:
        return self.api.handle(request("POST", target, {} if body is None else body, KEY))

    def alert(self, message: str = "disk full", **more: Any) -> str:
        return str(self.api.create_alert(message, **({"user": "Ana Ruiz"} | more))["id"])

    def ids(self, target: str) -> list[str]:
        return [row["id"] for row in self.get(target).json()["data"]]

    def detail(self, alert_id: str) -> Any:
        return self.get(f"/v2/alerts/{alert_id}").json()["data"]

    def outcome(self, response: Response) -> Any:
        return self.get(f"/v2/alerts/requests/{response.json()['requestId']}").json()["data"]


class PagerDutyBench:
    def __init__(self, **settings: Any) -> None:
        self.clock = ManualClock()
        self.api = PagerDutyApi(self.clock, SandboxSettings(**({"noise": False} | settings)))

    def get(self, target: str) -> Response:
        return self.api.handle(request("GET", target, None, READ))

    def send(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] = WRITE) -> Response:
        return self.api.handle(request(method, path, body, headers))

    def create(self, **more: Any) -> str:
        response = self.send("POST", "/incidents", {"incident": NEW | more})
        assert response.status == 201, response.body
        return str(response.json()["incident"]["id"])

    def put(self, incident: str, **values: Any) -> Response:
        return self.send("PUT", f"/incidents/{incident}", {"incident": {"type": "incident"} | values})

    def incident(self, incident: str) -> Any:
        return self.get(f"/incidents/{incident}").json()["incident"]

    def kinds(self, incident: str) -> list[str]:
        rows = self.get(f"/incidents/{incident}/log_entries").json()["log_entries"]
        return [row["type"].removesuffix("_log_entry") for row in reversed(rows)]

    def causes(self) -> list[str]:
        return [page["cause"] for page in self.api.pages]

    def list(self, query: str) -> Any:
        return self.get(f"/incidents?{query}").json()


def error(response: Response) -> tuple[int, Any]:
    return response.status, response.json()["error"].get("code")


class TroubleBench:
    """A sandbox with settings and faults changed through the control API, as users do."""

    def __init__(self, **settings: Any) -> None:
        self.clock = ManualClock()
        self.sandbox = Sandbox(self.clock)
        self.set(noise=False, **settings)

    def call(self, method: str, path: str, body: Any = None, headers: Any = None) -> Response:
        known = WRITE if path.startswith("/pagerduty") else OG
        reply = self.sandbox.handle(request(method, path, body, known if headers is None else headers))
        assert isinstance(reply, Response)
        return reply

    def control(self, method: str, path: str, body: Any = None) -> Any:
        reply = self.call(method, f"/control{path}", body)
        assert reply.status == 200, reply.body
        return reply.json()

    def set(self, **settings: Any) -> None:
        self.control("PATCH", "/settings", settings)

    def fault(self, **values: Any) -> None:
        self.control("POST", "/faults", values)

    def alert(self, **more: Any) -> str:
        body = {"message": "disk full", "user": "Ana Ruiz"} | more
        return str(self.control("POST", "/opsgenie/alerts", body)["id"])

    def create(self, **more: Any) -> Response:
        return self.call("POST", "/pagerduty/incidents", {"incident": NEW | more})

    def created(self, **more: Any) -> str:
        response = self.create(**more)
        assert response.status == 201, response.body
        return str(response.json()["incident"]["id"])

    def incident(self, incident: str) -> Any:
        return self.call("GET", f"/pagerduty/incidents/{incident}").json()["incident"]

    def put(self, incident: str, **values: Any) -> Any:
        body = {"incident": {"type": "incident", **values}}
        response = self.call("PUT", f"/pagerduty/incidents/{incident}", body)
        assert response.status == 200, response.body
        return response.json()["incident"]

    def pages(self) -> list[str]:
        return [page["cause"] for page in self.control("GET", "/state")["pagerduty"]["pages"]]

    def status(self, path: str) -> int:
        return self.call("GET", path).status
