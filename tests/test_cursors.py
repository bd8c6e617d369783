"""A stored cursor that cannot be used is replaced, and stops nobody."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from worlds import at

from reconciler import cursors
from reconciler.core.model import Side

NOW, DEFAULT = at(1000), at(900)
YEAR_1, YEAR_9999 = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
USELESS = ("", "broken", "[]", "null", "{}", "5", "2026-11-23T09:00:00", "0001-01-01T00:00:00+00:00")
AHEAD = (at(1001).isoformat(), YEAR_9999.isoformat())


@pytest.mark.parametrize("value", [*USELESS, *AHEAD, None])
def test_a_stamp_that_cannot_be_read_or_lies_ahead_is_the_default(value: str | None) -> None:
    assert cursors.moment(value, NOW, DEFAULT) == DEFAULT
    assert cursors.log_mark(value, NOW, DEFAULT) == cursors.LogMark(DEFAULT)
    assert cursors.moments(value, 2, NOW, (DEFAULT, NOW)) == (DEFAULT, NOW)
    assert cursors.unread(value) in ({}, {value: set(Side)})
    assert cursors.keys(value) == []
    assert cursors.place(value) is None


def test_a_stamp_that_can_be_used_comes_back() -> None:
    mark = cursors.LogMark(at(5), frozenset({"L1", "L2"}))
    assert cursors.log_mark(mark.stored(), NOW, DEFAULT) == mark
    assert cursors.moment(at(5).isoformat(), NOW, DEFAULT) == at(5)
    assert cursors.log_mark(json.dumps(["broken", ["L1", 5]]), NOW, DEFAULT).seen == {"L1"}


@pytest.mark.parametrize("stamp", [YEAR_1, YEAR_9999, at(0)])
def test_nothing_lies_before_the_year_2000(stamp: datetime) -> None:
    found = cursors.earlier(stamp, timedelta(days=400_000))
    assert found == max(cursors.OLDEST, found)


def test_what_is_unread_is_kept_by_side_and_an_older_list_means_both() -> None:
    sides = {"a-1": {Side.OPSGENIE}, "a-2": set(Side)}
    assert cursors.unread(cursors.stored_unread(sides)) == sides
    assert cursors.unread('["a-1", ["a-2", "pagerduty"], ["a-3", "elsewhere"], 7]') == {
        "a-1": set(Side),
        "a-2": {Side.PAGERDUTY},
    }
