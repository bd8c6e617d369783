"""Several routes on the same keys, each with the daemon's own wiring, against one sandbox in simulated time."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import event

from reconciler.core.model import Pair, Side
from reconciler.core.routing import Member
from reconciler.observability.logs import configure
from reconciler.sandbox.app import Sandbox
from reconciler.sandbox.pagerduty.directory import SERVICE_ID
from reconciler.sandbox.settings import SandboxSettings
from reconciler.sources.pagerduty_feed import PagerDutyFeed
from reconciler.sources.shared_alerts import SharedAlerts
from reconciler.sources.shared_log import SharedLog, open_set
from reconciler.store import key_routes
from reconciler.store.database import Database, open_database
from reconciler.store.lock import Lock
from reconciler.store.migrate import upgrade
from reconciler.vendors.jsm import search as jsm_search
from reconciler.vendors.jsm.client import JsmClient
from reconciler.vendors.opsgenie import search as opsgenie_search
from reconciler.vendors.opsgenie.client import OpsgenieClient
from reconciler.vendors.ports import AlertReader
from tests.support.in_process import HOST
from tests.support.in_process import settings as product_settings
from tests.support.simulated_daemon import Call, Sim, SimulatedDaemon, Wire, _hasten
from tests.support.simulated_time import ThreadsClock

INTERVAL = 10.0


class OwnLock(Lock):
    """A route's lock that no other process wants."""

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        pass


@dataclass
class Routes:
    """The daemons of all routes by name, and what they share."""

    clock: ThreadsClock
    sandbox: Sandbox
    wire: Wire
    database: Database
    daemons: dict[str, SimulatedDaemon]
    shared: SharedAlerts

    def cycle(self) -> list[Call]:
        """One cycle of every route, and the time until the next; returns the requests."""
        before = len(self.wire.calls)
        for daemon in self.daemons.values():
            daemon.cycle()
        self.clock.wait(INTERVAL)
        return self.wire.calls[before:]

    def cycles(self, count: int) -> Counter[str]:
        """So many cycles; returns the requests by vendor and path."""
        return Counter(f"{call.vendor} {call.path}" for _ in range(count) for call in self.cycle())

    def pairs(self, alert_id: str) -> Mapping[str, Pair]:
        """The pairs of an alert, by route."""
        found = {}
        for name in self.daemons:
            with Database(self.database.engine, name).reading() as unit:
                pair = unit.snapshot.pair(alert_id)
            if pair is not None:
                found[name] = pair
        return found

    def raised(self, *tags: str) -> str:
        """Raise an alert with these tags; returns its id."""
        return str(self.sandbox.opsgenie.create_alert("disk is full", user="Ana Ruiz", tags=tags)["id"])

    def incidents(self, alert_id: str) -> int:
        """How many incidents have this alert's id as their key."""
        state: Any = self.sandbox.pagerduty.state()
        return sum(each["incident_key"] == alert_id for each in state["incidents"])


@contextmanager
def routes_on_one_key(folder: Path, members: list[Member], source: str = "opsgenie") -> Iterator[Routes]:
    """The routes with one database, one key of the alerts' product and one of PagerDuty's."""
    clock = ThreadsClock()
    sandbox = Sandbox(clock, SandboxSettings(jsm_only=source == "jsm"))
    wire = Wire(sandbox.handle, clock)
    url = f"sqlite:///{folder / 'routes.db'}"
    database = open_database(url)
    event.listen(database.engine, "connect", _hasten)
    upgrade(database)
    configure("text", "CRITICAL", ())
    wirings = {member.name: _wiring(member, url, database, clock, wire, source) for member in members}
    shared = _shared(next(iter(wirings.values())), database, clock, source)
    shared.set_members(members)
    any_wiring = next(iter(wirings.values()))
    log = SharedLog(any_wiring.pagerduty.log_pages, clock, fresh_for=INTERVAL)
    daemons = {}
    for member in members:
        name, wiring = member.name, wirings[member.name]
        wiring.alerts = reader = shared.reader(name, member.query)
        daemons[name] = made = SimulatedDaemon(wiring, wire, clock, None, sandbox)
        made._daemon.program.feed._first_start._elsewhere = reader.elsewhere
        for timed in made._daemon.program.sources:
            if isinstance(timed.source, PagerDutyFeed):
                timed.source._log = log.reader(name)
                timed.source._open_set_of_key = lambda: _open_set(database, list(wirings))
                timed.source._service_id = SERVICE_ID
    try:
        yield Routes(clock, sandbox, wire, database, daemons, shared)
    finally:
        database.close()


def _wiring(member: Member, url: str, database: Database, clock: ThreadsClock, wire: Wire, source: str) -> Sim:
    query = {"jsm_query" if source == "jsm" else "opsgenie_query": member.query}
    config = product_settings(
        source,
        database_url=SecretStr(url),
        poll_interval_seconds=INTERVAL,
        sweep_interval_seconds=300.0,
        **query,
    )
    made = Sim(config, Database(database.engine, member.name), clock, wire)
    made.leadership._lock = OwnLock()
    return made


def _shared(wiring: Sim, database: Database, clock: ThreadsClock, source: str) -> SharedAlerts:
    reader: Any = wiring.alerts

    def reader_for(query: str) -> AlertReader:
        http = wiring._sessions[Side.ALERTS]
        if source == "jsm":
            return JsmClient(http, reader._site, reader._people, reader._receipts, query, reader._site_url)
        return OpsgenieClient(http, query, f"{HOST}/opsgenie")

    def owners(alert_ids: Any) -> Any:
        with database.reading() as unit:
            return key_routes.owners(unit, alert_ids)

    search = jsm_search.SEARCH if source == "jsm" else opsgenie_search.SEARCH
    return SharedAlerts(reader_for, owners, search, clock, fresh_for=INTERVAL, retry=300.0)


def _open_set(database: Database, names: list[str]) -> int:
    with database.reading() as unit:
        return open_set(key_routes.open_pairs(unit, names))
