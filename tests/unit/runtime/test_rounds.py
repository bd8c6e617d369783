"""The polls of both feeds."""

from reconciler.core.model import Side
from reconciler.errors import Transient
from reconciler.runtime.rounds import Feed, Rounds
from tests.support.clock import SimClock

AWAY = Transient("Opsgenie: 503")


def test_a_feed_counts_good_polls_and_the_time_of_the_last_one() -> None:
    clock = SimClock(10.0)
    rounds = Rounds(clock)
    assert rounds.feed(Side.ALERTS) == Feed(10.0)
    clock.advance(5)
    rounds.polled("opsgenie feed")
    clock.advance(5)
    rounds.polled("opsgenie feed")
    assert rounds.feed(Side.ALERTS) == Feed(20.0, 2, is_good=True)
    assert rounds.feed(Side.PAGERDUTY) == Feed(10.0)


def test_a_failing_feed_keeps_the_time_of_its_last_good_poll_until_the_next() -> None:
    clock = SimClock(10.0)
    rounds = Rounds(clock)
    rounds.polled("opsgenie feed")
    for _ in range(2):
        clock.advance(5)
        rounds.polled("opsgenie feed", AWAY)
    assert rounds.feed(Side.ALERTS) == Feed(10.0, 1, AWAY)
    rounds.polled("opsgenie feed")
    assert rounds.feed(Side.ALERTS) == Feed(20.0, 2, is_good=True)


def test_another_source_says_nothing_about_a_feed() -> None:
    rounds = Rounds(SimClock(10.0))
    rounds.polled("opsgenie listing", AWAY)
    rounds.polled("sweep")
    assert {rounds.feed(side) for side in Side} == {Feed(10.0)}


def test_a_new_lead_begins_without_earlier_failures() -> None:
    clock = SimClock(10.0)
    rounds = Rounds(clock)
    rounds.polled("opsgenie feed")
    rounds.polled("opsgenie feed", AWAY)
    clock.advance(100)
    rounds.begin()
    assert rounds.feed(Side.ALERTS) == Feed(110.0, 1)
