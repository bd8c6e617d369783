"""From the world to the plan: what to do, in which order, why, and what the snapshot will remember.

The plan is a value. A dry run prints it; a real run commits it, baselines and actions together, before
anything is sent. `settled` is the other half of the bookkeeping: what a finished write does to the baselines.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from reconciler.core import absence, paging, succession, text
from reconciler.core.changes import Seen, changes, in_doubt, is_adoption, is_raised
from reconciler.core.doubt import ALERT_ACKNOWLEDGED, Copies, receipt_of, settle, shown
from reconciler.core.mapping import Situation, actions_for, superseded_by
from reconciler.core.model import (
    Action,
    Actor,
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
from reconciler.core.readings import believable, usable

_WITHIN_A_SECOND = timedelta(microseconds=999_999)
_MOVES = frozenset({"acknowledge", "unacknowledge", "resolve", "reopen"})
"""What changes an incident's status."""
_TITLE = 200
"""How much of an alert's message the snapshot remembers, to name it by."""


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
    before, policy = sighting.pair, world.policy
    sighting, steps_back = believable(sighting, policy, world.now)
    answers = _answers(sighting, world)
    sighting, answered_back = believable(_answered(sighting, answers, world), policy, world.now)
    seen = changes(sighting, policy, world.now)
    pair = _snapshot(sighting, seen, world, steps_back=steps_back or answered_back)
    if pair is None:
        return Plan()
    told = (*seen.changes, *_unpaged(sighting, pair, policy))
    orphans = absence.without_target(pair.opsgenie, sighting.mine)
    pointless = _pointless(sighting, told)
    planned = [action for action in _follows(sighting, told, pair, policy) if not _is_superseded(action, told)]
    if is_adoption(sighting):
        planned = [_asked_first(action, world) for action in planned]
    return Plan(
        actions=tuple(planned),
        pairs=(pair,) if pair != before else (),
        notes=_notes(sighting, seen),
        settlements=(*answers, *pointless, *orphans),
        echoes=seen.echoes,
    )


def _pointless(sighting: Sighting, told: tuple[Change, ...]) -> list[Settlement]:
    """Actions not begun yet that somebody has made pointless."""
    waiting = [action for action in sighting.mine if action.status is Status.PLANNED and action.kind.is_state]
    return [
        Settlement(
            action.id,
            Status.DROPPED,
            f"not needed: {change.person.name} has chosen otherwise since ({change.verb})",
        )
        for change in told
        if (kinds := superseded_by(change))
        for action in waiting
        if action.kind in kinds
    ]


def _follows(sighting: Sighting, told: tuple[Change, ...], pair: Pair, policy: Policy) -> Iterator[Action]:
    """What follows from the changes, but for what was planned before or is there already."""
    mine = tuple(action for action in sighting.mine if action.status.is_open)
    keys = {action.key for action in sighting.mine}
    sent = {(action.kind, action.mark, action.text) for action in sighting.mine if action.kind.is_note}
    copies = Copies(sighting)
    marks = {
        side: text.note_marks(side, notes or ())
        for side, notes in ((Side.OPSGENIE, sighting.alert_notes), (Side.PAGERDUTY, sighting.incident_notes))
    }
    for change in told:
        now = Situation(change, pair, policy, mine, sighting.alert, marks[change.side])
        for action in actions_for(now):
            # Opsgenie's notes have no id of their own: the token that stands for one may differ from call to call.
            is_sent = change.note is not None and (action.kind, action.mark, action.text) in sent
            # A note may be there from an earlier life, whose database was lost.
            is_there = action.kind.is_note and shown(action, sighting, policy, copies) is not None
            if action.key not in keys and not is_sent and not is_there:
                yield action


def _is_superseded(action: Action, told: Iterable[Change]) -> bool:
    """Whether somebody has chosen otherwise since, within this look: each side would get the other's old state.

    Within one of PagerDuty's seconds nobody can tell: then an engineer's act counts as the later one.
    """
    if not action.kind.is_state:
        return False
    cause = Side.OPSGENIE if action.kind.side is Side.PAGERDUTY else Side.PAGERDUTY
    done = _latest(cause, action.at)
    since = [change for change in told if change.note is None and _latest(change.side, change.at) >= done]
    return any(action.kind in superseded_by(change) for change in since)


