"""Polling a source: a failure is reported until it succeeds again, and a success releases parked pairs."""

import threading
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.core.model import Kind, Side
from reconciler.core.work import WorkItem
from reconciler.errors import Misconfigured, NotExecuted, ReconcilerError, Transient
from reconciler.reconcile.holds import Holds
from reconciler.reconcile.problems import Problem, Problems
from reconciler.reconcile.read_breakers import ReadBreakers
from reconciler.reconcile.work_queue import Hold, WorkQueue
from reconciler.reconcile.write_breakers import Lane, WriteBreakers
from reconciler.runtime.account import ACCOUNT_PLACE
from reconciler.runtime.program import Program
from reconciler.runtime.rounds import Rounds
from reconciler.store.database import Database, DatabaseDown
from tests.support.builders import at
from tests.support.clock import SimClock

AWAY = NotExecuted("no connection")


@dataclass
class Source:
    """A source that answers or fails as set by the test."""

    name: str = "opsgenie feed"
    side: Side | None = Side.ALERTS
    answers: bool | ReconcilerError = True

    def poll(self) -> bool:
        if isinstance(self.answers, ReconcilerError):
            raise self.answers
        return self.answers


@dataclass
class Account:
    """The account as the program asks it."""

    unsure: Problem | None = None
    asked: list[str] = field(default_factory=list)
    begun: int = 0

    def began(self) -> None:
        self.begun += 1

    def answered(self) -> None:
        self.asked.append("again")

    def renewed(self) -> None:
        self.asked.append("renewed")


class Stage:
    """A program with only the parts that polling needs."""

    def __init__(self, database: Database) -> None:
        self.clock = SimClock()
        self.queue = WorkQueue(self.clock)
        self.breakers = ReadBreakers(self.clock)
        self.writes = WriteBreakers(self.clock)
        self.account = Account()
        absent: Any = None
        account: Any = self.account
        self.program = Program(
            (),
            account,
            absent,
            absent,
            absent,
            Rounds(self.clock),
            self.queue,
            Holds(self.queue, self.breakers, self.writes),
            Problems(),
            self.breakers,
            self.writes,
            database,
            self.clock,
            threading.Event(),
            timedelta(seconds=10),
        )

    def park(self, *alert_ids: str, hold: Hold = Hold.READ_ALERTS) -> None:
        """Parks these pairs behind a circuit breaker."""
        for alert_id in alert_ids:
            self.queue.add([WorkItem(alert_id, at(0))])
            item = self.queue.lease()
            assert item is not None
            self.queue.park(item, frozenset({hold}))

    def due(self) -> list[str]:
        found = []
        while (item := self.queue.lease()) is not None:
            found.append(item.alert_id)
        return found


@pytest.fixture
def stage(database: Database) -> Stage:
    return Stage(database)


def test_a_failing_source_is_reported_until_it_succeeds(stage: Stage) -> None:
    error = Transient("500")
    assert not stage.program.poll(Source(answers=error))
    assert stage.program.poll(Source("pagerduty feed", Side.PAGERDUTY))
    assert stage.program.wrong() == (Problem(Side.ALERTS, error),)
    assert stage.program.poll(Source(answers=False))  # it had nothing to poll
    assert stage.program.wrong() == (Problem(Side.ALERTS, error),)
    assert stage.program.poll(Source())
    assert stage.program.wrong() == ()


def test_two_sources_of_one_vendor_fail_and_recover_independently(stage: Stage) -> None:
    for name in ("opsgenie feed", "open alerts"):
        stage.program.poll(Source(name, answers=Transient(name)))
    stage.program.poll(Source("open alerts"))
    assert [str(problem.error) for problem in stage.program.wrong()] == ["opsgenie feed"]


def test_a_source_without_a_connection_opens_the_read_breaker(stage: Stage) -> None:
    stage.program.poll(Source(answers=AWAY))
    assert stage.breakers.open([Side.ALERTS, Side.PAGERDUTY]) == {Hold.READ_ALERTS}
    assert stage.program.open_breakers() == ("opsgenie reads",)


