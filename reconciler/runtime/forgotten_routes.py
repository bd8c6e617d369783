"""Routes that are in the database and in no file: noted as removed, and deleted after the retention."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta

from reconciler.errors import ReconcilerError
from reconciler.observability.logs import get_logger
from reconciler.store.address import file_of
from reconciler.store.database import Database, DatabaseDown
from reconciler.store.lock import lock_for
from reconciler.store.removed_routes import forget, mark_removed
from reconciler.store.routes import stored_routes
from reconciler.vendors.ports import Clock

log = get_logger(__name__)

EVERY = 3600.0
"""Seconds between two looks."""
FIRST = 30.0
"""Seconds between two looks until one has reached the database; on SQLite in a process that leads."""
PAUSE = 0.2
"""Seconds between two transactions that delete rows."""


class ForgottenRoutes:
    """Looks after the routes that no file names. For one thread.

    `followed` are the routes of this process, drained ones included, and `leads` is whether it leads any of them.
    """

    def __init__(
        self,
        database: Database,
        url: str,
        retention: timedelta,
        clock: Clock,
        followed: Callable[[], Collection[str]],
        leads: Callable[[], bool],
    ) -> None:
        self._database = database
        self._url = url
        self._has_file = file_of(url) is not None
        self._retention = retention
        self._clock = clock
        self._followed = followed
        self._leads = leads
        self._has_looked = False
        self.known = 0
        """The number of such routes at the last look."""

    def next_in(self) -> float:
        """Seconds until the next look."""
        return EVERY if self._has_looked else FIRST

    def look(self) -> None:
        """Note new ones, and delete those that were removed long ago."""
        with suppress(DatabaseDown):  # a later look does it
            self._look()

    def _look(self) -> None:
        stored, now = stored_routes(self._database), self._clock.now()
        followed = self._followed()
        strays = [name for name in stored.names if name not in followed]
        self.known = len(strays)
        self._has_looked = not self._has_file or self._leads()
        for name in strays:
            since = stored.removed.get(name)
            if since is not None and now - since < self._retention:
                continue
            with self._held(name) as is_free:
                if is_free():
                    self._note_or_forget(name, since, now, is_free)

    def _note_or_forget(
        self, name: str, since: datetime | None, now: datetime, is_free: Callable[[], bool]
    ) -> None:
        route = self._database.for_route(name)
        if since is None:
            mark_removed(route, now)
            words = f"route {name}: is in the database and in no routes file: its rows are kept for now"
            log.warning(words, keep_days=round(self._retention.total_seconds() / 86400, 1))
        elif forget(route, lambda: name not in self._followed() and is_free(), lambda: self._clock.wait(PAUSE)):
            words = f"route {name}: was removed long ago: its rows are deleted"
            log.info(words)

    @contextmanager
    def _held(self, name: str) -> Iterator[Callable[[], bool]]:
        """Tells whether no other process leads this route; none can begin to as long as it says so.

        Whoever leads a route of an SQLite file has the lock of all of them. Another process may have another file.
        """
        if self._has_file:
            yield self._leads
            return
        lock = lock_for(self._url, name)
        try:
            yield lambda: _is_taken(lock.acquire)
        finally:
            lock.release()


def _is_taken(acquire: Callable[[], bool]) -> bool:
    try:
        return acquire()
    except ReconcilerError:
        return False
