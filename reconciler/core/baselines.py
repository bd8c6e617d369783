"""New baselines for the snapshot: after a pair was read, and after a write of our own has taken effect."""

from dataclasses import replace
from datetime import datetime

from reconciler.core import absence, paging, succession, text
from reconciler.core.changes import Seen, is_raised
from reconciler.core.follow_up import next_look
from reconciler.core.model import (
    Action,
    Alert,
    AlertBaseline,
    Change,
    Incident,
    IncidentBaseline,
    Kind,
    Observation,
    Pair,
    Person,
    Side,
)
from reconciler.core.outcomes import ALERT_ACKNOWLEDGED
from reconciler.core.policy import DecisionInput, Policy
from reconciler.core.readings import in_doubt, is_adoption, usable

_MOVES = frozenset({"acknowledge", "unacknowledge", "resolve", "reopen"})
"""Acts that change an incident's status."""
_TITLE = 200
"""Characters of an alert's message that the snapshot keeps as its title."""
_INCIDENT_STATUS = {
    Kind.PAGERDUTY_ACKNOWLEDGE: "acknowledged",
    Kind.PAGERDUTY_UNACKNOWLEDGE: "triggered",
    Kind.PAGERDUTY_RESOLVE: "resolved",
}


def kept_title(alert: Alert) -> str:
    """The alert's message as the snapshot keeps it."""
    return text.shortened(alert.message, _TITLE)


def snapshot(observation: Observation, seen: Seen, inputs: DecisionInput, *, steps_back: bool) -> Pair | None:
    """The pair to store after this observation; None if there is nothing to identify it by."""
    pair = _shown(observation, seen, inputs, steps_back=steps_back)
    if pair is None:
        return None
    policy = inputs.policy
    due = next_look(pair, inputs.now, policy.sweep_interval, policy.retention, swept=observation.swept)
    return replace(pair, next_look_at=due)


def _shown(observation: Observation, seen: Seen, inputs: DecisionInput, *, steps_back: bool) -> Pair | None:
    old, alert, incident = observation.pair, observation.alert, observation.incident
    if old is None:
        if alert is None:
            return None
        old = Pair(
            alert_id=alert.id,
            tiny_id=alert.tiny_id,
            tracked=observation.tracked or incident is not None,
            alerts=_alert_baseline(alert),
            swept_at=inputs.now,
        )
    new = replace(
        old,
        title=(kept_title(alert) if alert else "") or old.title,
        alias=(alert.alias if alert else "") or old.alias,
        created_at=alert.created_at if alert else old.created_at,
        tracked=old.tracked or is_raised(observation, inputs.policy),
        alerts=_seen_alert(observation, old.alerts, inputs),
        swept_at=inputs.now if observation.swept and old.is_open else old.swept_at,
    )
    if incident is not None:
        new = _with_incident(observation, seen, new, incident, inputs)
    target = succession.successor(observation)
    if target is not None:
        return succession.followed(new, target, inputs.now)
    if steps_back or seen.unexplained:
        return replace(new, unexplained_since=old.unexplained_since or inputs.now)
    return new if incident is None else replace(new, unexplained_since=None)


def _with_incident(
    observation: Observation, seen: Seen, pair: Pair, incident: Incident, inputs: DecisionInput
) -> Pair:
    acknowledged = pair.alerts.acknowledged
    is_born = paging.is_born(incident, observation.mine, alert_acknowledged=acknowledged)
    return replace(
        pair,
        tracked=True,
        incident_id=incident.id,
        incident_number=incident.number,
        pagerduty=_seen_incident(observation, pair.pagerduty, incident, seen),
        unpaged=paging.unpaged(incident, inputs.policy, is_born=is_born),
    )


def _alert_baseline(alert: Alert) -> AlertBaseline:
    return AlertBaseline(
        bool(alert.open), bool(alert.acknowledged), alert.updated_at, alert.snoozed_until, alert.priority
    )


