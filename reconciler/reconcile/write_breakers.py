"""Circuit breakers for writes: which writes wait because others failed, and until when.

| lane      | what is written                    |
|-----------|------------------------------------|
| pages     | incidents                          |
| pagerduty | everything else in PagerDuty       |
| opsgenie  | everything on the alert side       |

Each lane has a breaker of its own, and reading has others. Open: the lane takes nothing until `retry_at`.
Half-open: `retry_at` has passed, and what is due is tried; the first success closes the breaker, a failure opens
it for twice as long. A rate limit delays one kind of action alone. A lane may be barred while the account's set-up
is wrong, or while an operator pauses its side; what pages somebody passes a pause that does not include pages.
What is meant for alerts that the key no longer sees is barred alone: a write would be accepted and then fail.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from threading import Lock

from reconciler.core.model import Action, Kind, Side
from reconciler.core.pause import Pause, held
from reconciler.core.product import OPSGENIE, Product
from reconciler.errors import Blocked, Misconfigured, NotExecuted, ReconcilerError, Refused, is_unreachable
from reconciler.reconcile.problems import Problem
from reconciler.reconcile.work_queue import Hold, Passage
from reconciler.vendors.ports import Clock

FAILURES = 3
"""Consecutive failures, of different alerts, that open a breaker if a single one may be the alert's own."""
FIRST_WAIT = 1.0
"""Seconds that a breaker is open at first, doubled each time it opens again without a success between."""
LONGEST_OPEN = 30.0
LONGEST_UNREACHABLE = 5.0
"""The longest open time in seconds while a vendor cannot be reached; for pages, unless the account is refused."""
WHILE_BARRED = 10.0
"""Seconds after which an action of a barred lane is due again, unless it is parked until the lane is free."""
BETWEEN_PROBES = 1.0
"""Seconds between two parked pairs that a half-open breaker lets through."""


class Lane(Enum):
    """Writes that share a circuit breaker."""

    PAGES = "pages"
    PAGERDUTY = "pagerduty"
    ALERTS = "opsgenie"

    @property
    def side(self) -> Side:
        """The vendor that the lane writes to."""
        return Side.ALERTS if self is Lane.ALERTS else Side.PAGERDUTY


PAGERDUTY_LANES = frozenset({Lane.PAGES, Lane.PAGERDUTY})
HOLDS = {
    Lane.PAGES: Hold.WRITE_PAGES,
    Lane.PAGERDUTY: Hold.WRITE_PAGERDUTY,
    Lane.ALERTS: Hold.WRITE_ALERTS,
}
_LANES = {hold: lane for lane, hold in HOLDS.items()}


def lane_of(kind: Kind) -> Lane:
    """The lane for this kind of action."""
    if kind is Kind.CREATE_INCIDENT:
        return Lane.PAGES
    return Lane.PAGERDUTY if kind.side is Side.PAGERDUTY else Lane.ALERTS


@dataclass(frozen=True, slots=True)
class Wait:
    """Why an action waits, and when it may be tried.

    `error` is what opened the breaker. None: nothing is wrong here, but a rate limit delays the action, or its
    lane or alert is barred, which is reported with the account's set-up or as a pause. `hold` is the condition
    for which the pair may be parked; a rate limit is none.
    """

    retry_at: datetime
    error: ReconcilerError | None = None
    hold: Hold | None = None


@dataclass(frozen=True, slots=True)
class _Open:
    """An open breaker. `until` is monotonic; so is `probe_at`, when the next parked pair is let through.

    `only_retries`: only actions that have failed before wait; the others show whether any write succeeds.
    """

    until: float
    error: ReconcilerError
    only_retries: bool = False
    probe_at: float = 0.0


