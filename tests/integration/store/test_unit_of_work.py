"""Snapshot and outbox store every field of a value."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from reconciler.core.model import (
    Action,
    AlertBaseline,
    IncidentBaseline,
    Kind,
    Pair,
    Person,
    Settlement,
    Side,
    Status,
)
from reconciler.core.work import WorkItem
from reconciler.operations.paging import objections
from reconciler.store.cursors import Positions
from reconciler.store.database import Database
from reconciler.store.overview import paging

NOW = datetime(2026, 11, 23, 9, 14, 5, 123456, tzinfo=UTC)
FAR = timezone(timedelta(hours=5, minutes=45))
PAIR = Pair(
    alert_id="a-1",
    tiny_id="17",
    tracked=True,
    opsgenie=AlertBaseline(True, True, NOW - timedelta(seconds=3), NOW + timedelta(hours=1)),
    incident_id="PINC1",
    incident_number=4,
    pagerduty=IncidentBaseline("acknowledged", (Person("PJANE", "Jane Doe"), Person("", "Ømar ]·[")), "Jane Doe"),
    swept_at=NOW - timedelta(minutes=5),
    next_look_at=NOW + timedelta(minutes=5),
    title="db-primary is down",
    unexplained_since=NOW - timedelta(seconds=4),
    unpaged="incident #4 was created acknowledged by the automation user",
)
ACTION = Action(
    key="opsgenie.add_note a-1 note PN1",
    kind=Kind.OPSGENIE_NOTE,
    alert_id="a-1",
    reason="Jane Doe added a note in PagerDuty",
    at=NOW - timedelta(seconds=9),
    person="Jane Doe",
    text="[PagerDuty · Jane Doe · note PN1] the disk\n\tis full 🙈 'quoted'",
    body="Priority: P1",
    urgency="high",
    mark="[PagerDuty · Jane Doe · note PN1]",
    attempts=3,
    plain=True,
    not_before=NOW + timedelta(seconds=4),
    failing_since=NOW - timedelta(hours=2),
    sent_at=NOW - timedelta(seconds=1),
    request_id="r-1",
    result_id="n-1",
    error="not seen",
)


def stored_actions(database: Database, *actions: Action) -> list[Action]:
    with database.writing() as unit:
        unit.outbox.add(actions, NOW)
    with database.reading() as unit:
        return [action for mine in unit.outbox.of({a.alert_id for a in actions}).values() for action in mine]


def stored_action(database: Database, action: Action) -> Action:
    with database.reading() as unit:
        (found,) = unit.outbox.by_id([action.id])
    return found


# -- the snapshot --


@pytest.mark.parametrize(
    "pair",
    [
        PAIR,
        replace(PAIR, tracked=False, incident_id=None, incident_number=None, pagerduty=None),
        replace(PAIR, opsgenie=AlertBaseline(False, False, NOW), pagerduty=IncidentBaseline("resolved")),
        replace(PAIR, pagerduty=IncidentBaseline("triggered")),
    ],
    ids=["whole", "without an incident", "over", "bare"],
)
def test_a_pair_is_read_back_as_it_was_stored(database: Database, pair: Pair) -> None:
    with database.writing() as unit:
        unit.snapshot.save_pairs([replace(PAIR, tiny_id="another"), pair])
    with database.reading() as unit:
        assert unit.snapshot.pairs(["a-1", "unknown"]) == {"a-1": pair}
        of_incidents = {"PINC1": (pair,)} if pair.incident_id else {}
        assert unit.snapshot.pairs_of_incidents(["PINC1", "PINC2"]) == of_incidents
        assert unit.snapshot.open_pairs() == int(pair.is_open)


def test_the_examples_differ_from_the_defaults_in_every_field() -> None:
    """Otherwise the tests would not notice a field that is not stored."""
    bare = Pair("", "", tracked=False, opsgenie=AlertBaseline(False, False, NOW))
    same = {field.name for field in fields(Pair) if getattr(PAIR, field.name) == getattr(bare, field.name)}
    assert same == {"route"}
    action = Action("", Kind.CREATE_INCIDENT, "", "", NOW)
    same = {field.name for field in fields(Action) if getattr(ACTION, field.name) == getattr(action, field.name)}
    assert same == {"route", "id", "incident_id", "status"}  # given by the outbox


def test_a_time_keeps_its_moment_in_any_zone(database: Database) -> None:
    with database.writing() as unit:
        unit.snapshot.save_pairs([replace(PAIR, swept_at=NOW.astimezone(FAR))])
    with database.reading() as unit:
        found = unit.snapshot.pairs(["a-1"])["a-1"]
    assert found.swept_at == NOW
    assert found.swept_at.tzinfo is UTC


def test_more_pairs_than_one_statement_takes_can_be_read(database: Database) -> None:
    pairs = {f"a-{number}": replace(PAIR, alert_id=f"a-{number}") for number in range(1201)}
    with database.writing() as unit:
        unit.snapshot.save_pairs(pairs.values())
    with database.reading() as unit:
        assert unit.snapshot.pairs(pairs) == pairs


def test_known_notes_are_stored_once_per_side(database: Database) -> None:
    both = [("a-1", Side.OPSGENIE, "17_1"), ("a-1", Side.PAGERDUTY, "PN1"), ("a-2", Side.OPSGENIE, "17_1")]
    with database.writing() as unit:
        unit.snapshot.save_notes(both)
        unit.snapshot.save_notes(both[:1])
    with database.reading() as unit:
        assert unit.snapshot.known_notes(["a-1", "a-3"]) == {
            "a-1": frozenset({(Side.OPSGENIE, "17_1"), (Side.PAGERDUTY, "PN1")})
        }


def test_routes_do_not_see_each_other(database: Database) -> None:
    with database.writing() as unit:
        unit.snapshot.save_pairs([PAIR])
        unit.snapshot.save_notes([("a-1", Side.OPSGENIE, "1")])
        unit.cursors.save(query="1")
        unit.work.add([WorkItem("a-1", NOW)])
        unit.outbox.add([ACTION], NOW)
    with Database(database.engine, "another").reading() as unit:
        assert unit.snapshot.pairs(["a-1"]) == {}
        assert unit.snapshot.known_notes(["a-1"]) == {}
        assert unit.cursors.load(NOW) == Positions()
        assert unit.work.all() == []
        assert unit.snapshot.open_pairs() == 0
        assert unit.outbox.of(["a-1"]) == {}
        assert unit.outbox.open() == []
        assert not unit.outbox.counts()


# -- the outbox --


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("kind", Kind)
def test_an_action_is_read_back_as_it_was_stored(database: Database, kind: Kind, status: Status) -> None:
    action = replace(ACTION, kind=kind, status=status)
    (found,) = stored_actions(database, action)
    assert found == replace(action, id=1)
    with database.reading() as unit:
        assert [a.id for a in unit.outbox.open()] == ([1] if status.is_open else [])
        assert unit.outbox.counts() == {status: 1}
        assert unit.outbox.with_status(status, 5) == [found]


def test_an_action_has_the_current_incident_of_its_pair(database: Database) -> None:
    (before,) = stored_actions(database, ACTION)
    with database.writing() as unit:
        unit.snapshot.save_pairs([PAIR])
    assert (before.incident_id, stored_action(database, before).incident_id) == (None, "PINC1")


def test_a_key_is_stored_for_one_action_only(database: Database) -> None:
    (first,) = stored_actions(database, ACTION)
    later = replace(ACTION, reason="another reason", text="another text")
    other = replace(ACTION, key="another")
    assert [a.key for a in stored_actions(database, later, later, other)] == [ACTION.key, "another"]
    assert stored_action(database, first) == first


def test_open_actions_are_in_the_order_of_the_acts(database: Database) -> None:
    times = (3, 1, 2, 1)
    actions = [replace(ACTION, key=str(n), at=NOW + timedelta(seconds=s)) for n, s in enumerate(times)]
    stored_actions(database, *actions)
    with database.reading() as unit:
        assert [action.key for action in unit.outbox.open()] == ["1", "3", "2", "0"]


def test_an_action_is_sent_once(database: Database) -> None:
    fresh = replace(ACTION, sent_at=None, request_id="", error="from before", attempts=0)
    (action,) = stored_actions(database, fresh)
    with database.writing() as unit:
        assert unit.outbox.mark_sent(action, NOW)
    with database.writing() as unit:
        assert not unit.outbox.mark_sent(action, NOW + timedelta(seconds=1))
    assert stored_action(database, action) == replace(
        action, status=Status.SENT, sent_at=NOW, request_id="", error=""
    )
    with database.writing() as unit:
        unit.outbox.mark_accepted(action, "r-2")
        unit.outbox.mark_unknown(action, "no answer")
    found = stored_action(database, action)
    assert (found.status, found.request_id, found.error) == (Status.SENT, "r-2", "no answer")


def test_an_action_refused_for_its_form_is_queued_in_its_plain_form(database: Database) -> None:
    (action,) = stored_actions(database, replace(ACTION, plain=False, status=Status.SENT))
    with database.writing() as unit:
        unit.outbox.mark_plain(action, "too long")
    found = stored_action(database, action)
    assert (found.status, found.plain, found.error) == (Status.PLANNED, True, "too long")


@pytest.mark.parametrize("status", [Status.DONE, Status.DROPPED, Status.DEAD])
def test_the_outcome_of_an_action_is_stored(database: Database, status: Status) -> None:
    (action,) = stored_actions(database, replace(ACTION, status=Status.SENT))
    with database.writing() as unit:
        unit.outbox.settle(Settlement(action.id, status, "why", "n-2", attempts=4), NOW)
    found = stored_action(database, action)
    since = ACTION.failing_since if status is Status.DEAD else None  # a successful action is no longer failing
    assert found == replace(action, status=status, error="why", result_id="n-2", attempts=4, failing_since=since)
    with database.reading() as unit:
        assert unit.outbox.open() == []


def test_an_action_goes_back_into_the_queue(database: Database) -> None:
    (action,) = stored_actions(database, replace(ACTION, status=Status.SENT, attempts=2))
    later = NOW + timedelta(seconds=8)
    with database.writing() as unit:
        unit.outbox.settle(Settlement(action.id, Status.PLANNED, "why", not_before=later), NOW)
    found = stored_action(database, action)
    assert (found.status, found.not_before, found.error) == (Status.PLANNED, later, "why")
    assert (found.attempts, found.result_id) == (2, action.result_id)


def test_the_time_since_when_an_action_fails_is_kept_until_it_is_changed(database: Database) -> None:
    (action,) = stored_actions(database, replace(ACTION, failing_since=None))
    since = NOW - timedelta(seconds=7)
    with database.writing() as unit:
        unit.outbox.settle(Settlement(action.id, Status.PLANNED, "refused", failing_since=since), NOW)
    assert stored_action(database, action).failing_since == since
    with database.writing() as unit:
        unit.outbox.settle(Settlement(action.id, Status.PLANNED, "out of reach"), NOW)
    assert stored_action(database, action).failing_since == since


@pytest.mark.parametrize("chosen", [None, [1, 3]])
def test_a_dead_action_is_put_back_as_if_never_tried(database: Database, chosen: list[int] | None) -> None:
    dead = replace(ACTION, status=Status.DEAD)
    stored_actions(database, dead, replace(dead, key="two"), replace(dead, key="three", status=Status.DONE))
    with database.writing() as unit:
        back = unit.outbox.retry(chosen)
    assert [action.id for action in back] == ([1, 2] if chosen is None else [1])
    for action in back:
        assert (action.status, action.attempts, action.plain, action.error) == (Status.PLANNED, 0, False, "")
        assert (action.not_before, action.failing_since) == (None, None)
        assert stored_action(database, action) == action
    with database.reading() as unit:
        assert unit.outbox.counts()[Status.DEAD] == 2 - len(back)
        assert unit.outbox.counts()[Status.DONE] == 1


def test_without_dead_actions_nothing_is_put_back(database: Database) -> None:
    stored_actions(database, ACTION)
    with database.writing() as unit:
        assert unit.outbox.retry() == []
        assert unit.outbox.retry([]) == []


def test_pairs_that_page_nobody_are_found(database: Database) -> None:
    with database.writing() as unit:
        unit.snapshot.save_pairs([PAIR, replace(PAIR, alert_id="a-2", unpaged="")])
    with database.reading() as unit:
        assert unit.snapshot.unpaged() == [PAIR]
    with Database(database.engine, "another").reading() as unit:
        assert unit.snapshot.unpaged() == []


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
