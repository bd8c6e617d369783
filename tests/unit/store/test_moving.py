"""A move gives every row its alert's new id; moved back, everything is as it was."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from reconciler.core.journal import Entry, Event
from reconciler.core.migration import MovedPair, Standing, former_ids
from reconciler.core.model import Action, Kind, Pair, Side, Status
from reconciler.core.work import ReadRequest, WorkItem
from reconciler.store import troubles
from reconciler.store.database import Database, UnitOfWork
from reconciler.store.moving import REPORT, Move, all_pairs, apply, moved_ids
from reconciler.store.overview import find
from reconciler.store.read_only import in_memory
from reconciler.store.schema import cursors, metadata
from tests.support.builders import alert
from tests.support.stored import ACTION, NOW, PAIR


@pytest.fixture
def database() -> Database:
    """Made without migrations, which take longer than all of these tests."""
    return in_memory()


def report(unit: UnitOfWork) -> str:
    """The stored report of the last move; empty if there was none."""
    rows = unit.snapshot.connection.execute(select(cursors.c.value).where(cursors.c.name == REPORT))
    return str(rows.scalar() or "")


OTHER = replace(PAIR, alert_id="a-2", tiny_id="18", incident_id="PINC2", incident_number=5)
MARK = Action(
    "opsgenie.add_note j-1 moved a-1", Kind.ALERT_NOTE, "j-1", "because", NOW, text="[mark]", mark="[mark]"
)
POLLED = NOW - timedelta(seconds=30)


def fill(database: Database) -> None:
    with database.writing() as unit:
        unit.snapshot.save_pairs([PAIR, OTHER])
        unit.snapshot.save_notes([("a-1", Side.ALERTS, "t1"), ("a-1", Side.PAGERDUTY, "PN1")])
        unit.snapshot.save_notes([("a-2", Side.ALERTS, "t2")])
        created = Action("pagerduty.create_incident a-1 create", Kind.CREATE_INCIDENT, "a-1", "", NOW, mark="a-1")
        unit.outbox.add([replace(created, status=Status.DONE), ACTION], NOW)
        unit.journal.append([Entry(NOW, Event.DONE, "a-1", Side.ALERTS, ACTION.kind, ACTION.key)])
        unit.work.add([WorkItem("a-1", NOW, ReadRequest(row=alert(), incident=True), attempts=2)])
        unit.cursors.save(polled_alerts=POLLED, query="team: a")


def moved(pair: Pair, new_id: str, *notes: str, **more: Any) -> MovedPair:
    return MovedPair(pair.alert_id, replace(pair, alert_id=new_id), Standing.EQUAL, frozenset(notes), **more)


def carry_out(database: Database, *pairs: MovedPair, to: str = "jsm", **more: Any) -> None:
    with database.writing() as unit:
        apply(unit, Move(to, NOW, pairs, query="status: open", report='{"x": 1}', **more))


def content(database: Database, *tables: str) -> Mapping[str, list[Any]]:
    with database.reading() as unit:
        return {
            name: sorted(map(repr, unit.snapshot.connection.execute(select(metadata.tables[name]))))
            for name in tables
        }


def test_every_row_takes_the_new_id(database: Database) -> None:
    fill(database)
    carry_out(database, moved(PAIR, "j-1", "n1", actions=(MARK,)), moved(OTHER, "a-2", "n2"))
    with database.reading() as unit:
        assert {pair.alert_id for pair in all_pairs(unit)} == {"j-1", "a-2"}
        assert unit.snapshot.known_notes(["a-1"]) == {}
        assert unit.snapshot.known_notes(["j-1"]) == {"j-1": {(Side.ALERTS, "n1"), (Side.PAGERDUTY, "PN1")}}
        assert unit.snapshot.known_notes(["a-2"]) == {"a-2": {(Side.ALERTS, "n2")}}
        mine = unit.outbox.of(["a-1", "j-1"])
        assert mine.keys() == {"j-1"}
        assert [action.key for action in mine["j-1"]] == [
            "pagerduty.create_incident j-1 create",
            "opsgenie.add_note j-1 note PN1",
            "opsgenie.add_note j-1 moved a-1",
        ]
        assert mine["j-1"][0].mark == "a-1", "the incident's key stays the old id"
        (entry,) = unit.journal.of(["j-1"])
        assert entry.key == "opsgenie.add_note j-1 note PN1"
        item = unit.work.of("j-1")
        assert unit.work.of("a-1") is None
        assert item is not None
        assert (item.request, item.attempts) == (ReadRequest(alert=True, incident=True), 2)


def test_the_cursors_and_the_report_are_those_of_the_new_source(database: Database) -> None:
    fill(database)
    carry_out(
        database, looks=(WorkItem("j-1", NOW, ReadRequest(alert=True)),), others=(replace(PAIR, alert_id="x"),)
    )
    with database.reading() as unit:
        positions = unit.cursors.load(NOW)
        assert (positions.source, positions.query, positions.alerts) == ("jsm", "status: open", POLLED)
        assert positions.polled_alerts == POLLED
        assert report(unit) == '{"x": 1}'
        assert unit.work.of("j-1") is not None
        assert unit.snapshot.pair("x") is not None


def test_an_alert_is_found_by_every_id_it_has_had(database: Database) -> None:
    fill(database)
    carry_out(database, moved(PAIR, "j-1"))
    with database.reading() as unit:
        assert report(unit)
        assert moved_ids(unit) == {"a-1": "j-1"}
        found = unit.snapshot.pairs_by_key(["a-1", "j-1", "a-2", "no"])
        assert {key: pair.alert_id for key, pair in found.items()} == {"a-1": "j-1", "j-1": "j-1", "a-2": "a-2"}
        assert find(unit, "a-1") == find(unit, "j-1") == ["j-1"]


def test_moved_back_all_rows_are_as_before_and_a_mark_that_was_not_sent_is_gone(database: Database) -> None:
    tables = ("pairs", "notes", "actions", "journal")
    fill(database)
    before = content(database, *tables)
    carry_out(database, moved(PAIR, "j-1", "n1", actions=(MARK,)))
    with database.reading() as unit:
        (pair,) = unit.snapshot.pairs(["j-1"]).values()
    carry_out(database, moved(pair, "a-1", "t1"), to="opsgenie")
    assert content(database, *tables) == before
    with database.reading() as unit:
        assert moved_ids(unit) == {"j-1": "a-1"}
        assert unit.cursors.load(NOW).source == "opsgenie"


def test_ids_of_several_moves_all_lead_to_the_present_one(database: Database) -> None:
    fill(database)
    for new_id in ("j-1", "a-1", "j-9"):
        with database.reading() as unit:
            (pair,) = (each for each in all_pairs(unit) if each.tiny_id == PAIR.tiny_id)
        carry_out(database, moved(pair, new_id))
    with database.reading() as unit:
        assert former_ids(moved_ids(unit)) == {"j-9": {"a-1", "j-1"}}


def test_a_pair_whose_notes_were_not_read_keeps_them(database: Database) -> None:
    fill(database)
    carry_out(database, MovedPair("a-1", replace(PAIR, alert_id="j-1"), Standing.EQUAL))
    with database.reading() as unit:
        assert unit.snapshot.known_notes(["j-1"]) == {"j-1": {(Side.ALERTS, "t1"), (Side.PAGERDUTY, "PN1")}}


def test_a_forgotten_pair_leaves_no_other_id_behind(database: Database) -> None:
    fill(database)
    over = replace(PAIR, alerts=replace(PAIR.alerts, open=False), incident_id=None, pagerduty=None)
    with database.writing() as unit:
        unit.outbox.connection.exec_driver_sql("DELETE FROM actions")
    carry_out(database, moved(over, "j-1"))
    with database.writing() as unit:
        assert unit.snapshot.forget(NOW) == 1
        assert moved_ids(unit) == {}


def test_without_a_move_there_is_no_report(database: Database) -> None:
    with database.reading() as unit:
        assert report(unit) == ""


def test_rows_of_other_routes_stay_as_they_are_and_old_problems_are_forgotten(database: Database) -> None:
    shop = database.for_route("shop")
    for each in (shop, database):
        fill(each)
        with each.writing() as unit:
            troubles.save(unit, [troubles.KeptTrouble("opsgenie", NOW, "Opsgenie: 403")])
    before = content(database, *metadata.tables)
    carry_out(database, moved(PAIR, "j-1", "n1"), moved(OTHER, "a-2", "n2"))
    after = content(database, *metadata.tables)
    others = {name: [row for row in rows if row.startswith("('shop'")] for name, rows in before.items()}
    kept = {name: [row for row in rows if row.startswith("('shop'")] for name, rows in after.items()}
    assert kept == others
    assert len(others["pairs"]) == len(others["cursors"]) == 2
    assert others["actions"] == []
    by_id = ("actions", "journal")
    assert [row for name in by_id for row in before[name] if "'shop'" in row] == [
        row for name in by_id for row in after[name] if "'shop'" in row
    ]
    with database.reading() as unit:
        assert troubles.load(unit) == []
