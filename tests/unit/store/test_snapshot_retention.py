"""Finished pairs are deleted from the snapshot after a while; open, waiting and dead ones never are."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.core.model import Action, AlertBaseline, IncidentBaseline, Kind, Pair, Settlement, Side, Status
from reconciler.store.database import open_database
from reconciler.store.migrate import upgrade

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=40)


def _pair(name: str, *, alert_open: bool, incident: str, swept_at: datetime = LONG_AGO) -> Pair:
    return Pair(
        alert_id=name,
        tiny_id="1",
        tracked=True,
        alerts=AlertBaseline(alert_open, acknowledged=False, updated_at=LONG_AGO),
        incident_id=f"P{name}",
        incident_number=1,
        pagerduty=IncidentBaseline(incident),
        swept_at=swept_at,
    )


def _action(alert_id: str) -> Action:
    return Action(
        key=f"note {alert_id}", kind=Kind.PAGERDUTY_NOTE, alert_id=alert_id, reason="because", at=LONG_AGO
    )


@pytest.mark.parametrize(
    ("pair", "status", "forgotten"),
    [
        (_pair("over", alert_open=False, incident="resolved"), Status.DONE, True),
        (_pair("open", alert_open=True, incident="resolved"), Status.DONE, False),
        (_pair("triggered", alert_open=False, incident="triggered"), Status.DONE, False),
        (_pair("recent", alert_open=False, incident="resolved", swept_at=NOW), Status.DONE, False),
        (_pair("waiting", alert_open=False, incident="resolved"), Status.PLANNED, False),
        (_pair("doubt", alert_open=False, incident="resolved"), Status.SENT, False),
        (_pair("dead", alert_open=False, incident="resolved"), Status.DEAD, False),
    ],
    ids=lambda value: value.alert_id if isinstance(value, Pair) else "",
)
def test_only_long_finished_pairs_are_deleted(tmp_path: Path, pair: Pair, status: Status, forgotten: bool) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'x.db'}")
    upgrade(database)
    with database.writing() as unit:
        unit.snapshot.save_pairs([pair])
        unit.snapshot.save_notes([(pair.alert_id, Side.PAGERDUTY, "N1")])
        unit.outbox.add([_action(pair.alert_id)], NOW)
        (intended,) = unit.outbox.open()
        unit.outbox.settle(Settlement(intended.id, status), NOW)
        assert unit.snapshot.forget(NOW - timedelta(days=30)) == int(forgotten)
    with database.reading() as unit:
        assert (pair.alert_id in unit.snapshot.pairs([pair.alert_id])) is not forgotten
        assert bool(unit.snapshot.known_notes([pair.alert_id])) is not forgotten
        assert bool(unit.outbox.of([pair.alert_id])) is not forgotten
    database.close()


HOUR = timedelta(hours=1)


def test_due_pairs_are_found_separately_for_open_and_finished_ones_in_due_order(
    tmp_path: Path,
) -> None:
    database = open_database(f"sqlite:///{tmp_path}/x.db")
    upgrade(database)
    over = _pair("over", alert_open=False, incident="resolved", swept_at=NOW)
    opened = _pair("open", alert_open=True, incident="resolved", swept_at=NOW)
    with database.writing() as unit:
        unit.snapshot.save_pairs(
            [
                replace(over, next_look_at=NOW),
                replace(over, alert_id="never"),
                replace(opened, next_look_at=NOW),
                replace(opened, alert_id="first", next_look_at=NOW - HOUR),
                replace(opened, alert_id="later", next_look_at=NOW + HOUR),
            ]
        )
    with database.reading() as unit:
        due = unit.snapshot.due
        assert [pair.alert_id for pair in due(NOW, 10, is_open=True)] == ["first", "open"]
        assert [pair.alert_id for pair in due(NOW, 1, is_open=True)] == ["first"]
        assert [pair.alert_id for pair in due(NOW, 10, is_open=False)] == ["over"]
    database.close()
