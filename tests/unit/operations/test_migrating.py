"""What keeps a move from being made, what takes that away, and what becomes of everything else."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.core.matching import Match
from reconciler.core.model import Alert, Kind, Pair, Status
from reconciler.core.work import ReadRequest, WorkItem
from reconciler.operations.migrating import Choices, Examination, Unmatched, examine, is_news, move_of
from reconciler.operations.migration_reads import Horizon, stored
from reconciler.store.cursors import Origin
from reconciler.store.database import Database
from reconciler.store.read_only import in_memory
from tests.support.builders import action, alert, at, pair
from tests.support.moves import Alerts

NOW = at(3600)
HORIZON = Horizon(NOW, timedelta(seconds=120), timedelta(days=30))
POLLED = at(3590)
NO_CHOICE = Choices()


@pytest.fixture
def database() -> Database:
    """Made without migrations, which take longer than all of these tests."""
    return in_memory()


def numbered(number: int, **more: Any) -> Pair:
    made = pair(alert_id=f"a-{number}", swept_at=at(3000), tiny_id=str(number), alias=f"alias {number}")
    return replace(made, incident_id=f"P{number}", incident_number=number, **more)


def there(number: int, **more: Any) -> Alert:
    return alert(id=f"a-{number}", tiny_id=str(number), alias=f"alias {number}", **more)


def seen(
    database: Database, pairs: list[Pair], alerts: list[Alert], choices: Choices = NO_CHOICE, **more: Any
) -> Examination:
    with database.writing() as unit:
        unit.snapshot.save_pairs(pairs)
        unit.cursors.save(origin=Origin(at(-100), at(-3700)), polled_alerts=POLLED)
    return examine(
        stored(database, NOW),
        Alerts().put(*alerts),
        more.get("here"),
        "jsm",
        choices,
        HORIZON,
        lambda _words: None,
    )


def kinds(found: Examination) -> list[str]:
    return [each.kind for each in found.obstacles]


def test_where_every_alert_is_the_same_nothing_stands_in_the_way(database: Database) -> None:
    found = seen(database, [numbered(1), numbered(2)], [there(1), there(2)])
    assert (kinds(found), found.counts, found.settles_at) == ([], {Match.SAME: 2}, None)
    assert (found.here.key, found.there.key) == ("opsgenie", "jsm")


def test_a_missing_alert_stops_the_move_until_the_operator_drops_it(database: Database) -> None:
    pairs, alerts = [numbered(1), numbered(2), numbered(3)], [there(1), there(2)]
    (obstacle,) = seen(database, pairs, alerts).obstacles
    assert (obstacle.kind, obstacle.words) == ("missing", 'JSM does not have #3 "Disk full", incident #3')
    dropped = seen(database, pairs, alerts, Choices(drop_missing=True))
    assert kinds(dropped) == []
    (left,) = move_of(dropped, "", "{}").others
    assert (left.alert_id, left.alerts.open, left.next_look_at) == ("a-3", False, None)


def test_many_missing_alerts_are_named_in_part(database: Database) -> None:
    pairs = [numbered(number) for number in range(14)]
    (obstacle,) = seen(database, pairs, [there(number) for number in range(7)]).obstacles
    assert obstacle.words.endswith(", incident #7 and 2 other alerts")


def test_a_key_that_sees_nearly_nothing_is_never_taken_for_deletion(database: Database) -> None:
    pairs = [numbered(number) for number in range(10)]
    for alerts in ([there(1)], []):
        found = seen(database, pairs, alerts, Choices(drop_missing=True))
        (obstacle,) = found.obstacles
        assert obstacle.kind == "blind"
        assert "JSM_API_TOKEN" in obstacle.words


def test_what_is_over_or_pages_nobody_may_be_missing(database: Database) -> None:
    over = replace(numbered(3), alerts=replace(pair().alerts, open=False))
    silent = replace(numbered(4), tracked=False, incident_id=None, incident_number=None, pagerduty=None)
    found = seen(database, [numbered(1), numbered(2), over, silent], [there(1), there(2)])
    assert (kinds(found), found.missing) == ([], ())
    left = {each.alert_id: each for each in move_of(found, "", "{}").others}
    assert left["a-3"] == replace(over, next_look_at=None)
    assert not left["a-4"].alerts.open


def test_an_alert_that_may_be_one_of_several_stops_the_move(database: Database) -> None:
    twins = [replace(there(1), id=name) for name in ("j-1", "j-2")]
    (obstacle,) = seen(database, [numbered(1)], twins).obstacles
    assert (obstacle.kind, "j-1 and j-2" in obstacle.words) == ("ambiguous", True)


def test_alerts_that_nobody_knows_are_paged_if_new_and_decided_by_the_operator_if_old(database: Database) -> None:
    new, old = there(8, created_at=at(3500)), there(9)
    found = seen(database, [numbered(1)], [there(1), new, old])
    assert (found.unknown.new, found.unknown.old, kinds(found)) == ((new,), (old,), ["unknown"])
    assert found.obstacles[0].words.startswith("1 open alert of JSM's, older than the last poll, is not known")
    silent = seen(database, [numbered(1)], [there(1), new, old], Choices(unknown=Unmatched.BASELINE))
    (recorded,) = move_of(silent, "", "{}").others
    assert (recorded.alert_id, recorded.tracked, kinds(silent)) == ("a-9", False, [])
    paged = seen(database, [numbered(1)], [there(1), new, old, there(10)], Choices(unknown=Unmatched.PAGE))
    assert (move_of(paged, "", "{}").others, kinds(paged)) == ((), [])


def test_what_only_the_old_product_can_finish_is_finished_first(database: Database) -> None:
    with database.writing() as unit:
        unit.outbox.add([replace(action(Kind.ALERT_NOTE, Status.SENT), alert_id="a-1")], NOW)
        unit.outbox.add([replace(action(Kind.CREATE_INCIDENT), alert_id="a-1")], NOW)
        unit.work.add([WorkItem("a-7", NOW, ReadRequest(is_new=True))])
    here = Alerts().put(there(1), there(5, created_at=at(3595), updated_at=at(3595)))
    found = seen(database, [numbered(1)], [there(1)], here=here)
    assert [each.words for each in found.obstacles] == [
        "2 pages wait to be made",
        "it is not known yet whether Opsgenie has carried out 1 write",
        "in Opsgenie, 1 alert changed since the last poll: alert a-5",
    ]
    assert all("--drain" in each.remedy for each in found.obstacles)
    assert kinds(seen(database, [numbered(1)], [there(1)], Choices(drain=True), here=here)) == []
    assert kinds(seen(database, [numbered(1)], [there(1)], Choices(is_drained=True), here=here)) == [
        "pages",
        "writes",
    ]


def test_without_the_old_product_only_pages_that_wait_stop_the_move(database: Database) -> None:
    with database.writing() as unit:
        unit.outbox.add([replace(action(Kind.ALERT_NOTE, Status.SENT), alert_id="a-1")], NOW)
    assert kinds(seen(database, [numbered(1)], [there(1)])) == []
    with database.writing() as unit:
        unit.work.add([WorkItem("a-7", NOW, ReadRequest(is_new=True))])
    (obstacle,) = seen(database, [numbered(1)], [there(1)]).obstacles
    assert obstacle.remedy.startswith("run `reconciler once` with ALERT_SOURCE=opsgenie first")


def test_one_page_waits(database: Database) -> None:
    with database.writing() as unit:
        unit.work.add([WorkItem("a-7", NOW, ReadRequest(is_new=True))])
    (obstacle,) = seen(database, [numbered(1)], [there(1)]).obstacles
    assert obstacle.words == "1 page waits to be made"


def test_what_was_mirrored_a_moment_ago_may_not_show_yet(database: Database) -> None:
    key = "pagerduty.add_note a-1 acknowledge x"
    said = replace(action(Kind.PAGERDUTY_NOTE, Status.DONE), alert_id="a-1", key=key, at=at(3580))
    with database.writing() as unit:
        unit.outbox.add([said], NOW)
    assert seen(database, [numbered(1)], [there(1)]).settles_at == at(3700)
    with database.writing() as unit:
        unit.outbox.connection.exec_driver_sql("UPDATE actions SET at = '2026-11-23 09:00:00.000000'")
    assert seen(database, [numbered(1)], [there(1)]).settles_at is None


def test_the_move_has_what_was_read_and_looks_first_where_something_happened(database: Database) -> None:
    found = seen(database, [numbered(1), numbered(2)], [there(1, open=False, updated_at=at(3500)), there(2)])
    move = move_of(found, "status: open", '{"x": 1}')
    assert (move.to, move.at, move.query, move.report) == ("jsm", NOW, "status: open", '{"x": 1}')
    assert [item.alert_id for item in move.looks] == ["a-1"]
    assert [is_news(each) for each in move.pairs] == [True, False]
    words = "moved from Opsgenie to JSM"
    assert [(each.event.value, each.alert_id, each.words) for each in move.journal] == [
        ("moved", "a-1", words), ("moved", "a-2", words)
    ]  # fmt: skip
