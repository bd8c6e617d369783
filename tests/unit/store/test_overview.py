"""What `status`, the metrics and readiness ask of all pairs and actions."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.core.model import IncidentBaseline, Kind, Settlement, Status
from reconciler.operations.paging import objections
from reconciler.store import overview
from reconciler.store.database import Database
from reconciler.store.overview import OVERDUE, WaitingPage, find, oldest_open, paging, shown, since, states
from tests.support.stored import ACTION, NOW, PAIR, stored_actions


@pytest.mark.parametrize("kind", [Kind.CREATE_INCIDENT, Kind.PAGERDUTY_UNACKNOWLEDGE])
def test_a_refused_action_that_should_page_counts_as_a_missing_page(database: Database, kind: Kind) -> None:
    """An incident that stays acknowledged although the customer unacknowledged its alert pages nobody either."""
    refused = replace(ACTION, kind=kind, error="stays acknowledged", failing_since=NOW)
    stored_actions(database, refused, replace(ACTION, key="a note", error="refused", failing_since=NOW))
    with database.writing() as unit:
        unit.snapshot.save_pairs([replace(PAIR, unpaged="")])
    with database.reading() as unit:
        found = paging(unit, NOW)
    assert [page.error for page in found.waiting] == ["stays acknowledged"]
    ((_, words),) = objections(found, NOW + timedelta(minutes=1))
    assert words == '1 page waits (#17 "db-primary is down"), the oldest for 60 s: stays acknowledged'


def test_a_page_counts_as_waiting_once_it_has_failed_or_is_a_minute_old(database: Database) -> None:
    page = replace(ACTION, kind=Kind.CREATE_INCIDENT, error="", failing_since=None)
    stored_actions(database, page)
    with database.reading() as unit:
        assert paging(unit, NOW + OVERDUE).waiting == ()
        (late,) = paging(unit, NOW + OVERDUE + timedelta(seconds=1)).waiting
    assert late == WaitingPage("a-1", NOW, "")


def test_a_dead_page_counts_unless_its_alert_is_over(database: Database) -> None:
    page = replace(ACTION, kind=Kind.CREATE_INCIDENT, status=Status.DEAD)
    stored_actions(database, page, replace(page, key="of no pair", alert_id="a-2"))
    over = replace(PAIR, alerts=replace(PAIR.alerts, open=False), pagerduty=IncidentBaseline("resolved"))
    for pair, dead in ((PAIR, ["a-1", "a-2"]), (over, ["a-2"])):
        with database.writing() as unit:
            unit.snapshot.save_pairs([pair])
            assert [page.alert_id for page in paging(unit, NOW).dead] == dead


@pytest.mark.parametrize("given", ["a-1", "17", "#17", "PINC1", "4", "#4"])
def test_a_pair_is_found_by_any_of_its_names(database: Database, given: str) -> None:
    with database.writing() as unit:
        unit.snapshot.save_pairs(
            [PAIR, replace(PAIR, alert_id="a-2", tiny_id="5", incident_id="PX", incident_number=6)]
        )
        assert find(unit, given) == ["a-1"]


@pytest.mark.parametrize("given", ["", "#", "99", "99999999999999999999", "\u0661\u0667", "a-1 OR 1=1"])
def test_what_names_nothing_finds_nothing(database: Database, given: str) -> None:
    with database.writing() as unit:
        unit.snapshot.save_pairs([PAIR])
        assert find(unit, given) == []


def test_an_alert_that_has_only_actions_is_found_by_its_id(database: Database) -> None:
    stored_actions(database, ACTION)
    with database.reading() as unit:
        assert find(unit, "a-1") == ["a-1"]


def test_open_and_dead_actions_are_counted_with_the_age_of_the_oldest_open_one(database: Database) -> None:
    planned = replace(ACTION, error="")
    done, dead = (replace(planned, key=each.value, status=each) for each in (Status.DONE, Status.DEAD))
    stored_actions(database, done)
    with database.reading() as unit:
        assert (states(unit), oldest_open(unit)) == (Counter(), None)
    stored_actions(database, planned, dead, replace(planned, key="failed", error="503"))
    with database.reading() as unit:
        assert states(unit) == Counter(
            {
                (Status.PLANNED, False, Kind.ALERT_NOTE): 1,
                (Status.PLANNED, True, Kind.ALERT_NOTE): 1,
                (Status.DEAD, False, Kind.ALERT_NOTE): 1,
            }
        )
        assert oldest_open(unit) == NOW


def test_the_time_of_an_action_is_that_of_its_present_state(database: Database) -> None:
    fresh = replace(ACTION, failing_since=None)
    stored_actions(database, fresh, replace(ACTION, key="failing"), replace(ACTION, key="dead"))
    dead_at = NOW + timedelta(seconds=3)
    with database.writing() as unit:
        unit.outbox.settle(Settlement(3, Status.DEAD, "refused"), dead_at)
        assert since(unit, [1, 2, 3]) == {1: NOW, 2: ACTION.failing_since, 3: dead_at}


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("sqlite:///reconciler.db", "sqlite:///reconciler.db"),
        ("postgresql+psycopg://u:secret@db/name", "postgresql+psycopg://u:***@db/name"),
        ("postgresql+psycopg:///name?host=/run&password=secret", "postgresql+psycopg:///name?host=%2Frun"),
        ("postgresql://db/name?sslkey=k&sslpassword=secret", "postgresql://db/name?sslkey=k"),
    ],
)
def test_a_databases_address_is_shown_without_its_password(url: str, seen: str) -> None:
    assert shown(url) == seen


def test_who_leads_is_named_by_host_and_process(database: Database) -> None:
    with database.reading() as unit:
        assert overview.lead(unit) is None
    database.holder = "bastion:4711:0badcafe"
    database.lead()
    with database.reading() as unit:
        led = overview.lead(unit)
    assert led is not None
    assert led.epoch == 1
    assert led.process == "bastion:4711"
