"""The vendors' forms of times."""

from datetime import UTC, datetime, timedelta

from reconciler.sandbox.wire import iso_short


def test_times_drop_the_trailing_zeros_of_their_fraction() -> None:
    base = datetime(2026, 11, 23, 9, 14, 5, tzinfo=UTC)
    assert iso_short(base) == "2026-11-23T09:14:05Z"
    assert iso_short(base + timedelta(milliseconds=160)) == "2026-11-23T09:14:05.16Z"
    assert iso_short(base + timedelta(milliseconds=123)) == "2026-11-23T09:14:05.123Z"
