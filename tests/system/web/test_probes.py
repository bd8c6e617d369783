"""Probes: ready while the work is done, else not, with a reason that names the setting; alive all the same."""

import pytest

from reconciler.sandbox.wire import Request, json_response
from tests.support.harness import World

REFUSALS = {
    "pagerduty": json_response(403, {"error": {"message": "Access Denied", "code": 2010}}),
    "opsgenie": json_response(403, {"message": "You are not authorized", "code": 40301, "took": 0.1}),
}
"""How each vendor answers a write with a key that may only read."""


@pytest.mark.parametrize("vendor", ["pagerduty", "opsgenie"])
def test_a_key_that_may_only_read_fails_readiness_by_its_name_but_not_liveness(world: World, vendor: str) -> None:
    alerts = [world.raise_alert(f"alert {number}") for number in range(3)]
    world.open_ready()
    world.until(lambda: all(map(world.is_paged, alerts)) and world.is_settled(), "the pages")

    def is_write(to: str, request: Request) -> bool:
        return to == vendor and request.method != "GET"

    end = world.answers(is_write, REFUSALS[vendor])
    for alert in alerts:
        world.customer(alert, "notes", text="from Ana")
        world.engineer(alert, "notes", text="from Jane")
    world.until(lambda: world.get("/readyz").status_code == 503, "not ready")
    refused = f"{vendor.upper()}_API_KEY: what is configured does not work"
    assert refused in world.get("/readyz").json()["reason"]
    assert world.get("/healthz").status_code == 200
    assert world.metric("reconciler_vendor_up", vendor=vendor) == 1, "it can be read"
    end()
    world.until(lambda: world.get("/readyz").status_code == 200, "ready again", patience=60)
    world.until(world.is_settled, "all is made up for")


def test_a_page_that_cannot_be_made_fails_readiness_and_its_age_is_measured(world: World) -> None:
    world.open_ready()
    world.settings(service_status="disabled")
    world.raise_alert(priority="P1")
    world.until(lambda: world.get("/readyz").status_code == 503, "not ready")
    assert "PAGERDUTY_SERVICE_ID" in world.get("/readyz").json()["reason"]
    assert world.get("/healthz").status_code == 200
    world.until(lambda: world.metric("reconciler_pages_waiting") == 1, "it is counted")
    before = world.metric("reconciler_oldest_page_waiting_seconds") or 0
    world.until(lambda: (world.metric("reconciler_oldest_page_waiting_seconds") or 0) > before, "its age")
    world.settings(service_status="active")
    world.until(lambda: world.get("/readyz").status_code == 200, "ready again", patience=60)
    world.until(lambda: world.metric("reconciler_oldest_page_waiting_seconds") == 0, "none waits")


def test_the_last_poll_of_a_vendor_is_known_after_a_restart_that_does_not_reach_it(world: World) -> None:
    world.open_ready()
    name = "reconciler_vendor_last_poll_timestamp_seconds"
    world.until(lambda: bool(world.metric(name, vendor="opsgenie")), "it is polled")
    assert world.stop() == 0
    world.faults({"do": "503", "vendor": "opsgenie", "times": 0})
    world.open()
    world.until(lambda: world.metric("reconciler_vendor_up", vendor="opsgenie") == 0, "it is down")
    world.until(lambda: bool(world.metric(name, vendor="opsgenie")), "it is known")
    assert world.metric("reconciler_last_good_poll_timestamp_seconds", source="opsgenie_feed") is None
