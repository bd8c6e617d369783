"""Routes that were removed from the routes file: each does what is left, and ends.

What it has seen by then is written: alerts that page, and what people did. What cannot be written within a while
is left in the database, where `status` shows it until the retention ends; the route goes on with it if it is added
again.
"""

from reconciler.observability.defects import defect
from reconciler.observability.logs import get_logger
from reconciler.runtime.endings import end
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

    def __init__(self, database: Database, pool: WorkerPool, clock: Clock) -> None:
        self._database = database
        self._pool = pool
        self._clock = clock
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
        left: dict[str, int | None] = {}
        for name, (route, since) in tuple(self._routes.items()):
            try:
                with for_route(name):
                    left_of = route.left()
                    is_over = left_of == 0 or self._clock.monotonic() - since >= DRAINED_FOR
                    if is_over and self._is_marked(route):
                        left[name] = left_of
            except Exception as error:  # noqa: BLE001 - the other routes are looked at, and this one again
                defect(error, f"route {name}")
        for ended in end([self._routes[name][0] for name in left], self._pool):
            for name in ended:
                del self._routes[name]
                log.info(_told(name, left[name]))

    def _is_marked(self, route: RouteJobs) -> bool:
        """Mark the route as removed if this process leads it. False if the database is away: it is tried again."""
        if route.leadership.leads:
            try:
                mark_removed(self._database.for_route(route.name), self._clock.now())
            except DatabaseDown:
                return False
        return True


def _told(name: str, left: int | None) -> str:
    """What has become of the work of a route that ends. None: that is not known."""
    if left == 0:
        return f"route removed: {name}: no write is left; its open pairs are followed no longer"
    more = "the database was away" if left is None else f"{left} writes could not be made"
    return f"route removed: {name}: {more} within {DRAINED_FOR:.0f} s; add the route again to have all made"
