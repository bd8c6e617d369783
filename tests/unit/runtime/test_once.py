"""`once`: poll every source, reconcile due pairs, wait briefly for accepted requests, report."""

import threading
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from reconciler.cli.rendering import errors
from reconciler.core.model import Action, Kind, Side, Status
from reconciler.core.work import Reason, WorkItem
from reconciler.errors import RateLimited, Transient
from reconciler.reconcile.fetch import Stopping
from reconciler.reconcile.holds import Holds
from reconciler.reconcile.pair import Outcome
from reconciler.reconcile.problems import Problem, Problems
from reconciler.reconcile.read_breakers import ReadBreakers
from reconciler.reconcile.work_queue import WorkQueue
from reconciler.runtime.once import ASKED_FOR, run_once
from reconciler.runtime.program import Timed
from reconciler.runtime.report import Collector, Report
from reconciler.runtime.worker import Worker
from tests.support.builders import action
from tests.support.clock import SimClock

WAITS = "PagerDuty: the rate limit leaves no room for another 57 s"
QUEUED, OUTBOX = frozenset({Reason.QUEUED}), frozenset({Reason.OUTBOX})


def note(alert_id: str, **more: Any) -> Action:
    return action(Kind.PAGERDUTY_NOTE, alert_id=alert_id, key=alert_id, **more)


class Run:
    """A program with two sources; the outcome of a pair is set by its id."""

    def __init__(self) -> None:
        self.clock = SimClock(0)
        self.stop = threading.Event()
        self.queue = WorkQueue(self.clock)
        self.problems = Problems()
        self.account = SimpleNamespace(bar=lambda: None)
        self.collector = Collector()
        self.polled: list[str] = []
        self.asked: list[str] = []
        self.again: dict[str, tuple[float, frozenset[Reason]]] = {}
        self.actions: dict[str, Action] = {}
        self.standing: dict[str, Problem] = {}
        self.progress: list[tuple[int, int]] = []
        self.sources = tuple(Timed(_Source(name), lambda: 0.0) for name in ("account", "feed"))
        self.worker = Worker(
            self.queue,
            self,
            Holds(self.queue, ReadBreakers(self.clock), None),
            self.problems,
            (self.collector,),
            self.clock.monotonic,
        )

    def poll(self, source: Any) -> bool:
        self.polled.append(source.name)
        return True

    def wrong(self) -> tuple[Problem, ...]:
        return self.problems.all()

    def reconcile(self, item: WorkItem) -> Outcome:
        alert_id = item.alert_id
        self.asked.append(alert_id)
        found = Outcome(
            item,
            actions=(self.actions[alert_id],) if alert_id in self.actions else (),
            standing=(self.standing[alert_id],) if alert_id in self.standing else (),
            name=f"Alert #{alert_id}",
        )
        if alert_id not in self.again:
            return found
        wait, reasons = self.again[alert_id]
        due_at = self.clock.now() + timedelta(seconds=wait)
        return replace(found, again=WorkItem(alert_id, due_at, reasons=reasons))

    def run(self, *alert_ids: str) -> Report:
        self.queue.add(WorkItem(alert_id, self.clock.now()) for alert_id in alert_ids)
        program: Any = self
        return run_once(program, self.worker, self.collector, lambda *shown: self.progress.append(shown))


class _Source:
    side = None

    def __init__(self, name: str) -> None:
        self.name = name

    def poll(self) -> bool:
        raise NotImplementedError  # the run polls through its program


@pytest.fixture
def once() -> Run:
    return Run()


def test_every_source_is_polled_once_and_every_due_pair_is_reconciled(once: Run) -> None:
    once.actions = {"a": note("a"), "b": note("b")}
    report = once.run("a", "b", "c")
    assert once.polled == ["account", "feed"]
    assert (once.asked, report.pairs, report.unread) == (["a", "b", "c"], 3, 0)
    assert once.progress == [(1, 2), (2, 1), (3, 0), (3, 0)]
    assert [found.alert_id for found in report.actions] == ["a", "b"]
    assert report.names == {"a": "Alert #a", "b": "Alert #b", "c": "Alert #c"}


def test_accepted_requests_are_checked_for_four_seconds_at_most(once: Run) -> None:
    once.again["a"] = (1.0, QUEUED)
    once.run("a")
    assert once.clock.monotonic() == ASKED_FOR
    assert once.asked == ["a"] * 5


