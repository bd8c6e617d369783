"""The notes of an alert that only recurs are read, but not at every recurrence."""

import pytest

from reconciler.sources.repetitions import FORGOTTEN, FRUITLESS, READ_EVERY, REMEMBERED_ALERTS, Repetitions
from tests.support.clock import SimClock


@pytest.fixture
def clock() -> SimClock:
    return SimClock(3600.0)


@pytest.fixture
def repetitions(clock: SimClock) -> Repetitions:
    return Repetitions(clock)


def recurring(repetitions: Repetitions, clock: SimClock, seconds: int, *, fruitful: bool) -> int:
    """The number of reads caused by a recurrence every second."""
    read = 0
    for _ in range(seconds):
        if repetitions.may_read("a-1"):
            read += 1
            repetitions.read("a-1", fruitful=fruitful)
        clock.wait(1)
    return read


def test_fruitless_reads_of_notes_are_seconds_apart(repetitions: Repetitions, clock: SimClock) -> None:
    assert recurring(repetitions, clock, 60, fruitful=False) == FRUITLESS + 60 // READ_EVERY - 1


def test_every_recurrence_is_read_while_new_notes_are_found(repetitions: Repetitions, clock: SimClock) -> None:
    assert recurring(repetitions, clock, 60, fruitful=True) == 60


def test_a_new_note_ends_the_pause(repetitions: Repetitions, clock: SimClock) -> None:
    recurring(repetitions, clock, 5, fruitful=False)
    assert not repetitions.may_read("a-1")
    repetitions.read("a-1", fruitful=True)
    assert repetitions.may_read("a-1")


def test_a_read_that_fails_counts_as_fruitless(repetitions: Repetitions) -> None:
    assert [repetitions.may_read("a-1") for _ in range(FRUITLESS + 1)] == [True] * FRUITLESS + [False]
    assert repetitions.may_read("a-2")


def test_a_recurrence_after_a_minute_without_any_is_read_at_once(
    repetitions: Repetitions, clock: SimClock
) -> None:
    recurring(repetitions, clock, 5, fruitful=False)
    clock.wait(FORGOTTEN)
    assert recurring(repetitions, clock, 3, fruitful=False) == FRUITLESS


def test_the_number_of_remembered_alerts_is_bounded(repetitions: Repetitions) -> None:
    for number in range(2 * REMEMBERED_ALERTS):
        repetitions.may_read(str(number))
    assert len(repetitions._reads) == REMEMBERED_ALERTS
    repetitions.read("0", fruitful=True)
    assert len(repetitions._reads) == REMEMBERED_ALERTS
