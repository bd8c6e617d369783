"""The schedule of jobs: APScheduler on monotonic time. One job never runs twice at a time, nor waits for another.

Each run has a thread of its own, which ends with it: so any number of jobs that hang hold back no other job, and
there are no more threads than runs in progress.

APScheduler computes due times from the wall clock. `turn` detects that it was set back, and moves every job to its
due time by the monotonic clock. A wall clock that jumps forward may mean that the machine slept, which the
monotonic clock does not show: every job is then run at once.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock, Thread

from apscheduler.executors.base import BaseExecutor, run_job
from apscheduler.job import Job as Planned
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from reconciler.vendors.ports import Clock

JUMP = 1.0
"""Seconds by which wall clock and monotonic clock may differ between two turns without a correction."""
LATE = 5.0
"""Seconds after which a run that has not begun is planned again: the machine allowed no further thread."""
LONGEST_INTERVAL = 3600.0
STEP = 0.02
"""Seconds between two checks whether the jobs in progress have ended."""
NEVER = datetime.max.replace(tzinfo=UTC)
MANY = 1000
"""Runs that may overlap as APScheduler counts them: it counts one until its thread has ended, which is after the
next one is planned. That none overlaps in fact is seen to here."""


@dataclass(slots=True, eq=False)
class _Job:
    """One job. `due` is monotonic; `again`: requested while it runs; `interval` is the last value.

    `has_thread`: the thread of its run was started, and has not come to the run yet.
    """

    name: str
    seconds: Callable[[], float]
    run: Callable[[], None]
    due: float
    interval: float = 1.0
    again: bool = False
    has_thread: bool = False
    planned: Planned | None = None


class _Threads(BaseExecutor):  # type: ignore[misc] # APScheduler ships no types
    """Runs each job in a thread of its own."""

    def _do_submit_job(self, planned: Planned, run_times: list[datetime]) -> None:
        """Start the run. RuntimeError, which APScheduler logs, if the machine allows no further thread."""

        def run() -> None:
            events = run_job(planned, "default", run_times, self._logger.name)
            self._run_job_success(planned.id, events)

        job: _Job = planned.args[0]
        job.has_thread = True
        try:
            Thread(target=run, name=planned.name, daemon=True).start()
        except RuntimeError:
            job.has_thread = False
            raise


class _Planned(BaseTrigger):  # type: ignore[misc] # the same
    """Due when it is planned, and not again before it is planned anew."""

    def get_next_fire_time(self, _previous: datetime | None, _now: datetime) -> datetime:
        """Far away, so that the job is kept: to plan it anew costs less than to add it again."""
        return NEVER


class Schedule:
    """Jobs, each on its own interval. For any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._jobs: dict[str, _Job] = {}
        self._running: set[_Job] = set()
        self._stopped = False
        self._offset = self._wall_offset()
        self._scheduler = BackgroundScheduler(timezone=UTC, executors={"default": _Threads()})

    def every(
        self, name: str, seconds: float | Callable[[], float], run: Callable[[], None], after: float = 0.0
    ) -> None:
        """Run at once, or after so many seconds, then every `seconds` from start to start.

        A callable interval is evaluated each time. A run that takes longer is followed by the next one at once. No
        run is dropped, and runs do not accumulate. ValueError if there is a job of this name.
        """
        interval = seconds if callable(seconds) else lambda: seconds
        with self._lock:
            if name in self._jobs:
                raise ValueError(f"the schedule has a job {name} already")
            job = self._jobs[name] = _Job(name, interval, run, self._clock.monotonic() + after)
            if self._scheduler.running and not self._stopped:
                self._plan(job)

    def remove(self, name: str, within: float = 0.0) -> bool:
        """Start no further run of this job. Returns whether one in progress has ended within so many seconds."""
        with self._lock:
            job = self._jobs.pop(name, None)
            if job is None:
                return True
            if job.planned is not None and not self._stopped:
                job.planned.remove()
        return self._has_ended(lambda: job not in self._running, within)

    def start(self) -> None:
        """Start the schedule."""
        # A job is added again by its own run; the scheduler's messages about that are of no use.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        self._scheduler.start()
        with self._lock:
            self._offset = self._wall_offset()
            for job in self._jobs.values():
                self._plan(job)

    def soon(self, name: str, after: float = 0.0) -> None:
        """Run the job after so many seconds, or sooner if it is due anyway; once more if it is running.

        Nothing if there is no such job: what asks for it may outlive it.
        """
        due = self._clock.monotonic() + after
        with self._lock:
            job = self._jobs.get(name)
            if job is None or self._stopped:
                return
            if job in self._running:
                job.again = True
            elif due < job.due:
                job.due = due
                self._plan(job)

    def turn(self) -> None:
        """Correct due times after the wall clock was set or the machine slept. Call about once a second."""
        with self._lock:
            before, self._offset = self._offset, self._wall_offset()
            jump, now = self._offset - before, self._clock.monotonic()
            if self._stopped:
                return
            for job in self._jobs.values():
                if jump > JUMP:
                    job.due = now
                begins = job in self._running or job.has_thread
                if not begins and (abs(jump) > JUMP or job.due < now - LATE):
                    self._plan(job)

    def stop(self, within: float) -> bool:
        """Start no further run. Returns whether those in progress have ended within so many seconds."""
        with self._lock:
            self._stopped = True
        if self._scheduler.running:
            self._scheduler.pause()
            self._scheduler.remove_all_jobs()  # its thread fails on a job due during shutdown
            self._scheduler.shutdown(wait=False)
        return self._has_ended(lambda: not self._running, within)

    def _has_ended(self, ended: Callable[[], bool], within: float) -> bool:
        last = self._clock.monotonic() + within
        while not ended() and self._clock.monotonic() < last:
            time.sleep(STEP)
        return ended()

    def _run(self, job: _Job) -> None:
        began = self._clock.monotonic()
        with self._lock:
            job.has_thread = False
            if self._stopped or job in self._running or self._jobs.get(job.name) is not job:
                return
            self._running.add(job)
            job.again = False
        try:
            job.run()
        finally:
            self._ran(job, began)

    def _ran(self, job: _Job, began: float) -> None:
        """Plan the next run, even after a failure of this one or of the callable interval."""
        try:
            job.interval = job.seconds()
        finally:
            with self._lock:
                self._running.discard(job)
                now = self._clock.monotonic()
                job.due = now if job.again else now + min(max(0.0, began + job.interval - now), LONGEST_INTERVAL)
                if not self._stopped and self._jobs.get(job.name) is job:
                    self._plan(job)

    def _plan(self, job: _Job) -> None:
        """Let APScheduler run the job when it is due."""
        moment = datetime.now(UTC) + timedelta(seconds=max(0.0, job.due - self._clock.monotonic()))
        if job.planned is not None:
            job.planned.modify(next_run_time=moment)
            return
        job.planned = self._scheduler.add_job(
            self._run,
            _Planned(),
            next_run_time=moment,
            args=[job],
            name=job.name,
            misfire_grace_time=None,
            max_instances=MANY,
        )

    def _wall_offset(self) -> float:
        return datetime.now(UTC).timestamp() - self._clock.monotonic()
