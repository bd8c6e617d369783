"""A wired program: its sources, its queue, its workers, and what has to be opened, migrated and closed around them."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from reconciler.core.model import Side
from reconciler.errors import ReconcilerError
from reconciler.observability.metrics import Metrics
from reconciler.reconcile.commit import Committer
from reconciler.reconcile.in_flight import InFlight
from reconciler.reconcile.problems import Problem, Problems
from reconciler.reconcile.read_breakers import ReadBreakers
from reconciler.reconcile.work_queue import WorkQueue
from reconciler.runtime.account import Account
from reconciler.store.database import Database, DatabaseDown
from reconciler.store.lock import Lock
from reconciler.vendors.ports import Clock


class Source(Protocol):
    """Something that is polled: a feed, the sweep, the hints, the account."""

    @property
    def name(self) -> str:
        """What logs and metrics call it."""

    @property
    def side(self) -> Side | None:
        """The vendor that it asks; None: both, or none."""

    def poll(self) -> None:
        """Ask once. ReconcilerError where that fails."""


@dataclass(frozen=True, slots=True)
class Program:
    """All parts. `sources` are in the order of their first poll."""

    sources: tuple[Source, ...]
    account: Account
    queue: WorkQueue
    problems: Problems
    breakers: ReadBreakers
    database: Database
    committer: Committer
    lock: Lock
    clock: Clock
    stop: threading.Event
    in_flight: InFlight
    interval: timedelta
    metrics: Metrics | None = None

    def poll(self, source: Source) -> bool:
        """Poll one source; whether that went well. Its failure is its own: it is in `problems` until it works again.

        DatabaseDown is passed on.
        """
        try:
            source.poll()
        except DatabaseDown:
            raise
        except ReconcilerError as error:
            side = source.side or Side.PAGERDUTY
            self.breakers.failed(side, "", error)
            self.problems.put(source.name, [Problem(side, error)])
            return False
        if source.side is not None:
            self.breakers.succeeded(source.side)
            for hold in self.breakers.take_closed():
                self.queue.end_hold(hold)
        self.problems.put(source.name)
        return True


def errors_of(program: Program) -> Callable[[], tuple[Problem, ...]]:
    """Everything that is wrong now: by place, and the circuit breakers that are open."""
    return lambda: (*program.problems.all(), *program.breakers.errors())
