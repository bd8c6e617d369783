"""The daemon: the routes of one process, on one schedule and one pool of workers, until a signal stops it."""

import contextlib
import time
from collections.abc import Callable, Collection, Mapping

from reconciler.observability.logs import get_logger
from reconciler.runtime.route_jobs import REQUESTS, RouteJobs
from reconciler.runtime.schedule import Schedule
from reconciler.runtime.worker_pool import WorkerPool
from reconciler.store.database import Database, DatabaseDown
from reconciler.store.migrate import check
from reconciler.store.requests import asked

log = get_logger(__name__)

STOP_GRACE = 2.0
"""Seconds for reads under way to end in, once the daemon stops and nothing is being written."""
TAKE_IN_EVERY = 1.0
"""Seconds between two checks for requests of operators: a pause, `retry`, `link`."""


class Daemon:
    """Runs the routes. The main thread waits for a signal; everything else has threads of its own.

    `about` says what is run, and for whom: the fields of the first line of the log.
    """

    def __init__(
        self,
        database: Database,
        schedule: Schedule,
        pool: WorkerPool,
        routes: Collection[RouteJobs],
        stop: Callable[[], None],
        about: Mapping[str, object],
    ) -> None:
        self._database = database
        self._schedule = schedule
        self._pool = pool
        self._stop_all = stop
        self._about = about
        self.routes = {route.name: route for route in routes}
        self._asked: frozenset[str] = frozenset()

    def run(self, wait: Callable[[Callable[[], None]], None]) -> bool:
        """Work until `wait` returns, which calls its argument about once a second.

        Returns False if a read still hangs, whose thread must not be waited for. Misconfigured immediately if the
        database comes from a newer version.
        """
        with contextlib.suppress(DatabaseDown):  # an unreachable database is no obstacle: leadership is retried
            check(self._database)
        log.info("started", **self._about)
        for route in self.routes.values():
            route.begin(self._pool)
        self._schedule.every(REQUESTS, TAKE_IN_EVERY, self._take_in)
        self._schedule.start()
        self._pool.start()
        wait(self._turned)
        return self._stop()

    def _turned(self) -> None:
        self._schedule.turn()
        for route in tuple(self.routes.values()):
            route.turned()

    def _take_in(self) -> None:
        """Let each route take in what operators ask of it, also the end of what they asked for before."""
        if not any(route.leadership.leads for route in self.routes.values()):
            return
        try:
            now_asked = asked(self._database)
        except DatabaseDown:
            return  # each route finds that out by itself, and says so
        for name in now_asked | self._asked:
            if name in self.routes:
                self.routes[name].requested()
        self._asked = now_asked

    def _stop(self) -> bool:
        self._stop_all()
        routes = tuple(self.routes.values())
        for route in routes:
            route.drain()
        last = time.monotonic() + STOP_GRACE
        ended = self._schedule.stop(STOP_GRACE)
        if not self._pool.stop(max(0.0, last - time.monotonic())) or not ended:
            log.info("stopped", left_behind="a read under way")
            return False
        for route in routes:
            route.end()
        self._database.close()
        log.info("stopped")
        return True
