"""The routes that this process may lead: it shares them with other processes on the same database.

On PostgreSQL each process is a pod, and the pods share the routes. On SQLite one process leads all routes: they
share the lock of the file.
"""

import threading
from collections.abc import Collection
from datetime import timedelta
from typing import Protocol

from reconciler.core.sharing import Pod
from reconciler.runtime.pod_shares import Change, PodShares
from reconciler.store.address import file_of
from reconciler.store.lock import FileLock, Lock
from reconciler.store.lock_session import LockSession
from reconciler.vendors.ports import Clock


class Shares(Protocol):
    """The routes of this process. For any thread."""

    @property
    def beat_every(self) -> float:
        """Seconds between two beats."""

    @property
    def pods(self) -> tuple[Pod, ...]:
        """The pods as the last beat has seen them, this one among them; none on SQLite."""

    def know(self, routes: Collection[str]) -> None:
        """Name the routes that this process may lead from the next beat on. None: it gives all up, to leave."""

    def beat(self) -> Change:
        """Renew this pod's row, take locks that it may take, and decide which routes to hand over.

        DatabaseDown or Misconfigured if that fails: then no lock is held.
        """

    def to_hand_over(self) -> frozenset[str]:
        """Routes to give up: finish the writes under way, store what is left, then release the lock."""

    def lock(self, route: str) -> Lock:
        """The lock of one route."""

    def close(self) -> None:
        """Release every lock and leave."""


class FileShares:
    """For SQLite: one process leads all routes of the file. A beat does nothing, as `acquire` takes the lock."""

    def __init__(self, file: FileLock, interval: timedelta) -> None:
        self._file = file
        self.beat_every = interval.total_seconds()
        self.pods: tuple[Pod, ...] = ()
        self._changing = threading.Lock()
        self._holding: set[str] = set()

    def know(self, routes: Collection[str]) -> None:
        """The file's lock is for all routes, whichever they are."""

    def beat(self) -> Change:
        """Nothing changes."""
        return Change()

    def to_hand_over(self) -> frozenset[str]:
        """No route is handed over."""
        return frozenset()

    def lock(self, route: str) -> Lock:
        """The lock of one route: that of the file, until the last route releases it."""
        return _SharedFileLock(self, route)

    def close(self) -> None:
        """Release the file."""
        with self._changing:
            self._holding.clear()
            self._file.release()

    def acquire(self, route: str) -> bool:
        """Take the file's lock for this route, or check that it is still ours."""
        with self._changing:
            self._holding.add(route)
            is_ours = False
            try:
                is_ours = self._file.acquire()
            finally:
                if not is_ours:
                    self._holding.clear()
            return is_ours

    def release(self, route: str) -> None:
        """Release the file with its last route."""
        with self._changing:
            self._holding.discard(route)
            if not self._holding:
                self._file.release()


class _SharedFileLock(Lock):
    """The lock of one route of an SQLite file."""

    def __init__(self, shares: FileShares, route: str) -> None:
        self._shares = shares
        self._route = route

    def acquire(self) -> bool:
        """Take the file's lock, or check that it is still ours."""
        return self._shares.acquire(self._route)

    def release(self) -> None:
        """Release it with its last route."""
        self._shares.release(self._route)


def shares_for(url: str, holder: str, clock: Clock, interval: timedelta) -> Shares:
    """The shares that go with this database. `holder` names this process: `Database.holder`."""
    file = file_of(url)
    if file is not None:
        return FileShares(FileLock(file), interval)
    return PodShares(LockSession(url, holder), clock, interval)
