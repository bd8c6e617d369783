"""What went wrong with writing: which kinds of write rest for a while, and when what waits for one may go on."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.core.model import Action, Kind, Side
from reconciler.errors import NotExecuted, ReconcilerError, Refused
from reconciler.remotes.base import Clock
from reconciler.sight import STRIKES, Problem

REFUSED_PAUSE = timedelta(seconds=30)
"""How long a vendor that turns our key away is spared further writes."""
SHORT = timedelta(seconds=1)
"""How long a vendor is spared that cannot be reached, or whose answers leave us in doubt."""


@dataclass(frozen=True, slots=True)
class Pause:
    """`error` is why. `rate`: the vendor, or our budget, has said when there is room again."""

    until: datetime
    error: ReconcilerError
    rate: bool


class Pauses:
    """By kind of action. Kept between cycles."""

    def __init__(self) -> None:
        self._by_kind: dict[Kind, Pause] = {}

    def after(self, kind: Kind, error: ReconcilerError, now: datetime) -> None:
        """A write of that kind was not executed. A rate limit binds this kind; anything else the whole side."""
        wait = error.retry_after if isinstance(error, NotExecuted) else None
        if wait is not None:
            self._by_kind[kind] = Pause(now + timedelta(seconds=wait), error, rate=True)
        else:
            self.side(kind.side, error, now)

    def side(self, side: Side, error: ReconcilerError, now: datetime) -> None:
        """Spare that side altogether, for longer when it has turned our key away."""
        until = now + (REFUSED_PAUSE if isinstance(error, Refused) else SHORT)
        for kind in Kind:
            if kind.side is side:
                self._by_kind[kind] = Pause(until, error, rate=False)

    def holds(self, kind: Kind, now: datetime) -> Pause | None:
        """What holds this kind of action back at the moment."""
        pause = self._by_kind.get(kind)
        return pause if pause is not None and now < pause.until else None


class Trouble:
    """One turn's problems, and what rests because of them.

    `resume`: when something that had to wait may go on, where that is known.
    """

    def __init__(self, pauses: Pauses, clock: Clock) -> None:
        self.problems: list[Problem] = []
        self.resume: datetime | None = None
        self._pauses = pauses
        self._clock = clock
        self._strikes = dict.fromkeys(Side, 0)

    def problem(self, action: Action, error: ReconcilerError) -> None:
        """Something did not work. Nothing rests because of that alone."""
        self.problems.append(Problem(action.kind.side, error, action.alert_id))

    def pause(self, action: Action, error: ReconcilerError) -> None:
        """The vendor takes nothing now: leave it alone until it said, or for a while."""
        self.problem(action, error)
        now = self._clock.now()
        self._pauses.after(action.kind, error, now)
        pause = self._pauses.holds(action.kind, now)
        self.left(pause.until if pause and pause.rate else None)

    def strike(self, action: Action, error: ReconcilerError) -> None:
        """No answer, or none that tells: after some of those in a row the vendor is left alone."""
        self.problem(action, error)
        side = action.kind.side
        self._strikes[side] += 1
        if self._strikes[side] >= STRIKES:
            self._pauses.side(side, error, self._clock.now())

    def worked(self, side: Side) -> None:
        """The vendor has done as it was told."""
        self._strikes[side] = 0

    def holds(self, action: Action, now: datetime) -> bool:
        """Whether it rests. A rate that is used up passes; anything else is as wrong as it was when it was met."""
        pause = self._pauses.holds(action.kind, now)
        if pause is None:
            return False
        self.left(pause.until if pause.rate else None)
        if not pause.rate and all(problem.error is not pause.error for problem in self.problems):
            self.problem(action, pause.error)
        return True

    def left(self, resume: datetime | None) -> None:
        """Something is left to be done, and may be begun then."""
        self.resume = min((at for at in (self.resume, resume) if at), default=None)
