"""Intake: items and the cursor are stored in one transaction and then queued; read pairs are not queued again."""

import pytest

from reconciler.core.work import Priority, ReadRequest, Reason, WorkItem
from reconciler.sources.intake import DryIntake, DurableIntake
from reconciler.store.database import DatabaseDown
from reconciler.store.leader_state import LeaderState
from tests.support.builders import at
from tests.support.sources import Stage

ALERT = WorkItem("a", at(0), ReadRequest(alert=True), Priority.CHANGED, frozenset({Reason.WEBHOOK}))
INCIDENT = WorkItem("a", at(0), ReadRequest(incident=True), Priority.CHANGED, frozenset({Reason.WEBHOOK}))


def test_requests_of_two_sources_for_one_pair_are_merged(stage: Stage) -> None:
    stage.intake.accept([ALERT])
    stage.intake.accept([INCIDENT])
    item = stage.queue.lease()
    assert item is not None
    assert item.request == ReadRequest(alert=True, incident=True)
    assert item.generation == stage.items["a"].generation


def test_a_reconciled_pair_whose_row_still_exists_is_not_read_again(stage: Stage) -> None:
    stage.intake.accept([ALERT])
    assert stage.queue.lease() is not None
    stage.queue.done("a")
    stage.intake.accept([INCIDENT])
    item = stage.queue.lease()
    assert item is not None
    assert item.request == INCIDENT.request
    with stage.database.writing() as unit:
        unit.work.take_away([item])
    assert stage.items == {}


def test_work_added_by_another_process_is_queued_too(stage: Stage) -> None:
    with stage.database.writing() as unit:
        unit.work.add([ALERT], external=True)
    stage.intake.accept([INCIDENT])
    leased = stage.queue.lease()
    assert leased is not None
    assert leased.request == ReadRequest(alert=True, incident=True)
    with stage.database.writing() as unit:
        assert unit.work.take_in() == [], "its row would be deleted with the item, and what it requests lost"
        unit.work.take_away([leased])
    assert stage.items == {}


def test_an_unreachable_database_leaves_items_and_cursor_unchanged(stage: Stage) -> None:
    with stage.database.engine.begin() as connection:
        fails = "BEGIN SELECT RAISE(FAIL, 'full'); END"
        connection.exec_driver_sql(f"CREATE TRIGGER full BEFORE INSERT ON cursors {fails}")
    with pytest.raises(DatabaseDown):
        stage.intake.accept([ALERT], sweep=at(10))
    assert (stage.items, stage.queue.size(), stage.standing.sweep) == ({}, 0, None)


def test_a_dry_run_stores_nothing(stage: Stage) -> None:
    DryIntake(stage.queue).accept([ALERT], sweep=at(10))
    assert (stage.items, stage.queue.size(), stage.standing.sweep) == ({}, 1, None)


def test_what_only_the_leader_knows_is_stored_with_a_moved_cursor_and_never_alone(stage: Stage) -> None:
    state = LeaderState(at(9), 4, at(1))
    intake = DurableIntake(stage.database, stage.queue, lambda: state)
    intake.accept([ALERT])
    assert stage.standing.leader is None
    intake.accept([], sweep=at(10))
    assert stage.standing.leader == state
