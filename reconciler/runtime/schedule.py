"""A schedule of jobs on monotonic time. Each job has at most one run at a time, and none waits for another.

APScheduler computes due times from the wall clock. `turn` notices when that was set, or when the machine slept,
and moves every job to where the monotonic clock has it.
"""

import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler

from reconciler.vendors.ports import Clock

THREADS = 16
"""More than there are jobs: none waits for another."""
JUMP = 1.0
"""Seconds by which wall clock and monotonic clock may drift apart between two turns without a reason to act."""
LONGEST_WAIT = 3600.0
STEP = 0.02
"""Seconds between two looks at whether a run has ended."""


@dataclass(slots=True)
class _Job:
    """One job: `due` by the monotonic clock; `again`: asked for while it runs."""

    name: str
    seconds: Callable[[], float]
    run: Callable[[], None]
    due: float
    running: bool = False
    again: bool = False


class Schedule:
    """Jobs, each on its own interval. For any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._jobs: dict[str, _Job] = {}
        self._stopped = False
        self._offset: float | None = None
        self._scheduler = BackgroundScheduler(timezone=UTC, executors={"default": ThreadPoolExecutor(THREADS)})

    def every(self, name: str, seconds: float | Callable[[], float], run: Callable[[], None]) -> None:
        """Run at once, then every so many seconds, counted from the start of a run; the figure is asked each time.

        A run that takes longer is followed by the next one at once. No run is dropped, and none piles up.
        """
        interval = seconds if callable(seconds) else lambda: seconds
        with self._lock:
            self._jobs[name] = _Job(name, interval, run, self._clock.monotonic())

    def start(self) -> None:
        """Begin."""
        # A job is added again by its own run: the scheduler's notes on that say nothing.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        self._scheduler.start()
        with self._lock:
            for job in self._jobs.values():
                self._plan(job)

    def soon(self, name: str, after: float = 0.0) -> None:
        """Run the job after so many seconds, or sooner where it is due anyway; once more where it is running."""
        due = self._clock.monotonic() + after
        with self._lock:
            job = self._jobs[name]
            if job.running:
                job.again = True
            elif due < job.due:
                job.due = due
                self._plan(job)

    def turn(self) -> None:
        """Notice a wall clock that was set. To be called about once a second."""
        offset = datetime.now(UTC).timestamp() - self._clock.monotonic()
        with self._lock:
            jumped = self._offset is not None and abs(offset - self._offset) > JUMP
            self._offset = offset
            for job in self._jobs.values() if jumped else ():
                if not job.running:
                    self._plan(job)

    def stop(self, within: float) -> bool:
        """Begin no further run; whether those under way have ended within so many seconds."""
        with self._lock:
            self._stopped = True
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
            with self._lock:
                job.running = False
                now = self._clock.monotonic()
                wait = min(max(0.0, began + job.seconds() - now), LONGEST_WAIT)
                job.due = now if job.again else now + wait
                if not self._stopped:
                    self._plan(job)

    def _plan(self, job: _Job) -> None:
        moment = datetime.now(UTC) + timedelta(seconds=max(0.0, job.due - self._clock.monotonic()))
        with contextlib.suppress(JobLookupError):  # it has just run
            self._scheduler.remove_job(job.name)
        self._scheduler.add_job(
            self._run, "date", run_date=moment, args=[job.name], id=job.name, misfire_grace_time=None
        )
