"""PagerDuty's key and rate limits."""

from tests.support.sandbox import NEW, PagerDutyBench


def test_a_wrong_token_is_401() -> None:
    assert PagerDutyBench().send("GET", "/incidents", headers={"Authorization": "Token token=no"}).status == 401


def test_the_rate_limit_has_a_sliding_window_and_a_reset_in_seconds() -> None:
    world = PagerDutyBench(pagerduty_per_minute=2)
    assert world.get("/users").headers["ratelimit-remaining"] == "1"
    world.clock.advance(20)
    world.get("/users")
    refused = world.get("/users")
    assert refused.json() == {"error": {"message": "Rate Limit Exceeded", "code": 2020}}
    assert refused.headers["ratelimit-reset"] == "40"
    assert "Retry-After" not in refused.headers
    world.clock.advance(40)
    assert world.get("/users").status == 200


def test_creations_have_a_limit_of_their_own() -> None:
    world = PagerDutyBench(creations_per_minute=1)
    world.create()
    refused = world.send("POST", "/incidents", {"incident": NEW})
    assert (refused.status, refused.headers["ratelimit-limit"]) == (429, "1")
    assert world.get("/incidents").status == 200
