from datetime import UTC, datetime, timedelta

from reconciler.core.model import Side
from reconciler.core.pause import Pause
from reconciler.store.database import Database

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
PAGERDUTY = Pause(Side.PAGERDUTY, NOW, "maintenance", "ops", pages=True, until=NOW + timedelta(hours=2))


def test_a_side_has_one_pause_which_a_later_one_replaces(database: Database) -> None:
    opsgenie = Pause(Side.ALERTS, NOW, "migration")
    with database.writing() as unit:
        unit.pauses.save([PAGERDUTY, Pause(Side.ALERTS, NOW, "first")])
        unit.pauses.save([opsgenie])
        assert unit.pauses.all() == [opsgenie, PAGERDUTY]


def test_a_pause_ends_by_its_side(database: Database) -> None:
    with database.writing() as unit:
        unit.pauses.save([PAGERDUTY, Pause(Side.ALERTS, NOW, "migration")])
        unit.pauses.end([Side.ALERTS])
        assert unit.pauses.all() == [PAGERDUTY]
        unit.pauses.end(Side)
        assert unit.pauses.all() == []