def test_a_run_does_not_wait_for_a_request_already_carried_out(once: Run) -> None:
    once.again["a"] = (1.0, QUEUED)
    once.actions["a"] = note("a", status=Status.SENT)

    def carried_out(seconds: float) -> bool:
        once.again.clear()
        once.actions["a"] = note("a", status=Status.DONE)
        return SimClock.wait(once.clock, seconds)

    once.clock.wait = carried_out  # type: ignore[method-assign]
    report = once.run("a")
    assert once.clock.monotonic() == 1
    assert [found.status for found in report.actions] == [Status.DONE]


@pytest.mark.parametrize(("wait", "reasons"), [(1.0, OUTBOX), (ASKED_FOR + 1, QUEUED)])
def test_a_retry_or_a_long_wait_is_left_to_the_next_run(
    once: Run, wait: float, reasons: frozenset[Reason]
) -> None:
    once.again["a"] = (wait, reasons)
    once.run("a")
    assert (once.clock.monotonic(), once.asked) == (0, ["a"])


def test_a_pair_due_again_at_once_does_not_starve_others(once: Run) -> None:
    once.again["a"] = (1.0, OUTBOX)
    assert once.run("a", "b").pairs == 2


def test_problems_of_a_whole_vendor_come_first_and_each_is_reported_once(once: Run) -> None:
    away = Problem(Side.ALERTS, Transient("500"))
    mine = Problem(Side.PAGERDUTY, Transient("404"), "a")
    once.problems.put("feed", [away])
    once.standing["a"] = mine
    once.again["a"] = (1.0, QUEUED)
    assert once.run("a").problems == (away, mine)


def test_alerts_unread_because_of_the_rate_limit_are_counted_in_one_error(once: Run) -> None:
    limit = RateLimited(f"{WAITS}; not sent", 57.0)
    once.standing = {alert_id: Problem(Side.PAGERDUTY, limit, alert_id) for alert_id in ("b", "c")}
    report = once.run("a", "b", "c")
    assert (report.pairs, report.unread, report.problems, report.rate_limited) == (3, 2, (), limit)
    (line,) = errors(report, dry_run=True)
    left = "2 of 3 alerts not looked at yet"
    assert line == f"{left}: {WAITS}; run it again, or let the daemon (`reconciler run`) go on"


def test_alerts_unread_because_of_a_circuit_breaker_are_counted_with_grouped_thousands() -> None:
    (line,) = errors(Report(pairs=3000, unread=2235), dry_run=False)
    assert line.startswith("2,235 of 3,000 alerts not looked at yet: a vendor that they need cannot be asked now;")


def test_a_source_cut_short_by_the_rate_limit_leaves_an_unknown_number_of_alerts() -> None:
    limit = Problem(Side.PAGERDUTY, RateLimited(f"{WAITS}; not sent", 57.0))
    away = Problem(Side.ALERTS, Transient("Opsgenie: 500"))
    left = "not every source was read to its end, and more alerts may be left"
    assert errors(Report(problems=(limit, away)), dry_run=True) == [
        f"{WAITS}; {left}; run it again, or let the daemon (`reconciler run`) go on",
        "Opsgenie: 500",
    ]


def test_a_run_that_is_to_stop_begins_no_further_step_and_reports_what_was_done(once: Run) -> None:
    reconcile = once.reconcile

    def stop_after_the_first(item: WorkItem) -> Outcome:
        once.stop.set()
        return reconcile(item)

    once.reconcile = stop_after_the_first  # type: ignore[method-assign]
    once.actions = {"a": note("a"), "b": note("b")}
    once.again["a"] = (1.0, QUEUED)
    once.clock.stopped = True
    report = once.run("a", "b")
    assert (once.asked, [found.alert_id for found in report.actions]) == (["a"], ["a"])
    assert once.progress[-1] == (1, 0), "progress is removed"


def test_a_run_that_is_to_stop_before_its_sources_polls_none(once: Run) -> None:
    once.stop.set()
    assert once.run("a").pairs == 0
    assert once.polled == []


def test_a_pair_whose_reads_were_stopped_is_left_in_the_queue(once: Run) -> None:
    def stopping(item: WorkItem) -> Outcome:
        assert item.alert_id == "a"
        raise Stopping

    once.reconcile = stopping  # type: ignore[method-assign]
    assert once.run("a").pairs == 0
    assert once.queue.size() == 1
