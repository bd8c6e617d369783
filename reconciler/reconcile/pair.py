"""Reconciling one pair: read, decide, commit, deliver. Level-triggered: what is read counts, not the reason."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

from reconciler.core import late_alerts
from reconciler.core.follow_up import Left, next_item
from reconciler.core.model import Action, Echo, Note, Observation, Pair, Plan, Status
from reconciler.core.orders import Verdict, verdict
from reconciler.core.plan import decide, in_order
from reconciler.core.policy import DecisionInput, Policy
from reconciler.core.second_reconciler import foreign_notes
from reconciler.core.text import shortened
from reconciler.core.work import Priority, ReadRequest, Reason, WorkItem
from reconciler.errors import ReconcilerError, Transient
from reconciler.reconcile.commit import Committer
from reconciler.reconcile.deliver import Delivered, Deliverer
from reconciler.reconcile.fetch import Fetched, Fetcher
from reconciler.reconcile.problems import Problem
from reconciler.reconcile.work_queue import Hold
from reconciler.store.database import Database
from reconciler.vendors.ports import Clock


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of reconciling one pair.

    `actions` are the pair's actions that were tried, settled or are open, in their present state; `standing` are
    problems that last until the pair is reconciled again, `events` those that were met once. `name` is the alert's
    display name, as far as it was read. `late` is how a late alert is treated (see `core.late_alerts`), `foreign`
    are notes that seem to be a second reconciler's, `verdict` is what becomes of an order. `again` is
    the item for what is left to do. `blocked` are the circuit
    breakers that its reads wait for; `hold` is set if only the delivery of its outbox waits.
    """

    item: WorkItem
    actions: tuple[Action, ...] = ()
    standing: tuple[Problem, ...] = ()
    events: tuple[Problem, ...] = ()
    echoes: tuple[Echo, ...] = ()
    name: str = ""
    again: WorkItem | None = None
    blocked: frozenset[Hold] = field(default_factory=frozenset)
    hold: Hold | None = None
    late: str = ""
    foreign: tuple[Note, ...] = ()
    verdict: Verdict | None = None

    @property
    def word(self) -> str:
        """The result in one word: `done`, `again` or `blocked`."""
        return "blocked" if self.blocked else "again" if self.again is not None else "done"

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Standing problems and events."""
        return (*self.standing, *self.events)


@dataclass(frozen=True, slots=True)
class Planned:
    """One pair's reads and the plan that follows from them."""

    fetched: Fetched
    inputs: DecisionInput
    plan: Plan

    @property
    def name(self) -> str:
        """The alert's display name; empty if the alert was not read."""
        alert = self.fetched.observation.alert
        if alert is None:
            return ""
        return f"Alert #{alert.tiny_id}" + (f' "{shortened(alert.message)}"' if alert.message else "")

    @property
    def late(self) -> str:
        """How a late alert is treated; empty for any other."""
        return late_alerts.treated(self.fetched.observation, self.inputs.policy)

    @property
    def verdict(self) -> Verdict | None:
        """What becomes of an operator's order."""
        return None if self.fetched.blocked else verdict(self.fetched.observation, self.inputs.policy)

    def with_order(self, left: WorkItem | None) -> WorkItem | None:
        """The item for what is left, with an order that is not decided yet."""
        order = self.fetched.observation.order
        if left is None or order is None or self.verdict is not None:
            return left
        return replace(left, request=replace(left.request, order=order))

    @property
    def pair(self) -> Pair | None:
        """The pair as the plan stores it."""
        return self.plan.pairs[0] if self.plan.pairs else self.fetched.observation.pair


