"""What is over leaves the snapshot after a while; what is open, waiting or dead never does."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.core.model import Action, AlertBaseline, IncidentBaseline, Kind, Pair, Settlement, Side, Status
from reconciler.store.database import open_database
from reconciler.store.migrate import upgrade
from reconciler.sweep import doublings

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=40)


def _pair(name: str, *, alert_open: bool, incident: str, swept_at: datetime = LONG_AGO) -> Pair:
    return Pair(
        alert_id=name,
        tiny_id="1",
        tracked=True,
        opsgenie=AlertBaseline(alert_open, acknowledged=False, updated_at=LONG_AGO),
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
def test_only_what_is_over_for_long_is_forgotten(
    tmp_path: Path, pair: Pair, status: Status, forgotten: bool
) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'x.db'}")
    upgrade(database)
    with database.writing() as books:
        books.snapshot.save_pairs([pair])
        books.snapshot.save_notes([(pair.alert_id, Side.PAGERDUTY, "N1")])
        books.outbox.add([_action(pair.alert_id)], NOW)
        (intended,) = books.outbox.open()
        books.outbox.settle(Settlement(intended.id, status), NOW)
        assert books.snapshot.forget(NOW - timedelta(days=30)) == int(forgotten)
    with database.reading() as books:
        assert (pair.alert_id in books.snapshot.pairs([pair.alert_id])) is not forgotten
        assert bool(books.snapshot.known_notes([pair.alert_id])) is not forgotten
        assert bool(books.outbox.of([pair.alert_id])) is not forgotten
    database.close()


HOUR = timedelta(hours=1)
RESTLESS = {"over", "another"}


def test_what_is_over_is_looked_at_ever_more_seldom_and_a_dozen_times_a_month(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/x.db")
    upgrade(database)
    with database.writing() as books:
        books.snapshot.save_pairs(
            [
                _pair("over", alert_open=False, incident="resolved", swept_at=NOW),
                _pair("another", alert_open=False, incident="resolved", swept_at=NOW),
                _pair("open", alert_open=True, incident="resolved", swept_at=NOW),
                _pair("triggered", alert_open=False, incident="triggered", swept_at=NOW),
                replace(_pair("baseline", alert_open=False, incident="resolved", swept_at=NOW), incident_id=None),
            ]
        )
    ages = doublings(HOUR, timedelta(days=30))
    looks = []
    with database.reading() as books:
        for hour in range(30 * 24):
            span = NOW + hour * HOUR - HOUR, NOW + hour * HOUR
            found = books.snapshot.finished(ages, span, "", 100)
            assert set(found) in (set(), RESTLESS)
            looks += [hour] if found else []
        whole = NOW - HOUR, NOW + timedelta(days=30)
        assert books.snapshot.finished(ages, whole, "", 100) == sorted(RESTLESS), "once, however late it is asked"
        assert books.snapshot.finished(ages, whole, "", 1) == ["another"]
        assert books.snapshot.finished(ages, whole, "another", 1) == ["over"]
        assert books.snapshot.finished([], whole, "", 100) == []
    database.close()
    assert looks == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]


def test_doublings() -> None:
    assert doublings(HOUR, 5 * HOUR) == [HOUR, 2 * HOUR, 4 * HOUR]
    assert doublings(2 * HOUR, HOUR) == []
    assert len(doublings(timedelta(seconds=300), timedelta(days=30))) == 14
