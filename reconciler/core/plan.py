"""Planning: from observations to actions, new baselines and outcomes of earlier writes.

The plan is a value. A dry run prints it; a real run commits it, baselines and actions together, before
anything is sent. `settled` (from `baselines`) applies a finished write to the baselines.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from reconciler.core import absence, late_acknowledgement, late_alerts, orders, paging, text
from reconciler.core.baselines import known_notes, settled, snapshot
from reconciler.core.changes import changes
from reconciler.core.journal_entries import ACTS
from reconciler.core.mapping import Situation, actions_for, state_key, state_of, superseded_by
from reconciler.core.model import (
    Action,
    Actor,
    Change,
    Kind,
    Observation,
    Pair,
    Person,
    Plan,
    Settlement,
    Side,
    Status,
)
from reconciler.core.outcomes import Copies, receipt_of, settle, shown
from reconciler.core.policy import DecisionInput, Policy
from reconciler.core.readings import believable, in_doubt, is_adoption
from reconciler.core.sanitize import comparable

__all__ = ["decide", "in_order", "settled"]

_WITHIN_A_SECOND = timedelta(microseconds=999_999)


def decide(inputs: DecisionInput) -> Plan:
    """The plan for these observations: creations first, then actions by the time of their cause."""
    plans = [_decide_pair(observation, inputs) for observation in inputs.observations]
    return Plan(
        actions=in_order(action for plan in plans for action in plan.actions),
        pairs=tuple(pair for plan in plans for pair in plan.pairs),
        notes=tuple(note for plan in plans for note in plan.notes),
        settlements=tuple(old for plan in plans for old in plan.settlements),
        echoes=tuple(echo for plan in plans for echo in plan.echoes),
        changes=tuple(change for plan in plans for change in plan.changes),
    )


def in_order(actions: Iterable[Action]) -> tuple[Action, ...]:
    """Creations first, then by the time of the act that caused them."""
    return tuple(sorted(actions, key=lambda a: (a.kind is not Kind.CREATE_INCIDENT, a.at, a.id)))


def _decide_pair(observation: Observation, inputs: DecisionInput) -> Plan:
    before, policy = observation.pair, inputs.policy
    ordered = orders.plan(observation, inputs)
    if ordered is not None:
        return ordered
    observation = orders.without_ordered(observation)
    observation = late_alerts.without_skipped(observation, policy)
    observation, steps_back = believable(observation, policy, inputs.now)
    answers = _answers(observation, inputs)
    observation, answered_back = believable(_answered(observation, answers, inputs), policy, inputs.now)
    seen = changes(observation, policy, inputs.now)
    pair = snapshot(observation, seen, inputs, steps_back=steps_back or answered_back)
    if pair is None:
        return Plan()
    late = late_acknowledgement.changes(observation, pair, policy)
    happened = (*seen.changes, *_unpaged(observation, pair, policy), *late)
    orphans = absence.without_target(pair.alerts, observation.mine, policy.product)
    last = observation.pair.alerts if observation.pair else None
    revived = absence.with_target_again(last, pair.alerts, observation.mine, inputs.now, policy.product)
    pointless = _pointless(observation, happened)
    planned = [
        action for action in _follows(observation, happened, pair, policy) if not _is_superseded(action, happened)
    ]
    if is_adoption(observation):
        planned = [_asked_first(action, inputs) for action in planned]
    return Plan(
        actions=tuple(planned),
        pairs=(pair,) if pair != before else (),
        notes=known_notes(observation, seen),
        settlements=(*answers, *pointless, *orphans, *revived),
        echoes=seen.echoes,
        changes=tuple(change for change in seen.changes if change.verb in ACTS),
    )


def _pointless(observation: Observation, happened: tuple[Change, ...]) -> list[Settlement]:
    """Outcomes of waiting actions that a person's later change makes unnecessary.

    A note that says who has changed a state is needed if the state was written.
    """
    planned = [action for action in observation.mine if action.status is Status.PLANNED]
    keys = {action.key for action in planned}
    waiting = [action for action in planned if state_key(action) in keys]
    return [
        Settlement(
            action.id,
            Status.DROPPED,
            f"not needed: {change.person.name} has chosen otherwise since ({change.verb})",
        )
        for change in happened
        if (kinds := superseded_by(change))
        for action in waiting
        if state_of(action) in kinds
    ]


def _follows(
    observation: Observation, happened: tuple[Change, ...], pair: Pair, policy: Policy
) -> Iterator[Action]:
    """Actions that follow from the changes, without those that were planned before or have been carried out."""
    mine = tuple(action for action in observation.mine if action.status.is_open)
    keys = {action.key for action in observation.mine}
    sent = {_note_of(action) for action in observation.mine if action.kind.is_note}
    copies = Copies(observation)
    marks = {
        side: text.note_marks(side, notes or (), policy.product)
        for side, notes in ((Side.ALERTS, observation.alert_notes), (Side.PAGERDUTY, observation.incident_notes))
    }
    for change in happened:
        now = Situation(change, pair, policy, mine, observation.alert, marks[change.side])
        for action in actions_for(now):
            # Opsgenie's notes have no id, and the token that stands in for one may differ from call to call.
            is_sent = change.note is not None and _note_of(action) in sent
            # A note may exist already, written before the database was lost.
            is_there = action.kind.is_note and shown(action, observation, policy, copies) is not None
            if action.key not in keys and not is_sent and not is_there:
                yield action


def _note_of(action: Action) -> tuple[Kind, str, str]:
    """What identifies a note of ours on its target."""
    return action.kind, text.in_one_form(action.mark), comparable(text.in_one_form(action.text))


def _is_superseded(action: Action, happened: Iterable[Change]) -> bool:
    """Whether a later change in the same observation contradicts this action. Both sides would swap states.

    The order within one of PagerDuty's seconds is unknown: an engineer's act then counts as the later one.
    """
    state = state_of(action)
    if state is None:
        return False
    cause = Side.ALERTS if action.kind.side is Side.PAGERDUTY else Side.PAGERDUTY
    done = _latest(cause, action.at)
    since = [change for change in happened if change.note is None and _latest(change.side, change.at) >= done]
    return any(state in superseded_by(change) for change in since)


def _latest(side: Side, at: datetime) -> datetime:
    """The latest possible time of a change: PagerDuty's time stamps are whole seconds."""
    return at + _WITHIN_A_SECOND if side is Side.PAGERDUTY else at


