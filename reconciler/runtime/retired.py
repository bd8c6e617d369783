"""Routes that were removed from the routes file: each does what is left, and ends.

What it has seen by then is written: alerts that page, and what people did. What cannot be written within a while
is left in the database, where `status` shows it until the retention ends; the route goes on with it if it is added
again.
"""

from reconciler.observability.defects import defect
from reconciler.observability.logs import get_logger
from reconciler.runtime.route_jobs import RouteJobs
from reconciler.runtime.worker_pool import WorkerPool
from reconciler.store.database import Database, DatabaseDown
from reconciler.store.removed_routes import mark_removed
from reconciler.vendors.call_context import for_route
from reconciler.vendors.ports import Clock

log = get_logger(__name__)

DRAINED_FOR = 300.0
"""Seconds after which a removed route ends, whether or not everything is written."""


class Retired:
    """The routes that are drained. For one thread at a time; `each` for any."""

    def __init__(self, database: Database, pool: WorkerPool, clock: Clock, grace: float) -> None:
        self._database = database
        self._pool = pool
        self._clock = clock
        self._grace = grace
        self._routes: dict[str, tuple[RouteJobs, float]] = {}

    def each(self) -> tuple[RouteJobs, ...]:
        """Their jobs."""
        return tuple(route for route, _ in self._routes.copy().values())

    def retire(self, route: RouteJobs) -> None:
        """Drain a route from now on."""
        route.retire()
        self._routes[route.name] = (route, self._clock.monotonic())

    def take_back(self, name: str) -> RouteJobs | None:
        """The route of this name, which is no longer drained here; None if it was not."""
        return self._routes.pop(name, (None, 0.0))[0]

    def look(self) -> None:
        """End the routes with nothing left to do, and those that have been drained for long."""
        for name, (route, since) in tuple(self._routes.items()):
            try:
                with for_route(name):
                    self._look_at(route, since)
            except Exception as error:  # noqa: BLE001 - the other routes are looked at, and this one again
                defect(error, f"route {name}")

    def _look_at(self, route: RouteJobs, since: float) -> None:
        left = route.left()
        if left == 0 or self._clock.monotonic() - since >= DRAINED_FOR:
            self._end(route, left)

    def _end(self, route: RouteJobs, left: int | None) -> None:
        if route.leadership.leads:
            try:
                mark_removed(self._database.for_route(route.name), self._clock.now())
            except DatabaseDown:
                return  # the next look ends it
        route.drain()
        route.leave(self._pool, self._grace)
        del self._routes[route.name]
        log.info(_told(route.name, left))


def _told(name: str, left: int | None) -> str:
    """What has become of the work of a route that ends. None: that is not known."""
    if left == 0:
        return f"route removed: {name}: nothing is left to do"
    more = "the database was away" if left is None else f"{left} writes could not be made"
    return f"route removed: {name}: {more} within {DRAINED_FOR:.0f} s; add the route again to have all made"
