"""Detection of changes since the snapshot: the vendors' present values compared with the baselines.

Only values are compared; no time stamp and no log text decides that something happened. Three echo
guards exclude our own writes. For notes any one suffices; for states, which have no text, either of the first two:

    outbox   ids and texts that our own actions left behind, and baselines that our own settled writes moved
    author   the automation user in PagerDuty; our signature or our own account on the alert side
    mark     the mark at the head of every note that we write, where it is genuine
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.core import absence, details, late_alerts, notes, steps, succession, text, urgency
from reconciler.core.alert_authors import doer
from reconciler.core.model import (
    SOMEBODY,
    Act,
    Actor,
    Alert,
    AlertBaseline,
    Change,
    Echo,
    Incident,
    IncidentBaseline,
    Kind,
    Observation,
    Person,
    Side,
    since_last,
)
from reconciler.core.policy import Policy
from reconciler.core.readings import GRAIN, in_doubt, is_adoption, is_overdue


@dataclass(frozen=True, slots=True)
class Unexplained:
    """A change of the incident's status whose cause is not known yet."""


Found = Change | Echo | Unexplained | notes.Undecided


@dataclass(frozen=True, slots=True)
class Seen:
    """The changes to one pair, oldest first, and the echoes of our own writes.

    `unexplained`: the incident's baseline is kept as it is. `undecided`: notes that cannot be classified yet.
    """

    changes: tuple[Change, ...] = ()
    echoes: tuple[Echo, ...] = ()
    unexplained: bool = False
    undecided: frozenset[tuple[Side, str]] = frozenset()


def changes(observation: Observation, policy: Policy, now: datetime) -> Seen:
    """All changes to one pair, oldest first. None for a pair that is only a baseline."""
    if not is_followed(observation) and not is_raised(observation, policy):
        return Seen()
    found = (
        *_alert_changes(observation, policy, now),
        *details.changes(observation, policy),
        *notes.of_alert(observation, policy),
        *_incident_changes(observation, policy, now),
        *urgency.changes(observation, policy),
        *notes.of_incident(observation, policy, now),
    )
    done = sorted((f for f in found if isinstance(f, Change)), key=lambda change: change.at)
    return Seen(
        (*done, *succession.changes(observation, policy, done)),
        tuple(f for f in found if isinstance(f, Echo)),
        any(isinstance(f, Unexplained) for f in found),
        frozenset((f.side, f.note_id) for f in found if isinstance(f, notes.Undecided)),
    )


def is_followed(observation: Observation) -> bool:
    """Whether anything about this pair is mirrored: the alert is to be paged, or it has an incident."""
    pair = observation.pair
    if observation.incident is not None:
        return True
    return observation.tracked if pair is None else pair.tracked or pair.incident_id is not None


def is_raised(observation: Observation, policy: Policy) -> bool:
    """Whether the priority of an alert older than the first start has risen over the line, so that it is paged."""
    pair, alert = observation.pair, observation.alert
    if pair is None or pair.is_unlinked or alert is None or not alert.open or is_followed(observation):
        return False
    return policy.on_alert_priority != "ignore" and _rises(pair.alerts.priority, alert.priority, policy)


# -- changes in Opsgenie --


def _alert_changes(observation: Observation, policy: Policy, now: datetime) -> Iterator[Found]:
    alert, pair = observation.alert, observation.pair
    if pair is not None and pair.alerts.open and absence.is_confirmed(observation, policy, now):
        base, ref = pair.alerts, str(pair.alerts.missing_since)
        yield Change(
            Side.ALERTS,
            "delete",
            pair.alert_id,
            ref,
            base.updated_at,
            Actor.MACHINE,
            Person("", policy.product.name),
        )
    if alert is None or (pair is None and is_adoption(observation)):
        return
    if pair is None:
        is_late = late_alerts.treated(observation, policy) == late_alerts.NOTE
        verb, late = ("late", late_alerts.delay(observation)) if is_late else ("create", "")
        source = Person("", alert.source)
        yield Change(Side.ALERTS, verb, alert.id, "", alert.created_at, person=source, detail=late)
    elif is_raised(observation, policy):
        yield Change(Side.ALERTS, "create", alert.id, "", alert.updated_at, person=Person("", alert.source))
        return
    base = pair.alerts if pair else AlertBaseline(True, False, alert.created_at)
    if not alert.open:
        if base.open:
            person = doer("close", alert.closed_by, observation.alert_acts, policy)
            yield _alert_act(alert, "close", person, alert.closed_at or alert.updated_at)
    elif absence.is_open(alert, base):
        yield from _priority_changed(observation, alert, base, policy)
        yield from _acknowledgement_changed(observation, alert, base, policy)


