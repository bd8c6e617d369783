"""An account of several services, each with incidents and a state of its own; and several keys."""

from typing import Any

import pytest

from reconciler.sandbox.settings import SandboxSettings
from reconciler.sandbox.wire import Response, request
from tests.support.sandbox import KEY, NEW, WRITE, OpsgenieBench, PagerDutyBench, error

TWO, THREE = "PSVC002", "PSVC003"


def on(service: str) -> dict[str, Any]:
    return {"service": {"id": service, "type": "service_reference"}}


@pytest.fixture
def world() -> PagerDutyBench:
    return PagerDutyBench(services=3)


def of_service(world: PagerDutyBench, service: str) -> list[str]:
    return [row["id"] for row in world.list(f"service_ids[]={service}")["incidents"]]


def create(world: PagerDutyBench, service: str) -> Response:
    return world.send("POST", "/incidents", {"incident": NEW | on(service)})


def test_an_incident_belongs_to_the_service_that_it_was_created_on(world: PagerDutyBench) -> None:
    first, second = world.create(), world.create(**on(TWO))
    assert (of_service(world, "PSVC001"), of_service(world, TWO), of_service(world, THREE)) == (
        [first], [second], []
    )  # fmt: skip
    assert of_service(world, f"PSVC001&service_ids[]={TWO}") == [first, second]
    assert world.incident(second)["service"]["summary"] == "Sandbox Service 2"
    entries = world.get("/log_entries").json()["log_entries"]
    assert [(row["incident"]["id"], row["service"]["id"]) for row in entries] == [
        (second, TWO), (first, "PSVC001")
    ]  # fmt: skip
    assert world.get(f"/services/{TWO}").json()["service"]["name"] == "Sandbox Service 2"
    policy = world.get("/escalation_policies/PPOL001").json()["escalation_policy"]
    assert [row["id"] for row in policy["services"]] == ["PSVC001", TWO, THREE]


def test_what_ends_an_acknowledgement_is_the_incidents_own_service(world: PagerDutyBench) -> None:
    incident = world.create(**on(TWO))
    world.put(incident, status="acknowledged")
    world.clock.advance(1801)
    entries = world.get("/log_entries").json()["log_entries"]
    assert entries[0]["agent"]["id"] == TWO
    assert world.incident(incident)["last_status_change_by"]["id"] == TWO


def test_a_key_may_be_open_once_on_each_service(world: PagerDutyBench) -> None:
    for service in ("PSVC001", TWO):
        world.create(incident_key="alert-1", **on(service))
        again = world.send("POST", "/incidents", {"incident": NEW | on(service) | {"incident_key": "alert-1"}})
        assert error(again) == (400, 2002)
    assert len(world.list("incident_key=alert-1")["incidents"]) == 2
    assert len(world.list(f"incident_key=alert-1&service_ids[]={TWO}")["incidents"]) == 1


@pytest.mark.parametrize(
    ("state", "creation", "read"),
    [
        ("gone", (400, 5002), 404), ("disabled", (400, 2001), 200), ("maintenance", (400, 2001), 200),
        ("403", (403, 2010), 403),
    ],
)  # fmt: skip
def test_one_bad_service_leaves_the_others_alone(state: str, creation: tuple[int, int], read: int) -> None:
    world = PagerDutyBench(services=3, bad_services={TWO: state})
    assert error(create(world, TWO)) == creation
    assert world.get(f"/services/{TWO}").status == read
    assert world.get(f"/incidents?service_ids[]={TWO}").status == (403 if state == "403" else 200)
    windows = [row["services"][0]["id"] for row in world.get("/maintenance_windows").json()["maintenance_windows"]]
    assert windows == ([TWO] if state == "maintenance" else [])
    assert create(world, THREE).status == 201
    assert world.get(f"/services/{THREE}").json()["service"]["status"] == "active"
    assert world.get(f"/incidents?service_ids[]={THREE}").status == 200


def test_there_are_no_other_services(world: PagerDutyBench) -> None:
    assert error(create(world, "PSVC004")) == (400, 5002)
    assert world.get("/services/PSVC004").status == 404
    assert PagerDutyBench().get(f"/services/{TWO}").status == 404
    assert PagerDutyBench(services=100).get("/services/PSVC100").json()["service"]["name"] == "Sandbox Service 100"


@pytest.mark.parametrize(
    "wrong",
    [{"services": 0}, {"services": 101}, {"bad_services": {TWO: "tired"}}, {"bad_services": [TWO]},
     {"bad_services": {TWO: 403}}],
)  # fmt: skip
def test_settings_of_services_are_checked(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        SandboxSettings().changed(wrong)


def test_each_key_has_a_rate_limit_of_its_own() -> None:
    world = PagerDutyBench(pagerduty_keys=2, pagerduty_per_minute=1)

    def ask(key: str) -> int:
        return world.send("GET", "/users", headers=WRITE | {"Authorization": f"Token token={key}"}).status

    first, second = "sandbox-pagerduty-key", "sandbox-pagerduty-key-2"
    assert [ask(first), ask(first), ask(second), ask(f"{first}-3")] == [200, 429, 200, 401]


def test_each_key_of_opsgenie_has_a_rate_limit_of_its_own() -> None:
    world = OpsgenieBench(opsgenie_keys=2, opsgenie_per_minute=1)

    def ask(key: str) -> int:
        headers = KEY | {"Authorization": f"GenieKey {key}"}
        return world.api.handle(request("GET", "/v2/alerts", None, headers)).status

    first, second = "sandbox-opsgenie-key", "sandbox-opsgenie-key-2"
    assert [ask(first), ask(first), ask(second), ask(f"{first}-3")] == [200, 429, 200, 401]
