"""The schedule and the pool of a daemon in simulated threads, and what else of the product waits."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any

from reconciler.observability import defects
from reconciler.reconcile.work_queue import WorkQueue
from reconciler.runtime import worker_pool
from reconciler.runtime.turns import Route, Turn, Turns
from reconciler.runtime.worker import Worker
from tests.support.simulation.routes.hub import Condition, Event, Hub, HubClock, Lock, Patch

MOMENT = 1e-6
"""Seconds by which a due time is overshot, so that rounding leaves nothing due just after it."""
LONGEST = 3600.0
LONE = {"reconciler.store.group_commit", "reconciler.sandbox.app"}
"""Modules whose locks are held within one moment: a wait there is a defect of the simulation or of the product."""


@dataclass(eq=False)
class _Job:
    name: str
    seconds: Callable[[], float]
    run: Callable[[], None]
    due: float
    plan: int = 0
    is_running: bool = False
    again: bool = False


class SimSchedule:
    """As `runtime.schedule.Schedule`."""

    def __init__(self, clock: HubClock) -> None:
        self._hub = clock.hub
        self._owner = clock.owner
        self._jobs: dict[str, _Job] = {}
        self._running = 0
        self._is_on = False
        self._changed = Condition(clock.hub)

    def every(
        self, name: str, seconds: float | Callable[[], float], run: Callable[[], None], after: float = 0.0
    ) -> None:
        if name in self._jobs:
            raise ValueError(f"the schedule has a job {name} already")
        interval = seconds if callable(seconds) else lambda: seconds
        self._jobs[name] = job = _Job(name, interval, run, self._hub.passed + after)
        self._plan(job)

    def remove(self, name: str, within: float = 0.0) -> bool:
        job = self._jobs.pop(name, None)
        return job is None or bool(self._changed.wait_for(lambda: not job.is_running, within))

    def start(self) -> None:
        self._is_on = True
        for job in self._jobs.values():
            self._plan(job)

    def soon(self, name: str, after: float = 0.0) -> None:
        job = self._jobs.get(name)
        if job is None or not self._is_on:
            return
        if job.is_running:
            job.again = True
        elif self._hub.passed + after < job.due:
            job.due = self._hub.passed + after
            self._plan(job)

    def turn(self) -> None:
        pass

    def stop(self, within: float) -> bool:
        self._is_on = False
        return bool(self._changed.wait_for(lambda: not self._running, within))

    def _plan(self, job: _Job) -> None:
        if self._is_on:
            job.plan += 1
            self._hub.at(job.due, partial(self._begin, job, job.plan), self._owner)

    def _begin(self, job: _Job, plan: int) -> None:
        if self._is_on and job.plan == plan and not job.is_running and self._jobs.get(job.name) is job:
            job.is_running, job.again = True, False
            self._running += 1
            self._hub.start(partial(self._run, job), self._owner)

    def _run(self, job: _Job) -> None:
        began = self._hub.passed
        try:
            job.run()
        finally:
            job.is_running = False
            self._running -= 1
            self._changed.notify_all()
        now = self._hub.passed
        job.due = now if job.again else now + min(max(0.0, began + job.seconds() - now), LONGEST)
        if self._jobs.get(job.name) is job:
            self._plan(job)


class SimPool:
    """As `runtime.worker_pool.WorkerPool`, with the product's own turns of the routes."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._owner = hub.owner
        self._turns = Turns(self._look_soon)
        self._is_on = False
        self._look_at: float | None = None
        self._in_work = 0
        self._ended = Condition(hub)

    def add(
        self,
        route: str,
        worker: Worker,
        queue: WorkQueue,
        may_work: Callable[[], bool],
        failed: Callable[[Exception], None],
    ) -> None:
        self._turns.add(Route(route, worker, queue, may_work, failed))

    def remove(self, route: str, within: float) -> bool:
        removed = self._turns.remove(route)
        return removed is None or bool(self._ended.wait_for(lambda: not removed.in_work, within))

    def start(self) -> None:
        self._is_on = True
        self._look_soon()

    def stop(self, within: float) -> bool:
        self._is_on = False
        return bool(self._ended.wait_for(lambda: not self._in_work, within))

    def _look_soon(self) -> None:
        self._plan(self._hub.passed)

    def _plan(self, at: float) -> None:
        if self._is_on and (self._look_at is None or at < self._look_at):
            self._look_at = at
            self._hub.at(at, partial(self._look, at), self._owner)

    def _look(self, planned: float) -> None:
        if self._look_at != planned or not self._is_on:
            return
        while (turn := self._turns.take(self._hub.passed)) is not None:
            self._in_work += 1
            self._hub.start(partial(self._work, turn), self._owner)
        self._look_at = None
        at = self._turns.next_look()
        if at < float("inf"):
            self._plan(max(at, self._hub.passed) + MOMENT)

    def _work(self, turn: Turn) -> None:
        pause = 0.0
        try:
            pause = worker_pool._reconcile(turn)
        except Exception as error:  # noqa: BLE001 - as the product's
            defects.defect(error, turn.route.name)
        finally:
            self._in_work -= 1
            self._turns.ended(turn)
            if pause:
                self._turns.pause(turn.route, self._hub.passed + pause)
            self._ended.notify_all()
            self._look_soon()


def of_product(hub: Hub, met: Callable[[Exception, str], None]) -> list[Patch]:
    """What makes the product's modules wait in simulated time. `met` is told of unexpected exceptions."""
    lock, condition, event = (partial(kind, hub) for kind in (Lock, Condition, Event))
    threads = SimpleNamespace(
        **{**vars(threading), "Lock": lock, "Condition": lambda _=None: condition(), "Event": event}
    )
    times = SimpleNamespace(**{**vars(time), "monotonic": lambda: hub.passed, "sleep": hub.wait})
    known = defects.defect

    def defect(error: Exception, where: str) -> defects.Defect:
        met(error, where)
        return known(error, where)

    stand_ins: list[tuple[Any, Any]] = [
        (threading, threads), (threading.Lock, lock), (threading.Condition, condition),
        (time, times), (known, defect),
    ]  # fmt: skip
    return list(_found(stand_ins))


def _found(stand_ins: list[tuple[Any, Any]]) -> Iterator[Patch]:
    modules = [module for name, module in sorted(sys.modules.items()) if name.startswith("reconciler.")]
    for module in modules:
        if module.__name__ in LONE or module.__name__.startswith("reconciler.sandbox"):
            continue
        for name, value in list(vars(module).items()):
            for real, stand_in in stand_ins:
                if value is real:
                    yield module, name, stand_in
