"""PagerDuty's log, read once a cycle for all routes of a key."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from reconciler.core.model import Act, Actor
from reconciler.errors import Unknown
from reconciler.sources.shared_log import SharedLog, open_set
from reconciler.vendors.ports import LogPage
from tests.support.builders import JANE, at
from tests.support.clock import SimClock

INTERVAL = 10.0
SMALL = 3
"""Entries of a page."""


@dataclass
class Log:
    """The account's log. `requests` counts its pages; `floors` are the times from which it was asked for."""

    clock: SimClock = field(default_factory=lambda: SimClock(3600.0))
    acts: list[Act] = field(default_factory=list)
    requests: int = 0
    floors: list[datetime] = field(default_factory=list)
    failure: Exception | None = None

    def add(self, seconds: float) -> str:
        """An entry so many seconds after nine o'clock."""
        made = Act(f"L{len(self.acts)}", "acknowledge", at(seconds), Actor.PERSON, JANE, "PINC1")
        self.acts.append(made)
        return made.id

    def pages(self, since: datetime) -> Iterator[LogPage]:
        self.floors.append(since)
        offset = 0
        while True:
            self.requests += 1
            if self.failure is not None:
                raise self.failure
            found = sorted((act for act in self.acts if act.at >= since), key=lambda act: act.at, reverse=True)
            offset += SMALL
            yield LogPage(tuple(found[:offset]), offset // SMALL, whole=offset >= len(found))
            if offset >= len(found):
                return


@pytest.fixture
def log() -> Log:
    return Log()


def shared_by(log: Log) -> SharedLog:
    return SharedLog(log.pages, log.clock, fresh_for=INTERVAL)


def whole(_: LogPage) -> bool:
    return False


def at_once(_: LogPage) -> bool:
    return True


@pytest.mark.parametrize("count", [1, 2, 10, 100])
def test_an_idle_cycle_is_one_request_whatever_the_number_of_routes(log: Log, count: int) -> None:
    shared = shared_by(log)
    readers = [shared.reader(f"r{number}") for number in range(count)]
    log.add(3500)
    for cycle in range(1, 6):
        for number, reader in enumerate(readers):
            assert reader.log_entries(at(3380 - number / 100), whole).whole
        assert log.requests == cycle
        log.clock.advance(INTERVAL)


def test_each_route_gets_the_entries_since_its_own_time(log: Log) -> None:
    shared = shared_by(log)
    early, late = log.add(3495), log.add(3505)
    first = shared.reader("A").log_entries(at(3500), whole)
    second = shared.reader("B").log_entries(at(3492), whole)
    assert [act.id for act in first.acts] == [late]
    assert [act.id for act in second.acts] == [late, early]
    assert log.requests == 1


def test_the_log_is_read_on_where_a_route_needs_more_of_it(log: Log) -> None:
    shared = shared_by(log)
    for number in range(10):
        log.add(3500 + number)
    first = shared.reader("A").log_entries(at(3400), at_once)
    assert (len(first.acts), first.requests, first.whole) == (SMALL, 1, False)
    log.add(3550)
    second = shared.reader("B").log_entries(at(3400), whole)
    assert (len(second.acts), second.requests, second.whole) == (11, 4, True)
    third = shared.reader("C").log_entries(at(3400), whole)
    assert third == second
    assert log.requests == 4


def test_no_page_is_read_that_is_older_than_what_a_route_asks_for(log: Log) -> None:
    for number in range(20):
        log.add(3391 + number / 10)
    for number in range(4):
        log.add(3500 + number)
    found = shared_by(log).reader("A").log_entries(at(3400), whole)
    assert (len(found.acts), found.requests, found.whole) == (4, 2, True)


def test_who_comes_again_or_is_far_behind_or_late_has_it_read_anew(log: Log) -> None:
    shared = shared_by(log)
    reader = shared.reader("A")
    log.add(3590)
    assert len(reader.log_entries(at(3500), whole).acts) == 1
    log.add(3595)
    assert len(reader.log_entries(at(3500), whole).acts) == 2
    log.add(3400)
    assert len(shared.reader("B").log_entries(at(3300), whole).acts) == 3
    log.clock.advance(INTERVAL)
    log.add(3605)
    assert len(shared.reader("C").log_entries(at(3300), whole).acts) == 4
    assert log.requests == 5  # the last reading has two pages


def test_routes_that_began_at_different_times_need_one_reading_in_a_quiet_account(log: Log) -> None:
    shared = shared_by(log)
    times: dict[str, datetime] = {f"r{hour}": at(3600) - timedelta(hours=hour) for hour in range(5)}
    for _ in range(3):
        before = log.requests
        for name, since in times.items():
            shared.reader(name).log_entries(since, whole)
        log.clock.advance(INTERVAL)
    assert log.requests - before == 1


def test_a_failed_reading_is_tried_again_by_the_next_route(log: Log) -> None:
    shared = shared_by(log)
    log.failure = Unknown("503")
    with pytest.raises(Unknown):
        shared.reader("A").log_entries(at(3500), whole)
    log.failure = None
    log.add(3590)
    assert len(shared.reader("B").log_entries(at(3500), whole).acts) == 1


class Meanwhile:
    """A lock: whoever waits for it waits for another route's reading, which fails."""

    def __init__(self, shared: SharedLog) -> None:
        self.failed: Unknown | None = None
        self._shared, self._lock = shared, shared._lock
        shared._lock = self  # type: ignore[assignment]

    def __enter__(self) -> None:
        self._shared._lock = self._lock
        with pytest.raises(Unknown) as raised:
            self._shared.reader("other").log_entries(at(3500), whole)
        self.failed = raised.value

    def __exit__(self, *_: object) -> None:
        pass


def test_who_waits_for_a_reading_that_fails_raises_an_error_of_its_own(log: Log) -> None:
    log.failure = Unknown("503")
    shared = shared_by(log)
    meanwhile = Meanwhile(shared)
    with pytest.raises(Unknown) as raised:
        shared.reader("A").log_entries(at(3500), whole)
    assert log.requests == 1
    assert str(raised.value) == str(meanwhile.failed)
    assert raised.value is not meanwhile.failed


def test_a_log_that_ends_before_it_is_whole_is_given_as_it_is(log: Log) -> None:
    def cut(_: datetime) -> Iterator[LogPage]:
        yield LogPage((), 1, whole=False)

    found = SharedLog(cut, log.clock, fresh_for=INTERVAL).reader("A").log_entries(at(3500), whole)
    assert (found.requests, found.whole) == (1, False)


@pytest.mark.parametrize(("open_pairs", "expected"), [({}, 0), ({"A": 0}, 1), ({"A": 1, "B": 100, "C": 101}, 4)])
def test_the_open_sets_of_a_key_count_one_page_a_route_at_least(open_pairs: dict[str, int], expected: int) -> None:
    assert open_set(open_pairs) == expected
