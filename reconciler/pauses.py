"""Which writes wait for a while because of what others of their lane met, and when they may go on.

| lane      | what is written                    |
|-----------|------------------------------------|
| pages     | incidents                          |
| pagerduty | everything else in PagerDuty       |
| opsgenie  | everything in Opsgenie             |

A pause of one lane never holds another, and reading is never paused. A rate limit binds one kind of action alone.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from threading import Lock

from reconciler.core.model import Action, Kind, Side
from reconciler.errors import Blocked, Misconfigured, NotExecuted, RateLimited, ReconcilerError, Refused
from reconciler.sight import STRIKES, Problem
from reconciler.vendors.ports import Clock

SHORTEST = timedelta(seconds=1)
"""How long the first pause of a lane lasts; each further one without a success between is twice as long."""
LONGEST = timedelta(seconds=30)
LONGEST_OUT_OF_REACH = timedelta(seconds=5)
"""The longest pause while a vendor is out of reach, and of pages unless the account is refused."""


class Lane(Enum):
    """What is written side by side without waiting for one another."""

    PAGES = "pages"
    PAGERDUTY = "pagerduty"
    OPSGENIE = "opsgenie"


PAGERDUTY_LANES = frozenset({Lane.PAGES, Lane.PAGERDUTY})


def lane_of(kind: Kind) -> Lane:
    """The lane that this kind of action is written in."""
    if kind is Kind.CREATE_INCIDENT:
        return Lane.PAGES
    return Lane.PAGERDUTY if kind.side is Side.PAGERDUTY else Lane.OPSGENIE


@dataclass(frozen=True, slots=True)
class Pause:
    """`error` is why. `rate`: the vendor, or our budget, has said when there is room again.

    `probing`: only what has been refused before waits; what has not been tried yet shows whether anything passes.
    """

    until: datetime
    error: ReconcilerError
    rate: bool = False
    probing: bool = False


class Pauses:
    """The lanes' pauses, kept between cycles. For any thread."""

    def __init__(self) -> None:
        self.barred: frozenset[Lane] = frozenset()
        """Lanes that are closed until the set-up of PagerDuty is in order again."""
        self._rates: dict[Kind, Pause] = {}
        self._lanes: dict[Lane, Pause] = {}
        self._waits: dict[Lane, timedelta] = {}
        self._struck: dict[Lane, set[str]] = {lane: set() for lane in Lane}
        self._forbidden: dict[Lane, set[str]] = {lane: set() for lane in Lane}
        self._suspects: dict[Lane, Refused] = {}
        self._worked: dict[Lane, datetime] = {}
        self._lock = Lock()

    def after(self, kind: Kind, error: ReconcilerError, now: datetime) -> None:
        """A write of that kind was not executed. A rate limit binds this kind; anything else its lane."""
        wait = error.retry_after if isinstance(error, NotExecuted) else None
        if wait is not None:
            self._rates[kind] = Pause(now + timedelta(seconds=wait), error, rate=True)
        else:
            self._pause(lane_of(kind), error, now)

    def strike(self, action: Action, error: ReconcilerError, now: datetime) -> None:
        """No answer, or none that tells: after some of those in a row, about different alerts, the lane pauses.

        What already failed when another write of the lane worked has only its own trouble: nothing else waits.
        """
        lane = lane_of(action.kind)
        with self._lock:
            last_worked = self._worked.get(lane)
            if action.failing_since and last_worked and action.failing_since < last_worked:
                return
            self._struck[lane].add(action.alert_id)
            many = len(self._struck[lane]) >= STRIKES
        if many:
            # A firewall may dislike what some notes say: what has not been tried yet shows whether others pass.
            self._pause(lane, error, now, probing=isinstance(error, Blocked))

    def forbidden(self, action: Action, error: ReconcilerError, now: datetime) -> None:
        """A write to one object was refused with 403. Several in a row are the account's trouble, too."""
        lane = lane_of(action.kind)
        with self._lock:
            self._forbidden[lane].add(action.alert_id)
            count = len(self._forbidden[lane])
        if count < STRIKES:
            return
        variable = "OPSGENIE_API_KEY" if lane is Lane.OPSGENIE else "PAGERDUTY_API_KEY"
        refusal, _, _ = str(error).partition(";")
        all_refused = self._suspects.setdefault(
            lane,
            Refused(
                f"{variable}: every write is refused, for {count} alerts in a row: the key may be read-only, "
                f"or may see only a part of the account; the last refusal: {refusal}"
            ),
        )
        self._pause(lane, all_refused, now, probing=True)

    def suspects(self) -> list[tuple[Lane, Refused]]:
        """Lanes in which nothing has passed since several objects in a row were refused, with what is wrong."""
        return list(self._suspects.items())

    def worked(self, kind: Kind, now: datetime) -> None:
        """A write of that lane was taken: nothing holds the lane any more, but for a rate limit."""
        lane = lane_of(kind)
        with self._lock:
            self._worked[lane] = now
            self._struck[lane].clear()
            self._forbidden[lane].clear()
            self._suspects.pop(lane, None)
            self._waits.pop(lane, None)
            self._lanes.pop(lane, None)

    def confirmed(self) -> None:
        """PagerDuty's account is in order: what waited for that is tried now. Pauses grow all the same."""
        with self._lock:
            for lane in PAGERDUTY_LANES:
                pause = self._lanes.get(lane)
                if pause is not None and isinstance(pause.error, Refused) and not pause.probing:
                    del self._lanes[lane]

    def holds(self, action: Action, now: datetime) -> Pause | None:
        """What holds this action back at the moment."""
        rate, lane = self._rates.get(action.kind), self._lanes.get(lane_of(action.kind))
        if lane is not None and now < lane.until and not (lane.probing and action.failing_since is None):
            return lane
        return rate if rate is not None and now < rate.until else None

    def _pause(self, lane: Lane, error: ReconcilerError, now: datetime, *, probing: bool = False) -> None:
        with self._lock:
            known = self._lanes.get(lane)
            if known is not None and now < known.until:  # met by several hands at once
                return
            wait = min(self._waits.get(lane, SHORTEST), _longest(lane, error))
            self._waits[lane] = 2 * wait
            self._lanes[lane] = Pause(now + wait, error, probing=probing)


