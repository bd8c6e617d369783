"""Writes in flight, which the end of the process waits for."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class InFlight:
    """Admits writes until it is drained, and counts those under way. For any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._under_way = 0
        self._draining = False

    @contextmanager
    def admit(self) -> Iterator[bool]:
        """Admit a write and its settling; False if none may begin any more."""
        with self._changed:
            admitted = not self._draining
            self._under_way += admitted
        try:
            yield admitted
        finally:
            with self._changed:
                self._under_way -= admitted
                self._changed.notify_all()

    def drain(self) -> None:
        """Admit no further write, and wait until those in flight are settled."""
        with self._changed:
            self._draining = True
            self._changed.wait_for(lambda: not self._under_way)

    def reopen(self) -> None:
        """Admit writes again: the route was handed over, and may come back."""
        with self._changed:
            self._draining = False
