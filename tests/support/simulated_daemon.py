"""The daemon in this process, against vendors given as a function: no socket, and every request counted."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import requests
from pydantic import SecretStr
from requests.adapters import BaseAdapter
from sqlalchemy import event
from urllib3.connection import HTTPConnection
from urllib3.exceptions import NewConnectionError

from reconciler.core.model import Side
from reconciler.observability.logs import configure
from reconciler.runtime.rounds import FEEDS
from reconciler.runtime.route_jobs import REPORT_EVERY
from reconciler.runtime.route_schedule import RouteSchedule
from reconciler.runtime.schedule import Schedule
from reconciler.runtime.wiring import Wiring
from reconciler.runtime.worker import PAGE_WORKERS, WORKERS
from reconciler.sandbox.app import Sandbox
from reconciler.sandbox.settings import SandboxSettings
from reconciler.sandbox.wire import Request, Response
from reconciler.settings import Settings
from reconciler.store.database import Database, open_database
from reconciler.store.migrate import upgrade
from reconciler.vendors.http import Http
from tests.support.in_process import answer_to, asked_of
from tests.support.in_process import settings as product_settings
from tests.support.simulated_time import SimLock, SimThreads, ThreadsClock

TICK = 0.05
"""Simulated seconds between two checks whether a thread has work to do."""
LEAST = 0.00001
"""The least simulated seconds that a pair takes; more than the rounding of a due time."""
MOMENT = 0.001
"""Simulated seconds by which a due time is overshot, so that it is past."""
ABOUT_US = ("/users", "/services", "/oncalls", "/escalation_policies")
"""Paths requested from PagerDuty at the start and once a sweep interval: the automation user and who is paged."""
Vendor = Callable[[Request], Any]


class Clock(Protocol):
    """The part of a clock that the wire needs."""

    def monotonic(self) -> float:
        """Seconds."""

    def wait(self, seconds: float) -> bool:
        """Wait."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request that was answered. `status` is 0 where the vendor was out of reach."""

    at: float
    vendor: str
    method: str
    path: str
    status: int
    body: bytes

    @property
    def is_write(self) -> bool:
        """Whether it writes."""
        return self.method != "GET"


class Wire(BaseAdapter):
    """Carries requests to a function. `gone` names vendors that cannot be reached at the moment.

    `calls` are those for pairs and feeds; those in `about_us` are about the account and counted separately.
    """

    def __init__(self, vendor: Vendor, clock: Clock, latency: float = 0.0) -> None:
        super().__init__()
        self.vendor = vendor
        self.clock = clock
        self.latency = latency
        self.gone: set[str] = set()
        self.calls: list[Call] = []
        self.about_us: list[Call] = []

    def send(self, request: requests.PreparedRequest, *_more: Any, **_named: Any) -> requests.Response:
        """One exchange."""
        asked = asked_of(request)
        name, _, path = asked.path.lstrip("/").partition("/")
        if name in self.gone:
            self._count(Call(self.clock.monotonic(), name, asked.method, f"/{path}", 0, b""))
            refused = NewConnectionError(HTTPConnection("vendors.invalid"), "refused")
            raise requests.exceptions.ConnectionError(refused)
        if self.latency:
            self.clock.wait(self.latency / 2)
        answer: Response = self.vendor(asked)
        self._count(Call(self.clock.monotonic(), name, asked.method, f"/{path}", answer.status, asked.body))
        if self.latency:
            self.clock.wait(self.latency / 2)
        return answer_to(request, answer)

    def _count(self, call: Call) -> None:
        (self.about_us if call.path.startswith(ABOUT_US) else self.calls).append(call)

    def close(self) -> None:
        """Do nothing, as there is no connection."""


