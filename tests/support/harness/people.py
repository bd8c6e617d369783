"""Customers and engineers, who act through the sandbox's control API."""

from typing import Any

import requests

from reconciler.sandbox.server import RunningSandbox

Json = dict[str, Any]


class People:
    """Ana raises alerts in Opsgenie, Jane works on incidents in PagerDuty."""

    running: RunningSandbox

    def control(self, path: str, **body: Any) -> Json:
        """POST to the control API; returns its answer."""
        answer = requests.post(f"{self.running.url}/control/{path}", json=body, timeout=30)
        assert answer.ok, answer.text
        found: Json = answer.json()
        return found

    def raise_alert(self, message: str = "db-primary is down", **more: Any) -> str:
        """Ana raises an alert; returns its id."""
        return str(self.control("opsgenie/alerts", message=message, **({"user": "Ana Ruiz"} | more))["id"])

    def customer(self, alert_id: str, verb: str, **more: Any) -> None:
        """Ana acts on an alert."""
        self.control(f"opsgenie/alerts/{alert_id}/{verb}", **({"user": "Ana Ruiz"} | more))

    def engineer(self, alert_id: str, verb: str, **more: Any) -> None:
        """Jane acts on the alert's incident."""
        self.control(f"pagerduty/incidents/{alert_id}/{verb}", **({"user": "Jane Doe"} | more))
