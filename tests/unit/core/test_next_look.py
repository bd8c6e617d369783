"""When the sweep reads a pair although nothing is known to have happened."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from reconciler.core.follow_up import next_look
from tests.support.builders import at, pair

HOUR = timedelta(hours=1)
MONTH = timedelta(days=30)
FINISHED = pair("resolved", is_open=False, swept_at=at(0), next_look_at=None)


@pytest.mark.parametrize(
    ("set_before", "swept", "expected"),
    [
        pytest.param(None, False, at(3600), id="one that was never set"),
        pytest.param(at(60), False, at(60), id="one that is still to come stays"),
        pytest.param(at(-60), False, at(-60), id="one that is overdue stays until the pair was swept"),
        pytest.param(at(-60), True, at(3600), id="once swept, an interval later"),
        pytest.param(at(9_000_000), False, at(3600), id="one that a wrong clock has set does not count"),
    ],
)
def test_an_open_pair_is_read_once_an_interval(
    set_before: datetime | None, expected: datetime, *, swept: bool
) -> None:
    assert next_look(pair(next_look_at=set_before), at(0), HOUR, MONTH, swept=swept) == expected


def test_a_finished_pair_is_read_ever_more_seldom_and_a_dozen_times_a_month() -> None:
    looks, moment = [], next_look(FINISHED, at(0), HOUR, MONTH, swept=False)
    while moment is not None:
        looks.append((moment - at(0)) / HOUR)
        moment = next_look(replace(FINISHED, next_look_at=moment), moment, HOUR, MONTH, swept=True)
    assert looks == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]


def test_a_finished_pair_that_was_not_read_yet_is_still_due_though_its_time_is_over() -> None:
    overdue = replace(FINISHED, next_look_at=at(60))
    assert next_look(overdue, at(0) + 2 * MONTH, HOUR, MONTH, swept=False) == at(60)
    assert next_look(overdue, at(0) + 2 * MONTH, HOUR, MONTH, swept=True) is None


@pytest.mark.parametrize("swept_at", [None, at(0) + MONTH])
def test_a_finished_pair_whose_last_sweep_is_not_known_or_lies_ahead_counts_from_now(
    swept_at: datetime | None,
) -> None:
    assert next_look(replace(FINISHED, swept_at=swept_at), at(0), HOUR, MONTH, swept=True) == at(3600)


def test_the_age_is_bounded_however_short_the_interval() -> None:
    assert next_look(FINISHED, at(0) + MONTH, timedelta(microseconds=1), MONTH, swept=True) is None


def test_a_finished_alert_that_pages_nobody_is_never_read_again() -> None:
    assert next_look(pair(None, is_open=False, tracked=False), at(0), HOUR, MONTH, swept=True) is None
