"""The parts of every program, a dry run's included: both vendors' readers, the queue, the planner, the sources."""

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from reconciler.core.model import Person, Side
from reconciler.core.product import PRODUCTS
from reconciler.observability.logs import get_logger
from reconciler.reconcile.fetch import Fetcher
from reconciler.reconcile.holds import Holds
from reconciler.reconcile.identity import Identity
from reconciler.reconcile.pair import Planner
from reconciler.reconcile.priorities import Priorities
from reconciler.reconcile.problems import Problems
from reconciler.reconcile.read_breakers import ReadBreakers
from reconciler.reconcile.work_queue import WorkQueue
from reconciler.reconcile.write_breakers import WriteBreakers
from reconciler.routes import Route
from reconciler.runtime.account import Account
from reconciler.runtime.alert_side import alert_side, query_of
from reconciler.runtime.connections import Connections
from reconciler.runtime.feedback import Feedback
from reconciler.runtime.policies import policy_of
from reconciler.runtime.program import Program, Timed
from reconciler.runtime.report import Report
from reconciler.runtime.request_log import log_request
from reconciler.runtime.rounds import Rounds
from reconciler.runtime.sessions import session
from reconciler.runtime.shared_keys import SharedKeys
from reconciler.settings import Settings
from reconciler.sources.alert_feed import AlertFeed
from reconciler.sources.first_start import FirstStart
from reconciler.sources.hints import Hints
from reconciler.sources.horizons import Horizons
from reconciler.sources.intake import Intake
from reconciler.sources.listings import ListingTools, OpenAlerts, OpenIncidents
from reconciler.sources.pace import Pace
from reconciler.sources.pagerduty_feed import PagerDutyFeed
from reconciler.sources.repetitions import Repetitions
from reconciler.sources.sweep import Retention, Sweep
from reconciler.sources.unrepeated import UnrepeatedIntake
from reconciler.store.database import Database
from reconciler.vendors.http import Http, RequestRecord, SystemClock
from reconciler.vendors.pagerduty.client import PagerDutyClient
from reconciler.vendors.ports import Clock

if TYPE_CHECKING:
    from reconciler.observability.metrics import Metrics

UNAUTHORIZED = 401