class WriteBreakers:
    """The breakers of all lanes, on the monotonic clock. For any thread."""

    def __init__(self, clock: Clock, product: Product = OPSGENIE) -> None:
        self._clock = clock
        self.product = product
        self._lock = Lock()
        self._barred: frozenset[Lane] = frozenset()
        self._unseen: frozenset[str] = frozenset()
        self._pauses: tuple[Pause, ...] = ()
        self._rate_limited: dict[Kind, float] = {}
        self._open: dict[Lane, _Open] = {}
        self._next_wait: dict[Lane, float] = {}
        self._unanswered: dict[Lane, set[str]] = {lane: set() for lane in Lane}
        self._forbidden: dict[Lane, set[str]] = {lane: set() for lane in Lane}
        self._suspects: dict[Lane, Refused] = {}
        self._succeeded_at: dict[Lane, datetime] = {}

    def waits_for(self, action: Action) -> Wait | None:
        """What delays this action now; None if it may be tried."""
        kind, lane, now = action.kind, lane_of(action.kind), self._clock.monotonic()
        with self._lock:
            opened, rate_limited, barred = self._open.get(lane), self._rate_limited.get(kind, now), self._barred
            is_unseen = lane is Lane.ALERTS and action.alert_id in self._unseen
            is_paused = any(pause.holds(kind) for pause in self._pauses)
            is_lane_paused = self._is_paused(lane)
        if lane in barred or is_paused:
            return Wait(self._time_of(now + WHILE_BARRED), hold=HOLDS[lane])
        if is_unseen:
            return Wait(self._time_of(now + WHILE_BARRED))
        is_exempt = opened is not None and opened.only_retries and action.failing_since is None
        if opened is not None and now < opened.until and not is_exempt:
            # Pairs parked for a paused lane stay parked: what passes the pause is due by its time instead.
            return Wait(self._time_of(opened.until), opened.error, None if is_lane_paused else HOLDS[lane])
        return Wait(self._time_of(rate_limited)) if now < rate_limited else None

    def is_paused(self, action: Action) -> bool:
        """Whether the action waits for the end of an operator's pause."""
        with self._lock:
            return held(action, self._pauses) is not None

    def not_executed(self, kind: Kind, error: ReconcilerError) -> None:
        """Count a write without effect. A rate limit delays its kind; any other error opens its lane's breaker."""
        wait = error.retry_after if isinstance(error, NotExecuted) else None
        if wait is None:
            self._trip(lane_of(kind), error)
            return
        with self._lock:
            self._rate_limited[kind] = self._clock.monotonic() + wait

    def unanswered(self, action: Action, error: ReconcilerError) -> None:
        """Count a write without an answer, or with one that does not come from the vendor.

        Several alerts in a row open the breaker. An action that had failed before another write of the lane
        succeeded has a failure of its own.
        """
        lane = lane_of(action.kind)
        with self._lock:
            succeeded_at = self._succeeded_at.get(lane)
            if action.failing_since and succeeded_at and action.failing_since < succeeded_at:
                return
            self._unanswered[lane].add(action.alert_id)
            is_lane = len(self._unanswered[lane]) >= FAILURES
        if is_lane:
            # A firewall may reject the text of some notes: actions that have not failed show whether others pass.
            self._trip(lane, error, only_retries=isinstance(error, Blocked))

    def forbidden(self, action: Action, error: ReconcilerError) -> None:
        """Count a 403 for one object. After several alerts in a row the key is taken to have no right to write."""
        lane = lane_of(action.kind)
        with self._lock:
            self._forbidden[lane].add(action.alert_id)
            count = len(self._forbidden[lane])
            if count < FAILURES:
                return
            refused = _every_write_refused(self.product.credential_of(lane.side), count, error)
            suspect = self._suspects.setdefault(lane, refused)
        self._trip(lane, suspect, only_retries=True)

    def succeeded(self, kind: Kind) -> None:
        """Close the breaker of this kind's lane after a successful write. A rate limit stays."""
        lane = lane_of(kind)
        with self._lock:
            self._succeeded_at[lane] = self._clock.now()
            self._unanswered[lane].clear()
            self._forbidden[lane].clear()
            self._suspects.pop(lane, None)
            self._next_wait.pop(lane, None)
            self._open.pop(lane, None)

    def confirmed(self) -> None:
        """Close the breakers that a refusal of PagerDuty's account had opened, because the account is in order.

        If the next write is refused again, they open for longer.
        """
        with self._lock:
            for lane in PAGERDUTY_LANES:
                if _is_refused(self._open.get(lane)):
                    del self._open[lane]

    def renewed(self, side: Side) -> None:
        """Half-open the breakers that a refusal had opened, because the side's key was replaced."""
        now = self._clock.monotonic()
        with self._lock:
            for lane, opened in self._open.items():
                if lane.side is side and isinstance(opened.error, Misconfigured):
                    self._open[lane] = replace(opened, until=min(opened.until, now))
                    self._next_wait.pop(lane, None)

    def reached(self, side: Side) -> None:
        """Half-open the breakers that had opened for want of a connection: the vendor answers other calls."""
        now = self._clock.monotonic()
        with self._lock:
            for lane, opened in self._open.items():
                if lane.side is side and is_unreachable(opened.error):
                    self._open[lane] = replace(opened, until=min(opened.until, now))

    def bar(self, lanes: frozenset[Lane], unseen: frozenset[str] = frozenset()) -> None:
        """Bar exactly these lanes, and what is written to these alerts, until further notice."""
        with self._lock:
            self._barred, self._unseen = lanes, unseen

    def pause(self, pauses: Iterable[Pause]) -> None:
        """Hold back exactly what these pauses hold, until further notice."""
        with self._lock:
            self._pauses = tuple(pauses)

    def is_barred(self, lane: Lane) -> bool:
        """Whether the lane is barred."""
        with self._lock:
            return lane in self._barred

    def passage(self, hold: Hold) -> Passage:
        """Number of pairs parked for this lane that are let through now; for a half-open one, one a second."""
        lane, now = _LANES[hold], self._clock.monotonic()
        with self._lock:
            opened = self._open.get(lane)
            if lane in self._barred or self._is_paused(lane):
                return Passage.NONE
            if opened is not None and now < max(opened.until, opened.probe_at):
                return Passage.NONE
            if opened is None:
                return Passage.ALL
            self._open[lane] = replace(opened, probe_at=now + BETWEEN_PROBES)
            return Passage.ONE

    def problems(self) -> tuple[Problem, ...]:
        """A problem for each lane without a success since several alerts in a row were refused with 403."""
        with self._lock:
            return tuple(Problem(lane.side, error) for lane, error in self._suspects.items())

    def open_lanes(self) -> frozenset[Lane]:
        """Lanes whose breaker is open now."""
        now = self._clock.monotonic()
        with self._lock:
            return frozenset(lane for lane, opened in self._open.items() if now < opened.until)

    def refused_sides(self) -> frozenset[Side]:
        """Sides where writes are refused: a lane is barred, or its breaker was opened by a refused account."""
        with self._lock:
            refused = {lane for lane, opened in self._open.items() if isinstance(opened.error, Misconfigured)}
            return frozenset(lane.side for lane in (*self._barred, *refused))

    def _trip(self, lane: Lane, error: ReconcilerError, *, only_retries: bool = False) -> None:
        now = self._clock.monotonic()
        with self._lock:
            known = self._open.get(lane)
            if known is not None and now < known.until:  # several workers have met the same failure
                return
            wait = min(self._next_wait.get(lane, FIRST_WAIT), _longest(lane, error))
            self._next_wait[lane] = 2 * wait
            self._open[lane] = _Open(now + wait, error, only_retries)

    def _is_paused(self, lane: Lane) -> bool:
        """Whether pairs that are parked for this lane wait for the end of a pause."""
        return any(pause.side is lane.side and (pause.pages or lane is not Lane.PAGES) for pause in self._pauses)

    def _time_of(self, monotonic: float) -> datetime:
        return self._clock.now() + timedelta(seconds=max(0.0, monotonic - self._clock.monotonic()))


def _is_refused(opened: _Open | None) -> bool:
    """Whether the whole account was refused. An accepted account does not prove the right to write."""
    return opened is not None and isinstance(opened.error, Refused) and not opened.only_retries


def _longest(lane: Lane, error: ReconcilerError) -> float:
    if isinstance(error, Misconfigured):
        return LONGEST_OPEN
    return LONGEST_OPEN if isinstance(error, Blocked) and lane is not Lane.PAGES else LONGEST_UNREACHABLE


def _every_write_refused(credential: str, count: int, error: ReconcilerError) -> Refused:
    refusal, _, _ = str(error).partition(";")
    return Refused(
        f"{credential}: every write is refused, for {count} alerts in a row: the key may be "
        f"read-only, or may see only a part of the account; the last refusal: {refusal}"
    )
