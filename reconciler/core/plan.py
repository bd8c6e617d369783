"""From the world to the plan: what to do, in which order, why, and what the snapshot will remember.

The plan is a value. A dry run prints it; a real run commits it, baselines and actions together, before
anything is sent. `settled` is the other half of the bookkeeping: what a finished write does to the baselines.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from reconciler.core.changes import Seen, changes, in_doubt, is_adoption
from reconciler.core.doubt import ALERT_ACKNOWLEDGED, settle, shown
from reconciler.core.mapping import Situation, actions_for, superseded_by
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
    Plan,
    Policy,
    Settlement,
    Side,
    Sighting,
    Status,
    World,
)

_WITHIN_A_SECOND = timedelta(microseconds=999_999)


def decide(world: World) -> Plan:
    """The plan for one cycle. Pages come before chatter; within a pair, things happen as people did them."""
    plans = [_decide_pair(sighting, world) for sighting in world.sightings]
    return Plan(
        actions=in_order(action for plan in plans for action in plan.actions),
        pairs=tuple(pair for plan in plans for pair in plan.pairs),
        notes=tuple(note for plan in plans for note in plan.notes),
        settlements=tuple(old for plan in plans for old in plan.settlements),
        echoes=tuple(echo for plan in plans for echo in plan.echoes),
    )


def in_order(actions: Iterable[Action]) -> tuple[Action, ...]:
    """Creations first, then by the time of the act that caused them."""
    return tuple(sorted(actions, key=lambda a: (a.kind is not Kind.CREATE_INCIDENT, a.at, a.id)))


def _decide_pair(sighting: Sighting, world: World) -> Plan:
    before = sighting.pair
    answers = _answers(sighting, world)
    sighting = _answered(sighting, answers, world.policy)
    seen = changes(sighting, world.policy)
    pair = _snapshot(sighting, seen, world)
    if pair is None:
        return Plan()
    planned: list[Action] = []
    pointless: list[Settlement] = []
    mine = tuple(action for action in sighting.mine if action.status.is_open)
    for change in seen.changes:
        kinds = superseded_by(change)
        waiting = (action for action in mine if action.kind in kinds and action.status is Status.PLANNED)
        why = f"not needed: {change.person.name} has chosen otherwise since ({change.verb})"
        pointless += [Settlement(action.id, Status.DROPPED, why) for action in waiting]
        now = Situation(change, pair, world.policy, mine, sighting.alert, sighting.alert_notes or ())
        planned += [action for action in actions_for(now) if not _is_there(action, sighting)]
    planned = [action for action in planned if not _is_superseded(action, seen.changes)]
    if is_adoption(sighting):
        planned = [_asked_first(action, world) for action in planned]
    return Plan(
        actions=tuple(planned),
        pairs=(pair,) if pair != before else (),
        notes=_notes(sighting),
        settlements=(*answers, *pointless),
        echoes=seen.echoes,
    )


def _is_superseded(action: Action, changes: Iterable[Change]) -> bool:
    """Whether somebody has chosen otherwise since, within this look: each side would get the other's old state.

    Within one of PagerDuty's seconds nobody can tell: then an engineer's act counts as the later one.
    """
    cause = Side.OPSGENIE if action.kind.side is Side.PAGERDUTY else Side.PAGERDUTY
    done = _latest(cause, action.at)
    since = [change for change in changes if _latest(change.side, change.at) >= done]
    return any(action.kind in superseded_by(change) for change in since)


def _latest(side: Side, at: datetime) -> datetime:
    """When it happened at the latest: PagerDuty's stamps are whole seconds."""
    return at + _WITHIN_A_SECOND if side is Side.PAGERDUTY else at


def _is_there(action: Action, sighting: Sighting) -> bool:
    """Whether it is a note that its target shows already: from an earlier life, whose database was lost."""
    return action.kind.is_note and shown(action, sighting) is not None


def _asked_first(action: Action, world: World) -> Action:
    """A note that an adoption plans may be on its way from an earlier life: it is in doubt from the start."""
    return replace(action, status=Status.SENT, sent_at=world.now) if action.kind.is_note else action


def _answers(sighting: Sighting, world: World) -> tuple[Settlement, ...]:
    """What this sighting tells about our own actions that were open."""
    answers = (settle(a, sighting, world.policy, world.now) for a in sighting.mine if a.status.is_open)
    return tuple(answer for answer in answers if answer is not None)


