"""The time at which one of a pair's waiting actions may be tried next."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from reconciler.core.model import Action, Kind, Side, Status
from reconciler.core.pause import PAGING
from reconciler.core.policy import Policy
from reconciler.reconcile.delivery_blocks import Blocks, backs_off_until, blocks_of, steps_aside_at
from reconciler.reconcile.work_queue import Hold
from reconciler.reconcile.write_breakers import WriteBreakers

Places = dict[tuple[Side, bool], datetime | None]
"""When earlier actions no longer block, by side and whether states are meant; None: no time is known."""


def has_target(action: Action) -> bool:
    """Whether the action has a target: everything in PagerDuty except a creation needs the pair's incident."""
    return action.kind is Kind.CREATE_INCIDENT or action.kind.side is Side.ALERTS or bool(action.incident_id)


@dataclass(frozen=True, slots=True)
class NextTry:
    """When the first of a pair's actions may be tried; None if none waits for a time.

    `hold` is set if all of them wait for the same lane and for nothing else.
    """

    at: datetime | None = None
    hold: Hold | None = None


def next_try(actions: Iterable[Action], policy: Policy, breakers: WriteBreakers, now: datetime) -> NextTry:
    """When the first of these actions, which are in order, may be tried.

    An action that one of unknown outcome blocks is tried after a read has resolved that outcome, or after the
    staleness bound. What pages somebody is not blocked by what a pause holds back.
    """
    free_at: Places = {}
    page_at: Places = {}
    found: list[NextTry] = []
    for action in actions:
        place = (action.kind.side, action.kind.is_state)
        free = (page_at if action.kind in PAGING else free_at).get(place, now)
        free = now if action.kind is Kind.CREATE_INCIDENT else free
        if action.status is Status.PLANNED and has_target(action) and free is not None:
            found.append(_next_try_of(action, max(free, backs_off_until(action, now) or now), breakers))
        if action.kind is not Kind.CREATE_INCIDENT:
            _block(free_at, action, policy, now)
            if not breakers.is_paused(action):
                _block(page_at, action, policy, now)
    holds = {each.hold for each in found}
    first = min((each.at for each in found if each.at is not None), default=None)
    return NextTry(first, holds.pop() if len(holds) == 1 else None)


def _next_try_of(action: Action, free: datetime, breakers: WriteBreakers) -> NextTry:
    """The same, delayed until its circuit breaker lets it through. `free`: when nothing else delays it."""
    wait = breakers.waits_for(action)
    if wait is None or wait.retry_at < free:
        return NextTry(free)
    return NextTry(wait.retry_at, wait.hold)


def _block(free_at: Places, action: Action, policy: Policy, now: datetime) -> None:
    """Add what this action blocks of later ones."""
    blocks, side = blocks_of(action, policy, now), action.kind.side
    if blocks is Blocks.NOTHING:
        return
    states_at = None if action.kind.is_state else steps_aside_at(action, policy)
    for is_state, until in ((True, states_at), (False, steps_aside_at(action, policy))):
        if is_state or blocks is Blocks.ALL:
            known = free_at.get((side, is_state), now)
            free_at[side, is_state] = None if until is None or known is None else max(until, known)
