"""Intake of the sources' findings: items and the moved cursor, in one transaction."""

from collections.abc import Callable, Collection
from typing import Any, Protocol

from reconciler.core.work import WorkItem
from reconciler.reconcile.work_queue import WorkQueue
from reconciler.store.database import Database
from reconciler.store.leader_state import LeaderState


class Intake(Protocol):
    """The interface to which every source delivers items."""

    def accept(self, items: Collection[WorkItem], **moved: Any) -> None:
        """Take in these items and move these fields of `store.cursors.Positions`: both or neither."""


class DurableIntake:
    """Stores items in the database, then adds them to the queue, so that no finding of a feed is lost.

    `state` is what only this process knows: it is stored with each moved cursor.
    """

    def __init__(
        self, database: Database, queue: WorkQueue, state: Callable[[], LeaderState | None] = lambda: None
    ) -> None:
        self._database = database
        self._queue = queue
        self._state = state

    def accept(self, items: Collection[WorkItem], **moved: Any) -> None:
        """Store items and cursor in one transaction; after DatabaseDown the source finds the items again."""
        if not items and not moved:
            return
        with self._database.writing() as unit:
            queued = unit.work.add(items)
            state = self._state() if moved else None
            unit.cursors.save(**moved, **({} if state is None else {"leader": state}))
        self._queue.add(queued)


class DryIntake:
    """Adds items only to the queue: a dry run stores nothing."""

    def __init__(self, queue: WorkQueue) -> None:
        self._queue = queue

    def accept(self, items: Collection[WorkItem], **moved: Any) -> None:
        """Add the items. The cursors stay where they are."""
        del moved
        self._queue.add(items)
