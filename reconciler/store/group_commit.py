"""Writers of an SQLite file that come at the same time share one transaction, and with it the wait for the disk.

SQLite has one writer at a time. Whoever comes while another one writes joins its transaction; the last of them
commits for all, and nobody goes on before that. What fails, fails for all of them: each is told, and what it meant
to write down is as it was before, which every writer must be ready for anyway.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Connection

from reconciler.errors import ReconcilerError

Begin = Callable[[], AbstractContextManager[Connection]]
"""A transaction: committed at the end of the block, or rolled back. It raises ReconcilerErrors only."""


@dataclass(slots=True)
class _Shared:
    """A transaction under way."""

    connection: Connection
    transaction: ExitStack
    over: threading.Event = field(default_factory=threading.Event)
    failure: BaseException | None = None

    def end(self, failure: BaseException | None = None) -> None:
        """Commit, or roll back after a failure; everybody in it goes on."""
        try:
            self.transaction.__exit__(type(failure) if failure else None, failure, None)
        except BaseException as error:
            self.failure = error
            raise
        finally:
            self.failure = self.failure or failure
            self.over.set()


class Convoy:
    """The writers of one SQLite file."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin
        self._turn = threading.Lock()
        self._count = threading.Lock()
        self._waiting = 0
        self._shared: _Shared | None = None

    @contextmanager
    def join(self) -> Iterator[Connection]:
        """Write, alone or together with others; committed when the block is left."""
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
    """What failed one writer, told to another: an error of its own, with the same words and the same meaning."""
    if isinstance(failure, ReconcilerError):
        return failure
    return RuntimeError(f"another writer failed this transaction: {type(failure).__name__}")
