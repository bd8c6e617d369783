"""Alerts created through Opsgenie's API."""

from reconciler.sandbox.opsgenie.writes import REMEMBERED_PINGS
from tests.support.sandbox import OpsgenieBench


def test_an_alert_can_be_created_through_the_api() -> None:
    world = OpsgenieBench()
    outcome = world.outcome(world.post("/v2/alerts", {"message": "from a script", "tags": ["x"], "user": "Ana"}))
    assert outcome["status"] == "Created alert"
    assert world.detail(outcome["alertId"])["tags"] == ["x"]
    assert world.api.journal.acts[0].who == "Ana"


def test_a_ping_of_any_heartbeat_is_accepted_and_the_last_ones_are_shown() -> None:
    """Opsgenie does not look whether there is such a heartbeat before it answers."""
    world = OpsgenieBench()
    for _ in range(REMEMBERED_PINGS + 1):
        answer = world.get("/v2/heartbeats/reconciler%20prod/ping")
        assert (answer.status, answer.json()["result"]) == (202, "PONG - Heartbeat received")
        world.clock.advance(1)
    shown = world.api.state()["heartbeats"]
    assert list(shown) == ["reconciler prod"]
    assert len(shown["reconciler prod"]) == REMEMBERED_PINGS
    assert shown["reconciler prod"][0].endswith(":01Z")
    assert world.get("/v2/heartbeats/x/ping", {"Authorization": "GenieKey wrong"}).status == 401
