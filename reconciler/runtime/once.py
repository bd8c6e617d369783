"""One run to its end: each source once, then the queue until nothing is due."""

from collections.abc import Callable

from reconciler.core.work import Reason
from reconciler.reconcile.problems import Problem
from reconciler.runtime.program import Program
from reconciler.runtime.report import Collector, Report
from reconciler.runtime.worker import Worker

ASKED_FOR = 4.0
"""Seconds at most that a run waits for what Opsgenie has accepted and not yet carried out."""

Progress = Callable[[int, int], None]
"""How many pairs are done, and how many are left."""


def run_once(program: Program, worker: Worker, collector: Collector, progress: Progress) -> Report:
    """Poll every source once, reconcile what is due, wait a little for what was accepted, and report."""
    for timed in program.sources:
        program.poll(timed.source)
    last, done = program.clock.monotonic() + ASKED_FOR, 0
    while True:
        while worker.work_one():
            done += 1
            progress(done, program.queue.size())
        wait = program.queue.next_due(Reason.OUTBOX)
        if wait is None or program.clock.monotonic() + wait > last:
            break
        program.clock.wait(wait)
    return collector.report(_problems(program), program.queue.due())


def _problems(program: Program) -> tuple[Problem, ...]:
    """What is wrong that concerns no single pair: the pairs' problems are their outcomes'."""
    return tuple(problem for problem in program.wrong() if not problem.alert_id)
