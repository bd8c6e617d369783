"""One run to the end: each source once, then the queue until nothing is due."""

from collections.abc import Callable

from reconciler.reconcile.problems import Problem
from reconciler.runtime.program import Program
from reconciler.runtime.report import Collector, Report
from reconciler.runtime.worker import Worker

ASKED_FOR = 4.0
"""Seconds at most that a run waits for what Opsgenie has accepted and not yet carried out."""


def run_once(
    program: Program, worker: Worker, collector: Collector, progress: Callable[[int, int], None]
) -> Report:
    """Poll, reconcile, report. `progress` is called with how many pairs are done and how many are left."""
    for source in (program.account, *program.sources):
        program.poll(source)
    last = program.clock.monotonic() + ASKED_FOR
    done = 0
    while True:
        while worker.work_one():
            done += 1
            progress(done, program.queue.size())
        wait = program.queue.next_due()
        if wait is None or program.clock.monotonic() + wait > last or not program.queue.is_asking():
            break
        program.clock.wait(wait)
    program.committer.flush()
    return collector.report(_everything(program), program.queue.due())


def _everything(program: Program) -> tuple[Problem, ...]:
    places = tuple(problem for problem in program.problems.all() if not problem.alert_id)
    return (*places, *program.breakers.errors())
