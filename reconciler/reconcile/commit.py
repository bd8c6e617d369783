"""Commit of a plan: baselines, notes, outcomes, new actions and the item's row in the work queue, at once.

What nothing depends on is written together: that a pair was read and nothing was found. Should the process die
first, these pairs are read once more.
"""

from dataclasses import replace
from threading import Lock

from reconciler.core.model import Pair, Plan, World
from reconciler.core.work import WorkItem
from reconciler.observability.logs import Watch
from reconciler.store.database import Books, Database
from reconciler.vendors.ports import Clock

MOST = 200
"""Items whose rows are kept to be taken away together, at most."""
LONGEST = 1.0
"""Seconds that one is kept, as long as anything is committed at all; `flush` writes them at once."""


class Committer:
    """Writes plans down, for any thread."""

    def __init__(self, database: Database, clock: Clock, watch: Watch) -> None:
        self._database = database
        self._clock = clock
        self._watch = watch
        self._lock = Lock()
        self._read: dict[str, Pair] = {}
        self._finished: list[WorkItem] = []
        self._since: float | None = None

    def commit(self, plan: Plan, world: World, item: WorkItem, again: WorkItem | None) -> WorkItem | None:
        """Write a plan down, and that the item is finished, or is to be done `again`.

        Returns `again` with the generation of its row. None: nothing is left to be done, or the row has changed
        meanwhile, and asks for all that `again` does. A row is never taken away before its plan is committed.
        """
        if not _only_read(plan, world) or not _keeps_row(item, again):
            kept = self._write(plan, world, item, again)
            self._watch.committed(plan, world)
            return kept
        self._keep(plan, () if again is not None or not item.generation else (item,))
        if self._is_due():
            self.flush()
        return None if again is None else replace(again, generation=item.generation)

    def flush(self) -> None:
        """Write what is kept back. Should that fail, these pairs are read once more after a restart."""
        read, finished = self._take()
        if read or finished:
            with self._database.writing() as books:
                _write_kept(books, read, finished)

    def _write(self, plan: Plan, world: World, item: WorkItem, again: WorkItem | None) -> WorkItem | None:
        read, finished = self._take()
        kept = None
        with self._database.writing() as books:
            _write_kept(books, read, finished)
            books.snapshot.save_pairs(plan.pairs)
            books.snapshot.save_notes(plan.notes)
            for settlement in plan.settlements:
                books.outbox.settle(settlement, world.now)
            books.outbox.add(plan.actions, world.now)
            if again is None:
                books.work.take_away([item])
            else:
                kept = books.work.put_back(replace(again, generation=item.generation))
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
            many = max(len(self._finished), len(self._read)) >= MOST
            return many or (self._since is not None and self._clock.monotonic() - self._since >= LONGEST)


def _write_kept(books: Books, read: list[Pair], finished: list[WorkItem]) -> None:
    books.snapshot.save_looks(read)
    books.work.take_away(finished)


def _only_read(plan: Plan, world: World) -> bool:
    """Whether nothing follows but that the pair was read, and when it is to be read next."""
    if plan.actions or plan.notes or plan.settlements or plan.echoes:
        return False
    known = {sighting.alert_id: sighting.pair for sighting in world.sightings}
    return all(_differs_in_looks_only(pair, known.get(pair.alert_id)) for pair in plan.pairs)


def _differs_in_looks_only(pair: Pair, known: Pair | None) -> bool:
    return known is not None and pair == replace(known, swept_at=pair.swept_at, next_look_at=pair.next_look_at)


def _keeps_row(item: WorkItem, again: WorkItem | None) -> bool:
    """Whether the row may stay as it is until it is taken away.

    It is not rewritten for a later due time alone: after a restart the pair would merely be read sooner.
    """
    if again is None:
        return True
    same = replace(again, due_at=item.due_at, attempts=item.attempts, generation=item.generation)
    return item.generation > 0 and same == item
