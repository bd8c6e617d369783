"""The bounds that decide which unknown alerts are new."""

from datetime import UTC, datetime, timedelta

from reconciler.core.listings import Bounds
from reconciler.sources.horizons import Horizons
from reconciler.store.cursors import Origin
from tests.support.builders import at

HORIZONS = Horizons(timedelta(hours=1), timedelta(seconds=300), timedelta(days=30))


def test_pairs_are_remembered_for_as_long_as_they_are_retained() -> None:
    now = at(3600)
    assert HORIZONS.bounds(Origin(at(0), at(-60)), now) == Bounds(now, at(0), at(-60), now - timedelta(days=30))


def test_a_wrong_clock_leads_to_no_time_that_cannot_be_stored() -> None:
    start = datetime(1, 1, 2, tzinfo=UTC)
    assert HORIZONS.bounds(Origin(start, start), start).remembered_since == datetime(2000, 1, 1, tzinfo=UTC)
