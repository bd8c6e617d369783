"""The application of the HTTP endpoints without a listener: requests go to it in this thread."""

import json
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, settings

from reconciler.core.hints import Hint
from reconciler.observability.health import Health
from reconciler.observability.metrics import Metrics
from reconciler.settings import load
from reconciler.vendors.http import SystemClock
from reconciler.web.app import create
from tests.support.harness.listener import REQUIRED, SHARED, signature

if TYPE_CHECKING:
    from flask.testing import FlaskClient

FUZZ = settings(
    max_examples=150,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


class Door:
    """The application without a listener, and what it lets in."""

    def __init__(self, **environ: str) -> None:
        self.hints: list[Hint] = []
        self.metrics = Metrics(Health(10.0), SystemClock())
        self.settings = load(REQUIRED | {"HTTP_LISTEN": "127.0.0.1:0"} | environ, dotenv=None)
        app = create(self.settings, self.metrics, self.hints.append, lambda: self.settings)
        self.client: FlaskClient = app.test_client()

    def pagerduty(self, body: bytes, header: str | None = None, delivery: str = "") -> int:
        headers = {
            "X-PagerDuty-Signature": signature(body) if header is None else header,
            "X-Webhook-Id": delivery,
        }
        return self.client.post("/pd-webhook", data=body, headers=headers).status_code

    def opsgenie(self, body: Any, secret: str = SHARED) -> int:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.post("/ops-webhook", data=raw, headers={"X-Webhook-Secret": secret}).status_code

    def outcomes(self) -> dict[str, float]:
        lines = self.metrics.text().decode().splitlines()
        found = [line for line in lines if line.startswith("reconciler_webhooks_total{")]
        counted = [(line.split('outcome="')[1].split('"')[0], float(line.split()[-1])) for line in found]
        return {outcome: times for outcome, times in counted if times}
