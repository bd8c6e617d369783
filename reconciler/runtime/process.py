"""What the routes of one process have in common, and the wiring of each of them."""

import threading
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from reconciler import __version__
from reconciler.core.hints import Hint
from reconciler.core.product import PRODUCTS
from reconciler.observability.logs import surround
from reconciler.routes import Route, Routes
from reconciler.runtime.connections import Connections
from reconciler.runtime.daemon import Daemon
from reconciler.runtime.forgotten_routes import ForgottenRoutes
from reconciler.runtime.reading import report_bad_rows
from reconciler.runtime.renewal import CHECK_EVERY, Given, Renewal
from reconciler.runtime.request_log import log_request
from reconciler.runtime.route_jobs import SECRETS, RouteJobs
from reconciler.runtime.route_schedule import RouteSchedule
from reconciler.runtime.routes_watch import RoutesWatch
from reconciler.runtime.schedule import Schedule
from reconciler.runtime.shared_heartbeats import Ran, SharedHeartbeats
from reconciler.runtime.shared_keys import SharedKeys
from reconciler.runtime.shares import Shares
from reconciler.runtime.state_log import StateLog
from reconciler.runtime.wiring import Wiring, about_route
from reconciler.runtime.worker_pool import WorkerPool
from reconciler.settings import Settings
from reconciler.store.database import Database
from reconciler.store.overview import shown
from reconciler.vendors.call_context import current
from reconciler.vendors.http import RequestRecord
from reconciler.vendors.ports import Clock

if TYPE_CHECKING:
    from reconciler.observability.health import Health
    from reconciler.observability.metrics import Metrics

ROUTES, SHARED_HEARTBEAT, FORGOTTEN, REMINDERS = "routes file", "heartbeat", "forgotten routes", "reminders"
REMIND_EVERY = 10.0
"""Seconds between two checks whether a lasting state is to be told again."""


