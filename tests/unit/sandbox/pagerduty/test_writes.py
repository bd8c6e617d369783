"""Writes through PagerDuty's API."""

import pytest

from tests.support.sandbox import NEW, PagerDutyBench, error


def test_a_key_is_in_use_while_an_incident_with_it_is_open() -> None:
    world = PagerDutyBench()
    first = world.create(incident_key="alert-1")
    again = world.send("POST", "/incidents", {"incident": NEW | {"incident_key": "alert-1"}})
    assert again.status == 400
    assert again.json()["error"] == {
        "message": "Arguments Caused Error", "code": 2002,
        "errors": ["Open incident with matching dedup key already exists on this service"],
    }  # fmt: skip
    world.put(first, status="resolved")
    second = world.create(incident_key="alert-1")
    found = world.list("incident_key=alert-1&date_range=all&statuses[]=triggered&statuses[]=acknowledged")
    assert [row["id"] for row in found["incidents"]] == [second]


@pytest.mark.parametrize(("ways", "status"), [((), "acknowledged"), (("status",), "triggered")])
def test_setting_a_plain_triggered_status_may_be_ignored(ways: tuple[str, ...], status: str) -> None:
    world = PagerDutyBench(unacknowledge_ways=ways)
    incident = world.create()
    world.put(incident, status="acknowledged")
    response = world.put(incident, status="triggered")
    assert (response.status, response.json()["incident"]["status"]) == (200, status)


def test_a_bulk_update_is_all_or_nothing() -> None:
    world = PagerDutyBench()
    incident = world.create()
    good = {"id": incident, "type": "incident_reference", "status": "acknowledged"}
    assert world.send("PUT", "/incidents", {"incidents": [good, good | {"status": "odd"}]}).status == 400
    assert world.incident(incident)["status"] == "triggered"
    assert world.send("PUT", "/incidents", {"incidents": [good]}).status == 200
    assert world.send("PUT", "/incidents", {"incidents": [good] * 251}).status == 413


def test_a_snooze_needs_an_acknowledgement_and_ends_in_a_page() -> None:
    world = PagerDutyBench()
    incident = world.create()
    path = f"/incidents/{incident}/snooze"
    assert error(world.send("POST", path, {"duration": 60})) == (400, 1012)
    world.put(incident, status="acknowledged")
    assert error(world.send("POST", path, {"duration": 0})) == (400, 1013)
    assert world.send("POST", path, {"duration": 60}).status == 201
    world.clock.advance(61)
    assert world.incident(incident)["status"] == "triggered"
    assert world.causes()[-1] == "snooze ended"


def test_a_merge_resolves_for_another_reason() -> None:
    world = PagerDutyBench()
    target, source = world.create(), world.create()
    body = {"source_incidents": [{"id": source, "type": "incident_reference"}]}
    assert world.send("PUT", f"/incidents/{target}/merge", body).status == 200
    shown = world.incident(source)
    assert shown["status"] == "resolved"
    assert shown["resolve_reason"]["type"] == "merge_resolve_reason"
    assert shown["resolve_reason"]["incident"]["id"] == target


URGENT = {"id": "PPRI001", "type": "priority_reference"}


def test_an_incident_has_the_priority_that_it_is_given_and_a_change_notifies_nobody() -> None:
    world = PagerDutyBench()
    incident = world.create(priority=URGENT)
    assert world.incident(incident)["priority"]["summary"] == "SEV-1"
    pages = len(world.api.pages)
    assert world.put(incident, priority=URGENT | {"id": "PPRI002"}).status == 200
    assert world.incident(incident)["priority"]["summary"] == "SEV-2"
    assert len(world.api.pages) == pages
    assert world.incident(world.create())["priority"] is None


@pytest.mark.parametrize(
    ("knob", "listed", "answer"),
    [
        ("none", (200, 0), (400, 1020)), ("lacking", (402, 0), (400, 1020)), ("refused", (200, 3), (400, 1020)),
        ("not_in_plan", (200, 3), (402, 2014)),
    ],
)  # fmt: skip
def test_an_account_may_lack_priorities(knob: str, listed: tuple[int, int], answer: tuple[int, int]) -> None:
    world = PagerDutyBench(priorities=knob)
    found = world.send("GET", "/priorities")
    assert (found.status, len(found.json().get("priorities", []))) == listed
    refused = world.send("POST", "/incidents", {"incident": NEW | {"priority": URGENT}})
    assert error(refused) == answer
    assert error(world.put(world.create(), priority=URGENT)) == answer


def test_an_unknown_priority_is_refused() -> None:
    world = PagerDutyBench()
    for given in (URGENT | {"id": "PNONE"}, "SEV-1", {}):
        assert error(world.send("POST", "/incidents", {"incident": NEW | {"priority": given}})) == (400, 1020)
