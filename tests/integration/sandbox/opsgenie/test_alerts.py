"""Troubles of Opsgenie's key, queue and alerts."""

import pytest

from tests.support.sandbox import TroubleBench


def test_a_key_without_access_sees_no_alert_and_its_writes_fail_later() -> None:
    world = TroubleBench()
    alert = world.alert()
    world.set(blind=True)
    assert world.call("GET", "/opsgenie/v2/alerts").json()["data"] == []
    assert [world.status(f"/opsgenie/v2/alerts/{alert}{part}") for part in ("", "/notes", "/logs")] == [404] * 3
    accepted = world.call("POST", f"/opsgenie/v2/alerts/{alert}/notes", {"note": "x"})
    assert accepted.status == 202
    outcome = world.call("GET", f"/opsgenie/v2/alerts/requests/{accepted.json()['requestId']}").json()["data"]
    assert (outcome["isSuccess"], outcome["status"]) == (False, "Alert does not exist")
    world.set(blind=False)
    assert world.status(f"/opsgenie/v2/alerts/{alert}") == 200


def test_a_teams_key_sees_the_teams_alerts() -> None:
    world = TroubleBench()
    mine, other = world.alert(tags=["ops"]), world.alert()
    world.set(team_tags=["ops", "net"])
    assert [row["id"] for row in world.call("GET", "/opsgenie/v2/alerts").json()["data"]] == [mine]
    assert world.status(f"/opsgenie/v2/alerts/{other}") == 404


def test_requests_in_a_stopped_queue_are_pending_and_then_processed_in_order() -> None:
    world = TroubleBench(queue_halted=True)
    alert = world.alert()
    path = f"/opsgenie/v2/alerts/{alert}"
    ids = [world.call("POST", f"{path}/notes", {"note": text}).json()["requestId"] for text in "abc"]
    world.clock.advance(3000)
    answer = world.call("GET", f"/opsgenie/v2/alerts/requests/{ids[0]}")
    assert (answer.status, answer.headers["X-Opsgenie-Errortype"]) == (404, "RequestNotProcessed")
    assert world.call("GET", f"{path}/notes").json()["data"] == []
    world.set(queue_halted=False)
    assert [row["note"] for row in world.call("GET", f"{path}/notes?order=asc").json()["data"]] == ["a", "b", "c"]
    assert world.call("GET", f"/opsgenie/v2/alerts/requests/{ids[0]}").json()["data"]["isSuccess"] is True


def test_accepted_writes_may_fail_for_a_while() -> None:
    world = TroubleBench(writes_fail=True)
    alert = world.alert()
    accepted = world.call("POST", f"/opsgenie/v2/alerts/{alert}/acknowledge", {"user": "Jane Doe"})
    outcome = world.call("GET", f"/opsgenie/v2/alerts/requests/{accepted.json()['requestId']}").json()["data"]
    assert (outcome["isSuccess"], outcome["status"]) == (False, "Something went wrong")
    assert world.call("GET", f"/opsgenie/v2/alerts/{alert}").json()["data"]["acknowledged"] is False


def test_alerts_may_have_no_readable_state() -> None:
    world = TroubleBench(acknowledged_null=True)
    alert = world.alert()
    assert world.call("GET", f"/opsgenie/v2/alerts/{alert}").json()["data"]["acknowledged"] is None
    assert world.call("GET", "/opsgenie/v2/alerts").json()["data"][0]["acknowledged"] is None


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        ("", "Zoë O'Brien & Söhne"),
        ("lower", "zoë o'brien & söhne"),
        ("nfd", "Zoe\u0308 O'Brien & So\u0308hne"),
        ("nfc", "Zoë O'Brien & Söhne"),
        ("html", "Zo&#235; O&#x27;Brien &amp; S&#246;hne"),
        ("question", "Zo? O'Brien & S?hne"),
        ("cut", "Zoë O'Brie"),
        ("integration", "Sandbox"),
    ],
)
def test_names_may_be_returned_in_another_form(form: str, shown: str) -> None:
    world = TroubleBench(name_form=form)
    alert = world.alert()
    path = f"/opsgenie/v2/alerts/{alert}"
    world.call("POST", f"{path}/acknowledge", {"user": "Zoë O'Brien & Söhne"})
    detail = world.call("GET", path).json()["data"]
    assert (detail["owner"], detail["report"]["acknowledgedBy"]) == (shown, shown)


def test_a_priority_can_change_and_an_alert_can_be_deleted() -> None:
    world = TroubleBench(list_lag=5)
    alert = world.alert(priority="P4", details={"deep": {"list": [1, True]}})
    path = f"/opsgenie/v2/alerts/{alert}"
    assert world.call("GET", path).json()["data"]["details"] == {"deep": {"list": [1, True]}}
    world.control("POST", f"/opsgenie/alerts/{alert}/priority", {"user": "Ana Ruiz", "priority": "P1"})
    assert world.call("GET", path).json()["data"]["priority"] == "P1"
    wrong = world.call("POST", f"/control/opsgenie/alerts/{alert}/priority", {"priority": "P9"})
    assert wrong.status == 400
    world.clock.advance(5)
    world.control("DELETE", f"/opsgenie/alerts/{alert}", {"user": "Ana Ruiz"})
    assert world.status(path) == 404
    assert len(world.call("GET", "/opsgenie/v2/alerts").json()["data"]) == 1
    world.clock.advance(5)
    assert world.call("GET", "/opsgenie/v2/alerts").json()["data"] == []
    state = world.control("GET", "/state")
    assert state["opsgenie"]["alerts"][0]["deleted"] is True
    assert [act["verb"] for act in state["journal"]] == ["create", "priority", "delete"]


SORTS = (
    "createdAt", "updatedAt", "tinyId", "alias", "message", "status", "acknowledged", "isSeen", "snoozed",
    "snoozedUntil", "count", "lastOccurredAt", "source", "owner", "integration.name", "integration.type",
    "report.ackTime", "report.closeTime", "report.acknowledgedBy", "report.closedBy",
)  # fmt: skip
"""Those of the official description."""


@pytest.mark.parametrize("sort", SORTS)
def test_a_list_is_sorted_by_every_described_field(sort: str) -> None:
    """The second alert has more of everything; where both are equal, it has the higher tiny id."""
    world = TroubleBench()
    first = world.alert(message="a", alias="a", source="a")
    world.clock.advance(1)
    second = world.alert(message="b", alias="b", source="b")
    assert world.alert(alias="b") == second  # counted up
    for act, more in (("acknowledge", {}), ("snooze", {"seconds": 60})):
        world.clock.advance(1)
        world.control("POST", f"/opsgenie/alerts/{second}/{act}", {"user": "Zoe"} | more)
    if sort in ("report.closeTime", "report.closedBy"):
        world.control("POST", f"/opsgenie/alerts/{second}/close", {"user": "Zoe"})
    rows = {
        order: [
            row["id"] for row in world.call("GET", f"/opsgenie/v2/alerts?sort={sort}&order={order}").json()["data"]
        ]
        for order in ("asc", "desc")
    }
    assert rows == {"asc": [first, second], "desc": [second, first]}


def test_no_other_field_sorts_a_list() -> None:
    assert TroubleBench().status("/opsgenie/v2/alerts?sort=priority") == 422