def test_a_success_closes_the_breaker_and_releases_the_parked_pairs(stage: Stage) -> None:
    stage.program.poll(Source(answers=AWAY))
    stage.park("a", "b")
    stage.park("c", hold=Hold.READ_PAGERDUTY)
    stage.breakers.failed(Side.PAGERDUTY, "c", AWAY)
    stage.program.poll(Source())
    assert stage.due() == ["a", "b"]
    assert stage.program.open_breakers() == ("pagerduty reads",)


def test_a_half_open_breaker_releases_one_pair(stage: Stage) -> None:
    stage.program.poll(Source(answers=AWAY))
    stage.park("a", "b", "c")
    stage.program.holds.release()
    assert stage.due() == []
    stage.clock.wait(1)
    stage.program.holds.release()
    assert stage.due() == ["a"]


def test_an_unreachable_database_is_not_reported_as_a_vendor_problem(stage: Stage) -> None:
    with pytest.raises(DatabaseDown):
        stage.program.poll(Source(answers=DatabaseDown("away")))
    assert stage.program.wrong() == ()


def test_a_freed_lane_releases_the_pairs_with_waiting_actions(stage: Stage) -> None:
    stage.writes.bar(frozenset({Lane.PAGES}))
    stage.park("waits", hold=Hold.WRITE_PAGES)
    stage.program.holds.release()
    assert stage.due() == []
    stage.writes.bar(frozenset())
    stage.program.holds.release()
    assert stage.due() == ["waits"]


def test_one_waiting_page_is_tried_at_once_when_pagerduty_is_reachable_again(stage: Stage) -> None:
    for _ in range(4):
        stage.clock.wait(8)
        stage.writes.not_executed(Kind.CREATE_INCIDENT, AWAY)
    stage.park("a", "b", hold=Hold.WRITE_PAGES)
    stage.program.poll(Source())
    assert stage.due() == []
    stage.program.poll(Source("pagerduty feed", Side.PAGERDUTY))
    assert stage.due() == ["a"]
    stage.writes.succeeded(Kind.CREATE_INCIDENT)
    stage.program.holds.release()
    assert stage.due() == ["b"]


def test_the_account_reports_its_own_problems_and_is_read_again_once_pagerduty_answers(stage: Stage) -> None:
    problem = Problem(Side.PAGERDUTY, Misconfigured("PAGERDUTY_SERVICE_ID: disabled"))
    stage.program.problems.put(ACCOUNT_PLACE, [problem])
    stage.program.poll(Source(ACCOUNT_PLACE, None))
    stage.program.poll(Source())
    assert stage.program.wrong() == (problem,)
    assert stage.account.asked == []
    stage.program.poll(Source("pagerduty feed", Side.PAGERDUTY))
    assert stage.account.asked == ["again"]


def test_unanswered_account_questions_are_reported_where_pagerduty_has_no_other_problem(stage: Stage) -> None:
    stage.account.unsure = unsure = Problem(Side.PAGERDUTY, Transient("GET /users: 503"))
    assert stage.program.wrong() == (unsure,)
    stage.program.problems.put("alert a", [Problem(Side.PAGERDUTY, Transient("404"), "a")])
    assert stage.program.wrong()[-1] == unsure
    stage.program.poll(Source("pagerduty feed", Side.PAGERDUTY, Transient("500")))
    assert unsure not in stage.program.wrong()


@pytest.mark.parametrize("side", Side)
def test_a_replaced_key_is_tried_at_once_and_pagerdutys_account_is_checked_again(
    database: Database, side: Side
) -> None:
    stage = Stage(database)
    kind = Kind.ALERT_NOTE if side is Side.ALERTS else Kind.CREATE_INCIDENT
    stage.writes.not_executed(kind, Misconfigured("401"))
    stage.program.renewed(side)
    assert stage.writes.open_lanes() == frozenset()
    assert stage.account.asked == ([] if side is Side.ALERTS else ["renewed"])
    assert stage.account.begun == (side is Side.ALERTS), "another key may see other alerts"
    replace(stage.program, write_breakers=None).renewed(side)