def _latest(side: Side, at: datetime) -> datetime:
    """When it happened at the latest: PagerDuty's stamps are whole seconds."""
    return at + _WITHIN_A_SECOND if side is Side.PAGERDUTY else at


def _asked_first(action: Action, world: World) -> Action:
    """A note that an adoption plans may be on its way from an earlier life: it is in doubt from the start."""
    return replace(action, status=Status.SENT, sent_at=world.now) if action.kind.is_note else action


def _answers(sighting: Sighting, world: World) -> tuple[Settlement, ...]:
    """What this sighting tells about our own actions that were open."""
    copies = Copies(sighting)
    asked = (action for action in sighting.mine if action.status.is_open)
    answers = (settle(action, sighting, world.policy, world.now, copies) for action in asked)
    return tuple(answer for answer in answers if answer is not None)


def _answered(sighting: Sighting, answers: tuple[Settlement, ...], world: World) -> Sighting:
    """The sighting with the answers taken in: what is done has moved the baselines."""
    by_id = {answer.action_id: answer for answer in answers}
    pair = sighting.pair
    for action in sighting.mine:
        answer = by_id.get(action.id)
        if pair is not None and answer is not None and answer.status is Status.DONE:
            receipt = receipt_of(action, sighting)
            at = min(receipt.at, world.now) if receipt is not None and receipt.at is not None else None
            pair = settled(pair, action, world.policy, sighting.incident, at)
    mine = tuple(
        replace(action, status=by_id[action.id].status, result_id=by_id[action.id].result_id)
        if action.id in by_id
        else action
        for action in sighting.mine
    )
    return replace(sighting, pair=pair, mine=mine)


def _unpaged(sighting: Sighting, pair: Pair, policy: Policy) -> Iterator[Change]:
    """What makes an incident page that pages nobody: once, and not one of an earlier life."""
    incident = sighting.incident
    if incident is None or not pair.unpaged or not paging.is_healable(incident, sighting.mine):
        return
    if not in_doubt(sighting, Kind.PAGERDUTY_UNACKNOWLEDGE):
        at, who = incident.changed_at or incident.created_at, Person("", policy.automation.name)
        yield Change(
            Side.OPSGENIE, "unpaged", pair.alert_id, incident.id, at, Actor.MACHINE, who, detail=pair.unpaged
        )


# -- what the snapshot remembers --


def _snapshot(sighting: Sighting, seen: Seen, world: World, *, steps_back: bool) -> Pair | None:
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
        title=(text.shortened(alert.message, _TITLE) if alert else "") or old.title,
        tracked=old.tracked or is_raised(sighting, world.policy),
        opsgenie=_seen_alert(sighting, old.opsgenie, world),
        swept_at=world.now if sighting.swept else old.swept_at,
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


def _notes(sighting: Sighting, seen: Seen) -> tuple[tuple[str, Side, str], ...]:
    """The notes that are known from now on. Those of an incident that is followed from now on are history."""
    history = sighting.successor_notes if succession.successor(sighting) else ()
    shown_now = dict.fromkeys(
        (
            *((Side.OPSGENIE, note.id) for note in sighting.alert_notes or ()),
            *((Side.PAGERDUTY, note.id) for note in (*(sighting.incident_notes or ()), *history)),
        )
    )
    known = sighting.known_notes | seen.undecided
    return tuple((sighting.alert_id, *key) for key in shown_now if key not in known)


# -- what a finished write of our own does to the snapshot --


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


_INCIDENT_STATUS = {
    Kind.PAGERDUTY_ACKNOWLEDGE: "acknowledged",
    Kind.PAGERDUTY_UNACKNOWLEDGE: "triggered",
    Kind.PAGERDUTY_RESOLVE: "resolved",
}
