"""Pairs and known notes are read back as they were stored; pairs with a problem are found at once."""

from dataclasses import fields, replace
from datetime import timedelta

import pytest

from reconciler.core.model import Action, AlertBaseline, IncidentBaseline, Kind, Pair, Side
from reconciler.store.database import Database
from tests.support.builders import at, pair
from tests.support.stored import ACTION, NOW, PAIR


def test_one_statement_finds_pairs_that_page_nobody_or_are_unexplained(database: Database) -> None:
    pairs = pair(), pair(alert_id="a-2", unpaged="why"), pair(alert_id="a-3", unexplained_since=at(0))
    with database.writing() as unit:
        unit.snapshot.save_pairs([replace(one, swept_at=at(0)) for one in pairs])
    with database.reading() as unit:
        assert {one.alert_id for one in unit.snapshot.unsettled()} == {"a-2", "a-3"}
        assert [one.alert_id for one in unit.snapshot.unpaged()] == ["a-2"]
        assert [one.alert_id for one in unit.snapshot.unexplained()] == ["a-3"]


@pytest.mark.parametrize(
    "pair",
    [
        PAIR,
        replace(PAIR, tracked=False, incident_id=None, incident_number=None, pagerduty=None),
        replace(PAIR, alerts=AlertBaseline(False, False, NOW), pagerduty=IncidentBaseline("resolved")),
        replace(PAIR, alerts=AlertBaseline(False, False, NOW)),
        replace(PAIR, pagerduty=IncidentBaseline("triggered")),
    ],
    ids=["whole", "without an incident", "over", "closed", "bare"],
)
def test_a_pair_is_read_back_as_it_was_stored(database: Database, pair: Pair) -> None:
    with database.writing() as unit:
        unit.snapshot.save_pairs([replace(PAIR, tiny_id="another"), pair])
    with database.reading() as unit:
        assert unit.snapshot.pairs(["a-1", "unknown"]) == {"a-1": pair}
        of_incidents = {"PINC1": (pair,)} if pair.incident_id else {}
        assert unit.snapshot.pairs_of_incidents(["PINC1", "PINC2"]) == of_incidents
        assert unit.snapshot.open_pairs() == int(pair.is_open)
        assert unit.snapshot.open_alerts() == int(pair.alerts.open)


def test_the_examples_differ_from_the_defaults_in_every_field() -> None:
    """Otherwise the tests would not notice a field that is not stored."""
    bare = Pair("", "", tracked=False, alerts=AlertBaseline(False, False, NOW))
    same = {field.name for field in fields(Pair) if getattr(PAIR, field.name) == getattr(bare, field.name)}
    assert same == set()
    action = Action("", Kind.CREATE_INCIDENT, "", "", NOW)
    same = {field.name for field in fields(Action) if getattr(ACTION, field.name) == getattr(action, field.name)}
    assert same == {"id", "incident_id", "status"}  # given by the outbox


def test_more_pairs_than_one_statement_takes_can_be_read(database: Database) -> None:
    pairs = {f"a-{number}": replace(PAIR, alert_id=f"a-{number}") for number in range(1201)}
    with database.writing() as unit:
        unit.snapshot.save_pairs(pairs.values())
    with database.reading() as unit:
        assert unit.snapshot.pairs(pairs) == pairs


def test_known_notes_are_stored_once_per_side(database: Database) -> None:
    both = [("a-1", Side.ALERTS, "17_1"), ("a-1", Side.PAGERDUTY, "PN1"), ("a-2", Side.ALERTS, "17_1")]
    with database.writing() as unit:
        unit.snapshot.save_notes(both)
        unit.snapshot.save_notes(both[:1])
    with database.reading() as unit:
        assert unit.snapshot.known_notes(["a-1", "a-3"]) == {
            "a-1": frozenset({(Side.ALERTS, "17_1"), (Side.PAGERDUTY, "PN1")})
        }


def test_pairs_that_page_nobody_are_found(database: Database) -> None:
    with database.writing() as unit:
        unit.snapshot.save_pairs([PAIR, replace(PAIR, alert_id="a-2", unpaged="")])
    with database.reading() as unit:
        assert unit.snapshot.unpaged() == [PAIR]
    with Database(database.engine, "another").reading() as unit:
        assert unit.snapshot.unpaged() == []


def test_the_time_of_a_sweep_never_goes_back(database: Database) -> None:
    swept = replace(PAIR, swept_at=NOW, next_look_at=NOW + timedelta(seconds=300), title="not stored")
    late = replace(swept, swept_at=NOW - timedelta(seconds=1), next_look_at=NOW)
    with database.writing() as unit:
        unit.snapshot.save_pairs([PAIR])
        for one in (swept, late):
            unit.snapshot.save_sweeps([one])
        unit.snapshot.save_sweeps([])
        assert unit.snapshot.pair("a-1") == replace(swept, title=PAIR.title)
