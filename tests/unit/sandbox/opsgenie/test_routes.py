"""Opsgenie's key and rate limit."""

from tests.support.sandbox import OpsgenieBench


def test_a_wrong_key_and_a_missing_one_are_401() -> None:
    world = OpsgenieBench()
    assert world.get("/v2/alerts", {"Authorization": "GenieKey wrong"}).status == 401
    assert world.get("/v2/alerts", {}).status == 401


def test_the_rate_limit_names_its_period_and_no_retry_after() -> None:
    world = OpsgenieBench(opsgenie_per_minute=1)
    assert world.get("/v2/alerts").headers["X-RateLimit-State"] == "OK"
    refused = world.get("/v2/alerts")
    assert refused.status == 429
    assert refused.headers["X-RateLimit-State"] == "THROTTLED"
    assert refused.headers["X-RateLimit-Period-In-Sec"] == "60"
    assert "Retry-After" not in refused.headers
    world.clock.advance(60)
    assert world.get("/v2/alerts").status == 200
