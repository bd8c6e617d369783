"""Troubles of PagerDuty's account and service."""

from typing import Any

import pytest

from tests.support.sandbox import TroubleBench, error


def test_a_deleted_user_cannot_write_and_is_not_listed() -> None:
    world = TroubleBench()
    incident = world.created()
    world.set(user_gone=True)
    assert error(world.create()) == (400, 1008)
    note = world.call("POST", f"/pagerduty/incidents/{incident}/notes", {"note": {"content": "x"}})
    assert error(note) == (400, 1008)
    assert "PBOT001" not in [user["id"] for user in world.call("GET", "/pagerduty/users").json()["users"]]
    assert world.status("/pagerduty/users/PBOT001") == 404
    assert world.status(f"/pagerduty/incidents/{incident}") == 200


def test_a_read_only_role_is_shown_and_its_writes_are_refused() -> None:
    world = TroubleBench(bot_role="read_only_user")
    assert world.call("GET", "/pagerduty/users/PBOT001").json()["user"]["role"] == "read_only_user"
    assert world.call("GET", "/pagerduty/users/PJANE01").json()["user"]["role"] == "user"
    assert error(world.create()) == (403, 1018)


def test_a_user_token_identifies_its_user_and_acts_as_that_user() -> None:
    world = TroubleBench()
    assert isinstance(world.call("GET", "/pagerduty/users/me").json()["error"], str)
    world.set(user_token="PJANE01")
    assert world.call("GET", "/pagerduty/users/me").json()["user"]["id"] == "PJANE01"
    assert world.incident(world.created())["acknowledgements"][0]["acknowledger"]["id"] == "PJANE01"


@pytest.mark.parametrize(
    ("settings", "answer", "read"),
    [
        ({"service_status": "gone"}, (400, 5002), 404),
        ({"service_status": "disabled"}, (400, 2001), 200),
        ({"service_status": "maintenance"}, (400, 2001), 200),
        ({"nobody_on_call": True}, (400, 1015), 200),
        ({"plan_lacks_ability": True}, (402, 2014), 200),
    ],
)
def test_an_unusable_service_creates_no_incident(settings: Any, answer: tuple[int, int], read: int) -> None:
    world = TroubleBench(**settings)
    assert error(world.create()) == answer
    response = world.call("GET", "/pagerduty/services/PSVC001")
    assert response.status == read
    if read == 200:
        assert response.json()["service"]["status"] == settings.get("service_status", "active")
    world.control("POST", "/reset")
    assert world.create().status == 201


@pytest.mark.parametrize("status", ["disabled", "maintenance"])
def test_a_quiet_service_accepts_incidents_and_pages_nobody(status: str) -> None:
    world = TroubleBench(service_status=status, quiet_service=True)
    assert world.create().status == 201
    assert world.pages() == []


def test_the_users_on_call_can_be_read() -> None:
    world = TroubleBench()

    def on_call(query: str = "") -> list[tuple[int, str]]:
        rows = world.call("GET", f"/pagerduty/oncalls?{query}").json()["oncalls"]
        return [(row["escalation_level"], row["user"]["id"]) for row in rows]

    def policy() -> list[list[str]]:
        body = world.call("GET", "/pagerduty/escalation_policies/PPOL001").json()["escalation_policy"]
        return [[target["id"] for target in rule["targets"]] for rule in body["escalation_rules"]]

    assert on_call("escalation_policy_ids[]=PPOL001") == [(1, "PJANE01"), (2, "POMAR01")]
    assert on_call("user_ids[]=PBOT001") == []
    assert policy() == [["PJANE01"], ["POMAR01"]]
    world.set(bot_on_call=True)
    assert on_call("user_ids[]=PBOT001") == [(1, "PBOT001")]
    world.set(nobody_on_call=True)
    assert (on_call(), policy()) == ([], [[]])
    assert world.status("/pagerduty/escalation_policies/PNONE") == 404


def test_policies_are_listed_by_the_users_on_them() -> None:
    world = TroubleBench()

    def of(query: str) -> list[str]:
        rows = world.call("GET", f"/pagerduty/escalation_policies?{query}").json()["escalation_policies"]
        return [row["id"] for row in rows]

    assert of("") == ["PPOL001", "PPOL002"]
    assert of("user_ids[]=PJANE01") == ["PPOL001"]
    assert of("user_ids[]=PBOT001") == []
    world.set(bot_on_call=True)
    assert of("user_ids[]=PBOT001") == ["PPOL001"]


def test_maintenance_windows_can_be_read() -> None:
    world = TroubleBench()

    def windows(query: str = "service_ids[]=PSVC001") -> list[str]:
        rows = world.call("GET", f"/pagerduty/maintenance_windows?{query}").json()["maintenance_windows"]
        return [row["start_time"] for row in rows]

    assert windows() == []
    world.set(service_status="maintenance", maintenance_in=600)
    present, future = windows("service_ids[]=PSVC001&filter=open")
    assert present < future
    assert windows("filter=ongoing") == [present]
    assert windows("filter=future") == [future]
    assert windows("service_ids[]=POTHER1") == []