class Planner:
    """Reads one pair and decides. Writes nothing, so that a dry run consists of it.

    `policy` returns the configured policy with the automation user as far as known.
    """

    def __init__(self, database: Database, fetcher: Fetcher, clock: Clock, policy: Callable[[], Policy]) -> None:
        self._database = database
        self._fetcher = fetcher
        self._clock = clock
        self.policy = policy

    def plan(self, item: WorkItem) -> Planned:
        """The plan for this item; empty if a circuit breaker keeps the pair from being read."""
        policy = self.policy()
        fetched = self._fetcher.fetch(item.request, self._known(item), policy)
        inputs = DecisionInput(self._clock.now(), policy, (fetched.observation,))
        return Planned(fetched, inputs, Plan() if fetched.blocked else decide(inputs))

    def _known(self, item: WorkItem) -> Observation:
        """The pair's observation from the snapshot and the outbox, before anything is read from a vendor."""
        now, alert_id = self._clock.now(), item.alert_id
        with self._database.reading() as unit:
            pair = unit.snapshot.pair(alert_id)
            origin = None if pair is not None else unit.cursors.load(now).origin
            return Observation(
                alert_id,
                pair=pair,
                tracked=not item.request.is_baseline,
                since=origin.since if origin else None,
                known_notes=unit.snapshot.known_notes([alert_id]).get(alert_id, frozenset()),
                mine=unit.outbox.of([alert_id]).get(alert_id, ()),
                swept=item.request.swept,
                seen_at=item.request.seen_at,
                order=item.request.order,
            )


class DryRun:
    """Reconciles pairs up to the plan, without any means to write."""

    def __init__(self, planner: Planner) -> None:
        self._planner = planner

    def reconcile(self, item: WorkItem) -> Outcome:
        """The plan's actions, and those of earlier runs that it does not settle."""
        planned = self._planner.plan(item)
        settled = {settlement.action_id: settlement for settlement in planned.plan.settlements}
        left = [
            replace(action, status=settled[action.id].status, error=settled[action.id].why)
            if action.id in settled
            else action
            for action in planned.fetched.observation.mine
            if action.status.is_open
        ]
        actions = in_order((*(action for action in left if action.status.is_open), *planned.plan.actions))
        return Outcome(
            item,
            actions,
            planned.fetched.problems,
            tuple(failed_after_acceptance(planned)),
            planned.plan.echoes,
            planned.name,
            blocked=planned.fetched.blocked,
            late=planned.late,
            verdict=planned.verdict,
        )


