"""The reads of one pair: made, skipped or failed, and the consequences for the rest of the side.

A failed read makes its side back off. If there was no answer, the rest of that side is not read now, and a vendor
that keeps silent opens its circuit breaker. The details of a new alert may take only a moment; after that the
alert pages from its row.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from reconciler.core.model import Side
from reconciler.core.read_answers import answered
from reconciler.core.read_progress import Failure, Progress, Read, What
from reconciler.core.successor_reads import followed
from reconciler.errors import (
    Blocked,
    Missing,
    NotExecuted,
    ObjectError,
    Permanent,
    ReconcilerError,
    Refused,
    Unknown,
)
from reconciler.observability.defects import Defect, defect
from reconciler.reconcile.absence import NothingConcluded
from reconciler.reconcile.problems import Problem
from reconciler.reconcile.read_breakers import LONGEST_READ_BACK_OFF, ReadBreakers
from reconciler.reconcile.read_calls import ReadCalls
from reconciler.reconcile.work_queue import Hold
from reconciler.store.database import DatabaseDown
from reconciler.vendors.call_context import CallPriority, calling
from reconciler.vendors.ports import Clock

DETAILS_WITHIN = 2.0
"""Seconds for all reads of a new alert's details together; after that it pages without the rest."""
DETAIL_WITHIN = 1.0
"""Seconds for each of these reads."""


class Stopping(Exception):
    """Raised when the program was asked to stop: nothing of this pair is kept, and nothing is lost."""


