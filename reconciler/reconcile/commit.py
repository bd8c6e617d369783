"""Commit of a plan: baselines, notes, outcomes, new actions, journal and the queue's row in one transaction.

Results on which nothing depends are written in batches: that a pair was read and nothing was found. If the process
dies first, these pairs are read once more.
"""

from dataclasses import replace
from threading import Lock

from reconciler.core import orders
from reconciler.core.journal_entries import of_plan
from reconciler.core.model import Pair, Plan
from reconciler.core.policy import DecisionInput
from reconciler.core.work import WorkItem
from reconciler.observability.events import Events
from reconciler.store.database import Database, UnitOfWork
from reconciler.vendors.ports import Clock

MOST_KEPT = 200
"""The most items whose rows are kept back to be deleted together."""
LONGEST_KEPT = 1.0
"""Seconds that an item is kept back at most, as long as commits continue; `flush` writes all at once."""


class Committer:
    """Commits plans. For any thread."""

    def __init__(self, database: Database, clock: Clock, events: Events) -> None:
        self._database = database
        self._clock = clock
        self._events = events
        self._lock = Lock()
        self._read: dict[str, Pair] = {}
        self._finished: list[WorkItem] = []
        self._since: float | None = None

    def commit(self, plan: Plan, inputs: DecisionInput, item: WorkItem, again: WorkItem | None) -> WorkItem | None:
        """Commit a plan, together with the item's end, or with its replacement `again`.

        Returns `again` with the generation of its row. None: nothing is left to be done, or the row has changed
        meanwhile and includes all that `again` requests. A row is never deleted before its plan is committed.
        """
        if not _only_read(plan, inputs) or not _keeps_row(item, again):
            kept = self._write(plan, inputs, item, again)
            self._events.committed(plan, inputs)
            return kept
        self._keep(plan, () if again is not None or not item.generation else (item,))
        if self._is_due():
            self.flush()
        return None if again is None else replace(again, generation=item.generation)

    def flush(self) -> None:
        """Write what is kept back. If that fails, these pairs are read once more after a restart."""
        read, finished = self._take()
        if read or finished:
            with self._database.writing() as unit:
                _write_kept(unit, read, finished)

    def _write(self, plan: Plan, inputs: DecisionInput, item: WorkItem, again: WorkItem | None) -> WorkItem | None:
        read, finished = self._take()
        kept = None
        with self._database.writing() as unit:
            _write_kept(unit, read, finished)
            unit.snapshot.save_pairs(plan.pairs)
            unit.snapshot.save_notes(plan.notes)
            for settlement in plan.settlements:
                unit.outbox.settle(settlement, inputs.now)
            unit.outbox.add(plan.actions, inputs.now)
            unit.journal.append((*of_plan(plan, inputs, item.reasons), *orders.entries(inputs)))
            if again is None:
                unit.work.take_away([item])
            else:
                kept = unit.work.put_back(replace(again, generation=item.generation))
        return kept

    def _keep(self, plan: Plan, finished: tuple[WorkItem, ...]) -> None:
        with self._lock:
            if (plan.pairs or finished) and self._since is None:
                self._since = self._clock.monotonic()
            self._read.update((pair.alert_id, pair) for pair in plan.pairs)
            self._finished += finished

    def _take(self) -> tuple[list[Pair], list[WorkItem]]:
        with self._lock:
            read, finished = list(self._read.values()), self._finished
            self._read, self._finished, self._since = {}, [], None
        return read, finished

    def _is_due(self) -> bool:
        with self._lock:
            many = max(len(self._finished), len(self._read)) >= MOST_KEPT
            return many or (self._since is not None and self._clock.monotonic() - self._since >= LONGEST_KEPT)


def _write_kept(unit: UnitOfWork, read: list[Pair], finished: list[WorkItem]) -> None:
    unit.snapshot.save_sweeps(read)
    unit.work.take_away(finished)


def _only_read(plan: Plan, inputs: DecisionInput) -> bool:
    """Whether the plan contains only that the pair was read, and when it is read next."""
    is_ordered = any(observation.order is not None for observation in inputs.observations)
    if is_ordered or plan.actions or plan.notes or plan.settlements or plan.echoes:
        return False
    known = {observation.alert_id: observation.pair for observation in inputs.observations}
    return all(_differs_in_looks_only(pair, known.get(pair.alert_id)) for pair in plan.pairs)


def _differs_in_looks_only(pair: Pair, known: Pair | None) -> bool:
    return known is not None and pair == replace(known, swept_at=pair.swept_at, next_look_at=pair.next_look_at)


def _keeps_row(item: WorkItem, again: WorkItem | None) -> bool:
    """Whether the row may stay unchanged until it is deleted.

    It is not rewritten only for a later due time: after a restart the pair would merely be read sooner.
    """
    if again is None:
        return True
    same = replace(again, due_at=item.due_at, attempts=item.attempts, generation=item.generation)
    return item.generation > 0 and same == item
