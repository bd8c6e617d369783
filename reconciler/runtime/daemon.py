"""The daemon: a cycle at once, then one every interval, until it is told to stop. Decides nothing."""

import contextlib
import logging
import time
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from threading import Lock
from types import MappingProxyType

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from reconciler.core.model import Side, Status
from reconciler.engine import Report
from reconciler.errors import ReconcilerError
from reconciler.feeds import Hint
from reconciler.observability.logs import get_logger
from reconciler.observability.naming import pair_name
from reconciler.operations import paging
from reconciler.runtime import milestones
from reconciler.runtime.action_log import ActionLog
from reconciler.runtime.bootstrap import Program
from reconciler.runtime.state_log import StateLog
from reconciler.sight import Stopping
from reconciler.store import overview, troubles
from reconciler.store.database import DatabaseDown, Superseded
from reconciler.store.migrate import check, upgrade
from reconciler.web.inbox import Inbox

log = get_logger(__name__)

STANDING_BY = "another reconciler is at work on this database: standing by"
GRACE = 2.0
"""Seconds that a cycle has to end in once it is told to stop and nothing is being written."""
PATIENCE = 5.0
"""Seconds, at least, that a cycle goes on writing before it looks for new alerts again."""
FOLLOW_UP = 1.0
"""Seconds, at least, after which it is asked what Opsgenie made of a write that it has accepted."""
PAGES_EVERY = 15.0
"""Seconds after which it is looked up again, though nothing happened, whether a page is waiting."""
REMIND = 600.0
MOST_FOLLOWED = 50
"""Writes that are asked about between two cycles; more of them wait for the next one, which pages first."""


