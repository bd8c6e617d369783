"""The daemon: the routes of one process, on one schedule and one pool of workers, until a signal stops it.

A route that was removed is drained: it looks for nothing new, and ends once what it has seen is written. One that
was changed ends and begins anew, with the same rows of the database.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Mapping

from reconciler.errors import ReconcilerError
from reconciler.observability.defects import defect
from reconciler.observability.logs import get_logger
from reconciler.routes import Route, Routes, difference
from reconciler.runtime.endings import STOP_GRACE
from reconciler.runtime.retired import Retired
from reconciler.runtime.route_jobs import LEADERSHIP, REQUESTS, RouteJobs
from reconciler.runtime.schedule import Schedule
from reconciler.runtime.shares import Shares
from reconciler.runtime.worker_pool import WorkerPool
from reconciler.store.database import Database, DatabaseDown
from reconciler.store.migrate import check
from reconciler.store.requests import asked
from reconciler.vendors.ports import Clock

log = get_logger(__name__)

TAKE_IN_EVERY = 1.0
"""Seconds between two checks for requests of operators: a pause, `retry`, `link`."""
SHARES, DRAINED = "shares of routes", "drained routes"

Job = Callable[[], None]
"""A job of the whole process."""


class Daemon:
    """Runs the routes. The main thread waits for a signal; everything else has threads of its own.

    `make` makes the jobs of a route, `shared` is told which routes share keys, and which of them this process
    leads. `about` returns what is run, and for whom: the fields of the first line of the log. `routes` is replaced
    whole, never changed, so that any thread may go through it.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        schedule: Schedule,
        pool: WorkerPool,
        shares: Shares,
        make: Callable[[Route], RouteJobs],
        routes: Routes,
        stop: Callable[[], None],
        about: Callable[[], Mapping[str, object]],
        shared: Callable[[tuple[Route, ...], frozenset[str]], None] = lambda _routes, _led: None,
        extra: Mapping[str, tuple[float | Callable[[], float], Job]] | None = None,
        on_turn: Callable[[], None] = lambda: None,
    ) -> None:
        """`extra` are further jobs of the process, by name, each with its interval in seconds.

        `on_turn` is called whenever the main loop turns.
        """
        self._on_turn = on_turn
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
        self._retired = Retired(database, pool, clock)
        self._changing = threading.Lock()
        """Held while routes begin or end."""
        self._is_stopped = False
        self._sharing = threading.Lock()
        """Held while it is told who shares what, so that the last word is the newest."""
        self._asked: frozenset[str] = frozenset()
        self._shared_for: frozenset[str] = frozenset()
        self._told: frozenset[str] | None = None
        self._share(routes.each, frozenset())
        self.routes: Mapping[str, RouteJobs] = {route.name: make(route) for route in routes.each}

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
        self._beat()
        for route in self.routes.values():
            route.begin(self._pool)
        self._schedule.every(SHARES, self._shares.beat_every, _guarded(SHARES, self._beat))
        self._schedule.every(REQUESTS, TAKE_IN_EVERY, _guarded(REQUESTS, self._take_in))
        self._schedule.every(DRAINED, TAKE_IN_EVERY, _guarded(DRAINED, self._look_at_drained))
        for name, (seconds, job) in self._extra.items():
            self._schedule.every(name, seconds, _guarded(name, job))
        self._schedule.start()
        self._pool.start()
        wait(self._turned)
        return self._stop()

    def apply(self, routes: Routes) -> None:
        """Run these routes from now on. If one of them cannot be made, the error is passed on and nothing changes.

        Nothing happens either once the process is to stop.
        """
        with self._changing:
            if self._is_stopped:
                return
            differs = difference(self._routes, routes)
            touched = {*differs.added, *differs.changed}
            made = {route.name: self._make(route) for route in routes.each if route.name in touched}
            former = [self.routes.get(name) or self._retired.take_back(name) for name in touched]
            self._end(jobs for jobs in former if jobs is not None)
            for name in differs.removed:
                self._retired.retire(self.routes[name])
            self._replace(routes, made)
            for jobs in made.values():
                jobs.begin(self._pool)

    def running(self) -> tuple[RouteJobs, ...]:
        """The routes of the file, and those that are drained."""
        return (*self.routes.values(), *self._retired.each())

    def leading(self) -> frozenset[str]:
        """The names of the routes of the file that this process leads."""
        return frozenset(name for name, route in self.routes.items() if route.leadership.leads)

    def _replace(self, routes: Routes, made: Mapping[str, RouteJobs]) -> None:
        """Have these routes, in the order of the file. Those that have not changed stay what they are."""
        before = {route.name: route for route in self._routes.each}
        kept = tuple(route if route.name in made else before[route.name] for route in routes.each)
        with self._sharing:
            self.routes = {route.name: made.get(route.name) or self.routes[route.name] for route in kept}
            self._routes = Routes(kept, routes.file, routes.warnings, routes.files)
            self._share_with(self.leading())

    def _end(self, former: Iterable[RouteJobs]) -> None:
        """End these routes, whose reads under way have the grace in common."""
        ending = tuple(former)
        for route in ending:
            route.cease()
        for route in ending:
            route.drain()
        last = time.monotonic() + STOP_GRACE
        for route in ending:
            route.leave(self._pool, max(0.0, last - time.monotonic()))

    def _beat(self) -> None:
        """Take the locks of routes that this process may lead, and give up those that others are to lead."""
        try:
            self._shares.know(self.routes)
            change = self._shares.beat()
        except ReconcilerError:
            for route in self.running():  # each loses its lead with the lock, and says why
                route.schedule.soon(LEADERSHIP)
            return
        running = {route.name: route for route in self.running()}
        for name in self._shares.to_hand_over():  # also those that are drained, as no file names them any more
            if name in self.routes:
                self.routes[name].hand_over()
            elif name not in running:  # it has ended since the beat before this one
                self._shares.lock(name).release()
        for name in running.keys() & (change.taken | change.lost):
            running[name].schedule.soon(LEADERSHIP)
        self._share_as_led()
        self._tell(self.leading())

    def _share_as_led(self) -> None:
        """Share keys among the routes that this process leads now."""
        with self._sharing:
            led = self.leading()
            if led != self._shared_for:
                self._share_with(led)

    def _share_with(self, led: frozenset[str]) -> None:
        self._shared_for = led
        self._share(self._routes.each, led)

    def _tell(self, led: frozenset[str]) -> None:
        """Log which part of the routes this process leads, whenever that changes."""
        if not self.is_of_several or led == self._told:
            return
        self._told = led
        pods = len(self._shares.pods)
        log.info("routes led", routes=len(led), of=len(self.routes), **({"pods": pods} if pods else {}))

    def _turned(self) -> None:
        self._schedule.turn()
        self._on_turn()
        for route in self.routes.values():
            route.turned()

    def _take_in(self) -> None:
        """Let each route take in what operators ask of it, also the end of what they asked for before."""
        self._share_as_led()
        running = {route.name: route for route in self.running()}
        if not any(route.leadership.leads for route in running.values()):
            return
        try:
            now_asked = asked(self._database)
        except DatabaseDown:
            return  # each route finds that out by itself, and says so
        for name in running.keys() & (now_asked | self._asked):
            running[name].requested()
        self._asked = now_asked

    def _look_at_drained(self) -> None:
        """End routes that were removed and have nothing left to do."""
        with self._changing:
            if not self._is_stopped:
                self._retired.look()

    def _stop(self) -> bool:
        self._stop_all()
        with self._changing:  # a reload ends what it has begun
            self._is_stopped = True
            routes = self.running()
        for route in routes:
            route.cease()
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


def _guarded(name: str, job: Job) -> Job:
    """The job, with its errors reported: none ends the schedule, nor comes from it with every run."""

    def run() -> None:
        try:
            job()
        except DatabaseDown:
            return  # each route finds that out by itself, and says so
        except Exception as error:  # noqa: BLE001 - the job's next run may do better
            defect(error, name)

    return run
