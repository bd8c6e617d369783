"""When a heartbeat is sent, and what becomes of one that fails."""

import pytest

from reconciler.errors import Transient
from reconciler.runtime.heartbeats import BETWEEN_TRIES, SHORTEST_PAUSE, Heartbeats
from reconciler.runtime.rounds import Rounds
from tests.support.clock import SimClock

FEEDS = ("opsgenie feed", "pagerduty feed")


class Beat:
    """A heartbeat that counts its pings, and fails while it has an error."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.pings = 0
        self.error = ""

    def ping(self) -> None:
        self.pings += 1
        if self.error:
            raise Transient(self.error)


class Bench:
    def __init__(self) -> None:
        self.clock = SimClock()
        self.rounds = Rounds(self.clock)
        self.url, self.opsgenie = Beat("url"), Beat("opsgenie")
        self.objection = ""
        self.said: list[str] = []
        self.counted: list[tuple[str, bool]] = []
        both, objection = (self.url, self.opsgenie), lambda: self.objection
        self.heartbeats = Heartbeats(both, self.rounds, objection, self.clock, 60.0, self.said.append, self)

    def beat(self, name: str, *, ok: bool) -> None:
        self.counted.append((name, ok))

    def good_round(self) -> None:
        for feed in FEEDS:
            self.rounds.polled(feed)

    def poll(self, after: float = 0.0) -> tuple[int, int]:
        """Checks after so many seconds; returns the pings so far."""
        self.clock.advance(after)
        self.heartbeats.poll()
        return self.url.pings, self.opsgenie.pings


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_heartbeat_follows_a_good_round_of_both_sides_only(bench: Bench) -> None:
    assert bench.poll() == (0, 0)
    bench.rounds.polled(FEEDS[0])
    assert bench.poll() == (0, 0)
    bench.rounds.polled(FEEDS[1])
    assert bench.poll() == (1, 1)
    assert bench.said == [""]
    assert bench.counted == [("url", True), ("opsgenie", True)]


@pytest.mark.parametrize("feed", FEEDS)
def test_every_further_one_needs_a_new_poll_of_either_side(bench: Bench, feed: str) -> None:
    bench.good_round()
    bench.poll()
    assert bench.poll(after=61) == (1, 1)
    bench.rounds.polled(feed)
    assert bench.poll() == (1, 1)
    bench.good_round()
    assert bench.poll() == (2, 2)


@pytest.mark.parametrize("feed", FEEDS)
def test_none_is_sent_while_a_feed_fails(bench: Bench, feed: str) -> None:
    bench.good_round()
    bench.rounds.polled(feed, Transient("503"))
    assert bench.poll() == (0, 0)
    bench.rounds.polled(feed)
    assert bench.poll() == (1, 1)


def test_none_is_sent_while_writes_are_refused_or_pages_wait(bench: Bench) -> None:
    bench.good_round()
    bench.objection = "PAGERDUTY_API_KEY: 401"
    assert bench.poll() == (0, 0)
    bench.objection = ""
    assert bench.poll() == (1, 1)


def test_there_is_at_most_one_an_interval(bench: Bench) -> None:
    bench.good_round()
    assert bench.poll() == (1, 1)
    bench.good_round()
    assert bench.poll(after=59) == (1, 1)
    assert bench.poll(after=1) == (2, 2)


def test_one_that_fails_is_reported_and_tried_again_soon_and_the_other_is_not(bench: Bench) -> None:
    bench.url.error = "HEARTBEAT_URL: it answers 503"
    bench.good_round()
    assert bench.poll() == (1, 1)
    assert bench.said == ["HEARTBEAT_URL: it answers 503"]
    assert bench.counted == [("url", False), ("opsgenie", True)]
    assert bench.poll(after=BETWEEN_TRIES - 1) == (1, 1)
    bench.url.error = ""
    assert bench.poll(after=1) == (2, 1)
    assert bench.said[-1] == ""


def test_an_error_stands_until_its_own_heartbeat_works(bench: Bench) -> None:
    bench.opsgenie.error = bench.url.error = "it fails"
    bench.good_round()
    bench.poll()
    assert bench.said == ["it fails; it fails"]
    bench.url.error = ""
    bench.good_round()
    bench.poll(after=BETWEEN_TRIES)
    assert bench.said[-1] == "it fails"


def test_the_next_check_is_when_the_first_one_is_due_and_soon_while_a_round_is_waited_for(bench: Bench) -> None:
    assert bench.heartbeats.next_in(5.0) == 5.0
    bench.good_round()
    bench.poll()
    assert bench.heartbeats.next_in(5.0) == 60.0
    bench.clock.advance(59.99)
    assert bench.heartbeats.next_in(5.0) == SHORTEST_PAUSE
    bench.clock.advance(0.01)
    assert bench.heartbeats.next_in(5.0) == 5.0