class Daemon:
    """Runs the cycles of one program. One thread works; the main thread waits for the signal."""

    def __init__(self, program: Program, interval: float, sweep_interval: float, remind: float = REMIND) -> None:
        self.program = program
        self.interval = interval
        self.sweep_interval = sweep_interval
        self.patience = timedelta(seconds=max(interval, PATIENCE))
        self.failures = 0
        self.states = StateLog(program.clock, remind, self._names)
        self._actions = ActionLog()
        self._kept: tuple[object, ...] | None = None
        self._objections: list[tuple[str, str]] = []
        self._named: frozenset[str] = frozenset()
        self._pages_due = float("-inf")
        self._before: milestones.Standing | None = None
        self._leading = False
        self._resuming = False
        self._follows: datetime | None = None
        self.scheduler = BackgroundScheduler(timezone=UTC, executors={"default": ThreadPoolExecutor(1)})
        self.inbox = Inbox(self._wake)
        self._at_work = Lock()
        self._last = time.monotonic() - interval

    def run(self) -> bool:
        """Until `stop` is set: the write in flight is finished and settled, then this returns.

        False when a read hangs still: its thread must not be waited for. Misconfigured at once when the database
        comes from a newer version.
        """
        with contextlib.suppress(DatabaseDown):  # out of reach is no obstacle: the cycles go on asking
            check(self.program.database)
        self.scheduler.add_job(
            self.tick,
            "interval",
            seconds=self.interval,
            next_run_time=datetime.now(UTC),  # at once, not after one interval
            max_instances=1,  # an overrun does not pile up
            coalesce=True,
            misfire_grace_time=None,  # a late tick is not dropped
        )
        # An overrun is skipped, as it should be: the scheduler's warning in every such second tells nothing new.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        log.info("started", interval_seconds=self.interval)
        self.scheduler.start()
        # A wait without end cannot be interrupted by a signal on every platform.
        while not self.program.stop.wait(timeout=1.0):
            pass
        # Not waited for in `shutdown`: it holds what `add_job` waits for, and whoever is at work may add a job.
        self.scheduler.pause()
        self.program.gate.close()
        if not self._at_work.acquire(timeout=GRACE):
            log.info("stopped", left_behind="a read under way")
            return False
        self.program.lock.release()
        self.program.database.close()
        self._at_work.release()  # for whoever was to begin just now, and will see that it is to stop
        self.scheduler.shutdown(wait=False)
        log.info("stopped")
        return True

    def tick(self) -> None:
        """One cycle, whatever happens in it."""
        self._guarded(self._cycle)

    def glance(self) -> None:
        """Look where webhooks hinted, between two cycles and on their thread."""
        hints = self.inbox.take()
        if hints:
            self._guarded(lambda: self._glance(hints))
            self.inbox.done()

    def _guarded(self, work: Callable[[], object]) -> None:
        """An exception is counted and told, and never ends the daemon. Once that is to stop, nothing is begun."""
        with self._at_work:
            if not self.program.stop.is_set():
                self._work(work)

    def _work(self, work: Callable[[], object]) -> None:
        try:
            if self._may_work():
                work()
                self.states.say("database", "")
        except Stopping:
            return
        except Superseded as error:
            self._leading = False
            self.program.lock.release()
            self.states.say("lock", str(error), serious=False)
        except ReconcilerError as error:
            self._leading = False  # begun anew once the database does as it is asked
            self.failures += 1
            kind = error.kind if isinstance(error, DatabaseDown) else None
            self.states.say("database", str(error), key=kind)
            self.states.remind()
            self._count_failure(str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, the next cycle may do better
            self.failures += 1
            words = "a cycle failed unexpectedly: this is a defect, please report it"
            self.states.say("cycle", words, key=f"{type(error).__name__}: {error}", error=error)
            self.states.remind()
            self._count_failure("a cycle failed unexpectedly, see the log")
        else:
            self.states.say("cycle", "")
        self._keep_troubles()

    def _go_on(self, moment: datetime) -> None:
        """Have a cycle between two beats; one at a time."""
        if self._resuming or self.program.stop.is_set():
            return
        self._resuming = True
        self.scheduler.add_job(self._resume, "date", run_date=moment, misfire_grace_time=None)

    def _resume(self) -> None:
        self._resuming = False
        self.tick()

    def _follow(self, report: Report) -> None:
        """Ask what Opsgenie made of the writes that it has accepted, whenever the latest is twice as old.

        Not where the next cycle, which asks as well, comes sooner.
        """
        sent = [a.sent_at for a in report.actions if a.status is Status.SENT and a.request_id and a.sent_at]
        if not 0 < len(sent) <= MOST_FOLLOWED:
            return
        now = self.program.clock.now()
        wait = max(FOLLOW_UP, abs((now - max(sent)).total_seconds()))
        moment = now + timedelta(seconds=wait)
        if wait >= self.interval or (self._follows and self._follows <= moment):
            return
        self._follows = moment
        self.scheduler.add_job(self._follow_up, "date", run_date=moment, misfire_grace_time=None)

    def _follow_up(self) -> None:
        self._follows = None
        self._guarded(lambda: self._look(()))

    def _count_failure(self, why: str) -> None:
        if self.program.metrics:
            self.program.metrics.cycle_failed(why)

    def _cycle(self) -> None:
        metrics, began = self.program.metrics, time.monotonic()
        if metrics:
            metrics.cycle_began()
        report = self.program.engine.cycle(self._share(), self.patience)
        if time.monotonic() - began > self.interval:  # it missed a beat
            self._go_on(datetime.now(UTC))
        elif report.resume is not None:
            self._go_on(report.resume)
        self._follow(report)
        self._tell(report)
        self._begun(report)
        self.states.cycle(report.problems, report.actions, self._pages(report), self._named)
        if metrics:
            metrics.cycle_ended(report, time.monotonic() - began, self.program.database)

    def _glance(self, hints: Collection[Hint]) -> None:
        report = self._look(hints)
        if self.program.metrics:
            self.program.metrics.glanced(well=not report.problems)

    def _look(self, hints: Collection[Hint]) -> Report:
        """Where it is hinted, and at our writes whose outcome is not known."""
        report = self.program.engine.glance(hints, self.patience)
        if report.resume is not None:
            self._go_on(report.resume)
        self._follow(report)
        self._tell(report)
        self.states.met(report.problems, report.actions)
        if self.program.metrics:
            self.program.metrics.count(report, self.program.database)
        return report

    def _wake(self, seconds: float) -> None:
        if self.program.stop.is_set():  # the next start looks everywhere
            return
        moment = datetime.now(UTC) + timedelta(seconds=seconds)
        self.scheduler.add_job(self.glance, "date", run_date=moment, misfire_grace_time=None)

    def _may_work(self) -> bool:
        """Whether the database is ours and fits this version. Whoever does not hold the lock stands by."""
        if not self.program.lock.acquire():
            self._leading = False
            if self.program.metrics:
                self.program.metrics.stood_by()
            self.states.say("database", "")
            self.states.say("lock", STANDING_BY, serious=False)
            return False
        if not self._leading:
            self._lead()
        return True

    def _lead(self) -> None:
        found = check(self.program.database)
        revision = upgrade(self.program.database)
        if found is None:
            log.info("new database: nothing is known yet, a first start follows", revision=revision)
        elif found != revision:
            words = f"database migrated from revision {found} to {revision}"
            log.info(words, revision=revision)
        epoch = self.program.database.lead()
        self._leading = True
        self._kept = None
        self._before = milestones.look(self.program.database)
        if self.states.lasts("lock"):
            self.states.say("lock", "")
            log.info("took over: the other reconciler has let go, this one is at work now", epoch=epoch)

    def _share(self) -> float:
        """The share of the open pairs that is due to be swept since the last cycle."""
        now = time.monotonic()
        elapsed = min(now - self._last, 3 * self.patience.total_seconds())  # never a burst after a standstill
        self._last = now
        return elapsed / self.sweep_interval

    def _begun(self, report: Report) -> None:
        """Say what a first start, or another query, has changed: once the alerts could be read."""
        if self._before is None or any(problem.side is Side.OPSGENIE for problem in report.problems):
            return
        after = milestones.look(self.program.database)
        for line in milestones.told(self._before, after):
            log.info(line)
        self._before = None if milestones.is_over(after) else self._before

    def _tell(self, report: Report) -> None:
        """What was done, in people's names for it."""
        news = self._actions.news(report.actions)
        if news:
            seen = {alert_id: name.removeprefix("Alert ") for alert_id, name in report.seen.items()}
            self._actions.say(news, self._names({action.alert_id for action in news}, seen))

    def _names(self, alert_ids: Collection[str], seen: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
        """What people call these alerts, with their incidents. Without the database nothing is known of them."""
        try:
            with self.program.database.reading() as books:
                pairs = books.snapshot.pairs(alert_ids)
        except ReconcilerError:
            return {}
        return {alert_id: pair_name(alert_id, pair, seen.get(alert_id, "")) for alert_id, pair in pairs.items()}

    def _pages(self, report: Report) -> list[tuple[str, str]]:
        """Why somebody is not paged. Looked up where something happened, and now and then besides."""
        now = time.monotonic()
        if report.actions or report.problems or self._objections or now >= self._pages_due:
            self._pages_due = now + PAGES_EVERY
            moment = self.program.clock.now()
            with self.program.database.reading() as books:
                found = overview.paging(books, moment)
            self._objections = paging.objections(found, moment)
            if self.program.metrics:
                reason = "; ".join(words for _, words in self._objections)
                self.program.metrics.paging(len(found.waiting), len(found.unpaged), reason)
            self._named = paging.named(found, (str(problem.error) for problem in report.problems))
        return self._objections

    def _keep_troubles(self) -> None:
        """Write down what is wrong, for `status`; only where it changed, and only by who is at work."""
        signature = self.states.signature()
        if self.program.metrics:
            self.program.metrics.troubled(self.states.counts())
        if signature == self._kept or not self._leading:
            return
        try:
            lasting = self.states.lasting()
            with self.program.database.writing() as books:
                troubles.save(books, lasting)
        except DatabaseDown:  # that is a trouble of its own, which is said: this is tried again
            return
        self._kept = signature
