"""Are both sides in step now, how far behind, and which pairs are apart on purpose?"""

import json
from typing import Any

import pytest

from tests.support.harness import NO_KEYS, World


def status(world: World) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(world.run("status", "--json", **NO_KEYS).stdout)
    return found


def paged(world: World, title: str) -> str:
    alert = world.raise_alert(title)
    world.until(lambda: world.is_paged(alert) and world.is_settled(), f"the page of {title}")
    return alert


def mirrored(world: World, alert: str) -> None:
    """A customer's acknowledgement, and its copy in PagerDuty."""
    world.customer(alert, "acknowledge")
    world.until(lambda: world.incident(alert)["status"] == "acknowledged" and world.is_settled(), "the copy")


def engineers(world: World, alert: str) -> None:
    """An engineer's acknowledgement, and its copy in Opsgenie."""
    world.engineer(alert, "acknowledge")
    world.until(lambda: bool(world.alert(alert)["acknowledged"]) and world.is_settled(), "the copy")


def only_apart(world: World, alert: str) -> dict[str, Any]:
    world.until(lambda: [each["alert_id"] for each in status(world)["apart"]] == [alert], "that it is apart")
    (each,) = status(world)["apart"]
    assert each["age_seconds"] < 60
    return dict(each)


def test_both_sides_are_in_step_and_it_is_said_how_far_behind(world: World) -> None:
    world.begin()
    paged(world, "one")
    mirrored(world, paged(world, "two"))
    world.rest()
    found = status(world)
    assert found["apart"] == []
    assert found["headline"].startswith("In step: 2 open pairs, both sides polled ")
    assert all(0 <= seconds < 60 for seconds in found["behind_seconds"].values())
    assert found["vendors"]["pagerduty"]["requests_left"] > 0
    assert found["vendors"]["opsgenie"]["requests_left"] is None, "it states no limit"


def test_an_engineer_goes_on_when_a_customer_takes_back(world: World) -> None:
    world.begin()
    alert = paged(world, "taken back")
    engineers(world, alert)
    world.customer(alert, "unacknowledge")
    each = only_apart(world, alert)
    assert (each["acknowledged"], each["on_purpose"]) == ("pagerduty", True)
    assert each["why"] == "an engineer's acknowledgement stays when a customer takes it back in Opsgenie"
    text = world.run("status", **NO_KEYS).stdout
    assert "Apart: one side is acknowledged, the other is not" in text
    assert "acknowledged in PagerDuty, not in Opsgenie; on purpose: an engineer's acknowledgement stays" in text


def test_a_customer_takes_back_and_the_policy_is_a_note(world: World) -> None:
    world.begin(ON_OPSGENIE_UNACKNOWLEDGE="note")
    alert = paged(world, "taken back")
    mirrored(world, alert)
    world.customer(alert, "unacknowledge")
    each = only_apart(world, alert)
    assert (each["acknowledged"], each["why"]) == ("pagerduty", "ON_OPSGENIE_UNACKNOWLEDGE is note")


@pytest.mark.parametrize("world", [{"acknowledgement_timeout": 3.0}], indirect=True)
def test_a_mirrored_acknowledgement_times_out(world: World) -> None:
    world.begin()
    alert = paged(world, "timed out")
    mirrored(world, alert)
    world.until(lambda: world.incident(alert)["status"] == "triggered", "the time-out")
    each = only_apart(world, alert)
    assert each["acknowledged"] == "opsgenie"
    assert each["why"] == "a mirrored acknowledgement that times out in PagerDuty is not passed back"


@pytest.mark.parametrize("world", [{"acknowledgement_timeout": 3.0}], indirect=True)
def test_an_engineers_acknowledgement_times_out_and_the_policy_is_to_ignore_that(world: World) -> None:
    world.begin(ON_PAGERDUTY_ACK_TIMEOUT="ignore")
    alert = paged(world, "timed out")
    engineers(world, alert)
    world.until(lambda: world.incident(alert)["status"] == "triggered", "the time-out")
    each = only_apart(world, alert)
    assert (each["acknowledged"], each["why"]) == ("opsgenie", "ON_PAGERDUTY_ACK_TIMEOUT is ignore")


def test_an_incident_is_reopened(world: World) -> None:
    world.begin()
    alert = paged(world, "reopened")
    engineers(world, alert)
    world.engineer(alert, "resolve")
    world.until(lambda: world.is_noted(alert, "resolved the incident") and world.is_settled(), "the resolution")
    world.engineer(alert, "reopen")
    world.until(lambda: world.is_noted(alert, "reopened the incident") and world.is_settled(), "the reopening")
    each = only_apart(world, alert)
    assert (each["acknowledged"], each["why"]) == ("opsgenie", "a reopened incident leaves the alert as it is")


def test_what_waits_is_not_apart_on_purpose(world: World) -> None:
    world.begin()
    alert = paged(world, "waits")
    world.settings(queue_halted=True)
    world.engineer(alert, "acknowledge")
    each = only_apart(world, alert)
    assert each["on_purpose"] is False
    assert each["why"].startswith("opsgenie.acknowledge is ")
    world.settings(queue_halted=False)
    world.until(lambda: status(world)["apart"] == [], "in step")
