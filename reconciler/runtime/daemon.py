"""The daemon: the routes of one process, on one schedule and one pool of workers, until a signal stops it.

A route that was removed is drained: it looks for nothing new, and ends once what it has seen is written. One that
was changed ends and begins anew, with the same rows of the database.
"""

import contextlib
import time
from collections.abc import Callable, Mapping

from reconciler.errors import ReconcilerError
from reconciler.observability.logs import get_logger
from reconciler.routes import Route, Routes, difference
from reconciler.runtime.retired import Retired
from reconciler.runtime.route_jobs import LEADERSHIP, REQUESTS, RouteJobs
from reconciler.runtime.schedule import Schedule
from reconciler.runtime.shares import Shares
from reconciler.runtime.worker_pool import WorkerPool
from reconciler.store.database import Database, DatabaseDown
from reconciler.store.migrate import check
from reconciler.store.requests import asked

log = get_logger(__name__)

STOP_GRACE = 2.0
"""Seconds for reads under way to end in, once nothing is being written."""
TAKE_IN_EVERY = 1.0
"""Seconds between two checks for requests of operators: a pause, `retry`, `link`."""
SHARES = "shares of routes"

Jobs = Callable[[], None]
"""A job of the whole process."""


class Daemon:
    """Runs the routes. The main thread waits for a signal; everything else has threads of its own.

    `make` makes the jobs of a route, `shared` is told which routes share keys, and which of them this process
    leads. `about` returns what is run, and for whom: the fields of the first line of the log.
    """

    def __init__(
        self,
        database: Database,
        schedule: Schedule,
        pool: WorkerPool,
        shares: Shares,
        make: Callable[[Route], RouteJobs],
        routes: Routes,
        stop: Callable[[], None],
        about: Callable[[], Mapping[str, object]],
        shared: Callable[[tuple[Route, ...], frozenset[str]], None] = lambda _routes, _led: None,
        extra: Mapping[str, tuple[float, Jobs]] | None = None,
    ) -> None:
        """`extra` are further jobs of the process, by name, each with its interval in seconds."""
        self._database = database
        self._schedule = schedule
        self._pool = pool
        self._shares = shares
        self._make = make
        self._routes = routes
        self._stop_all = stop
        self._about = about
        self._share = shared
        self._extra = extra or {}
        self._retired = Retired(database, pool, STOP_GRACE)
        self._asked: frozenset[str] = frozenset()
        self._led: frozenset[str] | None = None
        self.routes: dict[str, RouteJobs] = {}
        self._share(routes.each, frozenset())
        for route in routes.each:
            self.routes[route.name] = make(route)

    @property
    def is_of_several(self) -> bool:
        """Whether ROUTES_FILE names the routes."""
        return self._routes.file is not None

    def run(self, wait: Callable[[Callable[[], None]], None]) -> bool:
        """Work until `wait` returns, which calls its argument about once a second.

        Returns False if a read still hangs, whose thread must not be waited for. Misconfigured immediately if the
        database comes from a newer version.
        """
        with contextlib.suppress(DatabaseDown):  # an unreachable database is no obstacle: leadership is retried
            check(self._database)
        log.info("started", **self._about())
        self._shares.know(self.routes)
        self._beat()
        for route in self.routes.values():
            route.begin(self._pool)
        self._schedule.every(SHARES, self._shares.beat_every, self._beat)
        self._schedule.every(REQUESTS, TAKE_IN_EVERY, self._take_in)
        for name, (seconds, job) in self._extra.items():
            self._schedule.every(name, seconds, job)
        self._schedule.start()
        self._pool.start()
        wait(self._turned)
        return self._stop()

    def apply(self, routes: Routes) -> None:
        """Run these routes from now on."""
        differs = difference(self._routes, routes)
        before = {route.name: route for route in self._routes.each}
        touched = {*differs.added, *differs.changed}
        kept = tuple(route if route.name in touched else before[route.name] for route in routes.each)
        self._routes = Routes(kept, routes.file, routes.warnings, routes.files)
        for name in differs.removed:
            self._retired.retire(self.routes.pop(name))
        self._share(kept, self._leading())
        for route in kept:
            if route.name in touched:
                self._begin(route)
        self._know()

    def _know(self) -> None:
        """Share the routes of the file with other processes, and those that are still drained here."""
        self._shares.know([*self.routes, *self._retired.names()])

    def _begin(self, route: Route) -> None:
        """Begin a route, after the one of this name has ended."""
        former = self.routes.pop(route.name, None) or self._retired.take_back(route.name)
        if former is not None:
            former.leave(self._pool, STOP_GRACE)
        self.routes[route.name] = self._make(route)
        self.routes[route.name].begin(self._pool)

    def _leading(self) -> frozenset[str]:
        return frozenset(name for name, route in self.routes.items() if route.leadership.leads)

    def _beat(self) -> None:
        """Take the locks of routes that this process may lead, and give up those that others are to lead."""
        try:
            change = self._shares.beat()
        except ReconcilerError:
            return  # each route finds the database gone when it confirms its lead, and says so
        for name in self._shares.to_hand_over():
            if name in self.routes:
                self.routes[name].hand_over()
            elif name not in self._retired.names():
                self._shares.lock(name).release()  # taken while its last jobs were ending
        for name in change.taken | change.lost:
            if name in self.routes:
                self.routes[name].schedule.soon(LEADERSHIP)
        led = self._leading()
        if self.is_of_several and led != self._led:
            self._led = led
            self._share(self._routes.each, led)
            self._tell(led)

    def _tell(self, led: frozenset[str]) -> None:
        """Log which part of the routes this process leads."""
        pods = len(self._shares.pods)
        log.info("routes led", routes=len(led), of=len(self.routes), **({"pods": pods} if pods else {}))

    def _turned(self) -> None:
        self._schedule.turn()
        for route in tuple(self.routes.values()):
            route.turned()

    def _take_in(self) -> None:
        """Let each route take in what operators ask of it, also the end of what they asked for before."""
        self._retired.look()
        self._know()
        if not self._leading():
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
        routes = (*self.routes.values(), *self._retired.each())
        for route in routes:
            route.drain()
        last = time.monotonic() + STOP_GRACE
        ended = self._schedule.stop(STOP_GRACE)
        if not self._pool.stop(max(0.0, last - time.monotonic())) or not ended:
            log.info("stopped", left_behind="a read under way")
            return False
        for route in routes:
            route.end()
        self._shares.close()
        self._database.close()
        log.info("stopped")
        return True
