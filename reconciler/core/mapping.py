"""The mapping: what follows on the other side from what somebody did. One table, read from top to bottom.

A row holds when its side and verb match and its condition gives no objection. The conditions carry the rules:
terminal is terminal, a person's act and a machine's act differ, nothing is done that is the case already.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from reconciler.core import text
from reconciler.core.model import (
    Action,
    Actor,
    Alert,
    Change,
    IncidentBaseline,
    Kind,
    Note,
    Pair,
    Policy,
    Side,
    Status,
)


@dataclass(frozen=True, slots=True)
class Situation:
    """One change, and where both sides stand: `pair` with the baselines as they are after this observation.

    `mine` are the pair's open actions. `notes` are the alert's notes as read.
    """

    change: Change
    pair: Pair
    policy: Policy
    mine: tuple[Action, ...] = ()
    alert: Alert | None = None
    notes: tuple[Note, ...] = ()


Condition = Callable[[Situation], bool]


def always(_: Situation) -> bool:
    """No objection."""
    return True


def incident_to_acknowledge(now: Situation) -> bool:
    """The incident is triggered, or is still to be created. Acknowledging a resolved one would reopen it."""
    return _incident_status(now) == "triggered"


def acknowledgement_was_mirrored(now: Situation) -> bool:
    """Nobody but the automation user holds the incident's acknowledgement, and it is to page again."""
    if now.policy.on_opsgenie_unacknowledge != "retrigger":
        return False
    if _sent(now, Kind.PAGERDUTY_ACKNOWLEDGE):
        return True
    seen = now.pair.pagerduty
    return seen is not None and seen.status == "acknowledged" and _is_ours(seen, now.policy)


def close_is_told(now: Situation) -> bool:
    """ON_OPSGENIE_CLOSE is not `ignore`."""
    return now.policy.on_opsgenie_close != "ignore"


def close_resolves(now: Situation) -> bool:
    """ON_OPSGENIE_CLOSE is `resolve`, and the incident is not resolved yet."""
    return now.policy.on_opsgenie_close == "resolve" and _incident_status(now) != "resolved"


def alert_to_acknowledge(now: Situation) -> bool:
    """The alert is open and nobody has acknowledged it: doing it again would take it from its owner."""
    return now.pair.opsgenie.open and not _alert_acknowledged(now)


def alert_to_unacknowledge(now: Situation) -> bool:
    """The alert is open and acknowledged; somebody, or the policy, wants its notifications to start over."""
    if not now.pair.opsgenie.open or not _alert_acknowledged(now):
        return False
    if now.change.actor is Actor.PERSON:
        return True
    return now.change.detail != "mirrored" and now.policy.on_pagerduty_ack_timeout == "mirror"


@dataclass(frozen=True, slots=True)
class Row:
    """When `verb` happens on `side` and `holds`: do `kind`, saying `says` in a note, because of `reason`.

    {who} in the reason is the person; {detail} in the note is what the change adds, such as a merge's target.
    """

    side: Side
    verb: str
    kind: Kind
    holds: Condition
    says: str
    reason: str


OG, PD = Side.OPSGENIE, Side.PAGERDUTY

TABLE = (
    Row(OG, "create", Kind.CREATE_INCIDENT, always, "", "the alert was raised in Opsgenie"),
    Row(OG, "note", Kind.PAGERDUTY_NOTE, always, "", "{who} added a note in Opsgenie"),
    Row(OG, "acknowledge", Kind.PAGERDUTY_NOTE, always,
        "acknowledged the alert", "{who} acknowledged the alert in Opsgenie"),
    Row(OG, "acknowledge", Kind.PAGERDUTY_ACKNOWLEDGE, incident_to_acknowledge,
        "", "{who} acknowledged the alert in Opsgenie"),
    Row(OG, "unacknowledge", Kind.PAGERDUTY_NOTE, always,
        "unacknowledged the alert", "{who} unacknowledged the alert in Opsgenie"),
    Row(OG, "unacknowledge", Kind.PAGERDUTY_UNACKNOWLEDGE, acknowledgement_was_mirrored,
        "", "{who} unacknowledged the alert in Opsgenie, and only the automation user holds the incident"),
    Row(OG, "close", Kind.PAGERDUTY_NOTE, close_is_told,
        "closed the alert", "{who} closed the alert in Opsgenie"),
    Row(OG, "close", Kind.PAGERDUTY_RESOLVE, close_resolves,
        "", "{who} closed the alert in Opsgenie, and ON_OPSGENIE_CLOSE is resolve"),
    Row(OG, "delete", Kind.PAGERDUTY_NOTE, always,
        "no longer has the alert: it was deleted", "the alert was deleted in Opsgenie"),

    Row(PD, "acknowledge", Kind.OPSGENIE_ACKNOWLEDGE, alert_to_acknowledge,
        "", "{who} acknowledged the incident in PagerDuty"),
    Row(PD, "unacknowledge", Kind.OPSGENIE_UNACKNOWLEDGE, alert_to_unacknowledge,
        "", "{who} unacknowledged the incident in PagerDuty"),
    Row(PD, "note", Kind.OPSGENIE_NOTE, always, "", "{who} added a note in PagerDuty"),
    Row(PD, "resolve", Kind.OPSGENIE_NOTE, always,
        "resolved the incident{detail}", "{who} resolved the incident in PagerDuty"),
    Row(PD, "reopen", Kind.OPSGENIE_NOTE, always,
        "reopened the incident", "{who} reopened the incident in PagerDuty"),
)  # fmt: skip


