"""Opsgenie's search language."""

from tests.support.sandbox import OpsgenieBench


def test_the_search_language_selects_alerts() -> None:
    world = OpsgenieBench()
    closed = world.alert("disk full", tags=["db"], priority="P1")
    world.api.close(closed, "Ana Ruiz")
    world.clock.advance(60)
    since = int(world.clock.now().timestamp() * 1000)
    fresh = world.alert("cpu hot", tags=["web", "prod"])
    found = {
        "status:open": [fresh], "status: closed": [closed], "tag:db": [closed], "tag:we*": [fresh],
        "priority:P1 OR tag:web": [fresh, closed], f"(status:open) AND (createdAt>={since})": [fresh],
        f"createdAt<{since}": [closed], "message:disk": [closed], 'message:"cpu hot"': [fresh],
        "NOT status:open": [closed], 'teams:"anything" AND acknowledged:false': [fresh, closed],
        f"alertId: {closed}": [closed],
    }  # fmt: skip
    for query, expected in found.items():
        assert world.ids(f"/v2/alerts?query={query.replace('+', '%2B')}") == expected, query
    assert world.get("/v2/alerts/count?query=status:open").json()["data"] == {"count": 1}
