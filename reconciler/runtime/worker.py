"""Workers: each leases the most urgent due pair, has it reconciled, and returns it. Some take only pages."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from reconciler.core.model import Side
from reconciler.core.work import Priority, Reason, WorkItem
from reconciler.observability.defects import defect
from reconciler.reconcile.fetch import Stopping
from reconciler.reconcile.holds import Holds
from reconciler.reconcile.pair import Outcome
from reconciler.reconcile.problems import Problem, Problems
from reconciler.reconcile.work_queue import WorkQueue
from reconciler.store.database import DatabaseDown
from reconciler.vendors.call_context import CallPriority, calling

WORKERS = 12
PAGE_WORKERS = 4
"""Workers that take only pages: however many pairs hang in a read, a new alert is paged."""
IDLE = 1.0
"""Seconds after which an idle worker checks again whether to stop."""
LONGEST_DEFECT_BACK_OFF = 300.0
"""Seconds: the longest back-off of a pair that fails unexpectedly."""
AFTER_DATABASE = 1.0
"""Seconds after which a pair is due again whose result could not be stored."""

_CALLS = {
    Priority.PAGE: CallPriority.PAGE,
    Priority.CHANGED: CallPriority.CHANGED,
    Priority.UNSETTLED: CallPriority.UNSETTLED,
    Priority.SWEEP: CallPriority.SWEEP,
}


class Reconciling(Protocol):
    """The step that a worker applies to a pair: reconcile it, or only plan."""

    def reconcile(self, item: WorkItem) -> Outcome:
        """Process one pair."""


class Listener(Protocol):
    """An observer of every outcome."""

    def reconciled(self, outcome: Outcome, seconds: float) -> None:
        """Take in the outcome of one pair."""


class Worker:
    """Processes one pair after another. For any number of threads."""

    def __init__(
        self,
        queue: WorkQueue,
        reconciling: Reconciling,
        holds: Holds,
        problems: Problems,
        listeners: tuple[Listener, ...],
        monotonic: Callable[[], float],
    ) -> None:
        self._queue = queue
        self._reconciling = reconciling
        self._holds = holds
        self._problems = problems
        self._listeners = listeners
        self._monotonic = monotonic

    def work_one(self, *, pages_only: bool = False) -> bool:
        """Reconcile the most urgent due pair. Returns whether there was one.

        DatabaseDown is passed on, after the pair was put back: nothing can be stored now.
        """
        item = self._queue.lease(pages_only=pages_only)
        if item is None:
            self._holds.release()
            return False
        self._work(item)
        return True

    def ask_one(self) -> bool:
        """Read the request status of one accepted write. Returns whether there was one to read."""
        item = self._queue.lease_for(Reason.QUEUED)
        if item is None:
            return False
        self._work(item)
        return True

    def _work(self, item: WorkItem) -> None:
        began = self._monotonic()
        try:
            with calling(_CALLS[item.priority]):
                outcome = self._reconciling.reconcile(item)
        except (DatabaseDown, Stopping):
            self._queue.fail(item, AFTER_DATABASE)
            raise
        except Exception as error:  # noqa: BLE001 - one pair's defect stops no other
            self._failed(item, error)
            return
        self._give_back(item, outcome)
        for listener in self._listeners:
            listener.reconciled(outcome, self._monotonic() - began)

    def _give_back(self, item: WorkItem, outcome: Outcome) -> None:
        self._problems.put(f"alert {item.alert_id}", outcome.standing)
        if outcome.blocked and outcome.again is None:
            self._queue.park(item, outcome.blocked)
        elif outcome.blocked and outcome.again is not None:  # its outbox does not wait for its reads
            self._queue.again(replace(item.merged(outcome.again), due_at=outcome.again.due_at))
        elif outcome.again is not None and outcome.hold is not None:
            self._queue.park(outcome.again, frozenset({outcome.hold}))
        elif outcome.again is not None:
            self._queue.again(outcome.again)
        else:
            self._queue.done(item.alert_id)
        self._holds.release()

    def _failed(self, item: WorkItem, error: Exception) -> None:
        """Let the pair back off: 1, 2, 4 … 300 s. A kind of defect is logged once, with its traceback."""
        found = defect(error, f"alert {item.alert_id}")
        self._problems.put(f"alert {item.alert_id}", [Problem(Side.ALERTS, found, item.alert_id)])
        self._queue.fail(item, min(2.0 ** min(item.attempts, 10), LONGEST_DEFECT_BACK_OFF))


class WorkerPool:
    """Threads that work until they are stopped."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._queues: list[WorkQueue] = []

    def add(
        self,
        route: str,
        worker: Worker,
        queue: WorkQueue,
        may_work: Callable[[], bool],
        failed: Callable[[Exception], None],
    ) -> None:
        """Work for a route. `may_work`: whether this process leads it.

        `failed` receives an error of the database, which concerns no single pair.
        """
        self._queues.append(queue)
        for number in range(WORKERS + PAGE_WORKERS):
            pages_only = number >= WORKERS
            name = f"page worker {number - WORKERS}" if pages_only else f"worker {number}"
            thread = threading.Thread(
                target=self._run, args=(worker, queue, may_work, failed, pages_only), name=name, daemon=True
            )
            self._threads.append(thread)

    def start(self) -> None:
        """Start all threads."""
        for thread in self._threads:
            thread.start()

    def stop(self, within: float) -> bool:
        """Take no further pair. Returns whether all threads have ended within so many seconds."""
        self._stop.set()
        for queue in self._queues:
            queue.wake()
        last = time.monotonic() + within
        for thread in self._threads:
            thread.join(max(0.0, last - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _run(
        self,
        worker: Worker,
        queue: WorkQueue,
        may_work: Callable[[], bool],
        failed: Callable[[Exception], None],
        pages_only: bool,
    ) -> None:
        while not self._stop.is_set():
            try:
                worked = may_work() and worker.work_one(pages_only=pages_only)
            except Stopping:
                return
            except DatabaseDown as error:
                failed(error)
                self._stop.wait(AFTER_DATABASE)
                continue
            if not worked and not self._stop.is_set():
                queue.wait(IDLE, pages_only=pages_only)
