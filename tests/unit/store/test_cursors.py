"""The positions of the sources: an unusable stored value counts as not stored and raises no error."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.core.absence import Vanished
from reconciler.core.outage import Outage
from reconciler.core.shadow import Comparison
from reconciler.store.cursors import MOST_VANISHED, OLDEST, LogMark, Origin, Positions, earlier
from reconciler.store.database import Database
from reconciler.store.leader_state import LeaderState
from reconciler.store.schema import cursors
from reconciler.store.statements import upsert
from tests.support.builders import at
from tests.support.database import open_migrated

NOW = at(1000)
YEAR_1, YEAR_9999 = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
USELESS = ("", "broken", "[]", "null", "{}", "5", "2026-11-23T09:00:00", "0001-01-01T00:00:00+00:00")
AHEAD = (at(1001).isoformat(), YEAR_9999.isoformat())
PARTLY = (Outage(at(11), at(12), "P1"), Outage(at(11)))
MOMENTS = ("opsgenie", "sweep", "polled.opsgenie", "polled.pagerduty")
WHOLE = Positions(
    origin=Origin(at(5), at(1)),
    source="jsm",
    query='tag: "ä"',
    alerts=at(6),
    pagerduty=LogMark(at(7), frozenset({"L1", "L2"})),
    sweep=at(8),
    polled_alerts=at(9),
    polled_pagerduty=at(10),
    leader=LeaderState(at(11), 4, at(1)),
    outage=PARTLY[0],
    vanished=Vanished(at(12), frozenset({"a-1", "a-2"}), 3),
    shadow=Comparison(at(13), {"same": 4, "differs": 1}),
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = open_migrated(tmp_path / "cursors.db")
    yield made
    made.close()


def stored(database: Database, **values: str) -> Positions:
    """The positions read from a table with these values."""
    with database.writing() as unit:
        rows = [{"route": "default", "name": name, "value": value} for name, value in values.items()]
        upsert(unit.cursors.connection, cursors, rows)
    with database.reading() as unit:
        return unit.cursors.load(NOW)


@pytest.mark.parametrize("outage", [*PARTLY, None])
def test_an_outage_is_read_back_and_can_be_forgotten(database: Database, outage: Outage | None) -> None:
    with database.writing() as unit:
        unit.cursors.save(outage=PARTLY[0])
        unit.cursors.save(outage=outage)
        assert unit.cursors.load(NOW).outage == outage


@pytest.mark.parametrize("value", [*USELESS, '["2026-11-23T09:00:00+00:00"]', '["x", "", "P1"]', '["x", "", 5]'])
def test_an_unreadable_outage_counts_as_none(database: Database, value: str) -> None:
    assert stored(database, outage=value) == Positions()


@pytest.mark.parametrize("vanished", [WHOLE.vanished, None])
def test_vanished_alerts_are_read_back_and_can_be_forgotten(database: Database, vanished: Vanished | None) -> None:
    with database.writing() as unit:
        unit.cursors.save(vanished=WHOLE.vanished)
        unit.cursors.save(vanished=vanished)
        assert unit.cursors.load(NOW).vanished == vanished


@pytest.mark.parametrize("value", [*USELESS, '["2026-11-23T09:00:00+00:00", 2]', '["x", 2, []]', '["x", "2", []]'])
def test_unreadable_vanished_alerts_count_as_none(database: Database, value: str) -> None:
    assert stored(database, vanished=value) == Positions()


@pytest.mark.parametrize("value", [*USELESS, '["x", {}]', '["2026-11-23T09:00:00+00:00", []]'])
def test_an_unreadable_comparison_counts_as_none(database: Database, value: str) -> None:
    assert stored(database, shadow=value) == Positions()


def test_of_very_many_vanished_alerts_a_part_is_stored(database: Database) -> None:
    many = frozenset(f"a-{number}" for number in range(2 * MOST_VANISHED))
    with database.writing() as unit:
        unit.cursors.save(vanished=Vanished(at(1), many, len(many)))
        kept = unit.cursors.load(NOW).vanished
    assert kept is not None
    assert (len(kept.alerts), kept.most) == (MOST_VANISHED, MOST_VANISHED)
    assert kept.alerts < many


def test_an_empty_table_gives_unknown_positions(database: Database) -> None:
    assert stored(database, another="x") == Positions()


def test_saved_positions_are_read_back_field_by_field(database: Database) -> None:
    fields = {name: getattr(WHOLE, name) for name in WHOLE.__slots__}
    with database.writing() as unit:
        for name, value in fields.items():
            unit.cursors.save(**{name: value})
            assert getattr(unit.cursors.load(NOW), name) == value
        assert unit.cursors.load(NOW) == WHOLE
        unit.cursors.save()
        unit.cursors.save(sweep=at(20))
        assert unit.cursors.load(NOW).sweep == at(20)
        assert unit.cursors.load(NOW).alerts == at(6)


@pytest.mark.parametrize("value", [*USELESS, *AHEAD])
def test_an_unreadable_or_future_time_counts_as_unknown(database: Database, value: str) -> None:
    assert stored(database, pagerduty=value, **dict.fromkeys(MOMENTS, value)) == Positions()
    assert stored(database, pagerduty=json.dumps([value, []])).pagerduty is None


@pytest.mark.parametrize("value", [*USELESS, *AHEAD])
def test_a_first_start_with_an_unreadable_time_counts_as_made(database: Database, value: str) -> None:
    assert stored(database, origin=value).origin == Origin(NOW, NOW)
    assert stored(database, origin=json.dumps([value, value])).origin == Origin(NOW, NOW)
    assert stored(database, origin=json.dumps([at(5).isoformat(), value])).origin == Origin(at(5), at(5))


def test_only_texts_in_a_stored_log_mark_are_entry_ids(database: Database) -> None:
    mark = stored(database, pagerduty=json.dumps([at(5).isoformat(), ["L1", 5, None]])).pagerduty
    assert mark == LogMark(at(5), frozenset({"L1"}))


@pytest.mark.parametrize("stamp", [YEAR_1, YEAR_9999, at(0)])
def test_an_earlier_time_is_never_before_the_year_2000(stamp: datetime) -> None:
    found = earlier(stamp, timedelta(days=400_000))
    assert found == max(OLDEST, found)