class PairReader:
    """Makes the reads of one pair. `blocked` are needed circuit breakers that have opened.

    `retry_after` is how many seconds a rate limit admits no further read.
    """

    def __init__(
        self,
        calls: ReadCalls,
        breakers: ReadBreakers,
        clock: Clock,
        stopping: Callable[[], bool],
        begun: Progress,
        needed: frozenset[Side],
        probes: frozenset[Side],
    ) -> None:
        """`needed` are sides whose breakers admitted the pair; for those in `probes` it is the half-open read."""
        request = begun.request
        self._calls = calls
        self._breakers = breakers
        self._clock = clock
        self._stopping = stopping
        self._alert_id = begun.observation.alert_id
        self._is_new = request.is_new
        self._pages_from_row = request.is_new and request.row is not None and Side.PAGERDUTY not in needed
        self._until = clock.monotonic() + DETAILS_WITHIN
        self._needed = needed
        self._admitted = set(needed)
        self._probes = set(probes)
        self._skipped: set[Side] = set()
        self._held = {side: None if self._is_new else breakers.backs_off(side, self._alert_id) for side in Side}
        self._failed: set[Side] = set()
        self._probed: dict[tuple[What, str], tuple[Any, ReconcilerError | None]] = {}
        self.problems: list[Problem] = []
        self.read_sides: set[Side] = set()
        self.retry_after = 0.0
        self.blocked: set[Hold] = set()

    def probe(self, read: Read, progress: Progress) -> None:
        """Make the read that a half-open breaker lets through, and keep its answer until it is requested."""
        if not self.blocked:
            self._probed[read.key] = self._make(read, progress)
            _, error = self._probed[read.key]
            if error is not None and self.blocked:
                self.problems.append(Problem(read.what.side, error, self._alert_id))

    def read(self, read: Read, progress: Progress) -> Progress:
        """Make the read, unless it must not be made now. Returns the progress after it."""
        if read.key in self._probed:
            answer, error = self._probed[read.key]
        elif self._may_read(read):
            answer, error = self._make(read, progress)
        else:
            answer, error = Failure.UNREAD, None
        if read.what is What.REQUEST and isinstance(answer, Failure):
            answer = self._calls.requests.last(read.action_id, read.id)
        after = answered(progress, read, answer)
        if isinstance(answer, Failure) or error is not None:
            self._note_failure(read, after, error)
        return after

    def _may_read(self, read: Read) -> bool:
        side = read.what.side
        if side in self._skipped or not self._is_admitted(side):
            return False
        if self._pages_from_row:
            return self._clock.monotonic() < self._until and not self._breakers.has_slow_details(side)
        held = self._held[side]
        if held is None or read.what is What.REQUEST:
            return True
        self._skipped.add(side)
        if not isinstance(held, NothingConcluded):  # a pair that waits for this has not recovered
            self.problems.append(Problem(side, held, self._alert_id))
        return False

    def _is_admitted(self, side: Side) -> bool:
        """Whether the side's breaker lets this pair's reads through; it may have opened since the first read."""
        if side in self._probes:
            return True
        if side in self._admitted:
            opened = self._breakers.open({side})
            self.blocked |= opened if side in self._needed else set()
            return not opened
        admission = self._breakers.admit({side})
        if not admission.blocked:
            self._admitted.add(side)
            self._probes |= admission.probes
        return not admission.blocked

    def _make(self, read: Read, progress: Progress) -> tuple[Any, ReconcilerError | None]:
        """The answer, or the failure and its error."""
        if self._stopping():
            raise Stopping
        side, began = read.what.side, self._clock.monotonic()
        try:
            with self._context(began):
                answer = self._calls.make(read, progress)
        except (DatabaseDown, Stopping):
            raise
        except ReconcilerError as error:
            self._count(side, error)
            return _failure(error), error
        except Exception as error:  # noqa: BLE001 - one read's defect is this side's alone
            return Failure.UNREAD, defect(error, f"alert {self._alert_id}")
        self.read_sides.add(side)
        self._breakers.succeeded(side, self._alert_id)
        if self._pages_from_row:
            self._time_details(side, self._clock.monotonic() - began)
        return answer, None

    def _context(self, now: float) -> AbstractContextManager[None]:
        """Call context: a new alert's reads go first, and those of its details have little time."""
        if self._pages_from_row:
            return calling(CallPriority.PAGE, min(DETAIL_WITHIN, self._until - now))
        return calling(CallPriority.PAGE) if self._is_new else nullcontext()

    def _time_details(self, side: Side, took: float) -> None:
        if took > DETAIL_WITHIN:
            self._breakers.details_failed(side, Unknown(f"a new alert's details took {took:.1f} s"))
        else:
            self._breakers.details_succeeded(side)

    def _count(self, side: Side, error: ReconcilerError) -> None:
        """Report the failure to the vendor's breaker. A new alert's late details say nothing about other reads."""
        if isinstance(error, Defect):
            return
        if self._pages_from_row and not isinstance(error, Refused | ObjectError | Permanent):
            self._breakers.details_failed(side, error)
            return
        self._breakers.failed(side, self._alert_id, error)
        if side in self._needed:
            self.blocked |= self._breakers.open({side})

    def _note_failure(self, read: Read, after: Progress, error: ReconcilerError | None) -> None:
        """Report the failure for this pair, and let its side back off."""
        side = read.what.side
        if read.what is What.ALERT and after.observation.missing:
            return  # a 404 is an answer
        if error is not None:
            if isinstance(error, ObjectError) and read.about:
                error = type(error)(f"{error}{read.about}")
            self.problems.append(Problem(side, error, self._alert_id))
        if not self.blocked and side in followed(after).unread:
            if not isinstance(error, ObjectError | Permanent):  # further reads may have no answer either
                self._skipped.add(side)
            if isinstance(error, NotExecuted) and not isinstance(error, Blocked):  # not this pair's fault
                self.retry_after = min(error.retry_after or 0.0, LONGEST_READ_BACK_OFF)
            elif error is not None and side not in self._failed:  # simultaneous failures count once
                self._failed.add(side)
                self._breakers.back_off(side, self._alert_id, error)


def _failure(error: ReconcilerError) -> Failure:
    if isinstance(error, Missing):
        return Failure.MISSING
    return Failure.FORBIDDEN if isinstance(error, ObjectError) else Failure.UNREAD
