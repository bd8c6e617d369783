"""Which of PagerDuty's feeds is read: the log or the open set."""

from datetime import UTC, datetime, timedelta

from reconciler.core.model import Act, Actor
from reconciler.sources.log_cost import LogCost
from reconciler.vendors.ports import LogPage

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def log(pages: int, seconds: float, *, whole: bool = False) -> LogPage:
    """A log of this many pages over this many seconds."""
    acts = (Act("R2", "resolve", NOW, Actor.PERSON, None), Act("R1", "resolve", ago(seconds), Actor.PERSON, None))
    return LogPage(acts, pages, whole=whole)


def test_a_large_open_set_is_not_listed_at_every_poll() -> None:
    moments = [10.0 * beat for beat in range(10)]
    small, large = LogCost(), LogCost()
    assert [small.may_list(1, at) for at in moments] == [True] * 10
    assert [large.may_list(9, at) for at in moments].count(True) == 5


def test_a_failed_listing_may_be_retried_at_once() -> None:
    cost = LogCost()
    assert cost.may_list(9, 0.0)
    assert not cost.may_list(9, 1.0)
    cost.not_listed()
    assert cost.may_list(9, 1.0)


def test_older_log_entries_are_read_only_if_they_cost_no_more_than_the_open_set() -> None:
    cost, since, watermark = LogCost(), ago(120), ago(10)
    assert not cost.enough(log(1, 1), 10, since, watermark)  # a burst: every entry is new
    assert not cost.enough(log(3, 10), 10, since, watermark)  # there may be more within the watermark's second
    assert cost.enough(log(3, 12), 10, since, watermark)
    assert not cost.enough(log(3, 60), 10, since, watermark)
    cost.learn(log(3, 12), 10, watermark)
    assert not cost.enough(log(1, 1), 10, since, watermark)
    cost.learn(log(4, 110, whole=True), 10, watermark)
    assert cost.enough(log(11, 119), 10, since, watermark)


def test_a_log_whose_new_entries_cost_more_than_the_open_set_is_read_for_one_page() -> None:
    cost, since, watermark = LogCost(), ago(120), ago(10)
    assert not cost.enough(log(1, 1), 3, since, watermark)
    assert cost.enough(log(4, 5), 3, since, watermark)
    cost.learn(log(4, 5), 3, watermark)
    assert cost.enough(log(1, 1), 3, since, watermark)
    cost.learn(log(1, 4), 3, watermark)
    assert not cost.enough(log(1, 1), 3, since, watermark)