def _seen_alert(observation: Observation, old: AlertBaseline, inputs: DecisionInput) -> AlertBaseline:
    """The alert's baseline after this read. A field with a write of unknown outcome keeps its value."""
    alert = observation.alert
    if alert is None:
        return absence.lost(old, observation, inputs.policy, inputs.now)
    new = _alert_baseline(alert)
    if in_doubt(observation, Kind.ALERT_ACKNOWLEDGE, Kind.ALERT_UNACKNOWLEDGE):
        new = replace(new, acknowledged=old.acknowledged)
    known = usable(old.updated_at, inputs.now)
    return replace(
        new,
        open=absence.is_open(alert, old),
        updated_at=max(new.updated_at, known or new.updated_at),
        priority=new.priority or old.priority,
    )


def _seen_incident(
    observation: Observation, old: IncidentBaseline | None, incident: Incident, seen: Seen
) -> IncidentBaseline:
    new = _incident_baseline(incident)
    if in_doubt(observation, *_INCIDENT_STATUS):
        new = replace(new, as_of=old.as_of if old is not None else None)
    if old is None or is_adoption(observation):
        return new
    if seen.unexplained:
        return old
    waits = old.status == "acknowledged" and incident.status == "triggered"
    if waits and in_doubt(observation, Kind.PAGERDUTY_UNACKNOWLEDGE):
        return old
    actor = next((c.person.name for c in reversed(seen.changes) if _moves_incident(c)), old.actor)
    is_held_on = new.status == "acknowledged" and new.acknowledgers == old.acknowledgers
    return replace(new, actor=actor, expires_at=new.expires_at or (old.expires_at if is_held_on else None))


def _moves_incident(change: Change) -> bool:
    return change.side is Side.PAGERDUTY and change.verb in _MOVES


def _incident_baseline(incident: Incident) -> IncidentBaseline:
    held = incident.acknowledgers if incident.status == "acknowledged" else ()
    expires = incident.expires_at if incident.status == "acknowledged" else None
    return IncidentBaseline(incident.status, held, as_of=incident.changed_at, expires_at=expires)


def known_notes(observation: Observation, seen: Seen) -> tuple[tuple[str, Side, str], ...]:
    """Notes that are known after this observation, including the history of a newly followed incident."""
    history = succession.history(observation)
    shown_now = dict.fromkeys(
        (
            *((Side.ALERTS, note.id) for note in observation.alert_notes or ()),
            *((Side.PAGERDUTY, note.id) for note in (*(observation.incident_notes or ()), *history)),
        )
    )
    known = observation.known_notes | seen.undecided
    return tuple((observation.alert_id, *key) for key in shown_now if key not in known)


def settled(
    pair: Pair, action: Action, policy: Policy, incident: Incident | None = None, at: datetime | None = None
) -> Pair:
    """The pair after one of our own writes is known to have taken effect: the outbox guard for states.

    A new incident starts from `triggered`, whatever its present status, because everything that happened to it
    since is news. `at` is when Opsgenie carried the write out; a read that shows the alert as it was before that
    is no news.
    """
    if action.kind is Kind.CREATE_INCIDENT and incident is not None:
        return replace(
            pair,
            incident_id=incident.id,
            incident_number=incident.number,
            pagerduty=IncidentBaseline("triggered", as_of=incident.changed_at),
            unpaged=paging.unpaged(incident, policy, is_born=not pair.alerts.acknowledged),
        )
    if action.kind is Kind.PAGERDUTY_UNACKNOWLEDGE and incident is not None:
        pair = replace(pair, unpaged=paging.unpaged(incident, policy, is_born=False))
    if "outbox" not in policy.guards:
        return pair
    if action.kind in ALERT_ACKNOWLEDGED:
        acknowledged, known = ALERT_ACKNOWLEDGED[action.kind], pair.alerts.updated_at
        moved = replace(pair.alerts, acknowledged=acknowledged, updated_at=max(known, at or known))
        return replace(pair, alerts=moved)
    if action.kind in _INCIDENT_STATUS and pair.pagerduty is not None:
        status = _INCIDENT_STATUS[action.kind]
        held: tuple[Person, ...] = (policy.automation,) if status == "acknowledged" else ()
        as_of = incident.changed_at if incident is not None else pair.pagerduty.as_of
        expires = incident.expires_at if incident is not None and status == "acknowledged" else None
        return replace(pair, pagerduty=IncidentBaseline(status, held, as_of=as_of, expires_at=expires))
    return pair
