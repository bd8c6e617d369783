"""What an open action blocks of its pair's later actions on the same side, so that the order of acts is kept."""

from datetime import datetime, timedelta
from enum import Enum

from reconciler.core.model import Action, Policy, Side, Status
from reconciler.core.retry import LONGEST_BACK_OFF, steps_aside

_INSTANT = timedelta(microseconds=1)


class Blocks(Enum):
    """Which later actions of the same pair and side wait for one."""

    NOTHING = 0
    STATES = 1  # Opsgenie has queued it: reading the alert before the next write would show the state before it
    ALL = 2  # it waits, or its outcome is unknown: anything later would overtake it


class BlockedPlaces:
    """The places that are blocked by earlier actions: states, and everything else, of either side."""

    def __init__(self) -> None:
        self._places: set[tuple[Side, bool]] = set()

    def add(self, action: Action, blocks: Blocks) -> None:
        """An action comes before all that follow."""
        if blocks is not Blocks.NOTHING:
            self._places.add((action.kind.side, True))
        if blocks is Blocks.ALL:
            self._places.add((action.kind.side, False))

    def blocks(self, action: Action) -> bool:
        """Whether this action has to wait for an earlier one."""
        return (action.kind.side, action.kind.is_state) in self._places


def blocks_of(action: Action, policy: Policy, now: datetime) -> Blocks:
    """Everything while it waits or its outcome is unknown, until it has been refused for too long.

    From then on a note blocks nothing, and a state later states. So does one that Opsgenie has in its queue.
    """
    if not action.status.is_open:
        return Blocks.NOTHING
    is_queued = action.status is Status.SENT and bool(action.request_id)
    if not is_queued and not steps_aside(action, now, policy.staleness):
        return Blocks.ALL
    return Blocks.STATES if action.kind.is_state else Blocks.NOTHING


def backs_off_until(action: Action, now: datetime) -> datetime | None:
    """The end of the action's own back-off. One further ahead than any lasts comes from a clock that was wrong."""
    until = action.not_before
    return until if until is not None and now < until <= now + LONGEST_BACK_OFF else None


def steps_aside_at(action: Action, policy: Policy) -> datetime | None:
    """When others of its pair need no longer wait for it, should it be refused until then; None: not known."""
    return None if action.failing_since is None else action.failing_since + policy.staleness + _INSTANT
