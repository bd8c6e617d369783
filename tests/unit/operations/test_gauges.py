"""The gauges that describe the database are read from it, outside of any scrape."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.core.model import (
    Action,
    AlertBaseline,
    IncidentBaseline,
    Kind,
    Pair,
    Settlement,
    Status,
)
from reconciler.observability.health import Health
from reconciler.observability.metrics import Metrics
from reconciler.operations.gauges import refresh
from reconciler.store.database import Database
from reconciler.vendors.http import SystemClock
from tests.support.database import open_migrated

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_migrated(tmp_path / "some.db")
    yield database
    database.close()


def test_pairs_and_actions_are_read_once_until_something_changes(database: Database) -> None:
    metrics = Metrics(Health(10.0), SystemClock())
    pair = Pair(
        alert_id="a",
        tiny_id="1",
        tracked=True,
        alerts=AlertBaseline(open=True, acknowledged=True, updated_at=NOW),
        incident_id="P1",
        incident_number=1,
        pagerduty=IncidentBaseline("triggered"),
        swept_at=NOW,
    )
    actions = [
        Action(key=str(number), kind=Kind.PAGERDUTY_NOTE, alert_id="a", reason="", at=NOW) for number in (1, 2, 3)
    ]
    with database.writing() as unit:
        unit.cursors.save(polled_pagerduty=NOW)
        unit.snapshot.save_pairs([pair])
        unit.outbox.add(actions, NOW)
        unit.outbox.settle(Settlement(2, Status.DEAD, "refused"), NOW)
        unit.outbox.settle(Settlement(3, Status.DONE, ""), NOW)
    refresh(metrics, database)
    found = metrics.text().decode().splitlines()
    for line in (
        f'reconciler_vendor_last_poll_timestamp_seconds{{vendor="pagerduty"}} {NOW.timestamp():.7e}',
        "reconciler_open_pairs 1.0",
        "reconciler_actions_pending 1.0",
        'reconciler_actions_dead{kind="pagerduty.add_note"} 1.0',
        "reconciler_divergence_pairs 1.0",
    ):
        assert line in found
    with database.writing() as unit:
        unit.outbox.settle(Settlement(1, Status.DONE, ""), NOW)
    refresh(metrics, database)
    assert "reconciler_actions_pending 1.0" in metrics.text().decode()
    metrics.outcome(actions[0], Status.DONE, "written")
    refresh(metrics, database)
    assert "reconciler_actions_pending 0.0" in metrics.text().decode()
