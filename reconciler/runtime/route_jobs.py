"""The jobs of one route: sources polled on schedules of their own, and the work of the process that leads it."""

import time
from collections.abc import Callable
from functools import partial
from math import inf
from typing import TYPE_CHECKING

from reconciler.core.model import Side
from reconciler.core.work import Priority
from reconciler.errors import ReconcilerError
from reconciler.observability.defects import defect
from reconciler.observability.logs import get_logger
from reconciler.operations import gauges
from reconciler.reconcile.commit import Committer
from reconciler.reconcile.fetch import Stopping
from reconciler.reconcile.in_flight import InFlight
from reconciler.reconcile.pair import Outcome
from reconciler.reconcile.problems import Problem
from reconciler.runtime.introduction import Introduction
from reconciler.runtime.leadership import Leadership
from reconciler.runtime.pauses import Pauses
from reconciler.runtime.program import Program, Source, Timed
from reconciler.runtime.renewal import CHECK_EVERY, Renewal
from reconciler.runtime.reporter import Reporter
from reconciler.runtime.rounds import FEEDS
from reconciler.runtime.route_schedule import RouteSchedule
from reconciler.runtime.worker import Worker
from reconciler.runtime.worker_pool import WorkerPool
from reconciler.store.database import DatabaseDown, Superseded
from reconciler.store.removed_routes import unmark
from reconciler.vendors.call_context import for_route
from reconciler.vendors.http import RequestRecord

if TYPE_CHECKING:  # imported only with an HTTP listener
    from reconciler.observability.metrics import Metrics

log = get_logger(__name__)

STANDING_BY = "another reconciler is at work on this database: standing by"
RECOVERED_AFTER = 3.0
"""Seconds without a failure after which the database has recovered: on a full disk, small writes succeed."""
REPORT_EVERY = 1.0
"""The least number of seconds between two reports."""
LONGEST_REPORT = 10.0
IDLE = 1.0
"""Seconds after which the thread that waits for hints checks again whether to stop."""
LEADERSHIP, HINTS, REPORT, SECRETS = "leadership", "webhooks", "report", "secrets"
REQUESTS = "operators' requests"


class ReportSoon:
    """Runs the report soon after a pair was acted upon, so that gauges and `status` are up to date."""

    def __init__(self, schedule: RouteSchedule) -> None:
        self._schedule = schedule

    def reconciled(self, outcome: Outcome, _seconds: float) -> None:
        """Note that a pair has been reconciled."""
        if outcome.actions or outcome.problems:
            self._schedule.soon(REPORT, REPORT_EVERY)


