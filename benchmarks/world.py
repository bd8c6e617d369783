"""The product's engine in this process, on any vendor that is a function: no socket, everything counted."""

import io
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests
import urllib3
from reconciler.apply import Applier
from reconciler.crew import Pace
from reconciler.engine import Engine, Report
from reconciler.looks import Horizons
from reconciler.observe import Observer
from requests.adapters import BaseAdapter
from sqlalchemy import event
from urllib3.connection import HTTPConnection
from urllib3.exceptions import NewConnectionError

from benchmarks.sim import SimClock, SimCrew
from reconciler.core.model import Person, Policy
from reconciler.reconcile.identity import Identity
from reconciler.reconcile.vendor_calls import Remotes
from reconciler.runtime.bootstrap import PAGERDUTY_PER_MINUTE
from reconciler.runtime.daemon import PATIENCE
from reconciler.sandbox.app import Sandbox
from reconciler.sandbox.pagerduty_state import BOT, SERVICE_ID
from reconciler.sandbox.settings import SandboxSettings
from reconciler.sandbox.wire import Request, Response, parse_query
from reconciler.store.database import Database, open_database
from reconciler.store.migrate import upgrade
from reconciler.vendors.http import Http, RequestRecord
from reconciler.vendors.opsgenie.client import OpsgenieClient, OpsgenieWriting
from reconciler.vendors.pagerduty.client import PagerDutyClient, PagerDutyWriting
from reconciler.vendors.rate_limiter import RateLimiter

ABOUT_US = ("/users", "/services", "/oncalls", "/escalation_policies")
"""What is asked of PagerDuty at the start and once a sweep interval: who we are, who would be paged."""
KEYS = SandboxSettings()
HOST = "http://vendors.invalid"
Vendor = Callable[[Request], Any]


class Clock(Protocol):
    """What the wire needs of a clock."""

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
        """Whether it is no mere read."""
        return self.method != "GET"


class Wire(BaseAdapter):
    """Carries requests to a function. `gone` names vendors that cannot be reached at the moment.

    `calls` are those for pairs and news; those in `about_us` ask about the account and are counted apart.
    """

    def __init__(self, vendor: Vendor, clock: Clock, latency: float = 0.0) -> None:
        super().__init__()
        self.vendor = vendor
        self.clock = clock
        self.latency = latency
        self.gone: set[str] = set()
        self.calls: list[Call] = []
        self.about_us: list[Call] = []

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """One exchange."""
        parts = urlsplit(str(request.url))
        name, _, path = parts.path.lstrip("/").partition("/")
        body = request.body or b""
        raw = body.encode() if isinstance(body, str) else body
        if name in self.gone:
            self._count(Call(self.clock.monotonic(), name, str(request.method), f"/{path}", 0, b""))
            refused = NewConnectionError(HTTPConnection("vendors.invalid"), "refused")
            raise requests.exceptions.ConnectionError(refused)
        headers = {key.lower(): str(value) for key, value in request.headers.items()}
        if self.latency:
            self.clock.wait(self.latency / 2)
        asked = Request(str(request.method), parts.path, parse_query(parts.query), headers, raw)
        answer: Response = self.vendor(asked)
        self._count(Call(self.clock.monotonic(), name, str(request.method), f"/{path}", answer.status, raw))
        if self.latency:
            self.clock.wait(self.latency / 2)
        response = requests.Response()
        response.status_code = answer.status
        response.headers.update(answer.headers)
        response.raw = urllib3.HTTPResponse(
            io.BytesIO(answer.body), headers=answer.headers, status=answer.status, preload_content=False
        )
        response.request, response.url = request, str(request.url)
        return response

    def _count(self, call: Call) -> None:
        (self.about_us if call.path.startswith(ABOUT_US) else self.calls).append(call)

    def close(self) -> None:
        """Nothing is open."""