class Reading:
    """The parts of every program: both vendors' readers, the queue and the planner.

    Tests pass their own clock, and override `http`.
    """

    def __init__(
        self,
        settings: Settings,
        stop: threading.Event,
        database: Database,
        metrics: "Metrics | None" = None,
        clock: Clock | None = None,
        connections: Connections | None = None,
        shared: SharedKeys | None = None,
        route: Route | None = None,
    ) -> None:
        """`connections` and `shared` are what the routes of this process share; `route` is this one of them."""
        self.settings = settings
        self.route = route or Route(database.route, settings)
        self.shared = shared
        self.stop = stop
        self.database = database
        self.metrics = metrics
        self.clock = clock or SystemClock(stop)
        self.on_unauthorized: Callable[[], None] = lambda: None
        self.on_request: Callable[[RequestRecord], None] = lambda _record: None
        self.connections = connections or Connections(self.clock)
        self.limiters = {side: self.connections.limiter(self.route, side) for side in Side}
        if metrics:
            for side, limiter in self.limiters.items():
                metrics.limiter(PRODUCTS[settings.alert_source].key_of(side), limiter)
        report = report_bad_rows()
        self._alert_side = alert_side(settings, partial(self.http, Side.ALERTS), report)
        self.alerts = self._alert_side.reader
        self._sessions = {Side.ALERTS: self._alert_side.session, Side.PAGERDUTY: self.http(Side.PAGERDUTY)}
        self.pagerduty = PagerDutyClient(
            self._sessions[Side.PAGERDUTY],
            settings.pagerduty_service_id,
            settings.pagerduty_email,
            settings.pagerduty_user,
            on_bad_row=report,
        )
        self.interval = timedelta(seconds=settings.poll_interval_seconds)
        self.horizons = Horizons(
            lookback=timedelta(seconds=settings.initial_lookback_seconds),
            sweep_interval=timedelta(seconds=settings.sweep_interval_seconds),
            retention=timedelta(seconds=settings.retention_seconds),
            query=query_of(settings),
            source=settings.alert_source,
        )
        self.queue = WorkQueue(self.clock)
        self.problems = Problems()
        self.breakers = ReadBreakers(self.clock)
        self.fetcher = Fetcher(
            self.alerts,
            self.pagerduty,
            database,
            self.breakers,
            self.clock,
            self.stop.is_set,
            PRODUCTS[settings.alert_source],
        )
        configured = Person(settings.pagerduty_user, settings.pagerduty_user)
        identity = Identity(self.pagerduty, configured, self.clock, self.horizons.sweep_interval)
        wanted = (name for _, name in settings.pagerduty_priorities)
        self.priorities = Priorities(self.pagerduty, wanted, self.clock, settings.sweep_interval_seconds)
        self.write_breakers = self.make_write_breakers()
        self.holds = Holds(self.queue, self.breakers, self.write_breakers)
        self.account = Account(
            identity,
            policy_of(settings),
            self.write_breakers,
            self.fetcher,
            self.problems,
            self._alert_side.user,
        )
        self.planner = Planner(database, self.fetcher, self.clock, self.account.policy)

    def http(self, side: Side, name: str = "") -> Http:
        """A session with one vendor: its own, or the one with this name."""
        return session(self.settings, side, self.clock, self.limiters[side], self.requested, name=name)

    def names(self, report: Report) -> dict[str, str]:
        """Display names of the alerts in a report, by id, with the incident if there is one."""
        wanted = {action.alert_id for action in report.actions}
        with self.database.reading() as unit:
            pairs = unit.snapshot.pairs(wanted)
        found = {}
        for alert_id in wanted:
            pair = pairs.get(alert_id)
            name = report.names.get(alert_id, f"Alert #{pair.tiny_id if pair else '?'}")
            number = pair.incident_number if pair else None
            found[alert_id] = f"{name} and incident #{number}" if number else name
        return found

    def make_write_breakers(self) -> WriteBreakers | None:
        """The circuit breakers of all writes; None if nothing is ever written."""
        return None

    def program(self, intake: Intake, retention: Retention | None, *, is_whole: bool) -> Program:
        """The program with all its sources. `is_whole`: each is polled only once, and takes in everything."""
        clock, database, horizons, policy = self.clock, self.database, self.horizons, self.account.policy
        pace = Pace(
            self.interval.total_seconds(), lambda: min(limiter.rate() for limiter in self.limiters.values())
        )
        repetitions = Repetitions(clock)
        may_be_moved = self.settings.alert_source != "opsgenie"
        name = database.route
        shared_alerts = self.shared.alerts(self.route) if self.shared else None
        shared_reader = shared_alerts.reader(name, query_of(self.settings)) if shared_alerts else None
        lists = shared_reader or self.alerts
        begin = FirstStart(
            lists,
            self.pagerduty,
            database,
            intake,
            clock,
            horizons,
            self.problems,
            may_be_moved=may_be_moved,
            **({"elsewhere": shared_reader.elsewhere} if shared_reader else {}),
        )

        def unrepeated() -> UnrepeatedIntake:
            return UnrepeatedIntake(intake, self.queue, clock)

        def tools() -> ListingTools:
            return ListingTools(database, unrepeated(), clock, horizons, self.is_busy, is_whole)

        listings = (OpenAlerts(lists, repetitions, tools()), OpenIncidents(self.pagerduty, tools()))
        opsgenie = AlertFeed(
            lists,
            database,
            unrepeated(),
            clock,
            horizons,
            policy,
            begin,
            repetitions,
            pace,
            listings[0],
            partial(shared_alerts.expire, name) if shared_alerts else _nothing,
        )
        pagerduty = PagerDutyFeed(
            self.pagerduty,
            database,
            unrepeated(),
            clock,
            policy,
            self.is_busy,
            pace,
            self.shared.pagerduty(self.route) if self.shared else None,
        )
        sweep = Sweep(
            database, intake, self.queue, clock, horizons, listings, self.is_busy, retention, whole=is_whole
        )
        hints = Hints(self.pagerduty, database, intake, self.queue, clock, opsgenie, self.is_busy)
        often = lambda: pace.interval(clock.monotonic())  # noqa: E731 - asked after each poll
        share = min(self.interval.total_seconds(), horizons.sweep_interval.total_seconds() / 10)
        return Program(
            sources=(
                Timed(self.account, self.interval.total_seconds),
                Timed(opsgenie, often),
                Timed(pagerduty, often),
                *(Timed(source, lambda: share) for source in (sweep, *listings)),
            ),
            account=self.account,
            feed=opsgenie,
            hints=hints,
            feedback=Feedback(repetitions, pace, clock),
            rounds=Rounds(clock),
            queue=self.queue,
            holds=self.holds,
            problems=self.problems,
            read_breakers=self.breakers,
            write_breakers=self.write_breakers,
            database=database,
            clock=clock,
            stop=self.stop,
            interval=self.interval,
        )

    def requested(self, record: RequestRecord) -> None:
        """Log and count a request to a vendor."""
        log_request(record)
        self.on_request(record)
        if self.metrics:
            self.metrics.request(record)
        if record.status == UNAUTHORIZED:
            self.on_unauthorized()

    def rate(self) -> float:
        """Calls a second that the stricter vendor allows."""
        return min(limiter.rate() for limiter in self.limiters.values())

    def is_busy(self) -> bool:
        """Whether so much of a rate is used that work that can wait should wait."""
        return any(limiter.is_saturated() for limiter in self.limiters.values())


def _nothing() -> None:
    """Do nothing: the list is this route's own."""


def report_bad_rows() -> Callable[[str, str], None]:
    """A reporter that logs each kind of unreadable row once, because the same row comes with every poll."""
    logged: set[tuple[str, str]] = set()
    log = get_logger(__name__)

    def report(vendor: str, what: str) -> None:
        if (vendor, what) not in logged and len(logged) < 1000:  # noqa: PLR2004 - memory stays bounded
            logged.add((vendor, what))
            log.warning("a row could not be read and was left out", vendor=vendor, row=what)

    return report