def _priority_changed(
    observation: Observation, alert: Alert, base: AlertBaseline, policy: Policy
) -> Iterator[Change]:
    if not (base.priority and alert.priority) or alert.priority == base.priority:
        return
    act = next((act for act in observation.alert_acts if act.verb == "priority"), None)
    person = (act.person if act else None) or SOMEBODY
    change = _alert_act(alert, "priority", person, alert.updated_at)
    rises = _rises(base.priority, alert.priority, policy)
    before, wanted = policy.priority_of(base.priority), policy.priority_of(alert.priority)
    follows = wanted if wanted != before else ""
    yield replace(change, detail=f"from {base.priority} to {alert.priority}", raises=rises, priority=follows)


def _rises(old: str, new: str, policy: Policy) -> bool:
    """Whether a priority was below the line between low and high urgency, and is no longer."""
    if not (old and new):
        return False
    return text.urgency(old, policy.high_urgency) == "low" and text.urgency(new, policy.high_urgency) == "high"


def _acknowledgement_changed(
    observation: Observation, alert: Alert, base: AlertBaseline, policy: Policy
) -> Iterator[Found]:
    if in_doubt(observation, Kind.ALERT_ACKNOWLEDGE, Kind.ALERT_UNACKNOWLEDGE):
        return
    if alert.acknowledged and not base.acknowledged:
        at = alert.acknowledged_at
        # Whether Opsgenie renews ackTime at a second acknowledgement is unknown.
        fresh = at is not None and at >= base.updated_at - GRAIN
        when = at if at is not None and fresh else alert.updated_at
        person = doer("acknowledge", alert.acknowledged_by, observation.alert_acts, policy)
        yield _or_echo(observation, _alert_act(alert, "acknowledge", person, when), policy)
    elif base.acknowledged and not alert.acknowledged:
        yield _or_echo(observation, _alert_unacknowledged(observation, alert, base, policy), policy)


def _alert_act(alert: Alert, verb: str, person: Person, at: datetime, actor: Actor = Actor.PERSON) -> Change:
    ref = alert.updated_at.isoformat()
    return Change(Side.ALERTS, verb, alert.id, ref, at, actor, person if person.name else SOMEBODY)


def _alert_unacknowledged(observation: Observation, alert: Alert, base: AlertBaseline, policy: Policy) -> Change:
    recent = since_last("acknowledge", observation.alert_acts)
    act = next((act for act in recent if act.verb == "unacknowledge"), None)
    if base.snoozed_until is not None and (act is None or act.actor is not Actor.PERSON):
        at = min(base.snoozed_until, alert.updated_at)
        person = Person("", f"{policy.product.name} (snooze ended)")
        return _alert_act(alert, "unacknowledge", person, at, Actor.MACHINE)
    if act is None:
        return _alert_act(alert, "unacknowledge", SOMEBODY, alert.updated_at)
    return _alert_act(alert, "unacknowledge", act.person or SOMEBODY, act.at, act.actor)


def _or_echo(observation: Observation, change: Change, policy: Policy) -> Change | Echo:
    """The change, or an Echo if it is our own act, or the engineer's on its way back: same verb, same name.

    A customer with the same name loses nothing: the incident already has that state and that name.
    """
    if policy.is_echo_on_alert(change.person):
        return Echo(Side.ALERTS, change.alert_id, "author", change.verb)
    base = observation.pair.pagerduty if observation.pair else None
    status = {"acknowledge": "acknowledged", "unacknowledge": "triggered"}[change.verb]
    if (
        policy.acts_are_named
        and base is not None
        and base.status == status
        and base.actor
        and text.is_same_name(change.person.name, base.actor)
    ):
        return Echo(Side.ALERTS, change.alert_id, "author", change.verb)
    return change


