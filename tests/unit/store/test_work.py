"""The work queue's table: added items are merged, and only reconciled ones are deleted."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.core.model import Act, Actor, Alert, Person
from reconciler.core.work import Priority, ReadRequest, Reason, WorkItem
from reconciler.store.database import Database
from tests.support.database import open_migrated

NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
ROW = Alert("a", "17", "db-primary is down", True, False, NOW, NOW, tags=("db",), details=(("host", "db-1"),))
ACT = Act("L1", "acknowledge", NOW, Actor.PERSON, Person("PJ", "Jane Doe"), "Q1")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = open_migrated(tmp_path / "work.db")
    yield made
    made.close()


def add(database: Database, *items: WorkItem) -> list[WorkItem]:
    with database.writing() as unit:
        return unit.work.add(items)


def everything(database: Database) -> list[WorkItem]:
    with database.reading() as unit:
        return unit.work.all()


def item(alert_id: str = "a", priority: Priority = Priority.CHANGED, **more: object) -> WorkItem:
    return WorkItem(alert_id, NOW, priority=priority, **more)  # type: ignore[arg-type]


def test_an_item_is_read_back_as_it_was_added(database: Database) -> None:
    request = ReadRequest(alert=True, is_new=True, row=ROW, acts=(ACT,))
    (stored,) = add(database, item(request=request, reasons=frozenset({Reason.NEW_ALERT}), attempts=2))
    assert everything(database) == [stored]
    assert stored.request == request
    assert (stored.reasons, stored.attempts, stored.generation) == (frozenset({Reason.NEW_ALERT}), 2, 1)


def test_items_are_ordered_by_priority(database: Database) -> None:
    add(database, item("c", Priority.SWEEP), item("b", Priority.PAGE), item("a"))
    assert [one.alert_id for one in everything(database)] == ["b", "a", "c"]


def test_two_items_for_one_pair_are_merged_into_one_row(database: Database) -> None:
    add(database, item(request=ReadRequest(alert=True)), item(request=ReadRequest(alert_notes=True)))
    (queued,) = add(database, item(request=ReadRequest(incident=True)))
    (merged,) = everything(database)
    assert merged.request == ReadRequest(alert=True, alert_notes=True, incident=True)
    assert queued == replace(merged, request=ReadRequest(incident=True)), "the queue has the rest already"


def test_only_the_reconciled_generation_is_deleted(database: Database) -> None:
    (leased,) = add(database, item())
    add(database, item(request=ReadRequest(alert=True)))
    with database.writing() as unit:
        unit.work.take_away([leased])
    (left,) = everything(database)
    with database.writing() as unit:
        unit.work.take_away([left])
    assert everything(database) == []


def test_remaining_work_replaces_the_leased_row_unless_that_has_changed(database: Database) -> None:
    (leased,) = add(database, item(request=ReadRequest(alert=True, incident=True)))
    left = WorkItem("a", NOW + timedelta(seconds=4), ReadRequest(incident=True), generation=leased.generation)
    with database.writing() as unit:
        kept = unit.work.put_back(left)
    assert kept is not None
    assert everything(database) == [kept]
    add(database, item(request=ReadRequest(alert=True)))
    with database.writing() as unit:
        assert unit.work.put_back(kept) is None
    assert everything(database)[0].request == ReadRequest(alert=True, incident=True)


def test_a_row_added_by_another_process_is_queued_once(database: Database) -> None:
    add(database, item("ours"))
    with database.writing() as unit:
        unit.work.add([item("theirs")], external=True)
    with database.writing() as unit:
        assert unit.work.has_external()
        assert [one.alert_id for one in unit.work.take_in()] == ["theirs"]
        assert not unit.work.has_external()
        assert unit.work.take_in() == []
    assert len(everything(database)) == 2


def test_a_request_of_another_process_comes_with_the_next_item_of_its_pair(database: Database) -> None:
    with database.writing() as unit:
        unit.work.add([item(request=ReadRequest(alert=True))], external=True)
    (queued,) = add(database, item(request=ReadRequest(incident=True)))
    assert queued.request == ReadRequest(alert=True, incident=True)
    with database.reading() as unit:
        assert not unit.work.has_external()


def test_waiting_items_of_a_first_start_are_counted(database: Database) -> None:
    add(database, item("a", reasons=frozenset({Reason.FIRST_START, Reason.SWEEP})), item("b"))
    with database.reading() as unit:
        assert unit.work.waiting_since_first_start() == 1


def test_one_alerts_item_is_read_alone(database: Database) -> None:
    add(database, item("a"), item("b"))
    with database.reading() as unit:
        found = unit.work.of("b")
        assert found is not None
        assert found.alert_id == "b"
        assert unit.work.of("c") is None