def _answered(sighting: Sighting, answers: tuple[Settlement, ...], policy: Policy) -> Sighting:
    """The sighting with the answers taken in: what is done has moved the baselines."""
    by_id = {answer.action_id: answer for answer in answers}
    pair = sighting.pair
    for action in sighting.mine:
        answer = by_id.get(action.id)
        if pair is not None and answer is not None and answer.status is Status.DONE:
            pair = settled(pair, action, policy, sighting.incident)
    mine = tuple(
        replace(action, status=by_id[action.id].status, result_id=by_id[action.id].result_id)
        if action.id in by_id
        else action
        for action in sighting.mine
    )
    return replace(sighting, pair=pair, mine=mine)


# -- what the snapshot remembers --


def _snapshot(sighting: Sighting, seen: Seen, world: World) -> Pair | None:
    """The pair as it is to be remembered; None when there is nothing to remember it by."""
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
        opsgenie=_seen_alert(sighting, old.opsgenie, alert),
        swept_at=world.now if sighting.swept else old.swept_at,
    )
    if incident is None:
        return new
    return replace(
        new,
        tracked=True,
        incident_id=incident.id,
        incident_number=incident.number,
        pagerduty=_seen_incident(sighting, old.pagerduty, incident, seen),
    )


def _alert_baseline(alert: Alert) -> AlertBaseline:
    return AlertBaseline(bool(alert.open), bool(alert.acknowledged), alert.updated_at, alert.snoozed_until)


def _seen_alert(sighting: Sighting, old: AlertBaseline, alert: Alert | None) -> AlertBaseline:
    """What Opsgenie shows now. Closed stays closed; a field with a write in doubt waits for its answer."""
    if alert is None:
        return replace(old, open=False) if sighting.missing and sighting.sees_others else old
    new = _alert_baseline(alert)
    if in_doubt(sighting, Kind.OPSGENIE_ACKNOWLEDGE, Kind.OPSGENIE_UNACKNOWLEDGE):
        new = replace(new, acknowledged=old.acknowledged)
    return replace(new, open=new.open and old.open)


def _seen_incident(
    sighting: Sighting, old: IncidentBaseline | None, incident: Incident, seen: Seen
) -> IncidentBaseline:
    new = _incident_baseline(incident)
    if in_doubt(sighting, *_INCIDENT_STATUS):
        new = replace(new, as_of=old.as_of if old is not None else None)
    if old is None or is_adoption(sighting):
        return new
    actor = next((c.person.name for c in reversed(seen.changes) if _moves_incident(c)), old.actor)
    waits = old.status == "acknowledged" and incident.status == "triggered"
    if waits and in_doubt(sighting, Kind.PAGERDUTY_UNACKNOWLEDGE):
        return old
    return replace(new, actor=actor)


def _moves_incident(change: Change) -> bool:
    return change.side is Side.PAGERDUTY and change.verb != "note"


def _incident_baseline(incident: Incident) -> IncidentBaseline:
    held = incident.acknowledgers if incident.status == "acknowledged" else ()
    return IncidentBaseline(incident.status, held, as_of=incident.changed_at)


def _notes(sighting: Sighting) -> tuple[tuple[str, Side, str], ...]:
    seen = (
        *((Side.OPSGENIE, note.id) for note in sighting.alert_notes or ()),
        *((Side.PAGERDUTY, note.id) for note in sighting.incident_notes or ()),
    )
    return tuple((sighting.alert_id, *key) for key in seen if key not in sighting.known_notes)


# -- what a finished write of our own does to the snapshot --


def settled(pair: Pair, action: Action, policy: Policy, incident: Incident | None = None) -> Pair:
    """The pair after one of our own writes is known to have happened: the ledger guard for states.

    A new incident starts from `triggered`, whatever it shows by now: all that happened to it since is news.
    """
    if action.kind is Kind.CREATE_INCIDENT and incident is not None:
        return replace(
            pair,
            incident_id=incident.id,
            incident_number=incident.number,
            pagerduty=IncidentBaseline("triggered", as_of=incident.changed_at),
        )
    if "ledger" not in policy.guards:
        return pair
    if action.kind in ALERT_ACKNOWLEDGED:
        acknowledged = ALERT_ACKNOWLEDGED[action.kind]
        return replace(pair, opsgenie=replace(pair.opsgenie, acknowledged=acknowledged))
    if action.kind in _INCIDENT_STATUS and pair.pagerduty is not None:
        status = _INCIDENT_STATUS[action.kind]
        held: tuple[Person, ...] = (policy.automation,) if status == "acknowledged" else ()
        as_of = incident.changed_at if incident is not None else pair.pagerduty.as_of
        return replace(pair, pagerduty=IncidentBaseline(status, held, as_of=as_of))
    return pair


_INCIDENT_STATUS = {
    Kind.PAGERDUTY_ACKNOWLEDGE: "acknowledged",
    Kind.PAGERDUTY_UNACKNOWLEDGE: "triggered",
    Kind.PAGERDUTY_RESOLVE: "resolved",
}
