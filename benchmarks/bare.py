"""The bare loop: it sends given writes one after the other, or several at a time, without any state.

Reads from stdin {"url", "hands", "alerts": [ids]}; prints how many seconds each kind of write took, as JSON.
"""

import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from reconciler.sandbox.pagerduty.directory import BOT, SERVICE_ID
from reconciler.sandbox.settings import SandboxSettings

KEYS = SandboxSettings()
NOTE = "[Opsgenie · Ana Ruiz · 2026-11-23 09:14:05.123Z] what is going on?"


def main(asked: dict[str, Any]) -> dict[str, float]:
    """Send the writes; returns the seconds by kind."""
    session = requests.Session()
    session.mount("http://", HTTPAdapter(pool_maxsize=asked["hands"]))
    incidents: dict[str, str] = {}

    def pagerduty(path: str, body: dict[str, Any]) -> Any:
        headers = {"Authorization": f"Token token={KEYS.pagerduty_key}", "From": BOT.email}
        return session.post(f"{asked['url']}/pagerduty{path}", json=body, headers=headers, timeout=30).json()

    def opsgenie(path: str, body: dict[str, Any]) -> Any:
        headers = {"Authorization": f"GenieKey {KEYS.opsgenie_key}"}
        return session.post(f"{asked['url']}/opsgenie/v2/alerts/{path}", json=body, headers=headers, timeout=30)

    def create(alert: str) -> None:
        incident = {
            "type": "incident", "title": "service is down", "incident_key": alert, "urgency": "low",
            "service": {"id": SERVICE_ID, "type": "service_reference"},
            "body": {"type": "incident_body", "details": "Priority: P3\nAlert: https://app.opsgenie.com/"},
        }  # fmt: skip
        incidents[alert] = pagerduty("/incidents", {"incident": incident})["incident"]["id"]

    def customer_note(alert: str) -> None:
        pagerduty(f"/incidents/{incidents[alert]}/notes", {"note": {"content": NOTE}})

    def engineer_note(alert: str) -> None:
        opsgenie(f"{alert}/notes", {"user": "Jane Doe (PagerDuty)", "source": "bare", "note": NOTE})

    def acknowledge(alert: str) -> None:
        opsgenie(f"{alert}/acknowledge", {"user": "Jane Doe", "source": "bare"})

    kinds: dict[str, Callable[[str], None]] = {
        "pages": create,
        "customers' notes": customer_note,
        "engineers' notes": engineer_note,
        "acknowledgements": acknowledge,
    }
    took = {}
    with ThreadPoolExecutor(asked["hands"]) as pool:
        for name, send in kinds.items():
            started = time.perf_counter()
            list(pool.map(send, asked["alerts"]))
            took[name] = time.perf_counter() - started
    return took


if __name__ == "__main__":
    print(json.dumps(main(json.load(sys.stdin))))
