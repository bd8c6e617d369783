"""A single complete run: each source once, then the queue until nothing is due."""

from collections.abc import Callable

from reconciler.core.work import Reason
from reconciler.reconcile.problems import Problem
from reconciler.runtime.program import Program
from reconciler.runtime.report import Collector, Report
from reconciler.runtime.worker import Worker

ASKED_FOR = 4.0
"""Seconds that a run waits at most for writes that Opsgenie has accepted and not carried out yet."""

Progress = Callable[[int, int], None]
"""Callback with the number of pairs reconciled and left; none are left at the end."""


def run_once(program: Program, worker: Worker, collector: Collector, progress: Progress) -> Report:
    """Poll every source once, reconcile what is due, wait a little for accepted writes, and report."""
    for timed in program.sources:
        program.poll(timed.source)
    done = 0
    while worker.work_one():
        done += 1
        progress(done, program.queue.size())
    progress(done, 0)
    last = program.clock.monotonic() + ASKED_FOR
    while (wait := program.queue.next_due(Reason.QUEUED)) is not None and program.clock.monotonic() + wait <= last:
        program.clock.wait(wait)
        worker.ask_one()
    return collector.report(_problems(program))


def _problems(program: Program) -> tuple[Problem, ...]:
    """Problems that concern no single pair. Those of pairs are part of their outcomes."""
    return tuple(problem for problem in program.wrong() if not problem.alert_id)
