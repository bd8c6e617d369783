"""What people did since the snapshot: the vendors' present values against the baselines, side by side.

Only values are compared; no time stamp and no log text decides that something happened. Our own doings are
taken out here, by three guards. Of notes any one suffices, of states, which have no text, either of the first two:

    ledger   ids and texts that our own actions left behind, and baselines that our own settled writes moved
    author   the automation user in PagerDuty, our signature in Opsgenie
    mark     the mark at the head of every note that we write
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.core import text
from reconciler.core.model import (
    Act,
    Actor,
    Alert,
    AlertBaseline,
    Change,
    Echo,
    Incident,
    IncidentBaseline,
    Kind,
    Note,
    Person,
    Policy,
    Side,
    Sighting,
    Status,
    since_last,
)

SOMEBODY = Person("", "somebody")
SNOOZE_ENDED = Person("", "Opsgenie (snooze ended)")
DELETED = Person("", "Opsgenie")
TIMED_OUT = Person("", "PagerDuty (acknowledgement timed out)")
_CLOCK_GRAIN = timedelta(seconds=1)
_REOPENS = ("reopen", "acknowledge")
_HANDS_ON = frozenset({"assign", "delegate", "escalate", "reassign", "snooze", "urgency_change"})


@dataclass(frozen=True, slots=True)
class Seen:
    """What happened to one pair, oldest first, and what of it was our own doing."""

    changes: tuple[Change, ...] = ()
    echoes: tuple[Echo, ...] = ()


def changes(sighting: Sighting, policy: Policy) -> Seen:
    """Everything that happened to one pair. Nothing for a pair that is a mere baseline."""
    if not is_followed(sighting):
        return Seen()
    found = (
        *_alert_changes(sighting),
        *_alert_notes(sighting, policy),
        *_incident_changes(sighting, policy),
        *_incident_notes(sighting, policy),
    )
    done = sorted((f for f in found if isinstance(f, Change)), key=lambda change: change.at)
    return Seen(tuple(done), tuple(f for f in found if isinstance(f, Echo)))


def is_followed(sighting: Sighting) -> bool:
    """Whether anything about this pair is mirrored: it is to be paged, or it has an incident."""
    pair = sighting.pair
    if sighting.incident is not None:
        return True
    return sighting.tracked if pair is None else pair.tracked or pair.incident_id is not None


def is_adoption(sighting: Sighting) -> bool:
    """Whether an incident is met that the snapshot does not know: its past is a baseline, not news."""
    return sighting.incident is not None and (sighting.pair is None or sighting.pair.incident_id is None)


def in_doubt(sighting: Sighting, *kinds: Kind) -> bool:
    """Whether a write of ours of these kinds may or may not have landed, so that its field says nothing."""
    return any(action.kind in kinds and action.status is Status.SENT for action in sighting.mine)


# -- what happened in Opsgenie --


def _alert_changes(sighting: Sighting) -> Iterator[Change | Echo]:
    alert, pair = sighting.alert, sighting.pair
    if sighting.missing and sighting.sees_others and pair is not None and pair.opsgenie.open:
        last = pair.opsgenie.updated_at
        yield Change(Side.OPSGENIE, "delete", pair.alert_id, "", last, Actor.MACHINE, DELETED)
    if alert is None or (pair is None and is_adoption(sighting)):
        return
    if pair is None:
        yield Change(Side.OPSGENIE, "create", alert.id, "", alert.created_at, person=Person("", alert.source))
    base = pair.opsgenie if pair else AlertBaseline(True, False, alert.created_at)
    if not base.open:
        return
    if not alert.open:
        yield _alert_act(alert, "close", Person("", alert.closed_by), alert.closed_at or alert.updated_at)
    elif in_doubt(sighting, Kind.OPSGENIE_ACKNOWLEDGE, Kind.OPSGENIE_UNACKNOWLEDGE):
        return
    elif alert.acknowledged and not base.acknowledged:
        at = alert.acknowledged_at
        # Whether Opsgenie renews ackTime at a second acknowledgement is unknown.
        fresh = at is not None and at >= base.updated_at - _CLOCK_GRAIN
        when = at if at is not None and fresh else alert.updated_at
        yield _or_echo(sighting, _alert_act(alert, "acknowledge", Person("", alert.acknowledged_by), when))
    elif base.acknowledged and not alert.acknowledged:
        yield _or_echo(sighting, _alert_unacknowledged(sighting, alert, base))


def _alert_act(alert: Alert, verb: str, person: Person, at: datetime, actor: Actor = Actor.PERSON) -> Change:
    ref = alert.updated_at.isoformat()
    return Change(Side.OPSGENIE, verb, alert.id, ref, at, actor, person if person.name else SOMEBODY)


def _alert_unacknowledged(sighting: Sighting, alert: Alert, base: AlertBaseline) -> Change:
    recent = since_last("acknowledge", sighting.alert_acts)
    act = next((act for act in recent if act.verb == "unacknowledge"), None)
    if base.snoozed_until is not None and (act is None or act.actor is not Actor.PERSON):
        at = min(base.snoozed_until, alert.updated_at)
        return _alert_act(alert, "unacknowledge", SNOOZE_ENDED, at, Actor.MACHINE)
    if act is None:
        return _alert_act(alert, "unacknowledge", SOMEBODY, alert.updated_at)
    return _alert_act(alert, "unacknowledge", act.person or SOMEBODY, act.at, act.actor)


def _or_echo(sighting: Sighting, change: Change) -> Change | Echo:
    """The change, unless it is the engineer's own act on its way back: the same verb in the same name.

    A customer who bears the same name loses nothing: the incident is in that state, in that name.
    """
    base = sighting.pair.pagerduty if sighting.pair else None
    status = {"acknowledge": "acknowledged", "unacknowledge": "triggered"}[change.verb]
    if (
        base is not None
        and base.status == status
        and base.actor
        and text.is_same_name(change.person.name, base.actor)
    ):
        return Echo(Side.OPSGENIE, change.alert_id, "author")
    return change


def _alert_notes(sighting: Sighting, policy: Policy) -> Iterator[Change | Echo]:
    mine = [action for action in sighting.mine if action.kind is Kind.OPSGENIE_NOTE]
    sent = {text.plain_note(action.text) if action.plain else action.text for action in mine}
    for note in _unknown(sighting, Side.OPSGENIE, sighting.alert_notes):
        if "ledger" in policy.guards and note.text in sent:
            yield Echo(Side.OPSGENIE, sighting.alert_id, "ledger")
        elif "author" in policy.guards and text.is_signed(note.author.name):
            yield Echo(Side.OPSGENIE, sighting.alert_id, "author")
        elif "mark" in policy.guards and text.is_copy_from(note.text, Side.PAGERDUTY):
            yield Echo(Side.OPSGENIE, sighting.alert_id, "mark")
        elif not (is_adoption(sighting) and _is_history(sighting, policy, note)):
            yield _noted(Side.OPSGENIE, sighting, note)


def _is_history(sighting: Sighting, policy: Policy, note: Note) -> bool:
    """Whether a note of an alert whose incident is being adopted was mirrored before us, or is too old."""
    ours = (copy for copy in sighting.incident_notes or () if policy.is_automation(copy.author))
    return _is_too_old(sighting, note) or any(_is_from_the_proxy(copy, note) for copy in ours)


def _is_too_old(sighting: Sighting, note: Note) -> bool:
    return sighting.since is not None and note.at < sighting.since


def _is_from_the_proxy(copy: Note, note: Note) -> bool:
    """Whether the webhook proxy that this program replaces copied it: the words and who wrote them, unmarked."""
    marked = text.is_copy_from(copy.text, Side.OPSGENIE)
    return not marked and note.text in copy.text and note.author.name in copy.text


# -- what happened in PagerDuty --


def _incident_changes(sighting: Sighting, policy: Policy) -> Iterator[Change | Echo]:
    incident = sighting.incident
    base = sighting.pair.pagerduty if sighting.pair else None
    if incident is None or base is None or is_adoption(sighting):
        return
    if incident.status == "resolved":
        if base.status != "resolved":
            yield _incident_resolved(sighting, incident, policy)
        return
    if base.status == "resolved":
        yield _incident_reopened(sighting, incident, policy)
    if incident.status == "acknowledged":
        yield from _incident_acknowledged(sighting, incident, base, policy)
    elif base.status == "acknowledged" and not in_doubt(sighting, Kind.PAGERDUTY_UNACKNOWLEDGE):
        yield _incident_unacknowledged(sighting, incident, base, policy)


def _incident_resolved(sighting: Sighting, incident: Incident, policy: Policy) -> Change | Echo:
    act = _last_act(sighting, "resolve")
    person = incident.changed_by or (act.person if act else None) or SOMEBODY
    if policy.is_echo_of_us(person):
        return Echo(Side.PAGERDUTY, sighting.alert_id, "author")
    actor = Actor.MACHINE if act is not None and act.actor is not Actor.PERSON else Actor.PERSON
    at = incident.changed_at or (act.at if act else incident.created_at)
    merged = f"merged into {incident.merged_into}" if incident.merged_into else ""
    return Change(Side.PAGERDUTY, "resolve", sighting.alert_id, _ref(act, at), at, actor, person, detail=merged)


def _incident_reopened(sighting: Sighting, incident: Incident, policy: Policy) -> Change | Echo:
    """Whoever reopened it; else who acknowledged it, which reopens as well; else who did the first other thing."""
    resolved = _last_act(sighting, "resolve")
    after = [a for a in sighting.incident_acts if a.person and (resolved is None or a.at >= resolved.at)]
    acts = [a for a in reversed(after) if a.verb not in ("resolve", "annotate")]
    act = next((a for verb in _REOPENS for a in acts if a.verb == verb), acts[0] if acts else None)
    person = (act.person if act else None) or SOMEBODY
    if policy.is_echo_of_us(person):
        return Echo(Side.PAGERDUTY, sighting.alert_id, "author")
    at = (act.at if act else None) or incident.changed_at or incident.created_at
    return Change(Side.PAGERDUTY, "reopen", sighting.alert_id, _ref(act, at), at, Actor.PERSON, person)


def _incident_acknowledged(
    sighting: Sighting, incident: Incident, base: IncidentBaseline, policy: Policy
) -> Iterator[Change | Echo]:
    before = {person.id for person in base.acknowledgers} if base.status == "acknowledged" else set()
    new = [person for person in incident.acknowledgers if person.id not in before]
    people = [person for person in new if not policy.is_echo_of_us(person)]
    if people:
        person = people[-1]
        act = _last_act(sighting, "acknowledge")
        known = [at for at in (act.at if act else None, incident.changed_at) if at is not None]
        at = max(known, default=incident.created_at)
        yield Change(Side.PAGERDUTY, "acknowledge", sighting.alert_id, _ref(act, at), at, person=person)
    elif new:
        yield Echo(Side.PAGERDUTY, sighting.alert_id, "author")


def _incident_unacknowledged(
    sighting: Sighting, incident: Incident, base: IncidentBaseline, policy: Policy
) -> Change | Echo:
    """Only the log tells who: while an incident is triggered, PagerDuty names the service.

    Without a word in the log it counts as an acknowledgement that ran out: a machine's act.
    """
    recent = since_last("acknowledge", sighting.incident_acts)
    act = next((a for a in recent if a.verb == "unacknowledge"), None) or next(
        (a for a in recent if a.verb in _HANDS_ON and a.actor is Actor.PERSON), None
    )
    person = (act.person if act else None) or TIMED_OUT
    if policy.is_echo_of_us(person):
        return Echo(Side.PAGERDUTY, sighting.alert_id, "author")
    at = (act.at if act else None) or incident.changed_at or incident.created_at
    mirrored = all(policy.is_automation(person) for person in base.acknowledgers)
    return Change(
        Side.PAGERDUTY,
        "unacknowledge",
        sighting.alert_id,
        _ref(act, at),
        at,
        act.actor if act else Actor.TIMEOUT,
        person,
        detail="mirrored" if mirrored else "",
    )


def _incident_notes(sighting: Sighting, policy: Policy) -> Iterator[Change | Echo]:
    written = {action.result_id for action in sighting.mine if action.kind is Kind.PAGERDUTY_NOTE}
    for note in _unknown(sighting, Side.PAGERDUTY, sighting.incident_notes):
        if "ledger" in policy.guards and note.id in written:
            yield Echo(Side.PAGERDUTY, sighting.alert_id, "ledger")
        elif policy.is_echo_of_us(note.author):
            yield Echo(Side.PAGERDUTY, sighting.alert_id, "author")
        elif "mark" in policy.guards and text.is_copy_from(note.text, Side.OPSGENIE):
            yield Echo(Side.PAGERDUTY, sighting.alert_id, "mark")
        elif not (is_adoption(sighting) and _is_too_old(sighting, note)):
            yield _noted(Side.PAGERDUTY, sighting, note)


# -- both --


def _unknown(sighting: Sighting, side: Side, notes: tuple[Note, ...] | None) -> list[Note]:
    new = [note for note in notes or () if (side, note.id) not in sighting.known_notes]
    return sorted(new, key=lambda note: (note.at, note.id))


def _noted(side: Side, sighting: Sighting, note: Note) -> Change:
    return Change(side, "note", sighting.alert_id, note.id, note.at, person=note.author, note=note)


def _ref(act: Act | None, at: datetime) -> str:
    """What tells this act from a later one of its kind: PagerDuty's stamps alone have but one-second steps."""
    return f"{at.isoformat()} {act.id}" if act else at.isoformat()


def _last_act(sighting: Sighting, verb: str) -> Act | None:
    return next((act for act in sighting.incident_acts if act.verb == verb), None)
