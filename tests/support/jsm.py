"""Jira Service Management's side of the sandbox, as its clients call it."""

import base64
from typing import Any

from reconciler.sandbox.app import Sandbox
from reconciler.sandbox.jsm.directory import CLOUD_ID
from reconciler.sandbox.settings import SandboxSettings
from reconciler.sandbox.wire import ManualClock, Response, request
from tests.support.sandbox import OG

ACCOUNT = f"/jsm/jsm/ops/api/{CLOUD_ID}/v1/alerts"
INTEGRATION = "/jsm/jsm/ops/integration/v2/alerts"
TOKEN = base64.b64encode(b"robot@customer.example:sandbox-jsm-token").decode()
BASIC = {"Authorization": f"Basic {TOKEN}"}
GENIE = {"Authorization": "GenieKey sandbox-jsm-key"}


class JsmBench:
    """A sandbox whose alerts are in JSM from the beginning, or with `jsm_only=False` in Opsgenie at first."""

    def __init__(self, **settings: Any) -> None:
        self.clock = ManualClock()
        given = {"jsm_only": True, "noise": False} | settings
        self.sandbox = Sandbox(self.clock, SandboxSettings(**given))

    def call(self, method: str, target: str, body: Any = None, headers: Any = None) -> Response:
        keys = {"/jsm/jsm/ops/integration": GENIE, "/jsm/": BASIC, "/opsgenie/": OG, "/control/": {}}
        known = next(value for prefix, value in keys.items() if target.startswith(prefix))
        reply = self.sandbox.handle(request(method, target, body, known if headers is None else headers))
        assert isinstance(reply, Response)
        return reply

    def get(self, path: str = "") -> Any:
        """What the account API answers under /v1/alerts."""
        reply = self.call("GET", f"{ACCOUNT}{path}")
        assert reply.status == 200, reply.body
        return reply.json()

    def status(self, path: str = "") -> int:
        return self.call("GET", f"{ACCOUNT}{path}").status

    def post(self, path: str, body: Any = None) -> Response:
        return self.call("POST", f"{ACCOUNT}{path}", body)

    def outcome(self, accepted: Response) -> Any:
        return self.get(f"/requests/{accepted.json()['requestId']}")

    def named(self, path: str, body: Any = None) -> Response:
        return self.call("POST", f"{INTEGRATION}{path}", body or {})

    def control(self, method: str, path: str, body: Any = None) -> Any:
        reply = self.call(method, f"/control{path}", body)
        assert reply.status == 200, reply.body
        return reply.json()

    def set(self, **settings: Any) -> None:
        self.control("PATCH", "/settings", settings)

    def alert(self, product: str = "jsm", **more: Any) -> str:
        body = {"message": "disk full", "user": "Ana Ruiz"} | more
        return str(self.control("POST", f"/{product}/alerts", body)["id"])

    def act(self, product: str, alert: str, verb: str, **more: Any) -> Any:
        return self.control("POST", f"/{product}/alerts/{alert}/{verb}", {"user": "Ana Ruiz"} | more)

    def move(self, **settings: Any) -> Any:
        return self.control("POST", "/migrate", settings)

    def opsgenie(self, alert: str) -> Any:
        """The alert as Opsgenie's API has it, with its notes, oldest first."""
        found = self.call("GET", f"/opsgenie/v2/alerts/{alert}").json()["data"]
        notes = self.call("GET", f"/opsgenie/v2/alerts/{alert}/notes?order=asc").json()["data"]
        return found | {"notes": [note["note"] for note in notes]}

    def notes(self, alert: str) -> list[str]:
        return [note["note"] for note in self.get(f"/{alert}/notes")["values"]]
