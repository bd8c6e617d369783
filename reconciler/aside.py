"""Slow reading on a thread of its own, so that new alerts are seen and paged while it is under way."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait

EVERY = 1.0
"""Seconds between two turns of the caller while the work is under way."""


class Aside:
    """Does one piece of work after the other beside its caller, who has a turn every second until it is done."""

    def __init__(self, every: float = EVERY) -> None:
        self._every = every
        self._pool: ThreadPoolExecutor | None = None

    def __call__(self, work: Callable[[], None]) -> Iterator[None]:
        """The caller's turns; at the end what the work raised. Work that was begun is waited for in any case."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, thread_name_prefix="aside")
        done = self._pool.submit(work)
        try:
            while not wait([done], timeout=self._every).done:
                yield
        finally:
            wait([done])
        done.result()


def at_once(work: Callable[[], None]) -> Iterator[None]:
    """The same without a thread: the caller has no turn."""
    work()
    return iter(())
