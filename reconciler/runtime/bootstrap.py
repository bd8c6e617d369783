"""The composition root: the only place where parts are wired. A dry run gets no part that could write."""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from reconciler import __version__
from reconciler.core.model import Person, Side
from reconciler.core.pause import Pause
from reconciler.core.policy import Policy
from reconciler.core.product import JSM, OPSGENIE, PRODUCTS
from reconciler.observability.events import NULL_EVENTS
from reconciler.observability.logs import get_logger
from reconciler.reconcile.commit import Committer
from reconciler.reconcile.deliver import Deliverer
from reconciler.reconcile.fetch import Fetcher
from reconciler.reconcile.holds import Holds
from reconciler.reconcile.identity import Identity
from reconciler.reconcile.in_flight import InFlight
from reconciler.reconcile.pair import DryRun, Planner, Reconciler
from reconciler.reconcile.priorities import Priorities
from reconciler.reconcile.problems import Problems
from reconciler.reconcile.read_breakers import ReadBreakers
from reconciler.reconcile.vendor_calls import Vendors
from reconciler.reconcile.work_queue import WorkQueue
from reconciler.reconcile.write_breakers import WriteBreakers
from reconciler.runtime.account import Account
from reconciler.runtime.alert_side import Use, alert_side, jsm_side, names_people, query_of
from reconciler.runtime.daemon import SECRETS, Daemon, ReportSoon
from reconciler.runtime.feedback import Feedback
from reconciler.runtime.introduction import Introduction
from reconciler.runtime.leadership import Leadership, stored_work
from reconciler.runtime.pauses import Pauses
from reconciler.runtime.priority_watch import PriorityWatch
from reconciler.runtime.program import Program, Timed
from reconciler.runtime.renewal import Given, Renewal
from reconciler.runtime.report import Collector, Report
from reconciler.runtime.reporter import Reporter
from reconciler.runtime.request_log import log_request
from reconciler.runtime.rounds import Rounds
from reconciler.runtime.schedule import Schedule
from reconciler.runtime.sessions import PAGERDUTY_PER_MINUTE, authorization, session
from reconciler.runtime.shadow import Shadow
from reconciler.runtime.watches import Watches
from reconciler.runtime.worker import Listener, Worker
from reconciler.settings import Settings
from reconciler.sources.alert_feed import AlertFeed
from reconciler.sources.first_start import FirstStart
from reconciler.sources.hints import Hints
from reconciler.sources.horizons import Horizons
from reconciler.sources.intake import DryIntake, DurableIntake, Intake
from reconciler.sources.listings import ListingTools, OpenAlerts, OpenIncidents
from reconciler.sources.pace import Pace
from reconciler.sources.pagerduty_feed import PagerDutyFeed
from reconciler.sources.repetitions import Repetitions
from reconciler.sources.sweep import Retention, Sweep
from reconciler.sources.unrepeated import UnrepeatedIntake
from reconciler.store.address import exists, file_of
from reconciler.store.database import Database, DatabaseDown, open_database
from reconciler.store.files import check_owner, check_private
from reconciler.store.leader_state import LeaderState
from reconciler.store.lock import FileLock, lock_for
from reconciler.store.overview import shown
from reconciler.store.read_only import open_read_only
from reconciler.store.source import check_source
from reconciler.vendors.http import Http, RequestRecord, SystemClock
from reconciler.vendors.pagerduty.client import PagerDutyClient, PagerDutyWriting
from reconciler.vendors.ports import Clock
from reconciler.vendors.rate_limiter import RateLimiter

if TYPE_CHECKING:
    from reconciler.observability.metrics import Metrics

UNAUTHORIZED = 401

AWAY_INTERVALS = 3
"""Poll intervals: an alert that is seen sooner is not late, whatever LATE_SECONDS says."""


def assemble(settings: Settings, stop: threading.Event | None = None) -> "Wiring":
    """The whole program. The database is opened, but not migrated. Misconfigured if it is another user's."""
    url = settings.database_url.get_secret_value()
    file = file_of(url)
    if file is not None:
        check_owner(file)
        check_private(FileLock(file).path)
    database = open_database(url)
    with suppress(DatabaseDown):  # the daemon waits for its database, and checks again before it leads
        check_source(database, settings.alert_source)
    return Wiring(settings, stop or threading.Event(), database, _metrics(settings))


