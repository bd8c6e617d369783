"""The geometry of the lag's chart."""

from datetime import timedelta

import pytest

from reconciler.operations.lag import HOURS, Hour, Lag
from reconciler.web.lag_chart import HEIGHT, LEFT, RIGHT, TOP, WIDTH, Chart, chart_of
from tests.support.builders import T0


def chart(*hours: tuple[int, int, float, float]) -> Chart:
    """The chart of a day whose nth hour has so many acts, with this median and slowest."""
    found = [Hour(T0 - timedelta(hours=HOURS - 1 - nth)) for nth in range(HOURS)]
    for nth, count, median, worst in hours:
        found[nth] = Hour(found[nth].begins, count, median, worst)
    return chart_of(Lag(T0, tuple(found), worst=max([worst for *_, worst in hours], default=0.0)))


def test_a_day_without_acts_has_a_scale_and_no_bars() -> None:
    found = chart()
    assert (found.bars, found.rows) == ((), ())
    assert [level.words for level in found.levels] == ["1 s", "10 s", "1 min"]
    assert [hour.words for hour in found.hours] == ["12:00", "18:00", "00:00", "06:00"]


def test_each_hour_with_acts_has_a_bar_and_a_row() -> None:
    found = chart((0, 3, 2.0, 9.0), (23, 1, 4.0, 4.0))
    assert [bar.words for bar in found.bars] == [
        "10:00: 3 acts, half within 2 s, the slowest 9 s",
        "09:00: 1 act, half within 4 s, the slowest 4 s",
    ]
    assert [(row.hour, row.count, row.median, row.worst) for row in found.rows] == [
        ("10:00", 3, "2 s", "9 s"),
        ("09:00", 1, "4 s", "4 s"),
    ]


def test_the_scale_reaches_the_slowest() -> None:
    found = chart((5, 9, 60.0, 40_000.0))
    assert [level.words for level in found.levels][-1] == "10 h"
    (bar,) = found.bars
    assert bar.tip == TOP
    assert bar.top + bar.height == found.foot == HEIGHT - 40


@pytest.mark.parametrize("seconds", [0.0, 0.01, 1.0, 59.0, 60.0, 3e7])
def test_whatever_the_lag_is_its_bar_is_within_the_picture(seconds: float) -> None:
    for bar in chart((0, 1, seconds, seconds), (23, 2, seconds / 2, seconds)).bars:
        assert LEFT <= bar.x <= bar.middle < WIDTH - RIGHT
        assert TOP <= bar.tip <= bar.top < HEIGHT
        assert bar.height >= 3