# -- changes in PagerDuty --


def _incident_changes(observation: Observation, policy: Policy, now: datetime) -> Iterator[Found]:
    incident, pair = observation.incident, observation.pair
    base = pair.pagerduty if pair else None
    if incident is None or pair is None or base is None or is_adoption(observation):
        return
    if incident.status == "resolved":
        if base.status != "resolved":
            yield _incident_resolved(observation, incident, policy)
        return
    unknown = steps.somebody(incident) if is_overdue(pair, policy, now) else None
    if base.status == "resolved":
        cause = steps.reopened(observation, base, policy, now) or unknown
        if cause is None:
            yield Unexplained()
            return
        yield _moved(observation, "reopen", cause, policy)
    if incident.status == "acknowledged":
        yield from _incident_acknowledged(observation, incident, base, policy)
    elif base.status == "acknowledged" and not in_doubt(observation, Kind.PAGERDUTY_UNACKNOWLEDGE):
        cause = steps.unacknowledged(observation, base, policy, now) or unknown
        ours = all(policy.is_automation(person) for person in base.acknowledgers)
        yield _moved(observation, "unacknowledge", cause, policy, ours=ours) if cause else Unexplained()


def _moved(
    observation: Observation, verb: str, cause: steps.Cause, policy: Policy, *, ours: bool = False
) -> Change | Echo:
    if policy.is_echo_of_us(cause.person):
        return Echo(Side.PAGERDUTY, observation.alert_id, "author", verb)
    ref = _ref(cause.act, cause.at)
    return Change(
        Side.PAGERDUTY, verb, observation.alert_id, ref, cause.at, cause.actor, cause.person, was_mirrored=ours
    )


def _incident_resolved(observation: Observation, incident: Incident, policy: Policy) -> Change | Echo:
    act = _last_act(observation, "resolve")
    person = incident.changed_by or (act.person if act else None) or SOMEBODY
    if policy.is_echo_of_us(person):
        return Echo(Side.PAGERDUTY, observation.alert_id, "author", "resolve")
    actor = Actor.MACHINE if act is not None and act.actor is not Actor.PERSON else Actor.PERSON
    at = incident.changed_at or (act.at if act else incident.created_at)
    detail = succession.merged_into(observation, incident)
    return Change(Side.PAGERDUTY, "resolve", observation.alert_id, _ref(act, at), at, actor, person, detail=detail)


def _incident_acknowledged(
    observation: Observation, incident: Incident, base: IncidentBaseline, policy: Policy
) -> Iterator[Change | Echo]:
    held = base.acknowledgers if base.status == "acknowledged" else ()
    before = {person.id or person.name for person in held}
    new = [person for person in incident.acknowledgers if (person.id or person.name) not in before]
    people = [person for person in new if not policy.is_echo_of_us(person)]
    if people:
        person = people[-1]
        act = _last_act(observation, "acknowledge")
        # The status changed with the first acknowledgement: one that is added has a time of its own.
        times = (act.at if act else None, dict(incident.acknowledged_at).get(person), incident.changed_at)
        at = max((at for at in times if at is not None), default=incident.created_at)
        yield Change(Side.PAGERDUTY, "acknowledge", observation.alert_id, _ref(act, at), at, person=person)
    elif new:
        yield Echo(Side.PAGERDUTY, observation.alert_id, "author", "acknowledge")


def _ref(act: Act | None, at: datetime) -> str:
    """Identity of this act among those of its kind. PagerDuty's time stamps have whole seconds only."""
    return f"{at.isoformat()} {act.id}" if act else at.isoformat()


def _last_act(observation: Observation, verb: str) -> Act | None:
    return next((act for act in observation.incident_acts if act.verb == verb), None)
