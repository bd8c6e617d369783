"""A wired program: its sources, its queue, and the resources to open, migrate, lock and close."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from reconciler.core.model import Side
from reconciler.errors import ReconcilerError
from reconciler.reconcile.holds import Holds
from reconciler.reconcile.problems import Problem, Problems
from reconciler.reconcile.read_breakers import ReadBreakers
from reconciler.reconcile.work_queue import WorkQueue
from reconciler.reconcile.write_breakers import WriteBreakers
from reconciler.runtime.account import ACCOUNT_PLACE, Account
from reconciler.runtime.feedback import Feedback
from reconciler.runtime.rounds import Rounds
from reconciler.sources.alert_feed import AlertFeed
from reconciler.sources.hints import Hints
from reconciler.store.database import Database, DatabaseDown
from reconciler.vendors.ports import Clock


class Source(Protocol):
    """Something that is polled: a feed, a listing, the sweep, the hints, the account."""

    @property
    def name(self) -> str:
        """The source's name in logs and metrics."""

    @property
    def side(self) -> Side | None:
        """The vendor that it calls; None if its answers say nothing about the vendor."""

    def poll(self) -> bool:
        """Poll once. Returns whether the vendor was called and answered. ReconcilerError if the poll fails."""


@dataclass(frozen=True, slots=True)
class Timed:
    """A source, and the seconds between two polls of it."""

    source: Source
    interval: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Program:
    """All parts. `sources` are in the order of their first poll, the account first."""

    sources: tuple[Timed, ...]
    account: Account
    feed: AlertFeed
    hints: Hints
    feedback: Feedback
    rounds: Rounds
    queue: WorkQueue
    holds: Holds
    problems: Problems
    read_breakers: ReadBreakers
    write_breakers: WriteBreakers | None
    database: Database
    clock: Clock
    stop: threading.Event
    interval: timedelta

    def poll(self, source: Source) -> bool:
        """Poll one source; returns whether it did not fail.

        A failure stays in `problems` until the source works again. DatabaseDown is passed on.
        """
        try:
            answered = source.poll()
        except DatabaseDown:
            raise
        except ReconcilerError as error:
            side = source.side or Side.PAGERDUTY
            self.read_breakers.failed(side, "", error)
            self.problems.put(source.name, [Problem(side, error)])
            self.rounds.polled(source.name, error)
            return False
        if answered and source.name != ACCOUNT_PLACE:  # the account reports its own problems
            self.problems.put(source.name)
            self.rounds.polled(source.name)
            if source.side is not None:
                self._reached(source.side)
            if source.side is Side.PAGERDUTY:
                self.account.answered()
        self.holds.release()
        return True

    def _reached(self, side: Side) -> None:
        self.read_breakers.succeeded(side)
        if self.write_breakers is not None:
            self.write_breakers.reached(side)

    def renewed(self, side: Side) -> None:
        """Try at once what the key before this one was refused."""
        if side is Side.PAGERDUTY:
            self.account.renewed()
        else:
            self.account.began()
        if self.write_breakers is not None:
            self.write_breakers.renewed(side)

    def wrong(self) -> tuple[Problem, ...]:
        """All current problems: those of every place, and those that keep circuit breakers open."""
        writes = self.write_breakers.problems() if self.write_breakers else ()
        found = (*self.problems.all(), *self.read_breakers.errors(), *writes)
        unsure = self.account.unsure
        if unsure is None or any(each.side is Side.PAGERDUTY and not each.alert_id for each in found):
            return found
        return (*found, unsure)

    def open_breakers(self) -> tuple[str, ...]:
        """Names of the circuit breakers that are not closed."""
        reads = tuple(f"{problem.side.value} reads" for problem in self.read_breakers.errors())
        lanes = self.write_breakers.open_lanes() if self.write_breakers else frozenset()
        return (*reads, *sorted(f"{lane.value} writes" for lane in lanes))
