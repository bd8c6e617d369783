"""Alerts created through Opsgenie's API."""

from tests.support.sandbox import OpsgenieBench


def test_an_alert_can_be_created_through_the_api() -> None:
    world = OpsgenieBench()
    outcome = world.outcome(world.post("/v2/alerts", {"message": "from a script", "tags": ["x"], "user": "Ana"}))
    assert outcome["status"] == "Created alert"
    assert world.detail(outcome["alertId"])["tags"] == ["x"]
    assert world.api.journal.acts[0].who == "Ana"
