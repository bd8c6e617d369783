"""Group commit: writers of an SQLite file that meet share one transaction, and with it the wait for the disk.

SQLite has one writer at a time. A writer that arrives while another one writes joins its transaction; the last of
them commits for all, and none continues before that. What fails, fails for all of them: each gets an error, and
finds what it meant to write as it was before, for which every writer must be prepared anyway.

Why, and with which measurements: docs/decisions/0002-group-commit-and-waitress.md.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Connection

from reconciler.errors import ReconcilerError

Begin = Callable[[], AbstractContextManager[Connection]]
"""A transaction: committed at the end of the block, or rolled back. It raises only ReconcilerErrors."""


@dataclass(slots=True)
class _Shared:
    """A transaction under way."""

    connection: Connection
    transaction: ExitStack
    over: threading.Event = field(default_factory=threading.Event)
    failure: BaseException | None = None

    def end(self, failure: BaseException | None = None) -> None:
        """Commit, or roll back after a failure; then release every writer in the transaction."""
        try:
            self.transaction.__exit__(type(failure) if failure else None, failure, None)
        except BaseException as error:
            self.failure = error
            raise
        finally:
            self.failure = self.failure or failure
            self.over.set()


class GroupCommit:
    """Shared transactions for the writers of one SQLite file."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin
        self._turn = threading.Lock()
        self._count = threading.Lock()
        self._waiting = 0
        self._shared: _Shared | None = None

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction, alone or shared with other writers; committed when the block is left."""
        self._wait_for_turn()
        try:
            shared = self._shared = self._shared or self._open()
            try:
                yield shared.connection
            except BaseException as error:
                self._shared = None
                shared.end(error)
                raise
            if not self._waiting:
                self._shared = None
                shared.end()
        finally:
            self._turn.release()
        shared.over.wait()
        if shared.failure is not None:
            raise _for_others(shared.failure)

    def _wait_for_turn(self) -> None:
        with self._count:
            self._waiting += 1
        self._turn.acquire()
        with self._count:
            self._waiting -= 1

    def _open(self) -> _Shared:
        transaction = ExitStack()
        return _Shared(transaction.enter_context(self._begin()), transaction)


def _for_others(failure: BaseException) -> BaseException:
    """One writer's failure as the other writers receive it: same text, same class."""
    if isinstance(failure, ReconcilerError):
        return failure
    return RuntimeError(f"another writer failed this transaction: {type(failure).__name__}")
