"""One pod: the product's own process, with simulated threads, database and wire."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from reconciler.core.model import Side
from reconciler.core.sharing import View
from reconciler.routes import Routes
from reconciler.runtime import (
    endings,
    forgotten_routes,
    leadership,
    process,
    reading,
    sessions,
    shared_heartbeats,
    shared_keys,
    wiring,
)
from reconciler.runtime.pod_shares import PodShares
from reconciler.runtime.process import Process
from reconciler.runtime.renewal import Given
from reconciler.runtime.route_jobs import RouteJobs
from reconciler.settings import Settings
from reconciler.sources.pace import Pace
from reconciler.store.database import DEFAULT_ROUTE, Database, DatabaseDown
from reconciler.store.lock import Lock
from reconciler.store.schema import REVISION
from reconciler.vendors.http import Http
from tests.support.shared_routes import Server, SimulatedSession
from tests.support.simulation.routes.hub import Event, HubClock, Owner, Patch
from tests.support.simulation.routes.threads import SimPool, SimSchedule
from tests.support.simulation.schedule import POLL
from tests.support.simulation.store import Crash
from tests.support.simulation.wire import LATENCY, SimAdapter

if TYPE_CHECKING:
    from tests.support.simulation.routes.world import RoutesWorld


class Pod(Owner):
    """A process of the product on a machine of its own. `epochs` is what it leads, as the database has it."""

    def __init__(self, world: "RoutesWorld", name: str) -> None:
        super().__init__()
        self.world = world
        self.name = name
        self.is_cut = False
        self.is_leaving = False
        self.troubled_until = float("-inf")
        self.clock = HubClock(world.hub, self)
        self.session = PodSession(world.server, self)
        self.shares = PodShares(self.session, self.clock, timedelta(seconds=POLL))
        self.database = PodDatabase(self)
        self.process: Process

    @property
    def is_well(self) -> bool:
        """Whether nothing is the matter with it."""
        return not (self.is_stopped or self.is_dead or self.is_cut or self.is_leaving)

    def was_well_since(self, when: float) -> bool:
        """Whether it was neither stopped nor cut off since then."""
        return self.troubled_until < when

    def leads(self) -> list[str]:
        """The routes that it leads, as it believes."""
        routes = tuple(self.process.daemon.routes.values())
        return [route.name for route in routes if route.leadership.leads]

    def start(self, routes: Routes) -> None:
        """Start the daemon with these routes."""
        self.world.hub.start(partial(self._run, routes), self)

    def reload(self, routes: Routes) -> None:
        """Take another routes file over, as `RoutesWatch` does once it has read one."""
        self.world.hub.start(lambda: self.process._apply(routes), self)

    def _run(self, routes: Routes) -> None:
        stop: Any = Event(self.world.hub)
        self.clock.stop = stop
        self.process = Process(
            routes, Given(), stop, self.clock, self.database, self.shares, self.world.metrics_of
        )
        self.process.daemon.run(self._wait)
        self.world.hub.at(self.clock.monotonic(), partial(self.world.ended, self))

    def _wait(self, turned: Any) -> None:
        while not self.is_leaving:
            self.world.hub.wait(1.0)
            turned()


class PodSession(SimulatedSession):
    """The session of one pod with the simulated server."""

    def __init__(self, server: Server, pod: Pod) -> None:
        super().__init__(server, pod.name)
        self._pod = pod

    def beat(self, routes: Any, knows: str) -> View:
        """Renew the row, and see the pods and the locks."""
        self.server.now = self._pod.clock.monotonic()
        return super().beat(routes, knows)


class StrayLock(Lock):
    """The lock of a route that no file names, as `forgotten_routes` takes it."""

    def __init__(self, server: Server, route: str) -> None:
        self._server = server
        self._route = route
        self._session = 0

    def acquire(self) -> bool:
        if self._route in self._server.locks:
            return self._session != 0 and self._server.locks[self._route] == self._session
        self._session = self._server.open("stray")
        self._server.locks[self._route] = self._session
        return True

    def release(self) -> None:
        if self._session:
            self._server.close(self._session)


class PodDatabase(Database):
    """The shared database as one pod reaches it. Each commit is a step of the world, which may kill the pod."""

    def __init__(self, pod: Pod, route: str = DEFAULT_ROUTE) -> None:
        super().__init__(pod.world.engine, route, holder=pod.name)
        self._pod = pod

    def for_route(self, route: str) -> "PodDatabase":
        """The same for another route."""
        return PodDatabase(self._pod, route)

    def close(self) -> None:
        """Keep the engine: it is every pod's."""

    @contextmanager
    def connected(self, *, immediate: bool) -> Iterator[Connection]:
        """A transaction. DatabaseDown while the pod is cut off."""
        pod, world = self._pod, self._pod.world
        if pod.is_dead:
            raise Crash
        if pod.is_cut:
            raise DatabaseDown("DATABASE_URL: the database cannot be reached: cut off", "away")
        assert world.in_transaction is None, f"{world.in_transaction} waits in a transaction"
        world.in_transaction = pod.name
        try:
            with super().connected(immediate=immediate) as connection:
                yield connection
        finally:
            world.in_transaction = None

    @contextmanager
    def _led(self) -> Iterator[Connection]:
        with super()._led() as connection:
            before = self._pod.world.before_commit(self._pod)
            yield connection
            if self._epoch is not None:
                self._pod.world.wrote(self.route, self._leader(connection), (self._epoch, self.holder))
            if before:
                raise Crash
        self._pod.world.after_commit(self._pod)


