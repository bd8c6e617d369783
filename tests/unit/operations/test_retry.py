"""Putting dead actions back: all that are meant, none that is not, and where the daemon finds them."""

from dataclasses import replace

import pytest

from reconciler.core.journal import Event
from reconciler.core.model import Kind, Settlement, Status
from reconciler.errors import Misconfigured
from reconciler.operations.retry import as_data, as_text, put_back
from reconciler.store.database import Database
from tests.support.builders import action, at, pair


@pytest.fixture
def dead(database: Database) -> Database:
    """Two pairs, each with a dead note."""
    with database.writing() as unit:
        first = pair(swept_at=at(0))
        other = replace(first, alert_id="a-2", tiny_id="18", incident_id="PINC2", incident_number=4712)
        unit.snapshot.save_pairs([first, other])
        notes = [action(Kind.PAGERDUTY_NOTE, alert_id=each, key=each) for each in ("a-1", "a-2")]
        unit.outbox.add(notes, at(20))
        for number in (1, 2):
            unit.outbox.settle(Settlement(number, Status.DEAD, "too long", attempts=3), at(30))
    return database


def still_dead(database: Database) -> set[str]:
    with database.reading() as unit:
        return {each.alert_id for each in unit.outbox.with_status(Status.DEAD, 10)}


@pytest.mark.parametrize("given", ["a-1", "17", "#17", "PINC1", "4711"])
def test_any_name_of_a_pair_puts_its_dead_actions_back_and_no_others(dead: Database, given: str) -> None:
    (entry,) = put_back(dead, [given], "ana@bastion")
    assert (entry.action.alert_id, entry.action.status) == ("a-1", Status.DEAD)
    assert still_dead(dead) == {"a-2"}


def test_what_is_put_back_is_as_if_never_tried_and_due_for_the_daemon(dead: Database) -> None:
    put_back(dead, None, "ana@bastion")
    with dead.writing() as unit:
        found = unit.outbox.open()
        assert [(each.status, each.attempts, each.error) for each in found] == [(Status.PLANNED, 0, "")] * 2
        assert {item.alert_id for item in unit.work.take_in()} == {"a-1", "a-2"}


def test_one_unknown_name_is_refused_and_puts_nothing_back(dead: Database) -> None:
    with pytest.raises(Misconfigured, match=r"^retry: 99, x: no alert or incident of that id"):
        put_back(dead, ["17", "99", "x"], "ana@bastion")
    assert still_dead(dead) == {"a-1", "a-2"}


def test_the_text_and_the_document_tell_each_action_as_it_was(dead: Database) -> None:
    found = put_back(dead, ["17"], "ana@bastion")
    (line, last) = as_text(found).splitlines()
    assert line.startswith('#17 "Disk full", incident #4711: pagerduty.add_note for ')
    assert line.endswith(", 3 tries: too long (alert a-1)")
    assert last == "Put back: 1 action; a running daemon tries again within seconds."
    assert [(each["state"], each["error"]) for each in as_data(found)["retried"]] == [("dead", "too long")]
    assert as_text(put_back(dead, ["17"], "ana@bastion")) == "Nothing is dead there: nothing to put back."


def test_the_journal_tells_who_put_what_back(dead: Database) -> None:
    put_back(dead, ["17"], "ana@bastion")
    with dead.reading() as unit:
        (entry,) = unit.journal.of(["a-1"])
        assert unit.journal.of(["a-2"]) == []
    assert (entry.event, entry.kind, entry.who) == (Event.RETRIED, Kind.PAGERDUTY_NOTE, "ana@bastion")
    assert entry.words == "it was dead: too long"
