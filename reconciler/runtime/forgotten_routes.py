"""Routes that are in the database and in no file: noted as removed, and deleted after the retention."""

from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import timedelta

from reconciler.errors import ReconcilerError
from reconciler.observability.logs import get_logger
from reconciler.store.address import file_of
from reconciler.store.database import Database, DatabaseDown
from reconciler.store.lock import lock_for
from reconciler.store.removed_routes import forget, mark_removed
from reconciler.store.routes import stored_routes
from reconciler.vendors.ports import Clock

log = get_logger(__name__)


class ForgottenRoutes:
    """Looks after the routes that no file names. For one thread. `followed` are the routes of this process."""

    def __init__(
        self,
        database: Database,
        url: str,
        retention: timedelta,
        clock: Clock,
        followed: Callable[[], Collection[str]],
    ) -> None:
        self._database = database
        self._url = url
        self._retention = retention
        self._clock = clock
        self._followed = followed
        self.known = 0
        """The number of such routes at the last look."""

    def look(self) -> None:
        """Note new ones, and delete those that were removed long ago."""
        with suppress(DatabaseDown):  # the next look does it
            self._look()

    def _look(self) -> None:
        stored, now = stored_routes(self._database), self._clock.now()
        strays = [name for name in stored.names if name not in self._followed()]
        self.known = len(strays)
        for name in strays:
            route, since = self._database.for_route(name), stored.removed.get(name)
            is_old = since is not None and now - since >= self._retention
            if (since is not None and not is_old) or not self._is_free(name):
                continue
            if not is_old:
                mark_removed(route, now)
                words = f"route {name}: is in the database and in no routes file: its rows are kept for now"
                log.warning(words, keep_days=round(self._retention.total_seconds() / 86400, 1))
            else:
                forget(route)
                words = f"route {name}: was removed long ago: its rows are deleted"
                log.info(words)

    def _is_free(self, name: str) -> bool:
        """Whether no process leads this route. Whoever works on an SQLite file leads all of its routes."""
        if file_of(self._url) is not None:
            return True
        lock = lock_for(self._url, name)
        try:
            return lock.acquire()
        except ReconcilerError:
            return False
        finally:
            lock.release()
