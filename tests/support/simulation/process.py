"""One process of the product in one thread: its own wiring, with the simulation's clock, wire and database."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.core.hints import Hint
from reconciler.core.model import Side
from reconciler.core.product import JSM
from reconciler.core.work import WorkItem
from reconciler.reconcile.pair import Outcome, Reconciler
from reconciler.runtime.leadership import stored_work
from reconciler.runtime.program import Program
from reconciler.runtime.wiring import DryWiring, Wiring
from reconciler.runtime.worker import Listener, Worker
from reconciler.settings import Settings
from reconciler.store.database import Database, DatabaseDown
from reconciler.vendors.http import Http
from reconciler.vendors.variables import JSM_KEYED, JSM_SITE
from tests.support.in_process import settings
from tests.support.simulation.schedule import POLL, STALENESS
from tests.support.simulation.wire import SimAdapter

if TYPE_CHECKING:
    from tests.support.simulation.world import World


JSM_SESSIONS = (JSM.name, JSM_KEYED, JSM_SITE)
"""The names of the sessions with JSM; every other one is its side's own."""


class _SimHttp:
    """The part of a wiring that gives it the simulation's wire."""

    world: "World"

    def http(self, side: Side, name: str = "") -> Http:
        """A session whose requests stay in this process."""
        made = super().http(side, name)  # type: ignore[misc]
        adapter = SimAdapter(self.world, side.value, "jsm" if name in JSM_SESSIONS else side.value)
        made._session.requests.mount("https://", adapter)
        made._session.requests.trust_env = (
            False  # the proxies of this machine's environment: a third of a run's time
        )
        return made  # type: ignore[no-any-return]


class SimWiring(_SimHttp, Wiring):
    """The whole program's own wiring."""

    def __init__(self, world: "World") -> None:
        self.world = world
        super().__init__(_settings(world), threading.Event(), world.database, clock=world.clock)
        self.account._configured = replace(self.account._configured, guards=world.parts.guards)

    def worker(self, program: Program, listeners: tuple[Listener, ...]) -> Worker:
        """The product's worker, with its contained exceptions as findings."""
        return SimWorker(self, program, self.reconciler, listeners)


class SimDryWiring(_SimHttp, DryWiring):
    """A dry run's own wiring."""

    def __init__(self, world: "World", database: Database) -> None:
        self.world = world
        super().__init__(_settings(world), threading.Event(), database, clock=world.clock)


class SimWorker(Worker):
    """The product's worker; an unexpected exception that it contains is reported to the world."""

    def __init__(
        self, wiring: SimWiring, program: Program, reconciler: Reconciler, listeners: tuple[Listener, ...]
    ) -> None:
        super().__init__(
            program.queue, reconciler, program.holds, program.problems, listeners, program.clock.monotonic
        )
        self._broken = wiring.world.broken

    def _failed(self, item: WorkItem, error: Exception) -> None:
        self._broken.append(f"{type(error).__name__}: {error}")
        super()._failed(item, error)


class Process:
    """One process: the work of the daemon's threads, one after the other. A crash discards its memory."""

    def __init__(self, world: "World") -> None:
        self.wiring = SimWiring(world)
        self.program = self.wiring.whole(is_whole=False)
        self.worker = self.wiring.worker(self.program, (self, self.program.feedback))
        self.leads = False
        self._clock = world.clock
        self._had_problems = False

    def reconciled(self, outcome: Outcome, _seconds: float) -> None:
        """Record whether a pair failed."""
        self._had_problems |= bool(outcome.problems)

    def tick(self) -> bool:
        """Run each source once, each due pair, and the report. Returns whether nothing failed."""
        self._had_problems = False
        with self._leading():
            for timed in self.program.sources:
                self.program.poll(timed.source)
                self.drain()
            self.report()
        return not self._had_problems and not self.program.wrong()

    def glance(self, hints: list[Hint]) -> None:
        """Do what the arrival of these webhooks leads to."""
        with self._leading():
            for hint in hints:
                self.program.hints.waiting.put(hint)
            self.program.poll(self.program.hints)
            if self.program.feed.asked_in() is not None:
                self.program.poll(self.program.feed)
            self.drain()

    def due_in(self) -> float | None:
        """Seconds until a pair is due; None while nothing is, or while this process does not lead."""
        return self.program.queue.next_due() if self.leads else None

    def work(self) -> None:
        """Reconcile what has become due between two ticks."""
        with self._leading():
            self.drain()

    def drain(self) -> None:
        """Reconcile every pair that is due."""
        while self.worker.work_one():
            pass

    def report(self) -> None:
        """As the daemon's report: retry what circuit breakers let through, and store what was postponed."""
        self.program.account.bar()
        self.program.holds.release()
        self.drain()
        self.wiring.committer.flush()

    @contextmanager
    def _leading(self) -> Iterator[None]:
        """Lead inside the block: the work queue is read again after a start and after a database failure."""
        try:
            if not self.leads:
                wiring = self.wiring
                self.program.queue.clear()
                policy = wiring.account.policy()
                self.program.queue.add(stored_work(wiring.database, policy, wiring.clock, wiring.interval))
                self.leads = True
            yield
        except DatabaseDown:
            self.leads = False
            raise


def _settings(world: "World") -> Settings:
    return settings(
        world.source,
        poll_interval_seconds=POLL,
        sweep_interval_seconds=world.parts.sweep,
        staleness_seconds=STALENESS,
    )
