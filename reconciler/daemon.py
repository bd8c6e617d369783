"""The daemon: a cycle at once, then one every interval, until it is told to stop. Decides nothing."""

import contextlib
import logging
import re
import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from threading import Lock

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from reconciler.bootstrap import Program
from reconciler.core.model import Action, Side, Status
from reconciler.engine import Report
from reconciler.errors import Misconfigured, ReconcilerError
from reconciler.feeds import Hint
from reconciler.sight import Problem, Stopping
from reconciler.store.database import DatabaseDown, Superseded
from reconciler.store.migrate import check, upgrade
from reconciler.telemetry import get_logger
from reconciler.web.inbox import Inbox

log = get_logger(__name__)

_REQUEST = re.compile(r" \(request [^)]*\)")
"""What is different in each refusal, though it is the same one."""
GRACE = 2.0
"""Seconds that a cycle has to end in once it is told to stop and nothing is being written."""
PATIENCE = 5.0
"""Seconds, at least, that a cycle goes on writing before it looks for new alerts again."""
FOLLOW_UP = 1.0
"""Seconds, at least, after which it is asked what Opsgenie made of a write that it has accepted."""
MOST_FOLLOWED = 50
"""Writes that are asked about between two cycles; more of them wait for the next one, which pages first."""


class Daemon:
    """Runs the cycles of one program. One thread works; the main thread waits for the signal."""

    def __init__(self, program: Program, interval: float, sweep_interval: float) -> None:
        self.program = program
        self.interval = interval
        self.sweep_interval = sweep_interval
        self.patience = timedelta(seconds=max(interval, PATIENCE))
        self.failures = 0
        self._states: dict[str, str] = {}
        self._in_doubt: dict[int, str] = {}
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
                self._say("database", "")
        except Stopping:
            return
        except Superseded as error:
            self._leading = False
            self.program.lock.release()
            self._say("lock", str(error), problem=False)
        except ReconcilerError as error:
            self._leading = False  # begun anew once the database does as it is asked
            self.failures += 1
            self._say("database", str(error), key=error.kind if isinstance(error, DatabaseDown) else None)
            self._count_failure(str(error))
        except Exception as error:
            self.failures += 1
            if self._is_news("cycle", f"{type(error).__name__}: {error}"):
                log.exception("a cycle failed unexpectedly: this is a defect, please report it")
            self._count_failure("a cycle failed unexpectedly, see the log")
        else:
            self._say("cycle", "")

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
        self._report(report)
        if metrics:
            metrics.cycle_ended(report, time.monotonic() - began, self.program.database)

    def _glance(self, hints: Collection[Hint]) -> None:
        report = self._look(hints)
        if self.program.metrics:
            self.program.metrics.glanced(well=not report.problems)

    def _look(self, hints: Collection[Hint]) -> Report:
        """Where it is hinted, and at our writes in doubt.

        What fails is told once the next cycle meets it too; it may be about one thing alone.
        """
        report = self.program.engine.glance(hints, self.patience)
        if report.resume is not None:
            self._go_on(report.resume)
        self._follow(report)
        self._tell(report)
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
            self._say("database", "")
            self._say("lock", "another reconciler is at work on this database: standing by", problem=False)
            return False
        if not self._leading:
            upgrade(self.program.database)
            epoch = self.program.database.lead()
            self._leading = True
            if self._is_news("lock", ""):
                log.info("the other reconciler has let go: this one is at work now", epoch=epoch)
        return True

    def _share(self) -> float:
        """The share of the open pairs that is due to be swept since the last cycle."""
        now = time.monotonic()
        elapsed = min(now - self._last, 3 * self.patience.total_seconds())  # never a burst after a standstill
        self._last = now
        return elapsed / self.sweep_interval

    def _tell(self, report: Report) -> None:
        """What was done. What is in doubt is asked about in every cycle, and told once."""
        for action in report.actions:
            if action.status is Status.SENT and self._in_doubt.get(action.id) == action.error:
                continue
            if action.status is Status.SENT:
                self._in_doubt[action.id] = action.error
            else:
                self._in_doubt.pop(action.id, None)
            if action.status is not Status.PLANNED:
                _tell_action(action)

    def _report(self, report: Report) -> None:
        self._tell(report)
        for side in Side:
            mine = [problem for problem in report.problems if problem.side is side]
            self._say(side.value, str(mine[0].error) if mine else "", key=_key(mine))

    def _say(self, subject: str, words: str, *, problem: bool = True, key: str | None = None) -> None:
        """Tell a state when it changes, not in every cycle. Empty words mean that all is well."""
        if not self._is_news(subject, words if key is None else key):
            return
        if not words:
            log.info("works again", subject=subject)
        elif problem:
            log.error(words, subject=subject)
        else:
            log.info(words, subject=subject)

    def _is_news(self, subject: str, state: str) -> bool:
        if self._states.get(subject, "") == state:
            return False
        self._states[subject] = state
        return True


def _key(problems: list[Problem]) -> str:
    """What makes a problem the same as in the last cycle: its kind; for a mend to make, its words."""
    if not problems:
        return ""
    error = problems[0].error
    return _REQUEST.sub("", str(error)) if isinstance(error, Misconfigured) else type(error).__name__


def _tell_action(action: Action) -> None:
    tell: Callable[..., object] = log.error if action.status is Status.DEAD else log.info
    tell(
        action.kind.value,
        status=action.status.value,
        reason=action.reason,
        alert=action.alert_id,
        incident=action.incident_id,
        **({"why": action.error} if action.error else {}),
    )
