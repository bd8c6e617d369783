"""Workers: a failure affects one pair only, and every leased key is returned."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.core.model import Kind, Side
from reconciler.core.work import Priority, ReadRequest, Reason, WorkItem
from reconciler.errors import NotExecuted, Transient
from reconciler.observability import defects
from reconciler.observability.defects import Defect
from reconciler.reconcile.fetch import Stopping
from reconciler.reconcile.holds import Holds
from reconciler.reconcile.pair import Outcome
from reconciler.reconcile.problems import Problem, Problems
from reconciler.reconcile.read_breakers import ReadBreakers
from reconciler.reconcile.work_queue import Hold, WorkQueue
from reconciler.reconcile.write_breakers import WriteBreakers
from reconciler.runtime.worker import (
    AFTER_DATABASE,
    LONGEST_DEFECT_BACK_OFF,
    PAGE_WORKERS,
    WORKERS,
    Worker,
)
from reconciler.runtime.worker_pool import WorkerPool
from reconciler.store.database import DatabaseDown
from reconciler.vendors.call_context import CallPriority, current
from tests.support.builders import at
from tests.support.clock import SimClock

OUTBOX = frozenset({Reason.OUTBOX})
HELD = frozenset({Hold.READ_ALERTS})


def item(alert_id: str, priority: Priority = Priority.CHANGED, **more: Any) -> WorkItem:
    return WorkItem(alert_id, at(0), priority=priority, **more)


class Bench:
    """A worker whose reconciler does what the test sets; records the pairs and their call priorities."""

    def __init__(self) -> None:
        self.clock = SimClock()
        self.queue = WorkQueue(self.clock)
        self.breakers = ReadBreakers(self.clock)
        self.problems = Problems()
        self.asked: list[tuple[str, CallPriority]] = []
        self.outcomes: list[Outcome] = []
        self.comes_to: dict[str, Callable[[WorkItem], Outcome]] = {}
        self.writes = WriteBreakers(self.clock)
        holds = Holds(self.queue, self.breakers, self.writes)
        self.worker = Worker(self.queue, self, holds, self.problems, (self,), self.clock.monotonic)

    def reconcile(self, item: WorkItem) -> Outcome:
        self.asked.append((item.alert_id, current().priority))
        return self.comes_to.get(item.alert_id, Outcome)(item)

    def reconciled(self, outcome: Outcome, _seconds: float) -> None:
        self.outcomes.append(outcome)

    def drain(self) -> list[str]:
        """Works until nothing is due; the pairs that were reconciled."""
        begun = len(self.asked)
        while self.worker.work_one():
            pass
        return [alert_id for alert_id, _ in self.asked[begun:]]


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    said: list[str] = []
    monkeypatch.setattr(defects, "_LOGGED", set())
    monkeypatch.setattr(defects.log, "error", lambda words, **_: said.append(words))
    return said


def raising(error: Exception) -> Callable[[WorkItem], Outcome]:
    def reconcile(_: WorkItem) -> Outcome:
        raise error

    return reconcile


def test_the_most_urgent_pair_goes_first_and_its_calls_are_as_urgent(bench: Bench) -> None:
    bench.queue.add(item(priority.name, priority) for priority in reversed(Priority))
    assert bench.drain() == [priority.name for priority in Priority]
    assert [priority.name for _, priority in bench.asked] == [priority.name for priority in Priority]
    assert bench.queue.size() == 0
    assert not bench.worker.work_one()


def test_a_worker_for_pages_leases_pages_only(bench: Bench) -> None:
    bench.queue.add([item("a change"), item("a page", Priority.PAGE)])
    assert bench.worker.work_one(pages_only=True)
    assert not bench.worker.work_one(pages_only=True)
    assert [alert_id for alert_id, _ in bench.asked] == ["a page"]


def test_a_defect_backs_off_its_own_pair_and_is_logged_once(bench: Bench, logged: list[str]) -> None:
    bench.comes_to["broken"] = raising(ZeroDivisionError())
    bench.queue.add([item("broken", Priority.PAGE), item("well")])
    waits: list[float] = []
    for _ in range(12):
        assert "well" in bench.drain() or waits
        wait = bench.queue.next_due()
        assert wait is not None
        waits.append(wait)
        bench.clock.wait(wait)
    assert waits == [min(2.0**n, LONGEST_DEFECT_BACK_OFF) for n in range(10)] + [LONGEST_DEFECT_BACK_OFF] * 2
    (words,) = logged
    assert words.startswith("ZeroDivisionError in ")
    assert "about alert broken: this is a defect, please report it" in words
    ((problem,)) = bench.problems.all()
    assert (problem.alert_id, type(problem.error)) == ("broken", Defect)
    assert [outcome.item.alert_id for outcome in bench.outcomes] == ["well"]


def test_a_pair_that_succeeds_again_has_no_problem_and_no_back_off(bench: Bench, logged: list[str]) -> None:
    bench.comes_to["a"] = raising(ZeroDivisionError())
    bench.queue.add([item("a")])
    bench.drain()
    del bench.comes_to["a"]
    bench.clock.wait(1)
    assert bench.drain() == ["a"]
    assert bench.problems.all() == ()
    assert bench.queue.size() == 0
    assert len(logged) == 1


@pytest.mark.parametrize("error", [DatabaseDown("away"), Stopping()])
def test_an_unreachable_database_requeues_the_pair_and_passes_on_the_error(bench: Bench, error: Exception) -> None:
    bench.comes_to["a"] = raising(error)
    bench.queue.add([item("a")])
    with pytest.raises(type(error)):
        bench.worker.work_one()
    assert bench.problems.all() == ()
    assert bench.queue.next_due() == AFTER_DATABASE


def test_remaining_work_is_due_when_the_outcome_says(bench: Bench) -> None:
    later = item("a", Priority.UNSETTLED, reasons=OUTBOX)
    bench.comes_to["a"] = lambda asked: Outcome(asked, again=replace(later, due_at=at(67)))
    bench.queue.add([item("a")])
    assert bench.drain() == ["a"]
    assert bench.queue.next_due(Reason.OUTBOX) == 7


def test_a_pair_behind_an_open_breaker_is_parked_until_the_breaker_closes(bench: Bench) -> None:
    bench.breakers.failed(Side.ALERTS, "b", NotExecuted("no connection"))
    bench.comes_to["a"] = lambda asked: Outcome(asked, blocked=HELD)
    bench.queue.add([item("a")])
    assert bench.drain() == ["a"]
    assert bench.queue.size() == 1
    del bench.comes_to["a"]

    def succeed(asked: WorkItem) -> Outcome:
        bench.breakers.succeeded(Side.ALERTS, "b")
        return Outcome(asked)

    bench.comes_to["b"] = succeed
    bench.queue.add([item("b")])
    assert bench.drain() == ["b", "a"]


def test_a_pair_whose_outbox_waits_is_parked_until_its_lane_admits_writes(bench: Bench) -> None:
    bench.writes.not_executed(Kind.PAGERDUTY_NOTE, NotExecuted("no connection"))
    waits = item("a", Priority.UNSETTLED, reasons=OUTBOX)
    bench.comes_to["a"] = lambda asked: Outcome(asked, again=waits, hold=Hold.WRITE_PAGERDUTY)
    bench.queue.add([item("a")])
    assert bench.drain() == ["a"]
    assert bench.drain() == []
    bench.comes_to["a"] = Outcome
    bench.clock.wait(1)
    assert not bench.worker.work_one()  # nothing was due: the half-open lane admits one
    assert bench.drain() == ["a"]
    assert bench.queue.size() == 0


def test_a_blocked_pair_is_due_again_for_its_outbox_and_keeps_its_request(
    bench: Bench,
) -> None:
    outbox = item("a", Priority.UNSETTLED, reasons=OUTBOX)
    bench.comes_to["a"] = lambda asked: Outcome(asked, blocked=HELD, again=replace(outbox, due_at=at(90)))
    bench.queue.add([item("a", request=ReadRequest(alert=True), reasons=frozenset({Reason.FEED}))])
    assert bench.drain() == ["a"]
    assert bench.queue.next_due() == 30
    bench.clock.wait(30)
    found = bench.queue.lease()
    assert found is not None
    assert found.request == ReadRequest(alert=True)
    assert found.reasons == {Reason.FEED, Reason.OUTBOX}
    assert found.priority is Priority.CHANGED


def test_standing_problems_last_until_the_pair_is_reconciled_without_them(bench: Bench) -> None:
    problem = Problem(Side.PAGERDUTY, Transient("500"), "a")
    bench.comes_to["a"] = lambda asked: Outcome(asked, standing=(problem,))
    bench.queue.add([item("a")])
    bench.drain()
    assert bench.problems.all() == (problem,)
    del bench.comes_to["a"]
    bench.queue.add([item("a")])
    bench.drain()
    assert bench.problems.all() == ()


def test_accepted_requests_can_be_checked_alone(bench: Bench) -> None:
    bench.queue.add([item("a"), item("b", reasons=frozenset({Reason.QUEUED}))])
    assert bench.worker.ask_one()
    assert not bench.worker.ask_one()
    assert [alert_id for alert_id, _ in bench.asked] == ["b"]


# -- the pool --


class Pool:
    """A pool on a bench, and the database errors that it reported."""

    def __init__(self, bench: Bench, *, leads: bool = True) -> None:
        self.leads = leads
        self.failed: list[Exception] = []
        self.pool = WorkerPool()
        self.pool.add("default", bench.worker, bench.queue, lambda: self.leads, self._failed)

    def _failed(self, error: Exception) -> None:
        self.failed.append(error)
        self.leads = False


def test_hanging_pairs_delay_no_page(bench: Bench) -> None:
    go_on, paged = threading.Event(), threading.Event()
    hanging = threading.Semaphore(0)

    def hang(asked: WorkItem) -> Outcome:
        hanging.release()
        go_on.wait(10)
        return Outcome(asked)

    def page(asked: WorkItem) -> Outcome:
        paged.set()
        return Outcome(asked)

    bench.comes_to = {"page": page, **{f"slow {n}": hang for n in range(WORKERS + PAGE_WORKERS)}}
    bench.queue.add(item(f"slow {n}") for n in range(WORKERS + PAGE_WORKERS))
    pool = Pool(bench).pool
    pool.start()
    for _ in range(WORKERS):
        assert hanging.acquire(timeout=10)
    assert not hanging.acquire(blocking=False)
    bench.queue.add([item("page", Priority.PAGE)])
    assert paged.wait(10)
    assert not pool.stop(0)
    go_on.set()
    assert pool.stop(10)
    assert len(bench.asked) == WORKERS + 1  # no further pair is started after the stop
    assert bench.queue.size() == PAGE_WORKERS


def test_nothing_is_leased_while_another_process_leads(bench: Bench) -> None:
    bench.queue.add([item("a", Priority.PAGE)])
    pool = Pool(bench, leads=False).pool
    pool.start()
    assert pool.stop(10)
    assert bench.asked == []


def test_the_pool_reports_an_unreachable_database_and_keeps_running(bench: Bench) -> None:
    met = threading.Event()

    def fail(_: WorkItem) -> Outcome:
        met.set()
        raise DatabaseDown("away")

    bench.comes_to["a"] = fail
    bench.queue.add([item("a", Priority.PAGE)])
    pool = Pool(bench)
    pool.pool.start()
    assert met.wait(10)
    assert pool.pool.stop(10)
    assert [str(error) for error in pool.failed] == ["away"]
    assert bench.queue.size() == 1


def test_a_long_wait_for_one_key_delays_no_other(bench: Bench) -> None:
    bench.queue.add([replace(item("later"), due_at=at(60) + timedelta(minutes=10)), item("now")])
    assert bench.drain() == ["now"]
