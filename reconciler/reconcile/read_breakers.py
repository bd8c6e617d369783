"""Circuit breakers for single reads, one per vendor, and the back-off of each side of each pair.

A breaker opens at once when the account is refused or no connection can be made, else after several reads in a
row, of different alerts, without an answer. While it is open, nothing is read of the pairs that need the vendor.
When its wait is over it is half-open: one read is let through. Any success closes it.

A second breaker per vendor is for the details of new alerts, which are read only if that takes no time: where they
were slow once, the next pages go out without them.
"""

import threading
from collections.abc import Collection
from dataclasses import dataclass, field

from reconciler.core.model import Side
from reconciler.errors import (
    Blocked,
    ObjectError,
    Permanent,
    RateLimited,
    ReconcilerError,
    Refused,
    is_unreachable,
)
from reconciler.reconcile.problems import Problem
from reconciler.reconcile.work_queue import Hold, Passage
from reconciler.vendors.ports import Clock

FAILURES = 3
"""Consecutive reads without an answer, of different alerts, that open a vendor's breaker."""
FIRST_WAIT = 1.0
"""Seconds that a breaker, or a side's back-off, lasts at first."""
LONGEST_OPEN = 30.0
LONGEST_UNREACHABLE = 5.0
LONGEST_READ_BACK_OFF = 60.0
REMEMBERED_BACK_OFFS = 10_000
"""The most sides of pairs whose back-off is remembered."""
HOLDS = {Side.ALERTS: Hold.READ_ALERTS, Side.PAGERDUTY: Hold.READ_PAGERDUTY}
_SIDES = {hold: side for side, hold in HOLDS.items()}


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether a pair may be read: the breakers that forbid it, or the sides for which it is the half-open read."""

    blocked: frozenset[Hold] = frozenset()
    probes: frozenset[Side] = frozenset()


@dataclass(slots=True)
class _Breaker:
    """One circuit breaker. `error` is why it is open; `wait` is how long it is open the next time."""

    failed: set[str] = field(default_factory=set)
    error: ReconcilerError | None = None
    retry_at: float = 0.0
    wait: float = FIRST_WAIT

    def is_open(self, now: float) -> bool:
        return self.error is not None and now < self.retry_at

    def open(self, error: ReconcilerError, now: float) -> None:
        """Open it. A call that fails while it is open had begun before."""
        if not self.is_open(now):
            longest = LONGEST_UNREACHABLE if is_unreachable(error) else LONGEST_OPEN
            wait = min(self.wait, longest)
            self.retry_at, self.wait = now + wait, 2 * wait
        self.error = error

    def let_through(self, now: float) -> None:
        """Let one read through. The next waits for its outcome, at most as long as the last wait."""
        self.retry_at = now + min(self.wait, LONGEST_OPEN)


@dataclass(frozen=True, slots=True)
class _BackOff:
    failures: int
    until: float
    error: ReconcilerError


class ReadBreakers:
    """All read breakers. For any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._breakers = {side: _Breaker() for side in Side}
        self._details = {side: _Breaker() for side in Side}
        self._back_offs: dict[tuple[str, Side], _BackOff] = {}

    # -- the vendors' breakers --

    def open(self, sides: Collection[Side]) -> frozenset[Hold]:
        """The breakers of these sides that let nothing through now."""
        now = self._clock.monotonic()
        with self._lock:
            return self._open(sides, now)

    def admit(self, sides: Collection[Side]) -> Admission:
        """Whether a pair that needs these sides may be read. A half-open breaker admits one pair."""
        now = self._clock.monotonic()
        with self._lock:
            blocked = self._open(sides, now)
            if blocked:
                return Admission(blocked)
            probes = frozenset(side for side in sides if self._breakers[side].error is not None)
            for side in probes:
                self._breakers[side].let_through(now)
            return Admission(probes=probes)

    def failed(self, side: Side, alert_id: str, error: ReconcilerError) -> None:
        """Count a failed read. Without an alert it was a feed's, and counts only if no connection was made."""
        now = self._clock.monotonic()
        with self._lock:
            breaker = self._breakers[side]
            if isinstance(error, RateLimited):
                return  # our own limit says nothing about the vendor
            if is_unreachable(error) or (alert_id and isinstance(error, Refused)):
                breaker.open(error, now)
            elif alert_id and isinstance(error, ObjectError | Permanent):
                self._answered(side, alert_id)  # the vendor has answered, about this object alone
            elif alert_id:
                if not isinstance(error, Blocked):  # a firewall may reject one address
                    breaker.failed.add(alert_id)
                if len(breaker.failed) >= FAILURES or breaker.error is not None:
                    breaker.open(error, now)

    def succeeded(self, side: Side, alert_id: str = "") -> None:
        """Count an answered read. Without an alert it was a feed's, which closes the breaker.

        A feed's answer says nothing about single reads: the next one without an answer opens the breaker again.
        """
        with self._lock:
            self._answered(side, alert_id)

    def retry_in(self, hold: Hold) -> float:
        """Seconds until the breaker lets a read through, 0 if it does now."""
        with self._lock:
            breaker = self._breakers[_SIDES[hold]]
            return 0.0 if breaker.error is None else max(0.0, breaker.retry_at - self._clock.monotonic())

    def passage(self, hold: Hold) -> Passage:
        """Number of waiting pairs that this breaker lets through now."""
        with self._lock:
            breaker = self._breakers[_SIDES[hold]]
            if breaker.error is None:
                return Passage.ALL
            return Passage.NONE if breaker.is_open(self._clock.monotonic()) else Passage.ONE

    def errors(self) -> tuple[Problem, ...]:
        """The error of each breaker that is not closed."""
        with self._lock:
            found = ((side, breaker.error) for side, breaker in self._breakers.items())
            return tuple(Problem(side, error) for side, error in found if error is not None)

    # -- details of new alerts --

    def has_slow_details(self, side: Side) -> bool:
        """Whether new alerts now page without this side's details. After the wait, one alert tries again."""
        now = self._clock.monotonic()
        with self._lock:
            breaker = self._details[side]
            if breaker.is_open(now):
                return True
            if breaker.error is not None:
                breaker.let_through(now)
            return False

    def details_failed(self, side: Side, error: ReconcilerError) -> None:
        """Open the details' breaker: there was no answer in time. The vendor may still be well."""
        with self._lock:
            self._details[side].open(error, self._clock.monotonic())

    def details_succeeded(self, side: Side) -> None:
        """Close the details' breaker."""
        with self._lock:
            self._details[side] = _Breaker()

    # -- back-off of one side of one pair --

    def back_off(self, side: Side, alert_id: str, error: ReconcilerError) -> None:
        """Let this side of the pair back off after a failed read, for 1, 2, 4 … 60 s."""
        now = self._clock.monotonic()
        with self._lock:
            last = self._back_offs.pop((alert_id, side), None)
            failures = last.failures + 1 if last else 1
            wait = min(FIRST_WAIT * 2 ** min(failures - 1, 10), LONGEST_READ_BACK_OFF)
            self._back_offs[alert_id, side] = _BackOff(failures, now + wait, error)
            while len(self._back_offs) > REMEMBERED_BACK_OFFS:
                self._back_offs.pop(next(iter(self._back_offs)), None)

    def was_read(self, side: Side, alert_id: str) -> None:
        """End the back-off of this side of the pair, which was read."""
        with self._lock:
            self._back_offs.pop((alert_id, side), None)

    def backs_off(self, side: Side, alert_id: str) -> ReconcilerError | None:
        """Why this side of the pair backs off now; None if it may be read."""
        with self._lock:
            found = self._back_offs.get((alert_id, side))
            return found.error if found is not None and self._clock.monotonic() < found.until else None

    def back_off_left(self, side: Side, alert_id: str) -> float:
        """Seconds left of this side's back-off."""
        with self._lock:
            found = self._back_offs.get((alert_id, side))
            return 0.0 if found is None else max(0.0, found.until - self._clock.monotonic())

    def _open(self, sides: Collection[Side], now: float) -> frozenset[Hold]:
        return frozenset(HOLDS[side] for side in sides if self._breakers[side].is_open(now))

    def _answered(self, side: Side, alert_id: str) -> None:
        breaker = self._breakers[side]
        if alert_id:
            breaker.failed.clear()
            breaker.wait = FIRST_WAIT
        breaker.error = None