class Reconciler:
    """Reconciles one pair at a time; several threads may each have another one.

    `interval` is POLL_INTERVAL_SECONDS: how often a pair that is not settled is read.
    """

    def __init__(
        self,
        planner: Planner,
        committer: Committer,
        deliverer: Deliverer,
        database: Database,
        clock: Clock,
        interval: timedelta,
    ) -> None:
        self._planner = planner
        self._committer = committer
        self._deliverer = deliverer
        self._database = database
        self._clock = clock
        self._interval = interval

    def reconcile(self, item: WorkItem) -> Outcome:
        """Read, decide, commit and deliver. DatabaseDown if nothing can be stored."""
        planned = self._planner.plan(item)
        generation = item.generation if planned.fetched.blocked else self._commit(planned, item)
        delivered = self._deliver(planned, item)
        met = (*planned.fetched.problems, *delivered.problems)
        given_up = tuple(problem for problem in met if _is_given_up(problem, delivered.actions))
        standing = tuple(problem for problem in met if problem not in given_up)
        events = [each for each in failed_after_acceptance(planned) if not _is_stated(each, standing)]
        again = self._again(planned, delivered, item, generation)
        only_delivers = again is not None and again.request.is_empty and again.reasons == {Reason.OUTBOX}
        return Outcome(
            item,
            self._acted(planned, delivered),
            standing,
            (*given_up, *events),
            planned.plan.echoes,
            planned.name,
            again,
            planned.fetched.blocked,
            delivered.next_try.hold if only_delivers else None,
            planned.late,
            foreign_notes(planned.fetched.observation, planned.inputs.policy),
            planned.verdict,
        )

    def _deliver(self, planned: Planned, item: WorkItem) -> Delivered:
        """Try the pair's outbox, unless it was empty at the read and nothing was added.

        An action that an operator has retried meanwhile has a row of its own in the work queue.
        """
        if not planned.plan.actions and not any(a.status.is_open for a in planned.fetched.observation.mine):
            return Delivered()
        return self._deliverer.deliver(
            item.alert_id, planned.inputs.policy, pages_only=item.priority is Priority.PAGE
        )

    def _commit(self, planned: Planned, item: WorkItem) -> int:
        """Commit the plan and what is left to read. Returns the generation of the remaining row."""
        inputs, fetched = planned.inputs, planned.fetched
        unread = Left(fetched.unread, fetched.read_at, unknown=_unknown(planned, item))
        left = next_item(item.alert_id, None, (), unread, inputs.policy, inputs.now, self._interval)
        kept = self._committer.commit(planned.plan, inputs, item, planned.with_order(left))
        return 0 if kept is None else kept.generation

    def _again(self, planned: Planned, delivered: Delivered, item: WorkItem, generation: int) -> WorkItem | None:
        """The item for what is left to read, deliver or check."""
        fetched, policy = planned.fetched, planned.inputs.policy
        left = Left(fetched.unread, fetched.read_at, delivered.next_try.at, _unknown(planned, item))
        alert_id, now = fetched.observation.alert_id, self._clock.now()
        again = planned.with_order(
            next_item(
                alert_id, self._pair(planned, delivered), delivered.actions, left, policy, now, self._interval
            )
        )
        if again is None:
            return None
        is_page = item.priority is Priority.PAGE  # its rest goes before pairs that only the outbox makes due
        priority = min(again.priority, Priority.CHANGED) if is_page else again.priority
        return replace(again, generation=generation, priority=priority)

    def _pair(self, planned: Planned, delivered: Delivered) -> Pair | None:
        """The pair's present record: a delivery may have moved its baselines."""
        if not delivered.tried:
            return planned.pair
        with self._database.reading() as unit:
            return unit.snapshot.pair(planned.fetched.observation.alert_id)

    def _acted(self, planned: Planned, delivered: Delivered) -> tuple[Action, ...]:
        """The pair's actions that may have to be reported, in their present state."""
        settled = {settlement.action_id for settlement in planned.plan.settlements}
        missing = settled - {action.id for action in delivered.actions}
        if not missing:
            return delivered.actions
        with self._database.reading() as unit:
            return in_order((*unit.outbox.by_id(missing), *delivered.actions))


def _unknown(planned: Planned, item: WorkItem) -> ReadRequest | None:
    """The request for an alert that has no pair yet: it is repeated in full, with its row."""
    return item.request if planned.pair is None else None


def _is_stated(event: Problem, standing: tuple[Problem, ...]) -> bool:
    """Whether a standing problem already states this event."""
    waits = (str(problem.error).partition(" waits: ")[2] for problem in standing if problem.side is event.side)
    return any(why and why in str(event.error) for why in waits)


def _is_given_up(problem: Problem, actions: tuple[Action, ...]) -> bool:
    """Whether the problem belongs to an action that is dead now and so waits for nothing."""
    dead = (
        action.error for action in actions if action.status is Status.DEAD and action.kind.side is problem.side
    )
    return any(error and error in str(problem.error) for error in dead)


def failed_after_acceptance(planned: Planned) -> Iterator[Problem]:
    """Accepted writes that the vendor did not carry out, and writes given up: no call has reported these."""
    mine = {action.id: action for action in planned.fetched.observation.mine}
    product = planned.inputs.policy.product
    for settlement in planned.plan.settlements:
        action = mine[settlement.action_id]
        what = f"{product.kind(action.kind)}: {settlement.why}"
        if settlement.status is Status.DEAD:
            yield Problem(action.kind.side, ReconcilerError(f"{what}; given up"), action.alert_id)
        elif settlement.status is Status.PLANNED and action.request_id:
            yield Problem(action.kind.side, Transient(f"{what}; it is tried again"), action.alert_id)
