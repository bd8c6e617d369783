"""Trouble is logged when it begins, again while it lasts, and at its end with its duration."""

import json
import re
import socket

import requests

from reconciler.sandbox.wire import Request, Response, json_response
from tests.support.harness import World


def lines(world: World, words: str, level: str = "") -> list[str]:
    """The daemon's log events that contain these words."""
    return [e["event"] for e in world.events() if words in e["event"] and level in ("", e["level"])]


def free_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"127.0.0.1:{free.getsockname()[1]}"


def test_an_outage_is_logged_again_with_its_age_and_what_waits_and_its_end_with_its_duration(
    world: World,
) -> None:
    alert = world.raise_alert()
    world.start(REMIND_SECONDS="1", STALENESS_SECONDS="60")
    world.until(lambda: bool(world.incidents(alert)) and world.is_settled(), "the page")
    refused = json_response(401, {"error": {"message": "Unauthorized", "code": 2006}})
    end = world.answers(lambda vendor, request: vendor == "pagerduty" and request.method != "GET", refused)
    second = world.raise_alert("second")
    world.customer(alert, "notes", text="waits")
    world.until(lambda: bool(lines(world, "still")), "a reminder")
    (reminder, *_) = lines(world, "still", "error")
    assert re.fullmatch(
        r"PagerDuty: still .*PAGERDUTY_API_KEY.*, since \d\d:\d\d UTC \(\d+ s\): "
        r"1 page and 1 note wait, the oldest for \d+ s",
        reminder,
    ), reminder
    assert lines(world, "works again") == [], "a page waits"
    end()
    world.until(lambda: bool(world.incidents(second)), "the second page", patience=60)
    world.until(lambda: bool(lines(world, "works again")), "it works again", patience=60)
    (over,) = lines(world, "works again", "info")
    assert re.fullmatch(r"works again after (\d+ s|\d+ min); 1 page and 1 note had waited", over), over
    reminders = len(lines(world, "still"))
    world.pass_cycles(15)
    assert len(lines(world, "still")) == reminders


def test_trouble_with_one_alert_never_hides_trouble_with_another(world: World) -> None:
    alerts = [world.raise_alert(name) for name in ("one", "two", "three")]
    world.start()
    world.until(lambda: all(map(world.incidents, alerts)) and world.is_settled(), "the pages")
    refused = {world.incident(alert)["id"] for alert in alerts[:2]}
    world.answers(
        lambda vendor, request: vendor == "pagerduty" and request.path.split("/")[-1] in refused,
        json_response(404, {"error": {"message": "Incident Not Found", "code": 2100}}),
    )
    for alert in alerts:
        world.customer(alert, "acknowledge")
    world.until(lambda: world.incident(alerts[2])["status"] == "acknowledged", "the third")

    def said(number: int) -> list[str]:
        errors = [e["event"] for e in world.events() if e["level"] == "error"]
        return [words for words in errors if f'#{number} "' in words]

    world.until(lambda: bool(said(1)) and bool(said(2)), "both are said")


def test_ongoing_trouble_is_shown_by_status_metrics_and_readiness(world: World) -> None:
    address = free_address()
    world.raise_alert()
    world.start(HTTP_LISTEN=address, OPSGENIE_API_KEY="wrong")
    no_key = {"PAGERDUTY_API_KEY": "", "OPSGENIE_API_KEY": ""}
    world.until(lambda: world.told("OPSGENIE_API_KEY") == 1, "it is said")

    def troubles() -> list[dict[str, object]]:
        found: list[dict[str, object]] = json.loads(world.run("status", "--json", **no_key).stdout)["troubles"]
        return found

    world.until(lambda: bool(troubles()), "it is kept")
    (trouble,) = troubles()
    assert trouble["subject"] == "opsgenie"
    assert "OPSGENIE_API_KEY" in str(trouble["words"])
    done = world.run("status", "--exit-code", **no_key)
    assert done.returncode == 3
    assert "In trouble" in done.stdout
    metrics = requests.get(f"http://{address}/metrics", timeout=10).text
    assert 'reconciler_troubles{subject="opsgenie"} 1.0' in metrics
    ready = requests.get(f"http://{address}/readyz", timeout=10)
    assert ready.status_code == 503
    assert "OPSGENIE_API_KEY" in ready.json()["reason"]


def test_readiness_fails_while_the_pagerduty_service_is_disabled(world: World) -> None:
    """Nobody would be paged meanwhile; readiness recovers as soon as the service is enabled."""
    address = free_address()
    sandbox = world.sandbox
    machine = sandbox.answer

    def disabled(vendor: str, request: Request) -> Response:
        answer = machine(vendor, request)
        if vendor == "pagerduty" and request.path.startswith("/services/"):
            body = json.loads(answer.body)
            body["service"]["status"] = "disabled"
            return json_response(200, body)
        return answer

    sandbox.answer = disabled  # type: ignore[method-assign]
    world.start(HTTP_LISTEN=address, SWEEP_INTERVAL_SECONDS="1")

    def ready() -> requests.Response:
        return requests.get(f"http://{address}/readyz", timeout=10)

    world.until(lambda: world.told("disabled") >= 1, "it is said")
    world.until(lambda: "does not work" in ready().text, "it is the reason")
    assert ready().status_code == 503
    assert "PAGERDUTY_SERVICE_ID" in ready().json()["reason"]
    assert world.told("works again") == 0
    sandbox.answer = machine  # type: ignore[method-assign]
    world.until(lambda: ready().status_code == 200, "ready again", patience=60)
