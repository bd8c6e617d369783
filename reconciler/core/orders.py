"""Operators' orders for one pair: to follow an incident from now on (`link`), or nothing any more (`unlink`).

An incident is taken in as it is: no history is copied, and what differs between both sides at that moment is
left so. A pair that is unlinked has no incident, and is never given one unless by another order.
"""

from dataclasses import dataclass, replace

from reconciler.core.baselines import known_notes, snapshot
from reconciler.core.changes import Seen
from reconciler.core.follow_up import next_look
from reconciler.core.journal import Entry, Event
from reconciler.core.model import Incident, Kind, Observation, Order, Pair, Plan, Settlement, Status
from reconciler.core.policy import DecisionInput, Policy


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of an order: LINKED, UNLINKED or REFUSED, and why."""

    event: Event
    words: str


def verdict(observation: Observation, policy: Policy) -> Verdict | None:
    """What becomes of the pair's order; None if there is none, or if what it needs could not be read."""
    order, pair = observation.order, observation.pair
    if order is None:
        return None
    if pair is None:
        return Verdict(Event.REFUSED, "the alert is not known here")
    if not order.incident_id:
        return _unlinked(pair)
    return _linked(observation, order, policy) if pair.incident_id is None else _linked_already(pair, order)


def plan(observation: Observation, inputs: DecisionInput) -> Plan | None:
    """The plan that carries the order out; None if there is nothing to be carried out."""
    found = verdict(observation, inputs.policy)
    pair = observation.pair
    if found is None or pair is None:
        return None
    if found.event is Event.UNLINKED:
        return Plan(pairs=(_without_incident(pair, inputs),), settlements=_dropped(observation, tuple(Kind)))
    if found.event is not Event.LINKED or pair.incident_id is not None:
        return None
    followed = snapshot(observation, Seen(), inputs, steps_back=False)
    return Plan(
        pairs=() if followed is None else (followed,),
        notes=known_notes(observation, Seen()),
        settlements=_dropped(observation, (Kind.CREATE_INCIDENT,)),
    )


def without_ordered(observation: Observation) -> Observation:
    """The observation without the incident of an order that is not carried out."""
    pair = observation.pair
    if observation.order is None or pair is None or pair.incident_id is not None:
        return observation
    return replace(observation, incident=None, incident_notes=None)


def entries(inputs: DecisionInput) -> tuple[Entry, ...]:
    """The journal's entries for the orders that are decided."""
    found = ((seen, seen.order, verdict(seen, inputs.policy)) for seen in inputs.observations)
    return tuple(
        Entry(
            inputs.now,
            decided.event,
            seen.alert_id,
            incident_id=_incident_of(seen) or order.incident_id,
            who=order.who,
            words=decided.words,
        )
        for seen, order, decided in found
        if order is not None and decided is not None
    )


def _incident_of(seen: Observation) -> str:
    """Id of the incident that the order is about, as far as it is known."""
    followed = seen.pair.incident_id if seen.pair is not None else None
    return followed or (seen.incident.id if seen.incident is not None else "")


def _unlinked(pair: Pair) -> Verdict:
    if not pair.tracked and pair.incident_id is None:
        return Verdict(Event.REFUSED, "it is not followed")
    name = f"incident #{pair.incident_number}" if pair.incident_id else "its page"
    return Verdict(Event.UNLINKED, f"no longer followed: neither the alert nor {name}")


def _linked_already(pair: Pair, order: Order) -> Verdict:
    name = f"incident #{pair.incident_number} ({pair.incident_id})"
    if order.incident_id in (pair.incident_id, str(pair.incident_number)):
        return Verdict(Event.LINKED, f"linked to {name} already")
    return Verdict(Event.REFUSED, f"linked to {name}: unlink it first")


def _linked(observation: Observation, order: Order, policy: Policy) -> Verdict | None:
    """The verdict on an order to follow an incident; None until the notes of both sides are read.

    Notes that exist at that time are history and are not copied, so all of them must be known.
    """
    incident = observation.incident
    if observation.order_unknown:
        words = f"PagerDuty does not know incident {order.incident_id}, or the key may not see it"
        return Verdict(Event.REFUSED, words)
    if incident is None or observation.incident_notes is None:
        return None
    if observation.alert_notes is None and not observation.missing:
        return None
    if policy.service and incident.service_id not in ("", policy.service):
        return Verdict(Event.REFUSED, f"{_name(incident)} belongs to another service than PAGERDUTY_SERVICE_ID")
    return Verdict(Event.LINKED, f"linked to {_name(incident)}")


def _without_incident(pair: Pair, inputs: DecisionInput) -> Pair:
    """The pair without its incident. `incident_number` is kept, without an id: see `Pair.is_unlinked`."""
    left = replace(
        pair,
        tracked=False,
        incident_id=None,
        incident_number=pair.incident_number or 0,
        pagerduty=None,
        unexplained_since=None,
        unpaged="",
    )
    policy = inputs.policy
    return replace(
        left, next_look_at=next_look(left, inputs.now, policy.sweep_interval, policy.retention, swept=True)
    )


def _dropped(observation: Observation, kinds: tuple[Kind, ...]) -> tuple[Settlement, ...]:
    """Outcomes of actions that the order makes unnecessary, dead ones included: nothing would put them back."""
    who = observation.order.who if observation.order else ""
    what = "unlinked" if Kind.PAGERDUTY_NOTE in kinds else "linked"
    return tuple(
        Settlement(action.id, Status.DROPPED, f"not needed: {what} by {who}")
        for action in observation.mine
        if action.kind in kinds and (action.status.is_open or action.status is Status.DEAD)
    )


def _name(incident: Incident) -> str:
    return f"incident #{incident.number} ({incident.id})"