def _longest(lane: Lane, error: ReconcilerError) -> timedelta:
    if isinstance(error, Misconfigured):
        return LONGEST
    return LONGEST if isinstance(error, Blocked) and lane is not Lane.PAGES else LONGEST_OUT_OF_REACH


class Trouble:
    """One turn's problems, and what waits because of them.

    `resume`: when something that had to wait may go on, where that is known.
    """

    def __init__(self, pauses: Pauses, clock: Clock, met: dict[int, ReconcilerError] | None = None) -> None:
        """`met` keeps what each action has met last, by its id."""
        self.met = {} if met is None else met
        self.problems: list[Problem] = []
        self.resume: datetime | None = None
        self._pauses = pauses
        self._clock = clock

    def problem(self, action: Action, error: ReconcilerError) -> None:
        """Something did not work. Nothing waits because of that alone. Our own rate limit is no problem."""
        if not isinstance(error, RateLimited):
            self.met[action.id] = error
            self.report(action, error)

    def report(self, action: Action, error: ReconcilerError) -> None:
        """Something lasts, though nothing was tried."""
        self.problems.append(Problem(action.kind.side, error, action.alert_id))

    def pause(self, action: Action, error: ReconcilerError) -> None:
        """The lane takes nothing now: leave it alone until the vendor said, or for a while."""
        self.problem(action, error)
        now = self._clock.now()
        self._pauses.after(action.kind, error, now)
        pause = self._pauses.holds(action, now)
        self.left(pause.until if pause and pause.rate else None)

    def strike(self, action: Action, error: ReconcilerError) -> None:
        """No answer, or none that tells."""
        self.problem(action, error)
        self._pauses.strike(action, error, self._clock.now())

    def forbidden(self, action: Action, error: ReconcilerError) -> None:
        """One object is refused."""
        self.problem(action, error)
        self._pauses.forbidden(action, error, self._clock.now())

    def lasting(self) -> None:
        """Report what lasts although nothing was tried in this turn. It concerns the vendor, not one alert."""
        for lane, error in self._pauses.suspects():
            side = Side.OPSGENIE if lane is Lane.OPSGENIE else Side.PAGERDUTY
            if all(problem.error is not error or problem.alert_id for problem in self.problems):
                self.problems.append(Problem(side, error))

    def worked(self, action: Action) -> None:
        """The vendor has taken a write."""
        self._pauses.worked(action.kind, self._clock.now())

    def is_barred(self, action: Action) -> bool:
        """Whether the set-up of PagerDuty allows no such write: that is reported once, with the set-up."""
        return lane_of(action.kind) in self._pauses.barred

    def holds(self, action: Action, now: datetime) -> bool:
        """Whether it waits. A rate that is used up passes; anything else is as wrong as it was when it was met."""
        pause = self._pauses.holds(action, now)
        if pause is None:
            return False
        self.left(pause.until if pause.rate else None)
        if not pause.rate and all(problem.error is not pause.error for problem in self.problems):
            self.report(action, pause.error)
        return True

    def left(self, resume: datetime | None) -> None:
        """Something is left to be done, and may be begun then."""
        self.resume = min((at for at in (self.resume, resume) if at), default=None)
