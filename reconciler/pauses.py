"""Which kinds of write rest for a while, and when what waits for one of them may go on."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.core.model import Kind, Side
from reconciler.errors import NotExecuted, ReconcilerError, Refused

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
