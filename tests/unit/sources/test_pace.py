"""The feeds are polled faster while something happens, as far as the rate allows."""

import pytest

from reconciler.sources.pace import LIVELY, Pace


def test_an_idle_feed_is_polled_once_per_interval() -> None:
    assert Pace(10.0, lambda: 16.0).interval(0.0) == 10.0


def test_a_feed_is_polled_faster_for_two_minutes_after_a_change() -> None:
    pace = Pace(30.0, lambda: 16.0)
    pace.noticed(100.0)
    assert pace.interval(100.0) == 3.0
    assert pace.interval(100.0 + LIVELY - 1) == 3.0
    assert pace.interval(100.0 + LIVELY) == 30.0


@pytest.mark.parametrize(
    ("interval", "rate", "expected"),
    [
        pytest.param(10.0, 16.0, 1.0, id="a tenth of the interval"),
        pytest.param(5.0, 16.0, 1.0, id="a second at least"),
        pytest.param(0.5, 16.0, 0.5, id="a shorter one stays"),
        pytest.param(10.0, 2.0, 5.0, id="a tenth of the rate"),
        pytest.param(10.0, 0.5, 10.0, id="never slower than configured"),
        pytest.param(10.0, 0.0, 10.0, id="no rate at all"),
        pytest.param(10.0, float("inf"), 1.0, id="no limit at all"),
    ],
)
def test_the_interval_after_a_change_depends_on_the_free_rate(
    interval: float, rate: float, expected: float
) -> None:
    pace = Pace(interval, lambda: rate)
    pace.noticed(0.0)
    assert pace.interval(0.0) == expected