class RouteJobs:
    """Runs one route's program, on the schedule and with the workers that all routes share.

    `watches` are polled like sources, and say nothing about the vendors: they tell the outside how the work goes.
    """

    def __init__(
        self,
        program: Program,
        reporter: Reporter,
        leadership: Leadership,
        worker: Worker,
        schedule: RouteSchedule,
        committer: Committer,
        in_flight: InFlight,
        renewal: Renewal,
        pauses: Pauses,
        metrics: "Metrics | None",
        watches: tuple[Timed, ...],
        introduction: Introduction,
        on_request: Callable[[RequestRecord], None] = lambda _record: None,
        *,
        is_hinted: bool = True,
        is_one_of_several: bool = False,
    ) -> None:
        """`is_hinted`: webhooks may come. `is_one_of_several`: who leads which is told of all routes together.

        `on_request` logs and counts a request of this route's.
        """
        self._is_hinted = is_hinted
        self._is_one_of_several = is_one_of_several
        self.introduction = introduction
        self.program = program
        self.renewal = renewal
        self.reporter = reporter
        self.leadership = leadership
        self.schedule = schedule
        self._committer = committer
        self._in_flight = in_flight
        self._pauses = pauses
        self.metrics = metrics
        self.on_request = on_request
        self._watches = watches
        self._database_failed_at = -inf
        self._worker = worker
        self._stands_by = False  # according to the last look; False while that is not known
        self._is_to_hand_over = False
        self._is_barred = False  # from writing, since the lead was handed over
        self._hears = True
        self._has_ended = False
        self._jobs = InFlight()
        leadership.do_first(self._begins_to_lead)

    @property
    def name(self) -> str:
        """The route's name."""
        return self.program.database.route

    def begin(self, pool: WorkerPool) -> None:
        """Put the jobs on the schedule, and let workers take pairs of this route."""
        interval = self.program.interval.total_seconds()
        jobs: list[tuple[str, float | Callable[[], float], Callable[[], None]]] = [
            (LEADERSHIP, interval, self.lead),
            *((each.source.name, each.interval, partial(self.poll, each.source)) for each in self.program.sources),
            *((each.source.name, each.interval, partial(self.watch, each.source)) for each in self._watches),
            *([(HINTS, IDLE, self._take_hints)] if self._is_hinted else []),
            (REPORT, min(max(interval, REPORT_EVERY), LONGEST_REPORT), self.report),
            *([] if self._is_one_of_several else [(SECRETS, CHECK_EVERY, self.renewal.check)]),
        ]
        for name, seconds, job in jobs:
            self.schedule.every(name, seconds, self._guarded(name, job))
        pool.add(
            self.name,
            self._worker,
            self.program.queue,
            lambda: self.leadership.leads and not self._is_barred,  # else what waits is taken again at once
            self._failed_in_work,
        )

    def lead(self) -> None:
        """Take, keep or hand over the lead. When this process begins to lead, every source is polled at once."""
        if self._is_to_hand_over:
            self._is_to_hand_over = False
            self._give_away()
            return
        led = self.leadership.leads
        leads = self.leadership.confirm(self.program.account.policy())
        self._stands_by = not leads
        if self.metrics:
            self.metrics.led() if leads else self.metrics.stood_by()
        if self.program.clock.monotonic() - self._database_failed_at >= RECOVERED_AFTER:
            self.reporter.say("database", "")
            if self.metrics:
                self.metrics.health.failed("")
        self._say_lock("" if leads else self._standing_by())
        if not leads:
            self.reporter.remind()
        if leads and not led:
            for line in self.leadership.news:
                log.info(line)
            self.leadership.news.clear()
            unmark(self.program.database)
            self.take_in()  # what was stored, or a pause that was ended, while the lead began
            self.program.rounds.begin()
            self.introduction.began()
            self.reporter.began()
            for timed in self.program.sources:
                self.schedule.soon(timed.source.name)

    def hand_over(self) -> None:
        """Let another process lead soon: the job that confirms the lead gives it up."""
        self._is_to_hand_over = True
        self.schedule.soon(LEADERSHIP)

    def _give_away(self) -> None:
        """Finish the writes in flight, store and report what is left, and release the lead.

        No write begins until this process leads again: pairs may still be in work.
        """
        if not self._is_barred:
            self._is_barred = True
            self._in_flight.drain()
        self._store_what_is_left()
        self.leadership.give_up()
        self._stands_by = True
        if self.metrics:
            self.metrics.stood_by()

    def _begins_to_lead(self) -> None:
        """Prepare for the lead, before any work is given out."""
        if self._is_barred:
            self._is_barred = False
            self._in_flight.reopen()
        self.program.account.began()

    def _say_lock(self, words: str) -> None:
        if not self._is_one_of_several:
            self.reporter.say("lock", words, serious=False, key=STANDING_BY)

    def _standing_by(self) -> str:
        if self._is_one_of_several:
            return STANDING_BY
        holder = self.leadership.stand_by()
        return f"{STANDING_BY}; {holder} leads" if holder else STANDING_BY

    def poll(self, source: Source) -> None:
        """Poll one source if this process leads."""
        if not self.leadership.leads or self.program.stop.is_set():
            return
        went_well = self.program.poll(source)
        if self.metrics:
            self.metrics.polled(source.name, ok=went_well, side=FEEDS.get(source.name))
        if source is self.program.feed and self.reporter.waits_for_first_start():
            self.schedule.soon(REPORT)

    def watch(self, source: Source) -> None:
        """Poll one of the watches if this process leads."""
        if self.leadership.leads and not self.program.stop.is_set():
            source.poll()

    def report(self) -> None:
        """Report what is wrong, what waits and what is over, and store results that were kept back."""
        if not self.leadership.leads:
            return
        self.program.account.bar()
        self.program.account.keep()
        self.program.holds.release()
        self._committer.flush()
        self.reporter.report()
        self.introduction.report()
        if self.metrics:
            self.metrics.health.problems(self.program.wrong())
            self.metrics.queue(self.program.queue.counts(), self.program.queue.oldest())
            self.metrics.breakers(self.program.open_breakers())
            gauges.refresh(self.metrics, self.program.database)

    def take_in(self) -> None:
        """Take in what operators' commands have stored: pauses, and items of the queue's table."""
        if not self.leadership.leads:
            return
        if self._pauses.take_in():
            self.program.holds.release()
            self.schedule.soon(REPORT)
        with self.program.database.reading() as unit:
            if not unit.work.has_external():
                return
        with self.program.database.writing() as unit:
            items = unit.work.take_in()
        self.program.queue.add(items)

    @property
    def is_paused(self) -> bool:
        """Whether an operator's pause holds writes back, as far as this process knows."""
        return bool(self._pauses.present)

    def requested(self) -> None:
        """Take in what operators have asked of this route; its errors are reported."""
        self._guarded(REQUESTS, self.take_in)()

    def renew(self) -> None:
        """Read the secrets in files again, in one run for all routes, as there are many. Errors are reported."""
        if self.renewal.files:
            self._guarded(SECRETS, self.renewal.check)()

    def turned(self) -> None:
        """Note that the process's loop turns."""
        if self.metrics:
            self.metrics.health.turned()

    def _guarded(self, name: str, job: Callable[[], None]) -> Callable[[], None]:
        """The job, with its errors reported: none ends the schedule."""

        def attempt() -> None:
            try:
                job()
            except Stopping:
                return
            except ReconcilerError as error:
                self._database_failed(error)
            except Exception as error:  # noqa: BLE001 - the job's next run may do better
                met = defect(error, self.program.account.policy().product.word(name))
                self.program.problems.put(f"{name} failed", [Problem(Side.ALERTS, met)])
                self.reporter.say_problems()
            else:
                self.program.problems.put(f"{name} failed")

        def run() -> None:
            with self._jobs.admit() as admitted, for_route(self.name):
                if admitted:
                    attempt()

        return run

    def _failed_in_work(self, error: Exception) -> None:
        """Note that the database failed while a pair was worked on."""
        with for_route(self.name):
            self._database_failed(error)

    def _database_failed(self, error: Exception) -> None:
        """Give the lead up until the database works again; meanwhile nothing is polled or written."""
        if self._has_ended:
            return
        self._stands_by = isinstance(error, Superseded)
        if isinstance(error, Superseded):
            self.leadership.give_up()
            if self.metrics:
                self.metrics.stood_by()
            if not self._is_one_of_several:
                self.reporter.say("lock", str(error), serious=False)
            return
        self.leadership.lose()
        self._database_failed_at = self.program.clock.monotonic()
        if isinstance(error, ReconcilerError):
            if self.metrics:
                self.metrics.health.failed(str(error))
            self.reporter.failed(error)

    def _take_hints(self) -> None:
        """Wait for webhooks' hints and take them in, while this process leads and is not to stop."""
        hints, feed = self.program.hints, self.program.feed
        while self._hears and not self.program.stop.is_set() and self.leadership.leads:
            hints.waiting.wait(IDLE)
            if hints.is_busy():
                self.program.stop.wait(IDLE)
                continue
            self.poll(hints)
            asked = feed.asked_in()
            if asked is not None:
                self.schedule.soon(feed.name, asked)

    def wake(self) -> None:
        """Poll the alerts at once, because a list that serves several routes shows some of this one's."""
        self.program.feed.wake()
        self.schedule.soon(self.program.feed.name)

    def retire(self) -> None:
        """Look for nothing new: only what the route has seen already is still done."""
        kept = {LEADERSHIP, REPORT, SECRETS, self.program.account.name}
        found = [name for name in self.schedule.names if name not in kept]
        if found:
            self.schedule.remove(*found)
        self._stop_listening()

    def left(self) -> int | None:
        """Number of writes, new alerts and acts of people that are still to be worked on.

        0 while another process leads; None while that is not known, as when the database is away.
        """
        if not self.leadership.leads:
            return 0 if self._stands_by else None
        counts = self.program.queue.counts()
        try:
            with self.program.database.reading() as unit:
                return len(unit.outbox.open()) + counts[Priority.PAGE] + counts[Priority.CHANGED]
        except DatabaseDown:
            return None

    def cease(self) -> None:
        """Begin no further job, pair of work or write."""
        self._has_ended = True
        self._jobs.bar()
        self._in_flight.bar()
        self.schedule.remove()
        self._stop_listening()

    def drain(self) -> None:
        """Wait until no write is in flight; none begins afterwards."""
        self.cease()
        self._in_flight.settled()

    def leave(self, pool: WorkerPool, within: float) -> None:
        """End in a process that goes on, after `drain`. Reads under way have so many seconds."""
        last = time.monotonic() + within
        pool.remove(self.name, within)
        self._jobs.settled(max(0.0, last - time.monotonic()))
        self.end()

    def end(self) -> None:
        """Store and report what is left, and release the lead for good."""
        self._store_what_is_left()
        self.leadership.leave()

    def _store_what_is_left(self) -> None:
        """Errors are reported: what ends besides this route goes on."""
        if not self.leadership.leads:
            return
        with for_route(self.name):
            try:
                self._committer.flush()
                self.reporter.report()
            except DatabaseDown:
                return  # it is read once more after the next start
            except Exception as error:  # noqa: BLE001 - the lead is released nevertheless
                defect(error, f"route {self.name}")

    def _stop_listening(self) -> None:
        """End the thread that waits for hints."""
        self._hears = False
        self.program.hints.waiting.wake()
