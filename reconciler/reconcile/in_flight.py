"""Work in progress that the end of a route or of the process waits for: writes in flight, and jobs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class InFlight:
    """Admits writes, or jobs, until it is drained, and counts those under way. For any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._under_way = 0
        self._barred = 0

    @contextmanager
    def admit(self) -> Iterator[bool]:
        """Admit one, a write together with its settling; False if none may begin any more."""
        with self._changed:
            admitted = not self._barred
            self._under_way += admitted
        try:
            yield admitted
        finally:
            with self._changed:
                self._under_way -= admitted
                self._changed.notify_all()

    def bar(self) -> None:
        """Admit no further one, until `reopen` was called as often as this."""
        with self._changed:
            self._barred += 1

    def settled(self, within: float | None = None) -> bool:
        """Wait until none is under way, at most so many seconds; returns whether that is so."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._under_way, within)

    def drain(self) -> None:
        """Admit no further one, and wait until those under way have ended."""
        self.bar()
        self.settled()

    def reopen(self) -> None:
        """Undo one `bar` or `drain`: the route was handed over, and this process leads it again."""
        with self._changed:
            self._barred -= 1
