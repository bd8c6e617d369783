"""A route's worker: leases the most urgent due pair, has it reconciled, and returns it. See `worker_pool`."""

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
"""Pairs of one route that are in work at a time, besides pages."""
PAGE_WORKERS = 4
"""As many more may be pages: however many pairs hang in a read, a new alert is paged."""
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
        item = self.take(pages_only=pages_only)
        if item is not None:
            self.work(item)
        return item is not None

    def take(self, *, pages_only: bool = False) -> WorkItem | None:
        """Lease the most urgent due pair. If there is none, pairs whose hold has ended become due."""
        item = self._queue.lease(pages_only=pages_only)
        if item is None:
            self._holds.release()
        return item

    def ask_one(self) -> bool:
        """Read the request status of one accepted write. Returns whether there was one to read."""
        item = self._queue.lease_for(Reason.QUEUED)
        if item is None:
            return False
        self.work(item)
        return True

    def work(self, item: WorkItem) -> None:
        """Reconcile a leased pair and give it back. DatabaseDown and Stopping are passed on, after that."""
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
