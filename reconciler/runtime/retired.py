"""Routes that were removed from the routes file: each does what is left, and ends.

What it has seen by then is written: alerts that page, and what people did. What cannot be written within a while
is left in the database, where `status` shows it until the retention ends; the route goes on with it if it is added
again.
"""

import time
from threading import Lock

from reconciler.observability.logs import get_logger
from reconciler.runtime.route_jobs import RouteJobs
from reconciler.runtime.worker_pool import WorkerPool
from reconciler.store.database import Database
from reconciler.store.removed_routes import mark_removed

log = get_logger(__name__)

DRAINED_FOR = 300.0
"""Seconds after which a removed route ends, whether or not everything is written."""


class Retired:
    """The routes that are drained. For any thread."""

    def __init__(self, database: Database, pool: WorkerPool, grace: float) -> None:
        self._database = database
        self._pool = pool
        self._grace = grace
        self._lock = Lock()
        self._routes: dict[str, tuple[RouteJobs, float]] = {}

    def each(self) -> tuple[RouteJobs, ...]:
        """Their jobs."""
        return tuple(route for route, _ in self._routes.values())

    def retire(self, route: RouteJobs) -> None:
        """Drain a route from now on."""
        route.retire()
        with self._lock:
            self._routes[route.name] = (route, time.monotonic())

    def take_back(self, name: str) -> RouteJobs | None:
        """The route of this name, which is no longer drained here; None if it was not."""
        with self._lock:
            return self._routes.pop(name, (None, 0.0))[0]

    def look(self) -> None:
        """End the routes with nothing left to do, and those that have been drained for long."""
        for name, (route, since) in tuple(self._routes.items()):
            left = route.left()
            if left and time.monotonic() - since < DRAINED_FOR:
                continue
            if self.take_back(name) is None:
                continue
            if route.leadership.leads:
                mark_removed(self._database.for_route(name), route.program.clock.now())
            route.leave(self._pool, self._grace)
            words = f"route removed: {name}: nothing is left to do"
            if left:
                words = (
                    f"route removed: {name}: {left} writes could not be made within {DRAINED_FOR:.0f} s; add the "
                    "route again to have them made"
                )
            log.info(words)
