"""What the snapshot remembers: of a pair that was seen, and after a write of our own that has happened."""

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
    Pair,
    Person,
    Policy,
    Side,
    Sighting,
    World,
)
from reconciler.core.outcomes import ALERT_ACKNOWLEDGED
from reconciler.core.readings import in_doubt, is_adoption, usable

_MOVES = frozenset({"acknowledge", "unacknowledge", "resolve", "reopen"})
"""What changes an incident's status."""
_TITLE = 200
"""How much of an alert's message the snapshot remembers, to name it by."""
_INCIDENT_STATUS = {
    Kind.PAGERDUTY_ACKNOWLEDGE: "acknowledged",
    Kind.PAGERDUTY_UNACKNOWLEDGE: "triggered",
    Kind.PAGERDUTY_RESOLVE: "resolved",
}


def snapshot(sighting: Sighting, seen: Seen, world: World, *, steps_back: bool) -> Pair | None:
    """The pair as it is to be remembered; None when there is nothing to remember it by."""
    pair = _shown(sighting, seen, world, steps_back=steps_back)
    if pair is None:
        return None
    policy = world.policy
    due = next_look(pair, world.now, policy.sweep_interval, policy.retention, swept=sighting.swept)
    return replace(pair, next_look_at=due)


def _shown(sighting: Sighting, seen: Seen, world: World, *, steps_back: bool) -> Pair | None:
    old, alert, incident = sighting.pair, sighting.alert, sighting.incident
    if old is None:
        if alert is None:
            return None
        old = Pair(
            alert_id=alert.id,
            tiny_id=alert.tiny_id,
            tracked=sighting.tracked or incident is not None,
            opsgenie=_alert_baseline(alert),
            swept_at=world.now,
        )
    new = replace(
        old,
        title=(text.shortened(alert.message, _TITLE) if alert else "") or old.title,
        tracked=old.tracked or is_raised(sighting, world.policy),
        opsgenie=_seen_alert(sighting, old.opsgenie, world),
        swept_at=world.now if sighting.swept and old.is_open else old.swept_at,
    )
    if incident is not None:
        new = _with_incident(sighting, seen, new, incident, world)
    target = succession.successor(sighting)
    if target is not None:
        return succession.followed(new, target, world.now)
    if steps_back or seen.unexplained:
        return replace(new, unexplained_since=old.unexplained_since or world.now)
    return new if incident is None else replace(new, unexplained_since=None)


def _with_incident(sighting: Sighting, seen: Seen, pair: Pair, incident: Incident, world: World) -> Pair:
    acknowledged = pair.opsgenie.acknowledged
    is_born = paging.is_born(incident, sighting.mine, alert_acknowledged=acknowledged)
    return replace(
        pair,
        tracked=True,
        incident_id=incident.id,
        incident_number=incident.number,
        pagerduty=_seen_incident(sighting, pair.pagerduty, incident, seen),
        unpaged=paging.unpaged(incident, world.policy, is_born=is_born),
    )


def _alert_baseline(alert: Alert) -> AlertBaseline:
    return AlertBaseline(
        bool(alert.open), bool(alert.acknowledged), alert.updated_at, alert.snoozed_until, alert.priority
    )


def _seen_alert(sighting: Sighting, old: AlertBaseline, world: World) -> AlertBaseline:
    """What Opsgenie shows now. A field with a write in doubt waits for its answer."""
    alert = sighting.alert
    if alert is None:
        return absence.lost(old, sighting, world.policy, world.now)
    new = _alert_baseline(alert)
    if in_doubt(sighting, Kind.OPSGENIE_ACKNOWLEDGE, Kind.OPSGENIE_UNACKNOWLEDGE):
        new = replace(new, acknowledged=old.acknowledged)
    known = usable(old.updated_at, world.now)
    return replace(
        new,
        open=absence.is_open(alert, old),
        updated_at=max(new.updated_at, known or new.updated_at),
        priority=new.priority or old.priority,
    )


def _seen_incident(
    sighting: Sighting, old: IncidentBaseline | None, incident: Incident, seen: Seen
) -> IncidentBaseline:
    new = _incident_baseline(incident)
    if in_doubt(sighting, *_INCIDENT_STATUS):
        new = replace(new, as_of=old.as_of if old is not None else None)
    if old is None or is_adoption(sighting):
        return new
    if seen.unexplained:
        return old
    waits = old.status == "acknowledged" and incident.status == "triggered"
    if waits and in_doubt(sighting, Kind.PAGERDUTY_UNACKNOWLEDGE):
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


def known_notes(sighting: Sighting, seen: Seen) -> tuple[tuple[str, Side, str], ...]:
    """The notes that are known from now on, the history of an incident that is followed from now on included."""
    history = succession.history(sighting)
    shown_now = dict.fromkeys(
        (
            *((Side.OPSGENIE, note.id) for note in sighting.alert_notes or ()),
            *((Side.PAGERDUTY, note.id) for note in (*(sighting.incident_notes or ()), *history)),
        )
    )
    known = sighting.known_notes | seen.undecided
    return tuple((sighting.alert_id, *key) for key in shown_now if key not in known)


def settled(
    pair: Pair, action: Action, policy: Policy, incident: Incident | None = None, at: datetime | None = None
) -> Pair:
    """The pair after one of our own writes is known to have happened: the ledger guard for states.

    A new incident starts from `triggered`, whatever it shows by now: all that happened to it since is news.
    `at` is when Opsgenie carried the write out: an alert as it was before that is no news.
    """
    if action.kind is Kind.CREATE_INCIDENT and incident is not None:
        return replace(
            pair,
            incident_id=incident.id,
            incident_number=incident.number,
            pagerduty=IncidentBaseline("triggered", as_of=incident.changed_at),
            unpaged=paging.unpaged(incident, policy, is_born=not pair.opsgenie.acknowledged),
        )
    if action.kind is Kind.PAGERDUTY_UNACKNOWLEDGE and incident is not None:
        pair = replace(pair, unpaged=paging.unpaged(incident, policy, is_born=False))
    if "ledger" not in policy.guards:
        return pair
    if action.kind in ALERT_ACKNOWLEDGED:
        acknowledged, known = ALERT_ACKNOWLEDGED[action.kind], pair.opsgenie.updated_at
        moved = replace(pair.opsgenie, acknowledged=acknowledged, updated_at=max(known, at or known))
        return replace(pair, opsgenie=moved)
    if action.kind in _INCIDENT_STATUS and pair.pagerduty is not None:
        status = _INCIDENT_STATUS[action.kind]
        held: tuple[Person, ...] = (policy.automation,) if status == "acknowledged" else ()
        as_of = incident.changed_at if incident is not None else pair.pagerduty.as_of
        expires = incident.expires_at if incident is not None and status == "acknowledged" else None
        return replace(pair, pagerduty=IncidentBaseline(status, held, as_of=as_of, expires_at=expires))
    return pair