class Statements:
    """What a database is asked: statements, and transactions that may write."""

    def __init__(self, database: Database) -> None:
        self.count: Counter[str] = Counter()
        event.listen(database.engine, "before_cursor_execute", self._heard)

    def _heard(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("BEGIN"):
            self.count["commits" if "IMMEDIATE" in statement else "reading transactions"] += 1
        else:
            self.count["statements"] += 1


@dataclass
class World:
    """A wired engine, and what it stands on."""

    clock: SimClock
    wire: Wire
    database: Database
    engine: Engine
    interval: float
    sweep_interval: float
    sandbox: Sandbox | None = None
    _last: float | None = field(default=None)
    _resume: datetime | None = field(default=None)

    def cycle(self) -> Report:
        """One cycle, as the daemon runs it."""
        now = self.clock.monotonic()
        share = (now - self._last) / self.sweep_interval if self._last is not None else 0.0
        self._last = now
        report = self.engine.cycle(share, timedelta(seconds=max(self.interval, PATIENCE)))
        late = self.clock.monotonic() - now > self.interval
        self._resume = self.clock.now() if late else report.resume
        return report

    def pause(self) -> None:
        """Until the next cycle, as the daemon has it: one interval after the last, sooner where work was left."""
        assert self._last is not None
        left = self._last + self.interval - self.clock.monotonic()
        if self._resume is not None:
            left = min(left, (self._resume - self.clock.now()).total_seconds())
        self.clock.wait(max(left, 0.0))

    def until(self, shown: Callable[[], bool], at_most: float) -> float:
        """Cycles until something shows; the seconds that it took. AssertionError when it does not."""
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
        """Whether nothing is left to be done or asked."""
        with self.database.reading() as books:
            return not books.outbox.open()

    @property
    def people(self) -> Sandbox:
        """The sandbox, for acts by hand."""
        assert self.sandbox is not None
        return self.sandbox


@contextmanager
def world(
    file: Path,
    *,
    vendor: Vendor | None = None,
    settings: SandboxSettings | None = None,
    clock: SimClock | None = None,
    latency: float = 0.0,
    hands: int | None = None,
    interval: float = 10.0,
    sweep_interval: float = 300.0,
    retention: timedelta = timedelta(days=30),
) -> Iterator[World]:
    """The engine over a new or given database file, on the sandbox or on another vendor."""
    clock = clock or SimClock()
    sandbox = None
    if vendor is None:
        sandbox = Sandbox(clock, settings)
        vendor = sandbox.handle
    wire = Wire(vendor, clock, latency)
    database = open_database(f"sqlite:///{file}")
    event.listen(database.engine, "connect", _hasten)
    upgrade(database)
    horizons = Horizons(timedelta(hours=1), timedelta(seconds=sweep_interval), retention)
    engine = _engine(wire, clock, database, hands, horizons)
    try:
        yield World(clock, wire, database, engine, interval, sweep_interval, sandbox)
    finally:
        database.close()


def _hasten(connection: Any, _record: Any) -> None:
    """Where time is simulated the disk is not waited for."""
    connection.execute("PRAGMA synchronous=OFF")


def _engine(wire: Wire, clock: SimClock, database: Database, hands: int | None, horizons: Horizons) -> Engine:
    budget = RateLimiter(clock, PAGERDUTY_PER_MINUTE)
    pace = Pace(budget.rate)

    def answered(record: RequestRecord) -> None:
        pace.learn(record.seconds)

    def http(name: str, authorization: str, budget: RateLimiter) -> Http:
        url, headers = f"{HOST}/{name.lower()}", {"Authorization": authorization}
        return Http(url, headers, name=name, clock=clock, limiter=budget, adapter=wire, on_request=answered)

    opsgenie = http("Opsgenie", f"GenieKey {KEYS.opsgenie_key}", RateLimiter(clock))
    pagerduty = http("PagerDuty", f"Token token={KEYS.pagerduty_key}", budget)
    to_read = OpsgenieClient(opsgenie, "", f"{HOST}/opsgenie")
    from_pagerduty = PagerDutyClient(pagerduty, SERVICE_ID, BOT.email, BOT.id)
    to_pagerduty = PagerDutyWriting(pagerduty, SERVICE_ID, BOT.email)
    remotes = Remotes(to_read, from_pagerduty, OpsgenieWriting(opsgenie), to_pagerduty)
    crew: Any = SimCrew((lambda: hands) if hands else pace.hands, clock)
    never = threading.Event().is_set
    identity = Identity(from_pagerduty, Person(BOT.id, BOT.name), clock, timedelta(days=3650))
    identity.known, identity._refresh = True, float("inf")  # it costs a few requests once in an interval
    return Engine(
        Observer(to_read, from_pagerduty, database, horizons, never, crew, budget.is_saturated),
        Applier(remotes, database, clock, never, crew),
        database,
        clock,
        Policy(),
        identity,
        expect=budget.expect_pages,
    )


def counted(calls: list[Call]) -> Counter[str]:
    """Requests by vendor, reads and writes."""
    return Counter(f"{call.vendor} {'writes' if call.is_write else 'reads'}" for call in calls)
