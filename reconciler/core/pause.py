"""A pause: an operator holds writes to one side back. Nothing is lost: what waits is written after it.

What pages somebody goes on unless the pause is for pages, too: incidents are created, a raised urgency pages, and
taking an acknowledgement back restarts the notifications, in PagerDuty as in Opsgenie.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from reconciler.core.model import Action, Kind, Side, Status

PAGING = frozenset({
    Kind.CREATE_INCIDENT,
    Kind.PAGERDUTY_UNACKNOWLEDGE,
    Kind.PAGERDUTY_SET_URGENCY,
    Kind.ALERT_UNACKNOWLEDGE,
})  # fmt: skip
"""Kinds of action that page somebody."""


@dataclass(frozen=True, slots=True)
class Pause:
    """One side's pause. `pages`: pages wait too. `until`: it ends by itself; None: only by `resume`."""

    side: Side
    since: datetime
    reason: str
    who: str = ""
    pages: bool = False
    until: datetime | None = None

    def is_over(self, now: datetime) -> bool:
        """Whether it has ended by itself."""
        return self.until is not None and now >= self.until

    def holds(self, kind: Kind) -> bool:
        """Whether actions of this kind wait for the end of the pause."""
        return kind.side is self.side and (self.pages or kind not in PAGING)


def held(action: Action, pauses: Iterable[Pause]) -> Pause | None:
    """The pause for whose end this action waits; None if it waits for none."""
    if action.status is not Status.PLANNED:
        return None
    return next((pause for pause in pauses if pause.holds(action.kind)), None)