SUPERSEDES: dict[tuple[Side, str], frozenset[Kind]] = {
    (OG, "acknowledge"): frozenset({Kind.PAGERDUTY_UNACKNOWLEDGE, Kind.OPSGENIE_UNACKNOWLEDGE}),
    (OG, "unacknowledge"): frozenset({Kind.PAGERDUTY_ACKNOWLEDGE, Kind.OPSGENIE_ACKNOWLEDGE}),
    (OG, "close"): frozenset({Kind.PAGERDUTY_ACKNOWLEDGE, Kind.PAGERDUTY_UNACKNOWLEDGE}),
    (PD, "acknowledge"): frozenset({Kind.OPSGENIE_UNACKNOWLEDGE, Kind.PAGERDUTY_UNACKNOWLEDGE}),
    (PD, "unacknowledge"): frozenset({Kind.OPSGENIE_ACKNOWLEDGE, Kind.PAGERDUTY_ACKNOWLEDGE}),
    (PD, "resolve"): frozenset({Kind.OPSGENIE_ACKNOWLEDGE, Kind.OPSGENIE_UNACKNOWLEDGE}),
}
"""Which actions not begun yet a later act makes pointless. What may be on the wire is never taken back."""


def superseded_by(change: Change) -> frozenset[Kind]:
    """What it makes pointless. A machine's act takes nothing back that a person did on the other side."""
    kinds = SUPERSEDES.get((change.side, change.verb), frozenset())
    return kinds if change.actor is Actor.PERSON else frozenset(k for k in kinds if k.side is not change.side)


def actions_for(now: Situation) -> tuple[Action, ...]:
    """What follows from one change, in the table's order."""
    return tuple(
        _action(row, now)
        for row in TABLE
        if (row.side, row.verb) == (now.change.side, now.change.verb) and row.holds(now)
    )


def _action(row: Row, now: Situation) -> Action:
    change = now.change
    who = change.person.name or "somebody"
    mark, words = _note(row, now, who) if row.kind.is_note else ("", "")
    action = Action(
        key=f"{row.kind.value} {change.alert_id} {change.verb} {change.ref}".rstrip(),
        kind=row.kind,
        alert_id=change.alert_id,
        incident_id=now.pair.incident_id,
        reason=row.reason.format(who=who),
        at=change.at,
        person=who,
        mark=mark,
        text=words,
        route=now.pair.route,
    )
    return _creation(action, now.alert) if now.alert and row.kind is Kind.CREATE_INCIDENT else action


def _creation(action: Action, alert: Alert) -> Action:
    return replace(
        action,
        mark=alert.id,
        text=text.title(alert),
        body=text.body(alert),
        urgency=text.urgency(alert.priority),
    )


def _note(row: Row, now: Situation, who: str) -> tuple[str, str]:
    """The mark of a note, by which it is known again, and the whole note."""
    change = now.change
    if change.note is not None:
        mark = text.note_mark(change.side, change.note, now.notes)
        return mark, text.marked(mark, change.note.text)
    # PagerDuty's stamps are whole seconds: the words tell a resolution from a reopening in the same one.
    mark = text.marked(text.act_mark(change.side, who, change.at), row.says.format(detail=""))
    return mark, mark + (f" ({change.detail})" if change.detail else "")


def _incident_status(now: Situation) -> str:
    """Where the incident stands, or will stand when what is on its way has landed."""
    if now.pair.pagerduty is None or _sent(now, Kind.PAGERDUTY_UNACKNOWLEDGE):
        return "triggered"
    return now.pair.pagerduty.status


def _alert_acknowledged(now: Situation) -> bool:
    """Whether the alert is acknowledged, or will be when what is on its way has landed."""
    if _sent(now, Kind.OPSGENIE_ACKNOWLEDGE):
        return True
    return now.pair.opsgenie.acknowledged and not _sent(now, Kind.OPSGENIE_UNACKNOWLEDGE)


def _sent(now: Situation, kind: Kind) -> bool:
    return any(action.kind is kind and action.status is Status.SENT for action in now.mine)


def _is_ours(seen: IncidentBaseline, policy: Policy) -> bool:
    return bool(seen.acknowledgers) and all(policy.is_automation(person) for person in seen.acknowledgers)
