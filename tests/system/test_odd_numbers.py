"""A vendor's numbers and timestamps are accepted within bounds: one odd header or timestamp prevents no page."""

import time
from dataclasses import replace
from typing import Any

import pytest

from reconciler.sandbox.wire import Request, Response, json_response
from tests.support.harness import World
from tests.support.harness.vendors import edited, is_call

TOO_MANY = {"error": {"message": "Rate Limit Exceeded", "code": 2020}}


def _once(world: World, method: str, path: str, answer: Response) -> None:
    """The next such call gets that answer."""
    left = [1]

    def first(vendor: str, request: Request) -> bool:
        mine = vendor == "pagerduty" and request.method == method and request.path == path
        if mine and left:
            left.pop()
            return True
        return False

    world.answers(first, answer)


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "1e300"},
        {"ratelimit-limit": "nan", "ratelimit-remaining": "0", "ratelimit-reset": "inf"},
    ],
    ids=["huge", "no numbers"],
)
def test_a_429_with_odd_headers_delays_a_page_only_briefly(world: World, headers: dict[str, str]) -> None:
    world.start()
    world.until_ready()
    _once(world, "POST", "/incidents", json_response(429, TOO_MANY, headers))
    alert = world.raise_alert(priority="P1")
    world.until(lambda: bool(world.incidents(alert)), "the page", patience=90)


def test_a_tiny_rate_limit_that_is_reported_once_delays_pages_only_briefly(world: World) -> None:
    world.start()
    world.until_ready()
    odd = {"ratelimit-limit": "1", "ratelimit-remaining": "0", "ratelimit-reset": "1000000000000"}
    left = [1]

    def tiny(_request: Request, real: Response) -> Response:
        return replace(real, headers={**real.headers, **odd}) if left and left.pop() else real

    world.bend(is_call("pagerduty", "POST", starts="/incidents"), tiny)
    alerts = [world.raise_alert(f"alert {number}", priority="P1") for number in range(5)]
    world.until(lambda: all(world.incidents(alert) for alert in alerts), "all pages", patience=100)


def test_a_429_in_a_quiet_moment_delays_the_next_storm_only_briefly(world: World) -> None:
    world.start()
    world.until_ready()
    world.faults({"do": "429", "vendor": "opsgenie", "path": "/v2/alerts"})
    world.pass_cycles(10)
    began = time.monotonic()
    alerts = [world.raise_alert(f"storm {number}", priority="P1") for number in range(30)]
    world.until(lambda: all(world.incidents(alert) for alert in alerts), "the storm's pages", patience=60)
    assert time.monotonic() - began < 20  # a rate limiter that stays slow after the 429 takes two seconds an alert


def _edit_alerts(world: World, **values: Any) -> None:
    def edit(document: dict[str, Any]) -> None:
        for row in document["data"] if isinstance(document.get("data"), list) else []:
            if row["message"] == "odd":
                row.update(values)

    world.bend(
        is_call("opsgenie", "GET", starts="/v2/alerts"),
        lambda _request, real: edited(real, edit) if real.status == 200 else real,
    )


@pytest.mark.parametrize("stamp", ["2999-01-01T00:00:00Z", -1])
def test_an_odd_timestamp_hides_neither_its_own_alert_nor_later_ones(world: World, stamp: object) -> None:
    _edit_alerts(world, updatedAt=stamp)
    world.start(SWEEP_INTERVAL_SECONDS="3600")
    world.until_ready()
    odd = world.raise_alert("odd", priority="P1")
    world.until(lambda: bool(world.incidents(odd)), "the odd one's page")
    later = [world.raise_alert(f"later {number}", priority="P1") for number in range(3)]
    world.until(lambda: all(world.incidents(alert) for alert in later), "the later ones' pages")


@pytest.mark.parametrize("key", ["count", ".."])
def test_an_incident_key_of_another_tool_does_not_block_the_first_start(world: World, key: str) -> None:
    world.control("pagerduty/incidents", title="another tool's", user="Jane Doe", key=key)
    alert = world.raise_alert(priority="P1")
    world.start()
    world.until(lambda: bool(world.incidents(alert)), "the page")
    asked = {call["path"] for call in world.calls() if call["path"].startswith("/v2/")}
    assert not {
        path for path in asked if path.rstrip("/") in ("/v2", "/v2/alerts/count", "/v2/alerts/saved-searches")
    }
