"""A single complete run: each source once, then the queue until nothing is due."""

from collections.abc import Callable
from contextlib import suppress

from reconciler.core.work import Reason
from reconciler.reconcile.fetch import Stopping
from reconciler.reconcile.problems import Problem
from reconciler.runtime.program import Program
from reconciler.runtime.report import Collector, Report
from reconciler.runtime.worker import Worker

ASKED_FOR = 4.0
"""Seconds that a run waits at most for writes that the alert side has accepted and not carried out yet."""

Progress = Callable[[int, int], None]
"""Callback with the number of pairs reconciled and left; none are left at the end."""


def run_once(program: Program, worker: Worker, collector: Collector, progress: Progress) -> Report:
    """Poll every source once, reconcile what is due, wait a little for accepted writes, and report.

    Once the program is to stop, no further step begins.
    """
    done = 0
    with suppress(Stopping):
        for timed in program.sources:
            if not program.stop.is_set():
                program.poll(timed.source)
        while not program.stop.is_set() and worker.work_one():
            done += 1
            progress(done, program.queue.size())
    progress(done, 0)
    with suppress(Stopping):
        _wait_for_accepted(program, worker)
    program.account.bar()  # the reads may have shown that the key sees fewer alerts than before
    return collector.report(_problems(program))


def _wait_for_accepted(program: Program, worker: Worker) -> None:
    """Wait a little for writes that the alert side has accepted."""
    last = program.clock.monotonic() + ASKED_FOR
    while (wait := program.queue.next_due(Reason.QUEUED)) is not None and program.clock.monotonic() + wait <= last:
        if program.clock.wait(wait):
            return
        worker.ask_one()


def _problems(program: Program) -> tuple[Problem, ...]:
    """Problems that concern no single pair. Those of pairs are part of their outcomes."""
    return tuple(problem for problem in program.wrong() if not problem.alert_id)
