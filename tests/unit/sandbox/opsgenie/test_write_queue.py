"""Accepted writes of Opsgenie's API: pending, then done or failed."""

import pytest

from tests.support.sandbox import OpsgenieBench


def test_accepted_is_not_done_until_the_write_lag_has_passed() -> None:
    world = OpsgenieBench(write_lag=2.0)
    alert = world.alert()
    accepted = world.post(f"/v2/alerts/{alert}/acknowledge", {"user": "Jane Doe"})
    assert accepted.status == 202
    pending = world.get(f"/v2/alerts/requests/{accepted.json()['requestId']}")
    assert (pending.status, pending.headers["X-Opsgenie-Errortype"]) == (404, "RequestNotProcessed")
    assert not world.detail(alert)["acknowledged"]
    world.clock.advance(5)
    assert world.detail(alert)["acknowledged"]
    outcome = world.outcome(accepted)
    assert (outcome["isSuccess"], outcome["action"], outcome["status"]) == (
        True,
        "Acknowledge",
        "Acknowledged alert",
    )
    assert outcome["processedAt"] == "2026-11-23T09:00:02Z"
    unknown = world.get("/v2/alerts/requests/nothing")
    assert unknown.status == 404
    assert "X-Opsgenie-Errortype" not in unknown.headers


@pytest.mark.parametrize(
    ("verb", "before"), [("acknowledge", "close"), ("unacknowledge", None), ("close", "close")]
)
def test_an_impossible_action_is_accepted_and_fails_later(verb: str, before: str | None) -> None:
    world = OpsgenieBench()
    alert = world.alert()
    if before:
        getattr(world.api, before)(alert, "Ana Ruiz")
    accepted = world.post(f"/v2/alerts/{alert}/{verb}")
    assert accepted.status == 202
    assert not world.outcome(accepted)["isSuccess"]


def test_an_action_on_a_missing_alert_is_accepted_too() -> None:
    world = OpsgenieBench()
    outcome = world.outcome(world.post("/v2/alerts/nothing/notes", {"note": "hello"}))
    assert (outcome["isSuccess"], outcome["status"], outcome["alertId"]) == (False, "Alert does not exist", "")
