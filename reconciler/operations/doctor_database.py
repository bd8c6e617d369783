"""Checks of the database: which one it is, who works on it, and whether it can be written to."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from threading import Lock

from reconciler.core.model import Action, Kind, Pair, Side
from reconciler.core.product import OPSGENIE, product_of
from reconciler.errors import Misconfigured
from reconciler.observability.naming import counted, span
from reconciler.operations.findings import Check, Finding, bad, good, warning
from reconciler.store import evidence
from reconciler.store.address import exists
from reconciler.store.database import DEFAULT_ROUTE, Database, current_revision, open_database
from reconciler.store.migrate import known
from reconciler.store.outbox import Outbox
from reconciler.store.overview import lead, shown
from reconciler.store.read_only import open_read_only
from reconciler.store.routes import routes_in
from reconciler.store.schema import REVISION
from reconciler.store.source import other_source, source_of
from reconciler.vendors.ports import Clock

_RECENTLY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Memory:
    """What the database knows that matters to the checks of the vendors."""

    since: datetime | None
    """From this creation time on, unknown alerts page; None before the first start."""
    last_written: dict[Side, datetime | None]
    open_pairs: int = 0


class DatabaseChecks:
    """The database's checks. `memory` is there once `which` has read it."""

    def __init__(
        self,
        url: str,
        lookback: timedelta,
        clock: Clock,
        source: str = OPSGENIE.key,
        route: str = DEFAULT_ROUTE,
        called: str = "",
    ) -> None:
        """`called` is the route's name in ROUTES_FILE."""
        self.lost = ""
        self.memory = Memory(None, dict.fromkeys(Side))
        self._url = url
        self._lookback = lookback
        self._clock = clock
        self._source = source
        self._route = route
        self._called = called
        self._opened: Database | None = None  # closed with its last user
        self._database: Database | None = None
        self._one_at_a_time = Lock()  # a file that is only read has one connection

    def checks(self) -> tuple[Check, ...]:
        """The checks, in order."""
        return (("database", self.which), ("leader", self.leader), ("database writable", self.writable))

    def which(self) -> Finding:
        """Which database it is, its schema, and what is in it."""
        self.lost = "the database cannot be read"
        there = exists(self._url)
        revision = known(current_revision(open_database(self._url))) if there else None
        source = source_of(open_database(self._url).for_route(self._route)) if there else None
        if source not in (None, self._source):
            self.lost = "the database belongs to another product"
            what, _, fix = other_source(source or "", self._source, self._called).partition("; ")
            return bad("database", f"{shown(self._url)}: {what}", fix)
        if revision not in (None, REVISION):
            self.lost = f"the schema is at revision {revision}"
            fix = "`reconciler run` migrates it at its start; `reconciler db upgrade` does that now"
            return warning("database", f"{shown(self._url)}: {self.lost}, this version's is {REVISION}", fix)
        self._opened = open_read_only(self._url)
        database = self._opened.for_route(self._route)
        self.lost, self._database = "", database
        with database.reading() as unit:
            origin = unit.cursors.load(self._clock.now()).origin
            pairs = unit.snapshot.open_pairs()
            self.memory = Memory(
                origin.since if origin else None,
                {side: evidence.last_written(unit, [k for k in Kind if k.side is side]) for side in Side},
                pairs,
            )
        if origin is None:
            begun = "has not seen a first start" if revision else "is empty"
            state = begun if there else "does not exist yet"
            lookback = f"at the first start, open alerts older than {span(self._lookback)} page nobody"
            fix = "if a reconciler has run before, DATABASE_URL does not name its database"
            return warning("database", f"{shown(self._url)} {state}: {lookback}", fix)
        begun = f"first start {origin.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        kind = f"schema {revision}, {begun}, {counted(pairs, 'open pair')}"
        return good("database", f"{shown(self._url)}: {kind}")

    def leader(self) -> Finding:
        """Who leads, and when each side was polled last."""
        with self._read().reading() as unit:
            led, now = lead(unit), self._clock.now()
            positions = unit.cursors.load(now)
        if led is None:
            return good("leader", "no reconciler has worked on this database yet")
        polled = {Side.ALERTS: positions.polled_alerts, Side.PAGERDUTY: positions.polled_pagerduty}
        product = product_of(positions.source)
        ages = ", ".join(f"{product.name_of(side)} polled {_ago(at, now)}" for side, at in polled.items())
        at_work = evidence.is_at_work(self._url)
        is_fresh = all(at is not None and now - at < _RECENTLY for at in polled.values())
        if at_work or (at_work is None and is_fresh):
            words = f"{led.process} leads, {ages}"
            fix = "see `reconciler status` and the log"
            return good("leader", words) if is_fresh else warning("leader", words, fix)
        state = "nobody works on it now" if at_work is False else "nobody seems to work on it"
        words = f"{state}; {led.process} led last, {ages}"
        if is_fresh:  # by `reconciler once`, which has ended
            return good("leader", words)
        return warning("leader", words, "start `reconciler run` unless that is meant")

    def writable(self) -> Finding:
        """Whether this user may write to it."""
        why = evidence.obstacle(self._url)
        if why:
            what, _, fix = why.partition(": ")
            return bad("database writable", what, fix or "give the program's user the right to write there")
        return good("database writable", "nothing speaks against it")

    def pairs(self, alert_ids: Collection[str]) -> dict[str, Pair]:
        """The known pairs of these alerts."""
        with self._one_at_a_time, self._read().reading() as unit:
            return unit.snapshot.pairs(alert_ids)

    def actions(self, alert_ids: Collection[str]) -> dict[str, tuple[Action, ...]]:
        """The stored actions for these alerts, of all routes."""
        with self._one_at_a_time, self._read().reading() as unit:
            connection = unit.outbox.connection
            every = [Outbox(connection, name).of(alert_ids) for name in {self._route, *routes_in(connection)}]
        return {alert_id: tuple(chain(*(each.get(alert_id, ()) for each in every))) for alert_id in alert_ids}

    def _read(self) -> Database:
        if self._database is None:
            raise Misconfigured("DATABASE_URL: the database cannot be read; see the check `database`")
        return self._database


def _ago(at: datetime | None, now: datetime) -> str:
    return "never" if at is None else f"{span(now - at)} ago"