def assemble_dry_run(settings: Settings) -> "DryWiring":
    """A program that only reads: no writers, no deliveries, a database that cannot be written to."""
    url = settings.database_url.get_secret_value()
    if exists(url):
        check_source(open_database(url), settings.alert_source)
    return DryWiring(settings, threading.Event(), open_read_only(url))


class _Reading:
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
    ) -> None:
        self.settings = settings
        self.stop = stop
        self.database = database
        self.metrics = metrics
        self.clock = clock or SystemClock(stop)
        self.on_unauthorized: Callable[[], None] = lambda: None
        self.on_request: Callable[[RequestRecord], None] = lambda _record: None
        self.limiters = {
            Side.ALERTS: self._limiter(Side.ALERTS),
            Side.PAGERDUTY: self._limiter(Side.PAGERDUTY, PAGERDUTY_PER_MINUTE),
        }
        report = _report_bad_row()
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
            _policy(settings),
            self.write_breakers,
            self.fetcher,
            self.problems,
            self._alert_side.user,
        )
        self.planner = Planner(database, self.fetcher, self.clock, self.account.policy)

    def http(self, side: Side, name: str = "") -> Http:
        """A session with one vendor: its own, or the one with this name."""
        return session(self.settings, side, self.clock, self.limiters[side], self._on_request, name=name)

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
        begin = FirstStart(
            self.alerts,
            self.pagerduty,
            database,
            intake,
            clock,
            horizons,
            self.problems,
            may_be_moved=may_be_moved,
        )

        def unrepeated() -> UnrepeatedIntake:
            return UnrepeatedIntake(intake, self.queue, clock)

        def tools() -> ListingTools:
            return ListingTools(database, unrepeated(), clock, horizons, self.is_busy, is_whole)

        listings = (OpenAlerts(self.alerts, repetitions, tools()), OpenIncidents(self.pagerduty, tools()))
        opsgenie = AlertFeed(
            self.alerts,
            database,
            unrepeated(),
            clock,
            horizons,
            policy,
            begin,
            repetitions,
            pace,
            listings[0],
        )
        pagerduty = PagerDutyFeed(self.pagerduty, database, unrepeated(), clock, policy, self.is_busy, pace)
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

    def _limiter(self, side: Side, per_minute: int | None = None) -> RateLimiter:
        made = RateLimiter(self.clock, per_minute)
        if self.metrics:
            self.metrics.limiter(PRODUCTS[self.settings.alert_source].key_of(side), made)
        return made

    def _on_request(self, record: RequestRecord) -> None:
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


