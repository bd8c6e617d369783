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
"""So many reads in a row without an answer, of different alerts, open a vendor's breaker."""
FIRST_WAIT = 1.0
"""Seconds after which a breaker that has just opened, or a side that has just failed, is tried again."""
LONGEST_OPEN = 30.0
LONGEST_UNREACHABLE = 5.0
LONGEST_BACK_OFF = 60.0
REMEMBERED = 10_000
"""How many sides of pairs are kept in their back-off at the most."""
HOLDS = {Side.OPSGENIE: Hold.READ_OPSGENIE, Side.PAGERDUTY: Hold.READ_PAGERDUTY}
_SIDES = {hold: side for side, hold in HOLDS.items()}


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether a pair may be read: the breakers that forbid it, or the sides where it is the half-open read."""

    blocked: frozenset[Hold] = frozenset()
    probes: frozenset[Side] = frozenset()


@dataclass(slots=True)
class _Breaker:
    """One circuit breaker. `error` is why it is open; `wait` how long it stays so when it opens next."""

    failed: set[str] = field(default_factory=set)
    error: ReconcilerError | None = None
    retry_at: float = 0.0
    wait: float = FIRST_WAIT

    def is_open(self, now: float) -> bool:
        return self.error is not None and now < self.retry_at

    def open(self, error: ReconcilerError, now: float) -> None:
        """Open it. What fails while it is open already was on its way before."""
        if not self.is_open(now):
            longest = LONGEST_UNREACHABLE if is_unreachable(error) else LONGEST_OPEN
            wait = min(self.wait, longest)
            self.retry_at, self.wait = now + wait, 2 * wait
        self.error = error

    def let_through(self, now: float) -> None:
        """One read is let through. What comes next waits for its outcome, at most as long as for the last one."""
        self.retry_at = now + min(self.wait, LONGEST_OPEN)


@dataclass(frozen=True, slots=True)
class _BackOff:
    failures: int
    until: float
    error: ReconcilerError


class ReadBreakers:
    """All of them. For any thread."""

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
        """Whether a pair that needs these sides may be read. A half-open breaker admits one."""
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
        """A read has failed. Without an alert it was a feed's: only that no connection was made counts then."""
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
                if not isinstance(error, Blocked):  # a firewall may dislike one address
                    breaker.failed.add(alert_id)
                if len(breaker.failed) >= FAILURES or breaker.error is not None:
                    breaker.open(error, now)

    def succeeded(self, side: Side, alert_id: str = "") -> None:
        """A read has an answer. Without an alert it was a feed's: that closes the breaker.

        It says nothing about single reads, so that the next one without an answer opens it again.
        """
        with self._lock:
            self._answered(side, alert_id)

    def retry_in(self, hold: Hold) -> float:
        """Seconds until the breaker lets a read through, 0 when it does now."""
        with self._lock:
            breaker = self._breakers[_SIDES[hold]]
            return 0.0 if breaker.error is None else max(0.0, breaker.retry_at - self._clock.monotonic())

    def passage(self, hold: Hold) -> Passage:
        """How many of the pairs that wait for this breaker may go on now."""
        with self._lock:
            breaker = self._breakers[_SIDES[hold]]
            if breaker.error is None:
                return Passage.ALL
            return Passage.NONE if breaker.is_open(self._clock.monotonic()) else Passage.ONE

    def errors(self) -> tuple[Problem, ...]:
        """Why each breaker that is not closed has opened."""
        with self._lock:
            found = ((side, breaker.error) for side, breaker in self._breakers.items())
            return tuple(Problem(side, error) for side, error in found if error is not None)

    # -- the details of new alerts --

    def has_slow_details(self, side: Side) -> bool:
        """Whether new alerts page without details of that side now. When the wait is over, one tries again."""
        now = self._clock.monotonic()
        with self._lock:
            breaker = self._details[side]
            if breaker.is_open(now):
                return True
            if breaker.error is not None:
                breaker.let_through(now)
            return False

    def details_failed(self, side: Side, error: ReconcilerError) -> None:
        """A new alert's details had no answer in the time that they may take. The vendor may still be well."""
        with self._lock:
            self._details[side].open(error, self._clock.monotonic())

    def details_succeeded(self, side: Side) -> None:
        """They were read in time."""
        with self._lock:
            self._details[side] = _Breaker()

    # -- back-off of one side of one pair --

    def back_off(self, side: Side, alert_id: str, error: ReconcilerError) -> None:
        """This side of the pair could not be read: it is left alone for 1, 2, 4 ... 60 s."""
        now = self._clock.monotonic()
        with self._lock:
            last = self._back_offs.pop((alert_id, side), None)
            failures = last.failures + 1 if last else 1
            wait = min(FIRST_WAIT * 2 ** min(failures - 1, 10), LONGEST_BACK_OFF)
            self._back_offs[alert_id, side] = _BackOff(failures, now + wait, error)
            while len(self._back_offs) > REMEMBERED:
                self._back_offs.pop(next(iter(self._back_offs)), None)

    def was_read(self, side: Side, alert_id: str) -> None:
        """This side of the pair was read: its back-off ends."""
        with self._lock:
            self._back_offs.pop((alert_id, side), None)

    def backs_off(self, side: Side, alert_id: str) -> ReconcilerError | None:
        """Why this side of the pair is left alone now; None when it may be read."""
        with self._lock:
            found = self._back_offs.get((alert_id, side))
            return found.error if found is not None and self._clock.monotonic() < found.until else None

    def back_off_left(self, side: Side, alert_id: str) -> float:
        """Seconds for which this side of the pair is left alone."""
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