class PodWire(SimAdapter):
    """The wire of one pod: a call takes a moment on its way, and one on its way back."""

    def __init__(self, pod: Pod, side: str, vendor: str) -> None:
        super().__init__(WireWorld(pod), side, vendor)  # type: ignore[arg-type]
        self._pod = pod

    def send(self, request: Any, *more: Any, **named: Any) -> Any:
        """One call."""
        if "hangs" in str(request.url):
            self.world.clock.advance(30.0)
            raise self._silence("hang", request)
        try:
            answer = super().send(request, *more, **named)
            self.world.clock.advance(LATENCY)
        finally:
            if request.method != "GET":
                self._pod.world.check_lock(self._pod)
        return answer


class WireWorld:
    """The part of a world that the adapter of one pod uses."""

    def __init__(self, pod: Pod) -> None:
        world = pod.world
        self.pod = pod
        self.clock, self.sandbox, self.vendors_time = pod.clock, world.sandbox, world.vendors_time
        self.outages: dict[str, str] = world.outages
        self.failing: dict[str, int] = {}
        self.late, self.too_late = world.late, world.too_late

    def step(self, kind: str, asked: Any) -> str:
        """A call goes out."""
        if self.pod.is_dead:
            raise Crash
        del asked
        return self.pod.world.called(self.pod, kind)

    def postpone(self, vendor: str, asked: Any, *, beyond: bool) -> None:
        """Let the call reach the vendor later."""
        self.sandbox._postpone(vendor, asked, self.too_late if beyond else self.late)

    def is_forgotten(self, asked: Any) -> bool:
        """No outcome is forgotten here."""
        del asked
        return False


_SESSION = sessions.session


def _session(
    settings: Settings, side: Side, clock: Any, limiter: Any, on_request: Any = None, url: str = "", name: str = ""
) -> Http:
    """As `runtime.sessions.session`, on the pod's wire."""
    made = _SESSION(settings, side, clock, limiter, on_request, url, name)
    made._session.requests.mount("https://", PodWire(clock.owner, side.value, side.value))
    made._session.requests.trust_env = False
    return made


class SteadyPace(Pace):
    """Polls no faster after a change: a life has ten times fewer requests, and as many occasions for troubles."""

    def noticed(self, now: float) -> None:
        """Nothing follows."""


def of_pods(world: "RoutesWorld") -> list[Patch]:
    """What makes the product's process a pod of this world."""

    def stray_lock(_url: str, route: str) -> Lock:
        return StrayLock(world.server, route)

    def ended(routes: Collection[RouteJobs], pool: Any) -> Iterator[list[str]]:
        """As `runtime.endings._ended`, with simulated threads."""
        left, over = len(routes), list[str]()

        def end(route: RouteJobs) -> None:
            endings._end(route, pool)
            over.append(route.name)

        for route in routes:
            world.hub.start(partial(end, route), world.hub.owner)
        while left:
            world.hub.wait(0.01)
            names, over[:] = over[:], []
            left -= len(names)
            if names:
                yield names

    return [
        (endings, "_ended", ended),
        (process, "Schedule", SimSchedule),
        (process, "WorkerPool", lambda: SimPool(world.hub)),
        (reading, "Pace", SteadyPace),
        (process, "surround", lambda _fields: None),
        *((module, "session", _session) for module in (reading, shared_keys, shared_heartbeats, wiring)),
        (leadership, "check", lambda _database: REVISION),
        (leadership, "upgrade", lambda _database: REVISION),
        (forgotten_routes, "lock_for", stray_lock),
    ]
