"""The daemon: the routes of one process, on one schedule and one pool of workers, until a signal stops it.

A route that was removed is drained: it looks for nothing new, and ends once what it has seen is written. One that
was changed ends and begins anew, with the same rows of the database.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Mapping

from reconciler.errors import ReconcilerError
from reconciler.observability.defects import defect
from reconciler.observability.logs import get_logger
from reconciler.routes import Route, Routes, difference
from reconciler.runtime.endings import STOP_GRACE, end
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
        self._changed: Mapping[str, Route] = {}
        """Routes that have changed, as they were: those that have not ended yet."""
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

        A route that has changed begins as soon as it has ended as it was; none waits for another. Nothing happens
        once the process is to stop.
        """
        with self._changing:
            if self._is_stopped:
                return
            differs = difference(self._routes, routes)
            touched = {*differs.added, *differs.changed}
            before = {route.name: route for route in self._routes.each}
            # Unchanged routes stay what they are.
            each = tuple(route if route.name in touched else before[route.name] for route in routes.each)
            with self._sharing:  # until it is known which routes come: the keys of others are forgotten
                made = {route.name: self._make(route) for route in each if route.name in touched}
                found = {name: self.routes.get(name) or self._retired.take_back(name) for name in made}
                former = {name: jobs for name, jobs in found.items() if jobs is not None}
                ending = end(former.values(), self._pool)
                for name in differs.removed:
                    self._retired.retire(self.routes[name])
                has = {**self.routes, **made, **former}
                self.routes = {route.name: has[route.name] for route in each}
                self._routes = Routes(each, routes.file, routes.warnings, routes.files)
                self._changed = {name: before[name] for name in former if name in before}
                self._share_with(self.leading())
            self._begin({name: jobs for name, jobs in made.items() if name not in former})
            for names in ending:
                self._begin({name: made[name] for name in names})

    def running(self) -> tuple[RouteJobs, ...]:
        """The routes of the file, and those that are drained."""
        return (*self.routes.values(), *self._retired.each())

    def leading(self) -> frozenset[str]:
        """The names of the routes of the file that this process leads."""
        return frozenset(name for name, route in self.routes.items() if route.leadership.leads)

    def _begin(self, made: Mapping[str, RouteJobs]) -> None:
        """Begin these routes of the file. Those that they replace have ended."""
        with self._sharing:
            self.routes = {name: made.get(name, jobs) for name, jobs in self.routes.items()}
            self._changed = {name: route for name, route in self._changed.items() if name not in made}
            self._share_with(self.leading())
        for jobs in made.values():
            jobs.begin(self._pool)

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
        """Share among the routes of the file. One that has changed and has not ended yet comes first as it was."""
        self._shared_for = led
        each = ((self._changed.get(route.name), route) for route in self._routes.each)
        self._share(tuple(route for both in each for route in both if route is not None), led)

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
        """Let each route take in what operators ask of it, also the end of a pause."""
        self._share_as_led()
        running = {route.name: route for route in self.running()}
        if not any(route.leadership.leads for route in running.values()):
            return
        try:
            now_asked = asked(self._database)
        except DatabaseDown:
            return  # each route finds that out by itself, and says so
        for name, route in running.items():
            if name in now_asked or route.is_paused:
                route.requested()

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
