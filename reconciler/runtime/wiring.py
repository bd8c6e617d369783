"""One route's program: the wiring of a whole one, and that of a dry run, which gets no part that could write."""

import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from reconciler.core.model import Side
from reconciler.core.pause import Pause
from reconciler.core.product import JSM, OPSGENIE, PRODUCTS
from reconciler.observability.events import NULL_EVENTS
from reconciler.reconcile.commit import Committer
from reconciler.reconcile.deliver import Deliverer
from reconciler.reconcile.in_flight import InFlight
from reconciler.reconcile.pair import DryRun, Reconciler
from reconciler.reconcile.vendor_calls import Vendors
from reconciler.reconcile.write_breakers import WriteBreakers
from reconciler.routes import Route
from reconciler.runtime.alert_side import Use, jsm_side, query_of
from reconciler.runtime.connections import Connections
from reconciler.runtime.introduction import Introduction
from reconciler.runtime.leadership import Leadership, stored_work
from reconciler.runtime.pauses import Pauses
from reconciler.runtime.priority_watch import PriorityWatch
from reconciler.runtime.program import Program, Timed
from reconciler.runtime.reading import Reading, report_bad_rows
from reconciler.runtime.renewal import Given, Renewal
from reconciler.runtime.report import Collector
from reconciler.runtime.reporter import Reporter
from reconciler.runtime.request_log import log_request
from reconciler.runtime.route_jobs import SECRETS, ReportSoon, RouteJobs
from reconciler.runtime.route_schedule import RouteSchedule
from reconciler.runtime.sessions import authorization, session
from reconciler.runtime.shadow import Shadow
from reconciler.runtime.shared_keys import SharedKeys
from reconciler.runtime.watches import Watches
from reconciler.runtime.worker import Listener, Worker
from reconciler.settings import Settings
from reconciler.sources.intake import DryIntake, DurableIntake
from reconciler.sources.sweep import Retention
from reconciler.store.database import Database
from reconciler.store.leader_state import LeaderState
from reconciler.store.lock import Lock, lock_for
from reconciler.vendors.http import Http
from reconciler.vendors.pagerduty.client import PagerDutyWriting
from reconciler.vendors.ports import Clock
from reconciler.vendors.rate_limiter import RateLimiter

if TYPE_CHECKING:
    from reconciler.observability.metrics import Metrics


class Wiring(Reading):
    """The whole program: it may write to both vendors and to the database."""

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
        lock: Lock | None = None,
    ) -> None:
        """The last four are given where several routes share this process."""
        super().__init__(settings, stop, database, metrics, clock, connections, shared, route)
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
        self.lock = lock or lock_for(settings.database_url.get_secret_value(), database.route)
        self.pauses = Pauses(database, self.clock, self.write_breakers)
        self.leadership = Leadership(
            database,
            self.lock,
            self.queue,
            self.clock,
            self.interval,
            self.pauses,
            settings.alert_source,
            database.route if shared else "",
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

    def jobs(self, schedule: RouteSchedule, given: Given | None = None) -> RouteJobs:
        """The route's jobs. `given` is where the settings came from: secrets in files are read again."""
        program = self.whole(is_whole=False)
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
        return RouteJobs(
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
            (*watches.of_daemon(reporter, self.metrics), *shadow, *self._priority_watch(reporter)),
            Introduction(self.settings, self.database, self.account, program.wrong, self.clock),
            self.requested,
            is_hinted=self.settings.hears_webhooks(),
            is_one_of_several=self.shared is not None,
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

        side = jsm_side(settings, http, report_bad_rows())
        shadow = Shadow(JSM, side.reader, self.database, self.clock, say, self.metrics)
        return (Timed(shadow, self.horizons.sweep_interval.total_seconds),), side.keys

    def _use_pagerduty_key(self, settings: Settings) -> None:
        self._sessions[Side.PAGERDUTY].use_key(authorization(settings, "PagerDuty"))

    def _use_key(
        self, use: Use, side: Side, program: Program, schedule: RouteSchedule, settings: Settings
    ) -> None:
        """Use the key of these settings, and try at once what waits because the one before was refused."""
        if self.shared is not None:
            self.shared.renewed(self.route, settings, side)
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
        settings = self.settings
        if self.shared is not None:  # the heartbeats are of the whole process: see `shared_heartbeats`
            settings = settings.model_copy(update={"heartbeat_url": None, "opsgenie_heartbeat": None})
        return Watches(settings, opsgenie, self.pagerduty, self._to_pagerduty, self.write_breakers, program)

    def worker(self, program: Program, listeners: tuple[Listener, ...]) -> Worker:
        """The worker that reconciles the pairs of the queue."""
        return Worker(self.queue, self.reconciler, self.holds, program.problems, listeners, self.clock.monotonic)


def about_route(settings: Settings) -> dict[str, object]:
    """What a route with these settings mirrors, and for whom, without a secret."""
    return {"service": settings.pagerduty_service_id, "user": settings.pagerduty_user, "query": query_of(settings)}


class DryWiring(Reading):
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
