"""Delivery of one pair's outbox: its creation first, then everything else in the order of the people's acts.

An action that waits, or whose outcome is unknown, blocks later ones on its side. The exception is an action that
has been refused for longer than the staleness bound: a note then blocks nothing, a state only later states; it is
tried once more before the actions after it. What pages somebody does not wait for what a pause holds back.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from reconciler.core.model import Action, Kind, Status
from reconciler.core.pause import PAGING
from reconciler.core.plan import in_order
from reconciler.core.policy import Policy
from reconciler.core.retry import steps_aside
from reconciler.observability.events import Events
from reconciler.reconcile.delivery_action import ActionDelivery, Tools
from reconciler.reconcile.delivery_blocks import BlockedPlaces, backs_off_until, blocks_of
from reconciler.reconcile.delivery_due import NextTry, has_target, next_try
from reconciler.reconcile.delivery_existing import ExistingIncidents
from reconciler.reconcile.delivery_problems import DeliveryProblems, LastErrors
from reconciler.reconcile.in_flight import InFlight
from reconciler.reconcile.key_check import KeyCheck
from reconciler.reconcile.priorities import Priorities
from reconciler.reconcile.problems import Problem
from reconciler.reconcile.vendor_calls import Vendors
from reconciler.reconcile.write_breakers import WriteBreakers
from reconciler.store.database import Database
from reconciler.vendors.call_context import CallPriority, calling
from reconciler.vendors.ports import Clock


@dataclass(frozen=True, slots=True)
class Delivered:
    """The result of a delivery.

    `actions` are the pair's actions that were tried or are open, in their present state. `next_try` is when a
    waiting one may be tried: after its back-off, its circuit breaker or the rate limit.
    """

    actions: tuple[Action, ...] = ()
    tried: frozenset[int] = frozenset()
    problems: tuple[Problem, ...] = ()
    next_try: NextTry = field(default_factory=NextTry)


class Deliverer:
    """Delivers the outbox of one pair at a time. Several threads may deliver different pairs."""

    def __init__(
        self,
        vendors: Vendors,
        database: Database,
        clock: Clock,
        breakers: WriteBreakers,
        in_flight: InFlight,
        events: Events,
        stopping: Callable[[], bool],
        priorities: Priorities | None = None,
    ) -> None:
        keys, existing = KeyCheck(vendors, clock, breakers.product), ExistingIncidents(vendors, database, clock)
        named = priorities or Priorities(vendors.pagerduty, (), clock)
        self._tools = Tools(vendors, database, clock, breakers, in_flight, events, keys, existing, named)
        self._last_errors = LastErrors(breakers.product)
        self._stopping = stopping

    def deliver(self, alert_id: str, policy: Policy, *, pages_only: bool = False) -> Delivered:
        """Try the pair's due actions. DatabaseDown if nothing can be stored.

        `pages_only`: if an incident had to be created, everything else is left for later, so that other pairs'
        pages do not wait for it.
        """
        waiting = self._open(alert_id)
        if not waiting:
            return Delivered()
        delivery = _PairDelivery(self._tools, policy, self._last_errors, self._stopping)
        is_page = delivery.send_creations(waiting)
        if is_page:
            waiting = self._open(alert_id)  # its other actions may have an incident now
        if not (pages_only and is_page):
            delivery.send_the_rest(waiting)
        tried = delivery.tried
        actions = self._as_they_stand(alert_id, tried) if tried else waiting
        delivery.problems.add_waiting(actions, tried)
        self._last_errors.drop(action for action in actions if action.status is not Status.PLANNED)
        return Delivered(
            actions,
            tried,
            tuple(delivery.problems.found),
            next_try(actions, policy, self._tools.breakers, self._tools.clock.now()),
        )

    def _open(self, alert_id: str) -> tuple[Action, ...]:
        return self._as_they_stand(alert_id, frozenset())

    def _as_they_stand(self, alert_id: str, tried: frozenset[int]) -> tuple[Action, ...]:
        with self._tools.database.reading() as unit:
            mine = unit.outbox.of([alert_id]).get(alert_id, ())
        return in_order(action for action in mine if action.status.is_open or action.id in tried)


class _PairDelivery:
    """One delivery of one pair."""

    def __init__(
        self, tools: Tools, policy: Policy, last_errors: LastErrors, stopping: Callable[[], bool]
    ) -> None:
        self.problems = DeliveryProblems(tools.breakers, last_errors)
        self._sender = ActionDelivery(tools, policy, self.problems)
        self._breakers = tools.breakers
        self._clock = tools.clock
        self._policy = policy
        self._stopping = stopping

    @property
    def tried(self) -> frozenset[int]:
        """Ids of the actions that were tried."""
        return frozenset(self._sender.tried)

    def send_creations(self, waiting: tuple[Action, ...]) -> bool:
        """Create the incident if that is due. Returns whether it was tried."""
        for action in waiting:
            if action.kind is Kind.CREATE_INCIDENT and self._is_due(action):
                with calling(CallPriority.PAGE):
                    self._sender.send(action)
        return bool(self._sender.tried)

    def send_the_rest(self, waiting: tuple[Action, ...]) -> None:
        """Send everything else that no earlier action blocks."""
        rest = [action for action in waiting if action.kind is not Kind.CREATE_INCIDENT]
        blocked, paused = BlockedPlaces(), BlockedPlaces()
        for place, action in enumerate(rest):
            is_held_up = action.kind not in PAGING and paused.blocks(action)
            if blocked.blocks(action) or (is_held_up and action.status is Status.PLANNED):
                continue
            if action.status is Status.PLANNED and self._is_due(self._unless_overtaken(action, rest[place + 1 :])):
                with calling(CallPriority.UNSETTLED if action.attempts else CallPriority.CHANGED):
                    blocked.add(action, self._sender.send(action))
            else:
                places = paused if self._breakers.is_paused(action) else blocked
                places.add(action, blocks_of(action, self._policy, self._clock.now()))

    def _unless_overtaken(self, action: Action, later: list[Action]) -> Action:
        """The action without its back-off, if it was refused for long and a later one could be sent now.

        It is then tried first, so that the order is kept.
        """
        if not steps_aside(action, self._clock.now(), self._policy.staleness):
            return action
        return replace(action, not_before=None) if self._lets_pass(action, later) else action

    def _lets_pass(self, action: Action, later: list[Action]) -> bool:
        """Whether a later action on its side could be sent now, although this one waits."""
        now, blocked = self._clock.now(), BlockedPlaces()
        blocked.add(action, blocks_of(action, self._policy, now))
        for each in (each for each in later if each.kind.side is action.kind.side):
            if each.status is not Status.PLANNED:
                blocked.add(each, blocks_of(each, self._policy, now))
            elif not blocked.blocks(each) and backs_off_until(each, now) is None:
                return True
        return False

    def _is_due(self, action: Action) -> bool:
        """Whether the action may be tried now."""
        if action.status is not Status.PLANNED or self._stopping() or not has_target(action):
            return False
        backs_off = backs_off_until(action, self._clock.now()) is not None
        return not backs_off and self._breakers.waits_for(action) is None
