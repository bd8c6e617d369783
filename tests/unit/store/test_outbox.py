"""The outbox: an action is planned once, sent once, and read back as it was stored."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.core.model import Kind, Settlement, Status
from reconciler.store.database import Database
from tests.support.stored import ACTION, NOW, PAIR, stored_action, stored_actions


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


def test_what_a_pause_has_held_back_has_not_failed_before(database: Database) -> None:
    failed = replace(ACTION, status=Status.PLANNED, failing_since=NOW, not_before=NOW, attempts=3)
    stored_actions(database, failed, replace(failed, key="two", kind=Kind.PAGERDUTY_NOTE))
    with database.writing() as unit:
        unit.outbox.forgive([ACTION.kind])
        forgiven, other = unit.outbox.open()
    assert (forgiven.failing_since, forgiven.not_before, forgiven.attempts) == (None, None, 3)
    assert other.failing_since == NOW
