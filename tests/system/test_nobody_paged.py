"""An incident that pages nobody is made to page where that is possible, and is reported until it does."""

from typing import Any

import pytest
import requests

from reconciler.sandbox.wire import Request, Response, json_response
from tests.support.harness import World
from tests.support.harness.vendors import edited, is_call, never


def _ready(port: int) -> tuple[int, dict[str, Any]]:
    answer = requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5)
    return answer.status_code, answer.json()


def _listen(world: World, free_port: int) -> None:
    world.environment |= {"HTTP_LISTEN": f"127.0.0.1:{free_port}"}


@pytest.fixture
def free_port() -> int:
    import socket  # noqa: PLC0415 - only here

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.mark.parametrize("world", [{"bot_on_call": True}], indirect=True)
def test_an_incident_that_is_created_acknowledged_is_triggered_again_and_logged(world: World) -> None:
    world.start()
    alerts = [world.raise_alert(f"alert {number}", priority="P1") for number in range(3)]
    world.until(lambda: all(world.incidents(alert) for alert in alerts), "the incidents")
    world.until(lambda: all(world.incident(a)["status"] == "triggered" for a in alerts), "each triggered again")
    world.until(world.is_settled, "all settled")
    log = world.log()
    for alert in alerts:
        assert f"#{world.incident(alert)['incident_number']} " in log
    assert all(world.alert(alert)["acknowledged"] is False for alert in alerts)
    world.assert_quiet(8)


def test_an_incident_that_cannot_be_made_to_page_is_reported_for_as_long_as_that_lasts(
    world: World, free_port: int
) -> None:
    """Every attempt leaves the incident assigned to the automation user alone."""
    _listen(world, free_port)
    bot = {"id": "PBOT001", "type": "user_reference", "summary": "Reconciler Bot"}

    def to_the_bot(_request: Request, real: Response) -> Response:
        def edit(document: dict[str, Any]) -> None:
            rows = document.get("incidents") or [document.get("incident")]
            for row in rows:
                if row:
                    row["assignments"] = [{"at": row["created_at"], "assignee": bot}]

        return edited(real, edit) if real.status in (200, 201) else real

    bot["id"] = next(
        user["id"]
        for user in requests.get(
            f"{world.environment['PAGERDUTY_API_URL']}/users",
            headers={"Authorization": f"Token token={world.environment['PAGERDUTY_API_KEY']}"},
            timeout=5,
        ).json()["users"]
        if user["email"] == world.environment["PAGERDUTY_EMAIL"]
    )
    for method in ("GET", "POST", "PUT"):
        world.bend(is_call("pagerduty", method, starts="/incidents"), to_the_bot)
    world.start()
    alert = world.raise_alert(priority="P1")
    world.until(lambda: bool(world.incidents(alert)), "the incident")
    world.until(lambda: _ready(free_port)[0] == 503, "not ready")
    world.pass_cycles(20)
    status, body = _ready(free_port)
    assert status == 503
    assert "somebody is not paged" in body["reason"]
    assert world.told(f"#{world.incident(alert)['incident_number']}") > 0
    works_again = [e for e in world.events() if e["event"].startswith("works again") and e["level"] == "info"]
    assert [e for e in works_again if e.get("subject") in ("pagerduty", "pages")] == []
    done = world.run("status")
    assert "nobody is paged" in done.stdout.lower() or "automation user alone" in done.stdout
    writes = [call for call in world.writes() if call["method"] == "PUT"]
    assert len(writes) < 40, "the ways are tried with a back-off"


def test_a_service_in_maintenance_fails_readiness_until_it_is_over(world: World, free_port: int) -> None:
    _listen(world, free_port)

    def in_maintenance(_request: Request, real: Response) -> Response:
        return edited(real, lambda document: document["service"].update(status="maintenance"))

    end = world.bend(is_call("pagerduty", "GET", starts="/services/"), in_maintenance)
    world.start(SWEEP_INTERVAL_SECONDS="1")
    world.until(lambda: world.told("PAGERDUTY_SERVICE_ID") > 0, "the maintenance")
    world.until(lambda: _ready(free_port)[0] == 503, "not ready")
    assert "PAGERDUTY_SERVICE_ID: what is configured does not work" in _ready(free_port)[1]["reason"]
    assert world.told("maintenance") > 0
    alert = world.raise_alert(priority="P1")
    world.until(lambda: bool(world.incidents(alert)), "the incident is made all the same")
    end()
    world.until(lambda: _ready(free_port)[0] == 200, "ready again")


def test_with_a_persons_token_incidents_are_created_and_nothing_else_is_written(world: World) -> None:
    alice = {
        "id": "PALICE1",
        "type": "user",
        "name": "Alice Doe",
        "summary": "Alice Doe",
        "email": "alice@example.com",
    }
    world.answers(
        lambda vendor, request: vendor == "pagerduty" and request.path == "/users/me",
        json_response(200, {"user": alice}),
    )
    alert = world.raise_alert(priority="P1")
    world.start()
    world.until(lambda: world.told("PAGERDUTY_API_KEY") > 0, "the wrong kind of key")
    world.until(lambda: world.is_paged(alert), "the page")
    world.customer(alert, "notes", text="any news?")
    never(lambda: bool(world.incident_notes(alert)), 1.5, "a note in Alice's name")
    assert "Alice Doe" in world.log()
    done = world.run("once", "--dry-run", DATABASE_URL="sqlite:///other.db")
    assert done.returncode == 2
    assert "user token" in done.stderr


def test_a_dry_run_refuses_an_automation_user_who_is_on_call(world: World) -> None:
    bot = world.environment["PAGERDUTY_USER"]
    shift = {
        "user": {"id": bot, "type": "user_reference", "summary": bot}, "escalation_level": 1, "start": None,
        "end": None, "schedule": None,
        "escalation_policy": {"id": "PPOL001", "type": "escalation_policy_reference"},
    }  # fmt: skip
    world.answers(
        lambda vendor, request: vendor == "pagerduty" and request.path == "/oncalls",
        json_response(200, {"oncalls": [shift], "limit": 100, "offset": 0, "more": False, "total": None}),
    )
    done = world.run("once", "--dry-run")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "PAGERDUTY_USER" in done.stderr
    assert "PAGERDUTY_SERVICE_ID" in done.stderr