class Statements:
    """Counts a database's statements and writing transactions."""

    def __init__(self, database: Database) -> None:
        self.count: Counter[str] = Counter()
        event.listen(database.engine, "before_cursor_execute", self._heard)

    def _heard(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("BEGIN"):
            self.count["commits" if "IMMEDIATE" in statement else "reading transactions"] += 1
        else:
            self.count["statements"] += 1


class Sim(Wiring):
    """The daemon's own wiring, on the simulated clock and wire. `busy` overrides whether the rate is needed."""

    def __init__(self, config: Settings, database: Database, clock: ThreadsClock, wire: Wire) -> None:
        self._wire = wire
        self.busy: bool | None = None
        super().__init__(config, threading.Event(), database, clock=clock)
        identity = self.account._identity
        identity.known, identity._refresh = True, float("inf")  # it costs a few requests once in an interval
        existing, keys = self.deliverer._tools.existing, self.deliverer._tools.keys
        locks: Any = SimLock(clock), {side: SimLock(clock) for side in Side}, SimLock(clock)
        existing._lock, keys._locks, self.fetcher.absence._list_lock = locks

    def http(self, side: Side, name: str = "") -> Http:
        """A session whose requests stay in this process."""
        made = super().http(side, name)
        made._session.requests.mount("https://", self._wire)
        return made

    def is_busy(self) -> bool:
        """As `busy` says, or as the rate limiters do where it is None."""
        return super().is_busy() if self.busy is None else self.busy


class SimulatedDaemon:
    """The daemon's jobs and workers in simulated time, with their wiring.

    Where calls take time, every job and worker has its own thread; otherwise they run one after the other.
    """

    def __init__(
        self, wiring: Sim, wire: Wire, clock: ThreadsClock, hands: int | None, sandbox: Sandbox | None
    ) -> None:
        self.clock = clock
        self.wire = wire
        self.wiring = wiring
        self.database = wiring.database
        self.interval = wiring.interval.total_seconds()
        self.sandbox = sandbox
        self._daemon = daemon = wiring.jobs(RouteSchedule(Schedule(clock), wiring.database.route))
        self._worker = wiring.worker(daemon.program, (daemon.reporter, daemon.program.feedback))
        self._queue = daemon.program.queue
        daemon.leadership.confirm(daemon.program.account.policy())
        feeds = {timed.source.name: timed for timed in daemon.program.sources if timed.source.name in FEEDS}
        jobs = [
            Job(timed.source.name, timed.interval, partial(daemon.poll, timed.source))
            for timed in daemon.program.sources
        ]
        report = max(self.interval, REPORT_EVERY)  # whole days between two reports are no ten thousand
        self._jobs = [*jobs, Job("report", lambda: report, daemon.report)]
        self._feeds = [job for job in jobs if job.name in feeds]
        self._hands = [False] * (hands or WORKERS) + [True] * (0 if hands else PAGE_WORKERS)
        self._threads = SimThreads(clock) if wire.latency else None
        self._working: set[int] = set()

    def every(self, seconds: float) -> None:
        """Change POLL_INTERVAL_SECONDS from now on."""
        self.interval = seconds
        self._daemon.program.feed._pace._interval = seconds

    def cycle(self) -> None:
        """Poll both feeds, and work until nothing is due, or a feed is to be polled again."""
        for job in self._feeds:
            job.due = min(job.due, self.clock.monotonic())
        self._run_due()
        last = self.clock.monotonic() + self.interval
        while self._threads is not None and (self._threads.running or self._is_due()):
            if self.clock.monotonic() > last:
                break
            self.clock.wait(TICK)
            self._run_due()

    def pause(self) -> None:
        """Let time pass until a feed is due again; work that becomes due meanwhile is done."""
        while (target := min(job.due for job in self._feeds)) > self.clock.monotonic():
            due_in = self._queue.next_due()
            work = target if due_in is None else self.clock.monotonic() + due_in
            others = (job.due for job in self._jobs if not job.is_running)
            busy = self.clock.monotonic() + TICK if self._threads is not None and self._threads.running else target
            moment = min(target, max(work, self.clock.monotonic() + MOMENT), busy, *others)
            self.clock.wait(moment - self.clock.monotonic())
            if moment < target:
                self._run_due()

    def until(self, shown: Callable[[], bool], at_most: float) -> float:
        """Run cycles until a condition holds; returns the seconds taken. AssertionError when it never does."""
        started = self.clock.monotonic()
        while True:
            self.cycle()
            if shown():
                return self.clock.monotonic() - started
            if self.clock.monotonic() - started > at_most:
                raise AssertionError(f"not seen within {at_most:.0f} simulated seconds")
            self.pause()

    @property
    def is_settled(self) -> bool:
        """Whether no action is open and no pair is due."""
        with self.database.reading() as unit:
            return not unit.outbox.open() and not unit.work.all()

    @property
    def people(self) -> Sandbox:
        """The sandbox, for acts by hand."""
        assert self.sandbox is not None
        return self.sandbox

    def _is_due(self) -> bool:
        return self._queue.next_due() == 0

    def _run_due(self) -> None:
        """Start every job that is due, and all workers while any pair is due."""
        now = self.clock.monotonic()
        for job in [job for job in self._jobs if not job.is_running and job.due <= now]:
            job.due, job.is_running = now + job.interval(), True
            self._start(partial(self._run, job))
        while self._threads is None and self._worker.work_one():
            self.clock.wait(LEAST)
        for number, pages_only in enumerate(self._hands):
            if self._threads is None or not self._is_due():
                break
            if number not in self._working:
                self._working.add(number)
                self._start(partial(self._work, number, pages_only=pages_only))
        if self._threads is not None and self._threads.failures:
            raise self._threads.failures[0]

    def _start(self, work: Callable[[], None]) -> None:
        if self._threads is None:
            work()
        else:
            self._threads.start(work)

    def _run(self, job: "Job") -> None:
        began = self.clock.monotonic()
        try:
            job.run()
        finally:
            job.due, job.is_running = max(began + job.interval(), self.clock.monotonic()), False

    def _work(self, number: int, *, pages_only: bool) -> None:
        try:
            while self._worker.work_one(pages_only=pages_only):
                self.clock.wait(LEAST)
        finally:
            self._working.discard(number)


@dataclass(slots=True)
class Job:
    """One of the daemon's jobs."""

    name: str
    interval: Callable[[], float]
    run: Callable[[], None]
    due: float = 0.0
    is_running: bool = False


@contextmanager
def world(
    file: Path,
    *,
    vendor: Vendor | None = None,
    settings: SandboxSettings | None = None,
    clock: ThreadsClock | None = None,
    latency: float = 0.0,
    hands: int | None = None,
    interval: float = 10.0,
    sweep_interval: float = 300.0,
    retention: timedelta = timedelta(days=30),
) -> Iterator[SimulatedDaemon]:
    """The daemon with a new or given database file, against the sandbox or another vendor."""
    clock = clock or ThreadsClock()
    sandbox = None
    if vendor is None:
        sandbox = Sandbox(clock, settings)
        vendor = sandbox.handle
    wire = Wire(vendor, clock, latency)
    database = open_database(f"sqlite:///{file}")
    event.listen(database.engine, "connect", _hasten)
    upgrade(database)
    config = product_settings(
        database_url=SecretStr(f"sqlite:///{file}"),
        poll_interval_seconds=interval,
        sweep_interval_seconds=sweep_interval,
        retention_seconds=retention.total_seconds(),
    )
    wiring = Sim(config, database, clock, wire)
    configure("text", "CRITICAL", ())
    try:
        yield SimulatedDaemon(wiring, wire, clock, hands, sandbox)
    finally:
        wiring.lock.release()
        database.close()


def _hasten(connection: Any, _record: Any) -> None:
    """Skip waits for the disk, as time is simulated."""
    connection.execute("PRAGMA synchronous=OFF")


def counted(calls: list[Call]) -> Counter[str]:
    """Requests by vendor, reads and writes."""
    return Counter(f"{call.vendor} {'writes' if call.is_write else 'reads'}" for call in calls)
