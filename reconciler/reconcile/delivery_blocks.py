"""Blocking of a pair's later actions by an open one on the same side, which keeps the order of acts."""

from datetime import datetime, timedelta
from enum import Enum

from reconciler.core.model import Action, Side, Status
from reconciler.core.policy import Policy
from reconciler.core.retry import LONGEST_WRITE_BACK_OFF, steps_aside

_INSTANT = timedelta(microseconds=1)


class Blocks(Enum):
    """Which later actions of the same pair and side wait for an action."""

    NOTHING = 0
    STATES = 1  # queued by the alert side: the check of a later state would read the alert as it was before
    ALL = 2  # waiting, or of unknown outcome: a later action would overtake it


class BlockedPlaces:
    """The places that earlier actions block: states and everything else, on either side."""

    def __init__(self) -> None:
        self._places: set[tuple[Side, bool]] = set()

    def add(self, action: Action, blocks: Blocks) -> None:
        """Add what an action blocks for all that follow."""
        if blocks is not Blocks.NOTHING:
            self._places.add((action.kind.side, True))
        if blocks is Blocks.ALL:
            self._places.add((action.kind.side, False))

    def blocks(self, action: Action) -> bool:
        """Whether this action has to wait for an earlier one."""
        return (action.kind.side, action.kind.is_state) in self._places


def blocks_of(action: Action, policy: Policy, now: datetime) -> Blocks:
    """What an open action blocks: everything, until it has been refused for too long.

    From then on a note blocks nothing, and a state only later states, as does an action in the alert side's queue.
    """
    if not action.status.is_open:
        return Blocks.NOTHING
    is_queued = action.status is Status.SENT and bool(action.request_id)
    if not is_queued and not steps_aside(action, now, policy.staleness):
        return Blocks.ALL
    return Blocks.STATES if action.kind.is_state else Blocks.NOTHING


def backs_off_until(action: Action, now: datetime) -> datetime | None:
    """The end of the action's own back-off. A time beyond any back-off comes from a wrong clock and is ignored."""
    until = action.not_before
    return until if until is not None and now < until <= now + LONGEST_WRITE_BACK_OFF else None


def steps_aside_at(action: Action, policy: Policy) -> datetime | None:
    """When others of its pair no longer wait for it, if it is refused until then; None: not known."""
    return None if action.failing_since is None else action.failing_since + policy.staleness + _INSTANT
