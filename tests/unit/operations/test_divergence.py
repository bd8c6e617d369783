"""Pairs that are apart, and whether a rule or a policy leaves them so."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.model import SOMEBODY, Action, Kind, Pair, Side, Status
from reconciler.operations import divergence
from reconciler.operations.divergence import UNKNOWN, Apart, acknowledged_alone, apart
from reconciler.store.database import Database
from tests.support.builders import ALERT_ID, BOT, JANE, action, at, pair

OURS, HERS = pair("acknowledged", (BOT,)), pair("acknowledged", (BOT, JANE), as_of=at(50))
ALERT_ONLY = pair("triggered", acknowledged=True, as_of=at(60))


def done(kind: Kind, verb: str, seconds: float = 10, status: Status = Status.DONE, **more: Any) -> Action:
    """An action that this act has caused."""
    key = f"{kind.value} {ALERT_ID} {verb} {at(seconds).isoformat()}"
    return action(kind, status, key=key, at=at(seconds), **more)


TAKEN_BACK = (
    done(Kind.PAGERDUTY_ACKNOWLEDGE, "acknowledge"),
    done(Kind.PAGERDUTY_NOTE, "unacknowledge", 20),
)
MIRRORED = done(Kind.PAGERDUTY_ACKNOWLEDGE, "acknowledge")
ENGINEERS = done(Kind.ALERT_ACKNOWLEDGE, "acknowledge")


def found(database: Database, given: Pair, *actions: Action, user: str = BOT.id) -> tuple[Apart, ...]:
    with database.writing() as unit:
        unit.snapshot.save_pairs([replace(given, swept_at=at(0))])
        unit.outbox.add(actions, at(0))
    with database.reading() as unit:
        return apart(unit, user)


@pytest.mark.parametrize(
    ("given", "side"),
    [
        (pair("triggered"), None),
        (pair("acknowledged", acknowledged=True), None),
        (pair("acknowledged"), Side.PAGERDUTY),
        (pair("triggered", acknowledged=True), Side.ALERTS),
        (pair("resolved", acknowledged=True), None),
        (pair("acknowledged", is_open=False), None),
        (pair(None, acknowledged=True), None),
    ],
    ids=str,
)
def test_a_pair_is_apart_if_one_of_two_open_sides_is_acknowledged(given: Pair, side: Side | None) -> None:
    assert acknowledged_alone(given) is side


@pytest.mark.parametrize(
    ("given", "actions", "why"),
    [
        (HERS, TAKEN_BACK, "an engineer's acknowledgement stays when a customer takes it back in Opsgenie"),
        (OURS, TAKEN_BACK, "ON_OPSGENIE_UNACKNOWLEDGE is note"),
        (OURS, (), "it was so when the pair was first seen"),
        (ALERT_ONLY, (), "it was so when the pair was first seen"),
        (ALERT_ONLY, (MIRRORED,), "a mirrored acknowledgement that times out in PagerDuty is not passed back"),
        (ALERT_ONLY, (ENGINEERS,), "ON_PAGERDUTY_ACK_TIMEOUT is ignore"),
        (
            ALERT_ONLY,
            (ENGINEERS, done(Kind.ALERT_NOTE, "reopen", 30)),
            "a reopened incident leaves the alert as it is",
        ),
    ],
)
def test_a_rule_or_policy_that_leaves_a_pair_apart_is_named(
    database: Database, given: Pair, actions: tuple[Action, ...], why: str
) -> None:
    (each,) = found(database, given, *actions)
    assert (each.on_purpose, each.why) == (True, why)


def test_who_holds_the_incident_is_not_guessed_while_the_automation_user_is_not_known(database: Database) -> None:
    (each,) = found(database, pair("acknowledged", (SOMEBODY,)), *TAKEN_BACK, user="")
    assert "an engineer's" in each.why


@pytest.mark.parametrize(
    ("status", "error", "why"),
    [
        (Status.PLANNED, "", "opsgenie.acknowledge is planned"),
        (Status.SENT, "503", "opsgenie.acknowledge is unknown: 503"),
        (Status.DEAD, "403", "opsgenie.acknowledge is dead: 403"),
    ],
)
def test_what_is_left_to_do_is_not_on_purpose(database: Database, status: Status, error: str, why: str) -> None:
    left = done(Kind.ALERT_ACKNOWLEDGE, "acknowledge", 40, status, error=error)
    (each,) = found(database, HERS, left)
    assert (each.on_purpose, each.why, each.since) == (False, why, at(40))


def test_a_pair_for_which_no_rule_holds_is_not_apart_on_purpose(database: Database) -> None:
    (each,) = found(database, OURS, ENGINEERS)
    assert (each.on_purpose, each.why) == (False, UNKNOWN)


def test_a_pair_is_apart_since_the_customer_took_back_or_the_incidents_last_known_change(
    database: Database,
) -> None:
    assert [each.since for each in found(database, HERS, *TAKEN_BACK)] == [at(20)]
    assert [each.since for each in found(database, ALERT_ONLY)] == [at(60)]


def test_a_pair_has_its_names_its_age_and_its_reason_as_data_and_in_words() -> None:
    each = Apart(HERS, Side.PAGERDUTY, at(20), on_purpose=True, why="a rule")
    assert divergence.as_data(at(80), each) == {
        "alert_id": ALERT_ID,
        "alert": "17",
        "title": "Disk full",
        "incident_id": "PINC1",
        "incident": 4711,
        "acknowledged": "pagerduty",
        "since": at(20).isoformat(),
        "age_seconds": 60.0,
        "on_purpose": True,
        "why": "a rule",
    }
    assert divergence.words(each) == "acknowledged in PagerDuty, not in Opsgenie; on purpose: a rule"
