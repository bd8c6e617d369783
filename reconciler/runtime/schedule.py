"""The schedule of jobs: APScheduler on monotonic time. One job never runs twice at a time, nor waits for another.

APScheduler computes due times from the wall clock. `turn` detects that it was set back, and moves every job to its
due time by the monotonic clock. A wall clock that jumps forward may mean that the machine slept, which the
monotonic clock does not show: every job is then run at once.
"""

import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.job import Job as Planned
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler

from reconciler.vendors.ports import Clock

JOB_THREADS = 16
"""More threads than jobs, so that none waits for another."""
JUMP = 1.0
"""Seconds by which wall clock and monotonic clock may differ between two turns without a correction."""
LONGEST_INTERVAL = 3600.0
STEP = 0.02
"""Seconds between two checks whether the jobs in progress have ended."""


@dataclass(slots=True)
class _Job:
    """One job. `due` is monotonic; `again`: requested while it runs; `interval` is the last value."""

    name: str
    seconds: Callable[[], float]
    run: Callable[[], None]
    due: float
    interval: float = 1.0
    running: bool = False
    again: bool = False
    planned: Planned | None = None


class Schedule:
    """Jobs, each on its own interval. For any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._jobs: dict[str, _Job] = {}
        self._stopped = False
        self._offset = self._wall_offset()
        self._scheduler = BackgroundScheduler(timezone=UTC, executors={"default": ThreadPoolExecutor(JOB_THREADS)})

    def every(self, name: str, seconds: float | Callable[[], float], run: Callable[[], None]) -> None:
        """Run at once, then every so many seconds from start to start; a callable interval is evaluated each time.

        A run that takes longer is followed by the next one at once. No run is dropped, and runs do not accumulate.
        """
        interval = seconds if callable(seconds) else lambda: seconds
        with self._lock:
            self._jobs[name] = _Job(name, interval, run, self._clock.monotonic())

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
        """Run the job after so many seconds, or sooner if it is due anyway; once more if it is running."""
        due = self._clock.monotonic() + after
        with self._lock:
            job = self._jobs[name]
            if self._stopped:
                return
            if job.running:
                job.again = True
            elif due < job.due:
                job.due = due
                self._plan(job)

    def remove(self, name: str) -> None:
        """Run the job no more. One that is running ends."""
        with self._lock:
            job = self._jobs.pop(name, None)
            if job is not None and job.planned is not None:
                with contextlib.suppress(JobLookupError):
                    job.planned.remove()

    def turn(self) -> None:
        """Correct due times after the wall clock was set or the machine slept. Call about once a second."""
        with self._lock:
            before, self._offset = self._offset, self._wall_offset()
            jump = self._offset - before
            if self._stopped or abs(jump) <= JUMP:
                return
            for job in self._jobs.values():
                if jump > 0:
                    job.due = self._clock.monotonic()
                if not job.running:
                    self._plan(job)

    def stop(self, within: float) -> bool:
        """Start no further run. Returns whether those in progress have ended within so many seconds."""
        with self._lock:
            self._stopped = True
        if self._scheduler.running:
            self._scheduler.pause()
            self._scheduler.remove_all_jobs()  # its thread fails on a job due during shutdown
            self._scheduler.shutdown(wait=False)
        last = self._clock.monotonic() + within
        while self._is_running() and self._clock.monotonic() < last:
            time.sleep(STEP)
        return not self._is_running()

    def _is_running(self) -> bool:
        with self._lock:
            return any(job.running for job in self._jobs.values())

    def _run(self, name: str) -> None:
        job, began = self._jobs[name], self._clock.monotonic()
        with self._lock:
            if self._stopped or job.running:
                return
            job.running, job.again = True, False
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
                job.running = False
                now = self._clock.monotonic()
                job.due = now if job.again else now + min(max(0.0, began + job.interval - now), LONGEST_INTERVAL)
                if not self._stopped:
                    self._plan(job)

    def _plan(self, job: _Job) -> None:
        """Let APScheduler run the job when it is due.

        Each plan has an id of its own: APScheduler drops a run whose id it still counts as running.
        """
        moment = datetime.now(UTC) + timedelta(seconds=max(0.0, job.due - self._clock.monotonic()))
        if job.planned is not None:
            with contextlib.suppress(JobLookupError):  # it has just begun
                job.planned.remove()
        job.planned = self._scheduler.add_job(
            self._run, "date", run_date=moment, args=[job.name], misfire_grace_time=None
        )

    def _wall_offset(self) -> float:
        return datetime.now(UTC).timestamp() - self._clock.monotonic()