class Process:
    """The parts of one process. `metrics_of` makes the metrics of a route; None if nothing serves them."""

    def __init__(
        self,
        routes: Routes,
        given: Given,
        stop: threading.Event,
        clock: Clock,
        database: Database,
        shares: Shares,
        metrics_of: "Callable[[Settings], Metrics | None]",
    ) -> None:
        self.routes = routes
        self.database = database
        self._given = given
        self._stop = stop
        self._clock = clock
        self._shares = shares
        self._metrics_of = metrics_of
        self.own = metrics_of(routes.each[0].settings)
        """What is counted of no route: webhooks, and whether the process lives."""
        self._schedule = Schedule(clock)
        self._pool = WorkerPool()
        self._connections = Connections(clock)
        self._shared = SharedKeys(
            database, self._connections, clock, self._on_request, report_bad_rows(), self._wake
        )
        self.is_of_several = routes.file is not None
        if self.is_of_several:
            surround(_route)
        process = routes.each[0].settings
        self._states = StateLog(clock, process.remind_seconds, product=PRODUCTS[process.alert_source])
        self._saying = threading.Lock()
        self._told_by: dict[str, RouteJobs] = {}
        say = partial(self._say, "heartbeat")
        self._heartbeats = SharedHeartbeats(process, self._led, clock, say, self._first)
        self.renewal = Renewal(
            process,
            Given(given.environ, given.dotenv, files=routes.files),
            clock,
            {"HEARTBEAT_URL": self._heartbeats.use},
            self._say,
        )
        self._watch = RoutesWatch(routes, given, clock, self._apply, self._say)
        self.daemon = self._daemon()

    def put(self, hint: Hint) -> None:
        """Give a webhook's hint to every route: each knows which alerts and incidents are its own."""
        for route in self.daemon.routes.values():
            if route.leadership.leads:
                route.program.hints.waiting.put(hint)

    def settings(self) -> Settings:
        """The settings of the whole process as they are now."""
        if self.is_of_several:
            return self.renewal.settings
        return self._first()

    def settings_of(self, route: str) -> Settings:
        """The settings of a route; those of the first one for a route that is in no file any more."""
        return next(
            (each.settings for each in self.routes.each if each.name == route), self.routes.each[0].settings
        )

    def metrics(self) -> "dict[str, Metrics]":
        """The metrics of each route."""
        routes = self.daemon.routes.items()
        return {name: route.metrics for name, route in routes if route.metrics is not None}

    def health(self) -> "dict[str, Health]":
        """The health of each route."""
        return {name: metrics.health for name, metrics in self.metrics().items()}

    def removed(self) -> int:
        """The number of routes that are in the database and not in the file."""
        return self._forgotten.known

    def pods(self) -> int | None:
        """The number of processes that share the routes; None where they do not."""
        return len(self._shares.pods) or None

    def _daemon(self) -> Daemon:
        routes, several = self.routes, self.is_of_several
        process = routes.each[0].settings
        self._forgotten = ForgottenRoutes(
            self.database,
            process.database_url.get_secret_value(),
            timedelta(seconds=process.retention_seconds),
            self._clock,
            lambda: {route.name for route in self.daemon.running()},
            lambda: bool(self.daemon.leading()),
        )
        jobs: Mapping[str, tuple[float | Callable[[], float], Callable[[], None]]] = {
            ROUTES: (CHECK_EVERY, self._watch.check),
            SECRETS: (CHECK_EVERY, self._renew),
            SHARED_HEARTBEAT: (self._heartbeats.next_in, self._heartbeats.poll),
            FORGOTTEN: (self._forgotten.next_in, self._forgotten.look),
            REMINDERS: (REMIND_EVERY, self._remind),
        }
        return Daemon(
            self.database,
            self._clock,
            self._schedule,
            self._pool,
            self._shares,
            self._make,
            routes,
            self._stop.set,
            self._about,
            self._shared.use if several else _share_nothing,
            jobs if several else {FORGOTTEN: jobs[FORGOTTEN]},
            self.own.health.turned if self.own else lambda: None,
        )

    def _make(self, route: Route) -> RouteJobs:
        several = self.is_of_several
        wiring = Wiring(
            route.settings,
            self._stop,
            self.database.for_route(route.name),
            self._metrics_of(route.settings),
            self._clock,
            self._connections,
            self._shared if several else None,
            route,
            self._shares.lock(route.name),
        )
        given = self._given
        if several:  # SIGHUP has the routes file read again, and each route's files are read anyway
            given = Given(given.environ, given.dotenv, files=route.files)
        phased = self._clock.monotonic if several else None
        jobs = wiring.jobs(RouteSchedule(self._schedule, route.name, phased), given)
        if several and route.files:
            wiring.on_unauthorized = partial(self._schedule.soon, SECRETS)
        return jobs

    def _renew(self) -> None:
        """Read the secrets in files again: the process's own and every route's."""
        self.renewal.check()
        for route in self.daemon.running():
            route.renew()

    def _apply(self, routes: Routes) -> None:
        self.daemon.apply(routes)
        self.routes = routes

    def _first(self) -> Settings:
        """The settings of the first route as they are now."""
        return next(iter(self.daemon.routes.values())).renewal.settings

    def _say(self, subject: str, words: str) -> None:
        """Set the lasting state of one subject. For any thread.

        A route that this process leads logs and stores it with its own states, so that `status` and the metrics
        show it; it is only logged while there is none.
        """
        with self._saying:
            before = self._told_by.pop(subject, None)
            led = [route for route in self.daemon.routes.values() if route.leadership.leads]
            route = before if before in led else next(iter(led), None)
            if before is not None and before is not route:
                before.reporter.say(subject, "")
            if route is None:
                self._states.say(subject, words)
                return
            self._states.say(subject, "")
            route.reporter.say(subject, words)
            if words:
                self._told_by[subject] = route

    def _remind(self) -> None:
        with self._saying:
            self._states.remind()

    def _about(self) -> dict[str, object]:
        process = self.routes.each[0].settings
        about: dict[str, object] = {
            "version": __version__,
            "database": shown(process.database_url.get_secret_value()),
        }
        if self.is_of_several:
            about |= {"routes": len(self.routes.each), "file": str(self.routes.file)}
        else:
            about |= about_route(process)
        return about | {"interval_seconds": process.poll_interval_seconds}

    def _led(self) -> tuple[Ran, ...]:
        return tuple(
            Ran(route.name, route.program, route.reporter.unpaged)
            for route in self.daemon.routes.values()
            if route.leadership.leads
        )

    def _wake(self, names: Collection[str]) -> None:
        """Have these routes poll their alerts at once."""
        for name in names:
            route = self.daemon.routes.get(name)
            if route is not None:
                route.wake()

    def _on_request(self, record: RequestRecord) -> None:
        """Count a request that serves several routes as that of the route which made it."""
        found = (route for route in self.daemon.running() if route.name == current().route)
        route = next(found, None)
        if route is None:
            log_request(record)
        else:
            route.on_request(record)


def _route() -> Mapping[str, object]:
    """The field of the log that names the route of the present work."""
    name = current().route
    return {"route": name} if name else {}


def _share_nothing(_routes: tuple[Route, ...], _led: frozenset[str]) -> None:
    """A single route uses its clients directly."""
