"""Reading one pair: the reads that `core.reads` requires, one after the other, until none is left.

No decision is made here. While a circuit breaker that the pair needs is open, nothing of it is read.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciler.core import reads
from reconciler.core.absence import is_confirmed
from reconciler.core.model import Observation, Side
from reconciler.core.policy import Policy
from reconciler.core.product import OPSGENIE, Product
from reconciler.core.read_conditions import is_lost
from reconciler.core.work import ReadRequest
from reconciler.errors import Missing, ReconcilerError
from reconciler.observability.defects import defect
from reconciler.reconcile.absence import Absence, NothingConcluded
from reconciler.reconcile.pair_reader import PairReader, Stopping
from reconciler.reconcile.problems import Problem
from reconciler.reconcile.read_breakers import HOLDS, ReadBreakers
from reconciler.reconcile.read_calls import ReadCalls
from reconciler.reconcile.request_status import RequestStatuses
from reconciler.reconcile.work_queue import Hold
from reconciler.store.database import Database, DatabaseDown
from reconciler.vendors.ports import AlertReader, Clock, PagerDutyReader

__all__ = ["Fetched", "Fetcher", "Stopping"]

REREAD_AFTER = 1.0
"""Seconds after which a side without a back-off of its own is read again."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """The result of reading a pair.

    `unread` are sides that have to be read again, at `read_at`. `blocked` are open circuit breakers: then nothing
    new is known of the pair.
    """

    observation: Observation
    unread: frozenset[Side] = frozenset()
    read_at: datetime | None = None
    problems: tuple[Problem, ...] = ()
    blocked: frozenset[Hold] = frozenset()


class Fetcher:
    """Reads pairs. Several threads may read different ones."""

    def __init__(
        self,
        opsgenie: AlertReader,
        pagerduty: PagerDutyReader,
        database: Database,
        breakers: ReadBreakers,
        clock: Clock,
        stopping: Callable[[], bool],
        product: Product = OPSGENIE,
    ) -> None:
        self.absence = Absence(database, clock, product)
        self._product = product
        self._calls = ReadCalls(opsgenie, pagerduty, RequestStatuses(clock), self.absence)
        self._breakers = breakers
        self._clock = clock
        self._stopping = stopping

    def blindness(self) -> ReconcilerError | None:
        """Why nothing should be written to some alerts, or to any: the key no longer sees what it saw before."""
        return self.absence.blindness()

    def fetch(self, request: ReadRequest, known: Observation, policy: Policy) -> Fetched:
        """Make the requested reads and those that their answers require. Raises only Stopping and DatabaseDown.

        `known` is the pair's observation from the snapshot. A defect affects this pair alone: a new alert then
        pages from its row.
        """
        try:
            fetched = self._fetch(request, known, policy)
        except (DatabaseDown, Stopping):
            raise
        except Exception as error:  # noqa: BLE001 - one pair's defect stops no other
            found = defect(error, f"alert {known.alert_id}")
            for side in Side:
                self._breakers.back_off(side, known.alert_id, found)
            row = request.row if request.is_new else None
            problems = (Problem(Side.ALERTS, found, known.alert_id),)
            fetched = self._with_read_at(Fetched(replace(known, alert=row), frozenset(Side), problems=problems))
        self._note_absence(fetched.observation, policy)
        return fetched

    def _fetch(self, request: ReadRequest, known: Observation, policy: Policy) -> Fetched:
        progress = reads.begin(request, known, policy, self._clock.now())
        needed = reads.sides_needed(progress)
        admission = self._breakers.admit(needed)
        if admission.blocked:
            return Fetched(known, blocked=admission.blocked)
        reader = PairReader(
            self._calls, self._breakers, self._clock, self._stopping, progress, needed, admission.probes
        )
        for side in admission.probes:  # first, so that a vendor still away costs the other nothing
            reader.probe(reads.own_object(side, progress), progress)
        while not reader.blocked and (read := reads.next_read(progress)) is not None:
            progress = reader.read(read, progress)
        problems = tuple(problem for problem in reader.problems if not self._is_stated(problem))
        if reader.blocked:
            return Fetched(known, problems=problems, blocked=frozenset(reader.blocked))
        found = reads.finished(progress)
        for side in reader.read_sides - found.unread:
            self._breakers.was_read(side, known.alert_id)
        if is_lost(found.observation) and not found.observation.sees_others:
            self._breakers.back_off(Side.ALERTS, known.alert_id, NothingConcluded(known.alert_id, self._product))
        return self._with_read_at(Fetched(found.observation, found.unread, problems=problems), reader.retry_after)

    def _is_stated(self, problem: Problem) -> bool:
        """Whether the problem is that the key does not see the alert, as it does not see many others."""
        is_of_alert = problem.side is Side.ALERTS and isinstance(problem.error, Missing)
        return is_of_alert and self.absence.has_vanished(problem.alert_id)

    def _with_read_at(self, fetched: Fetched, least: float = 0.0) -> Fetched:
        """The result with the time of the next read: the alert's, as incident notes wait for the alert's."""
        side = next((side for side in Side if side in fetched.unread), None)
        if side is None:
            return fetched
        alert_id = fetched.observation.alert_id
        wait = max(least, self._breakers.back_off_left(side, alert_id), self._breakers.retry_in(HOLDS[side]))
        return replace(fetched, read_at=self._clock.now() + timedelta(seconds=wait or REREAD_AFTER))

    def _note_absence(self, seen: Observation, policy: Policy) -> None:
        now = self._clock.now()
        if seen.pair is None:
            self.absence.met(seen.alert_id, now)
        is_unlinked = seen.pair is not None and seen.pair.is_unlinked
        is_over = is_unlinked or (seen.missing and not is_lost(seen)) or is_confirmed(seen, policy, now)
        if seen.alert is not None or is_over:
            self.absence.is_settled(seen.alert_id)
