"""Where sources hand in what they found: keys and the cursor that moved, in one transaction."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any, Protocol

from reconciler.core.work import WorkItem
from reconciler.reconcile.work_queue import WorkQueue
from reconciler.store.database import Database


class Intake(Protocol):
    """What every source writes to."""

    def accept(self, items: Collection[WorkItem], **moved: Any) -> None:
        """Take in these keys and move these fields of `store.cursors.Positions`, both or neither."""


class DurableIntake:
    """Into the database, then into the queue: what a feed named is never lost."""

    def __init__(self, database: Database, queue: WorkQueue) -> None:
        self._database = database
        self._queue = queue

    def accept(self, items: Collection[WorkItem], **moved: Any) -> None:
        """One transaction; DatabaseDown leaves the cursor where it was, so that the source finds it all again."""
        if not items and not moved:
            return
        with self._database.writing() as unit:
            generations = {stored.alert_id: stored.generation for stored in unit.work.add(items)}
            unit.cursors.save(**moved)
        # A row may still ask for what was read since: it is taken away with a later commit. The queue does not.
        self._queue.add(replace(item, generation=generations[item.alert_id]) for item in items)


class DryIntake:
    """Into the queue alone: a dry run writes nothing down."""

    def __init__(self, queue: WorkQueue) -> None:
        self._queue = queue

    def accept(self, items: Collection[WorkItem], **moved: Any) -> None:
        """The cursors stay where they are."""
        del moved
        self._queue.add(items)
