"""Before a page that may have gone out already, PagerDuty is asked: in one listing for many, else for each."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

from worlds import action, at, incident, policy

from reconciler.core.model import Action, Incident, Kind
from reconciler.gate import Gate
from reconciler.pauses import Pauses, Trouble
from reconciler.send import Hold, Sender
from reconciler.store.database import Database
from reconciler.telemetry import NOBODY
from reconciler.writes import Remotes

NOW = at(0) + timedelta(hours=5)
OLD = timedelta(hours=3)


class Clock:
    """It is five hours later."""

    now = staticmethod(lambda: NOW)


class PagerDuty:
    """It has an incident for each of these keys, those in the listing and one that is older than that."""

    def __init__(self, *keys: str) -> None:
        self.keys = keys
        self.asked: list[str] = []
        self.created: list[str] = []

    def keys_between(self, *_: object) -> set[str]:
        self.asked.append("listing")
        return set(self.keys)

    def incidents_by_key(self, key: str) -> list[Incident]:
        self.asked.append(key)
        return [incident(key=key)] if key == "older" else []

    def create_incident(self, key: str, *_: object) -> Incident:
        self.created.append(key)
        return incident(key=key)


def creation(key: str, ago: timedelta) -> Action:
    return replace(action(Kind.CREATE_INCIDENT), alert_id=key, key=key, at=NOW - ago)


def test_a_listing_answers_only_for_the_pages_it_was_made_for(database: Database) -> None:
    pagerduty = PagerDuty("a", "c")
    remotes = Remotes(cast("Any", None), cast("Any", pagerduty), cast("Any", None), cast("Any", pagerduty))
    clock = cast("Any", Clock())
    trouble = Trouble(Pauses(), clock)
    sender = Sender(remotes, database, clock, Gate(), NOBODY, policy(), trouble)
    with database.writing() as books:
        books.ledger.intend([creation(key, OLD) for key in "abc"] + [creation("older", OLD * 2)], NOW)
        a, b, c, older = books.ledger.open()[1:] + books.ledger.open()[:1]
    sender.list_existing([a, b, c])
    assert [sender.send(each) for each in (a, b, c)] == [Hold.ALL, Hold.NOTHING, Hold.ALL]
    assert sender.send(older) is Hold.ALL
    assert pagerduty.asked == ["listing", "older"]
    assert pagerduty.created == ["b"]
    assert trouble.problems == []
