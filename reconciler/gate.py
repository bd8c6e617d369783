"""What is written to a vendor goes through here, so that the end waits for a write and for nothing else."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Gate:
    """Lets writes through until it is closed, and knows whether any is still under way. For any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._closed = False

    @contextmanager
    def passing(self) -> Iterator[bool]:
        """Around a write and its settling; False where it may not begin any more."""
        with self._changed:
            may = not self._closed
            self._inside += may
        try:
            yield may
        finally:
            with self._changed:
                self._inside -= may
                self._changed.notify_all()

    def close(self) -> None:
        """Let nothing in any more, and wait until what is inside has left."""
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: not self._inside)