class Wiring(_Reading):
    """The whole program: it may write to both vendors and to the database."""

    def __init__(
        self,
        settings: Settings,
        stop: threading.Event,
        database: Database,
        metrics: "Metrics | None" = None,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(settings, stop, database, metrics, clock)
        events = metrics or NULL_EVENTS
        self.in_flight = InFlight()
        self._to_pagerduty = PagerDutyWriting(
            self._sessions[Side.PAGERDUTY], settings.pagerduty_service_id, settings.pagerduty_email
        )
        vendors = Vendors(self.alerts, self.pagerduty, self._alert_side.writer(), self._to_pagerduty)
        assert self.write_breakers is not None  # noqa: S101 - made below
        self.committer = Committer(database, self.clock, events)
        self.deliverer = Deliverer(
            vendors,
            database,
            self.clock,
            self.write_breakers,
            self.in_flight,
            events,
            stop.is_set,
            self.priorities,
        )
        self.reconciler = Reconciler(
            self.planner, self.committer, self.deliverer, database, self.clock, self.interval
        )
        self.lock = lock_for(settings.database_url.get_secret_value())
        self.pauses = Pauses(database, self.clock, self.write_breakers)
        self.leadership = Leadership(
            database, self.lock, self.queue, self.clock, self.interval, self.pauses, settings.alert_source
        )

    def make_write_breakers(self) -> WriteBreakers:
        """The circuit breakers of all writes."""
        return WriteBreakers(self.clock, PRODUCTS[self.settings.alert_source])

    def whole(self, *, is_whole: bool) -> Program:
        """The program, with durable sources."""
        return self.program(
            DurableIntake(self.database, self.queue, self.leader_state),
            Retention(self.database, self.horizons),
            is_whole=is_whole,
        )

    def leader_state(self) -> LeaderState:
        """What only this process knows, for `status`."""
        user = self.account.policy().automation
        return LeaderState(
            self.clock.now(),
            self.leadership.epoch,
            self.leadership.since,
            user.id or user.name,
            {side: limiter.remaining() for side, limiter in self.limiters.items()},
            self.write_breakers.refused_sides() if self.write_breakers else frozenset(),
        )

    def daemon(self, given: Given | None = None) -> Daemon:
        """The daemon. `given` is where the settings came from: secrets in files are read again."""
        program = self.whole(is_whole=False)
        self.leadership.do_first(self.account.began)
        reporter = Reporter(
            self.database,
            self.clock,
            program.wrong,
            self.account.suspect,
            self.settings.remind_seconds,
            self.metrics,
            self.leader_state,
            lambda: self.pauses.present,
            timedelta(seconds=self.settings.staleness_seconds),
            PRODUCTS[self.settings.alert_source],
        )
        watches = self.watches(program)
        schedule = Schedule(self.clock)
        worker = self.worker(program, (reporter, program.feedback, ReportSoon(schedule)))
        keys = [(name, key, Side.ALERTS) for name, key in self._alert_side.keys.items()]
        keys.append(("PAGERDUTY_API_KEY", self._use_pagerduty_key, Side.PAGERDUTY))
        use: dict[str, Use] = {
            name: partial(self._use_key, key, side, program, schedule) for name, key, side in keys
        }
        shadow, shadow_keys = self._shadow(lambda words: reporter.say("shadow", words))
        use |= shadow_keys
        use["HEARTBEAT_URL"] = watches.use_heartbeat_url
        renewal = Renewal(self.settings, given or Given(), self.clock, use, reporter.say)
        if renewal.files:
            self.on_unauthorized = partial(schedule.soon, SECRETS)
        return Daemon(
            program,
            reporter,
            self.leadership,
            worker,
            schedule,
            self.committer,
            self.in_flight,
            renewal,
            self.pauses,
            self.metrics,
            self.about(),
            (*watches.of_daemon(reporter, self.metrics), *shadow, *self._priority_watch(reporter)),
            Introduction(self.settings, self.database, self.account, program.wrong, self.clock),
        )

    def _priority_watch(self, reporter: Reporter) -> tuple[Timed, ...]:
        """What says that a priority of PAGERDUTY_PRIORITIES cannot be used; nothing without it."""
        if not self.settings.pagerduty_priorities:
            return ()
        watch = PriorityWatch(self.priorities, lambda words: reporter.say("priorities", words))
        return (Timed(watch, self.interval.total_seconds),)

    def _shadow(self, say: Callable[[str], None]) -> tuple[tuple[Timed, ...], Mapping[str, Use]]:
        """The comparison of ALERT_SHADOW, and what takes new values of its keys; nothing without it."""
        settings = self.settings
        if settings.alert_shadow in (None, settings.alert_source):
            return (), {}
        limiter = RateLimiter(self.clock)

        def http(name: str) -> Http:
            return session(settings, Side.ALERTS, self.clock, limiter, log_request, name=name)

        side = jsm_side(settings, http, _report_bad_row())
        shadow = Shadow(JSM, side.reader, self.database, self.clock, say, self.metrics)
        return (Timed(shadow, self.horizons.sweep_interval.total_seconds),), side.keys

    def about(self) -> dict[str, object]:
        """What is run, and for whom, without a secret."""
        settings = self.settings
        return {
            "version": __version__,
            "database": shown(settings.database_url.get_secret_value()),
            "service": settings.pagerduty_service_id,
            "user": settings.pagerduty_user,
            "query": query_of(settings),
            "interval_seconds": settings.poll_interval_seconds,
        }

    def _use_pagerduty_key(self, settings: Settings) -> None:
        self._sessions[Side.PAGERDUTY].use_key(authorization(settings, "PagerDuty"))

    def _use_key(self, use: Use, side: Side, program: Program, schedule: Schedule, settings: Settings) -> None:
        """Use the key of these settings, and try at once what waits because the one before was refused."""
        use(settings)
        program.renewed(side)
        for timed in program.sources:
            schedule.soon(timed.source.name)

    def watches(self, program: Program) -> Watches:
        """What tells the outside how the work goes."""
        assert self.write_breakers is not None  # noqa: S101 - made above
        opsgenie = self._sessions[Side.ALERTS]
        if opsgenie.name != OPSGENIE.name:  # JSM raises the alerts, and the heartbeat is still Opsgenie's
            opsgenie = session(
                self.settings, Side.ALERTS, self.clock, RateLimiter(self.clock), log_request, name=OPSGENIE.name
            )
        return Watches(self.settings, opsgenie, self.pagerduty, self._to_pagerduty, self.write_breakers, program)

    def worker(self, program: Program, listeners: tuple[Listener, ...]) -> Worker:
        """The worker that reconciles the pairs of the queue."""
        return Worker(self.queue, self.reconciler, self.holds, program.problems, listeners, self.clock.monotonic)


class DryWiring(_Reading):
    """A program that plans, and writes nothing."""

    def dry(self) -> tuple[Program, Worker, Collector]:
        """The program, its worker, and the collector of the plan."""
        program, collector = self.program(DryIntake(self.queue), None, is_whole=True), Collector()
        self.queue.add(stored_work(self.database, self.account.policy(), self.clock, self.interval))
        worker = Worker(
            self.queue, DryRun(self.planner), self.holds, self.problems, (collector,), self.clock.monotonic
        )
        return program, worker, collector

    def pauses(self) -> tuple[Pause, ...]:
        """The operators' pauses that last."""
        now = self.clock.now()
        with self.database.reading() as unit:
            return tuple(pause for pause in unit.pauses.all() if not pause.is_over(now))


def _metrics(settings: Settings) -> "Metrics | None":
    """The metrics, if there is an HTTP listener that serves them."""
    if settings.http_listen is None:
        return None
    from reconciler.observability.health import Health  # noqa: PLC0415 - most can do without its tenth of a second
    from reconciler.observability.metrics import Metrics  # noqa: PLC0415 - the same

    health = Health(settings.poll_interval_seconds, product=PRODUCTS[settings.alert_source])
    return Metrics(health, SystemClock())


def _policy(settings: Settings) -> Policy:
    return Policy(
        product=PRODUCTS[settings.alert_source],
        on_alert_unacknowledge=settings.on_opsgenie_unacknowledge,
        on_alert_close=settings.on_opsgenie_close,
        on_alert_priority=settings.on_opsgenie_priority,
        high_urgency=frozenset(settings.high_urgency_priorities),
        priorities=settings.pagerduty_priorities,
        title=settings.incident_title,
        details=settings.details(),
        on_pagerduty_ack_timeout=settings.on_pagerduty_ack_timeout,
        service=settings.pagerduty_service_id,
        on_late_alert=settings.on_late_alert,
        late=timedelta(seconds=max(settings.late_seconds, AWAY_INTERVALS * settings.poll_interval_seconds)),
        staleness=timedelta(seconds=settings.staleness_seconds),
        sweep_interval=timedelta(seconds=settings.sweep_interval_seconds),
        retention=timedelta(seconds=settings.retention_seconds),
        acts_are_named=names_people(settings),
        tells_who=PRODUCTS[settings.alert_source] is OPSGENIE,
    )


def _report_bad_row() -> Callable[[str, str], None]:
    """A reporter that logs each kind of unreadable row once, because the same row comes with every poll."""
    logged: set[tuple[str, str]] = set()
    log = get_logger(__name__)

    def report(vendor: str, what: str) -> None:
        if (vendor, what) not in logged and len(logged) < 1000:  # noqa: PLR2004 - memory stays bounded
            logged.add((vendor, what))
            log.warning("a row could not be read and was left out", vendor=vendor, row=what)

    return report
