"""When one of a pair's actions may be tried next."""

from collections.abc import Iterable
from datetime import datetime

from reconciler.core.model import Action, Kind, Policy, Side, Status
from reconciler.reconcile.delivery_blocks import Blocks, backs_off_until, blocks_of, steps_aside_at
from reconciler.reconcile.write_breakers import WriteBreakers

Places = dict[tuple[Side, bool], datetime | None]
"""By side, and whether states are meant: when earlier actions no longer block; None: no time is known."""


def has_target(action: Action) -> bool:
    """Whether there is something to write to: for all but a creation in PagerDuty, the pair's incident."""
    return action.kind is Kind.CREATE_INCIDENT or action.kind.side is Side.OPSGENIE or bool(action.incident_id)


def deliver_at(
    actions: Iterable[Action], policy: Policy, breakers: WriteBreakers, now: datetime
) -> datetime | None:
    """When the first of these actions, in order, may be tried; None where none waits for a time.

    What an action of unknown outcome blocks is tried once a read has shown that outcome, or when it steps aside.
    """
    free_at: Places = {}
    found = []
    for action in actions:
        place = (action.kind.side, action.kind.is_state)
        free = now if action.kind is Kind.CREATE_INCIDENT else free_at.get(place, now)
        if action.status is Status.PLANNED and has_target(action) and free is not None:
            found.append(max(free, _may_be_tried_at(action, breakers, now)))
        if action.kind is not Kind.CREATE_INCIDENT:
            _block(free_at, action, policy, now)
    return min(found, default=None)


def _may_be_tried_at(action: Action, breakers: WriteBreakers, now: datetime) -> datetime:
    """When neither its own back-off nor a breaker delays it any more."""
    wait = breakers.waits_for(action)
    return max(now, backs_off_until(action, now) or now, now if wait is None else wait.retry_at)


def _block(free_at: Places, action: Action, policy: Policy, now: datetime) -> None:
    """Take in what this action blocks of those after it."""
    blocks, side = blocks_of(action, policy, now), action.kind.side
    if blocks is Blocks.NOTHING:
        return
    states_at = None if action.kind.is_state else steps_aside_at(action, policy)
    for is_state, until in ((True, states_at), (False, steps_aside_at(action, policy))):
        if is_state or blocks is Blocks.ALL:
            known = free_at.get((side, is_state), now)
            free_at[side, is_state] = None if until is None or known is None else max(until, known)