def _asked_first(action: Action, inputs: DecisionInput) -> Action:
    """The note of an adopted incident as a write of unknown outcome: it may predate the loss of the database."""
    return replace(action, status=Status.SENT, sent_at=inputs.now) if action.kind.is_note else action


def _answers(observation: Observation, inputs: DecisionInput) -> tuple[Settlement, ...]:
    """Outcomes of our open actions, as far as this observation shows them."""
    copies = Copies(observation)
    asked = (action for action in observation.mine if action.status.is_open)
    answers = (settle(action, observation, inputs.policy, inputs.now, copies) for action in asked)
    return tuple(answer for answer in answers if answer is not None)


def _answered(observation: Observation, answers: tuple[Settlement, ...], inputs: DecisionInput) -> Observation:
    """The observation with these outcomes applied: finished writes have moved the baselines."""
    by_id = {answer.action_id: answer for answer in answers}
    pair = observation.pair
    for action in observation.mine:
        answer = by_id.get(action.id)
        if pair is not None and answer is not None and answer.status is Status.DONE:
            receipt = receipt_of(action, observation)
            at = min(receipt.at, inputs.now) if receipt is not None and receipt.at is not None else None
            pair = settled(pair, action, inputs.policy, observation.incident, at)
    mine = tuple(
        replace(action, status=by_id[action.id].status, result_id=by_id[action.id].result_id)
        if action.id in by_id
        else action
        for action in observation.mine
    )
    return replace(observation, pair=pair, mine=mine)


def _unpaged(observation: Observation, pair: Pair, policy: Policy) -> Iterator[Change]:
    """The change that makes an incident page again which pages nobody: once, and only for one of ours."""
    incident = observation.incident
    if incident is None or not pair.unpaged or not paging.is_healable(incident, observation.mine):
        return
    if not in_doubt(observation, Kind.PAGERDUTY_UNACKNOWLEDGE):
        at, who = incident.changed_at or incident.created_at, Person("", policy.automation.name)
        yield Change(
            Side.ALERTS, "unpaged", pair.alert_id, incident.id, at, Actor.MACHINE, who, detail=pair.unpaged
        )
