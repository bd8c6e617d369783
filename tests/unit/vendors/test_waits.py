"""What the headers of a rate limit mean."""

from datetime import UTC, datetime

import pytest

from reconciler.vendors.waits import is_near, reason, retry_after, stated_wait

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"ratelimit-reset": "3", "Retry-After": "7"}, 3.0),
        ({"Retry-After": "0"}, None),
        ({"Retry-After": "1795424400"}, None),
        ({"X-RateLimit-Reset": "2026-11-23T09:00:05Z"}, 5.0),
        ({"X-RateLimit-Reset": "2026-11-23T10:00:05+01:00"}, 5.0),
        ({"X-RateLimit-Reset": "2026-11-23T10:00:00Z"}, 60.0),
        ({"X-RateLimit-Reset": "2026-11-23T08:59:59Z"}, None),
        ({"X-RateLimit-Reset": "2036-11-23T08:59:59Z"}, None),
        ({"X-RateLimit-Reset": "20261123"}, None),
        ({"X-RateLimit-Reset": "soon"}, None),
        ({"X-RateLimit-Reset": "2026-11-23T09:00:05Z", "Retry-After": "9"}, 9.0),
    ],
)
def test_the_stated_wait_is_a_number_of_seconds_or_until_a_time(
    headers: dict[str, str], wait: float | None
) -> None:
    assert stated_wait(headers, NOW) == wait
    assert retry_after(headers, NOW) == wait


def test_a_period_alone_asks_for_a_short_pause() -> None:
    assert retry_after({"X-RateLimit-Period-In-Sec": "60"}, NOW) == 1.0
    assert stated_wait({"X-RateLimit-Period-In-Sec": "60"}, NOW) is None


def test_a_limit_that_is_near_and_its_name_are_read() -> None:
    assert is_near({"X-RateLimit-NearLimit": "True"})
    assert not is_near({"X-RateLimit-NearLimit": "false"})
    assert not is_near({})
    assert reason({"RateLimit-Reason": " jira-burst-based "}) == "jira-burst-based"
    assert reason({}) == ""
