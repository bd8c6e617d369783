"""The lag of the last day, by the hour and in words."""

from datetime import timedelta

from reconciler.core.model import Kind, Settlement, Status
from reconciler.operations import lag
from reconciler.operations.lag import HOURS, Lag, lag_of, words
from reconciler.store.database import Database
from reconciler.store.lags import Mirrored
from tests.support.builders import T0, action, at

NOW = T0 + timedelta(minutes=30)


def of(*acts: tuple[float, float], is_cut: bool = False) -> Lag:
    """The lag of acts: when each was done, in seconds after nine o'clock, and how long that took."""
    times = tuple((at(done - seconds), at(done)) for done, seconds in acts)
    return lag_of(Mirrored(times, is_cut), NOW)


def test_each_hour_has_its_count_median_and_slowest() -> None:
    found = of((10, 1), (20, 2), (30, 9), (-3600 * 23, 4))
    assert [(hour.begins, hour.count, hour.median, hour.worst) for hour in found.hours if hour.count] == [
        (T0 - timedelta(hours=23), 1, 4.0, 4.0),
        (T0, 3, 2.0, 9.0),
    ]
    assert len(found.hours) == HOURS
    assert (found.count, found.median, found.worst, found.worst_at) == (4, 3.0, 9.0, at(30))


def test_an_act_that_is_dated_after_its_write_has_no_lag() -> None:
    assert of((10, -5)).worst == 0.0


def test_it_is_told_in_words() -> None:
    assert words(of()) == "Nothing was mirrored in the last day."
    assert words(of((10, 3))) == "1 act was mirrored in the last day, within 3 s."
    assert words(of((10, 3), (20, 90))) == (
        "Of 2 acts that were mirrored in the last day, half took 46 s or less, the slowest 90 s (done at 09:00 "
        "UTC)."
    )
    assert words(of((10, 3), is_cut=True)).endswith(" Only the newest writes are counted.")
    assert words(of(is_cut=True)) == "Nothing was mirrored in the last day. Only the newest writes are counted."


def test_it_is_read_of_the_last_day(database: Database) -> None:
    made = action(Kind.PAGERDUTY_NOTE, at=at(10), id=0)
    with database.writing() as unit:
        unit.outbox.add([made], at(10))
        unit.outbox.settle(Settlement(unit.outbox.open()[0].id, Status.DONE), at(14))
    with database.reading() as unit:
        assert lag.read(unit, NOW).worst == 4.0
        assert lag.read(unit, NOW + timedelta(days=2)).count == 0
