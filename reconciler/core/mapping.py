"""The mapping from each act on one side to the actions that follow on the other.

One table, read from top to bottom. A row applies when its side and verb match and its condition holds. The
conditions carry the rules: a terminal state stays terminal, a person's act and a machine's act differ, and nothing
is done that is already so.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from reconciler.core import text
from reconciler.core.model import (
    SOMEBODY,
    Action,
    Actor,
    Alert,
    Change,
    IncidentBaseline,
    Kind,
    Pair,
    Side,
    Status,
)
from reconciler.core.policy import Policy
from reconciler.core.sanitize import one_line, safe, safe_line


@dataclass(frozen=True, slots=True)
class Situation:
    """One change and the state of both sides: `pair` has the baselines after this observation.

    `mine` are the pair's open actions. `marks` are the marks of the notes that were read, by note id.
    """

    change: Change
    pair: Pair
    policy: Policy
    mine: tuple[Action, ...] = ()
    alert: Alert | None = None
    marks: Mapping[str, str] = field(default_factory=dict)


Condition = Callable[[Situation], bool]


def always(_: Situation) -> bool:
    """No condition: the row always applies."""
    return True


def incident_to_acknowledge(now: Situation) -> bool:
    """The incident is triggered, or is still to be created. Acknowledging a resolved one would reopen it."""
    return _incident_status(now) == "triggered"


def acknowledgement_was_mirrored(now: Situation) -> bool:
    """Only the automation user holds the incident's acknowledgement, and the policy is to page again."""
    if now.policy.on_alert_unacknowledge != "retrigger":
        return False
    if _sent(now, Kind.PAGERDUTY_ACKNOWLEDGE):
        return True
    seen = now.pair.pagerduty
    return seen is not None and seen.status == "acknowledged" and _is_ours(seen, now.policy)


def close_is_noted(now: Situation) -> bool:
    """ON_ALERT_CLOSE is not `ignore`."""
    return now.policy.on_alert_close != "ignore"


def close_resolves(now: Situation) -> bool:
    """ON_ALERT_CLOSE is `resolve`, and the incident is not resolved yet."""
    return now.policy.on_alert_close == "resolve" and _incident_status(now) != "resolved"


def alert_to_acknowledge(now: Situation) -> bool:
    """The alert is open and unacknowledged: a second acknowledgement would take it from its owner."""
    return now.pair.alerts.open and not _alert_acknowledged(now)


def alert_to_unacknowledge(now: Situation) -> bool:
    """The alert is open and acknowledged, and a person, an automation or the policy restarts its notifications."""
    if not now.pair.alerts.open or not _alert_acknowledged(now):
        return False
    if now.change.actor is not Actor.TIMEOUT:
        return True
    return not now.change.was_mirrored and now.policy.on_pagerduty_ack_timeout == "mirror"


def acknowledgement_lacks_a_name(now: Situation) -> bool:
    """The alert is to be acknowledged, and will not show the engineer's name: a note says it."""
    return not now.policy.acts_are_named and alert_to_acknowledge(now)


def unacknowledgement_lacks_a_name(now: Situation) -> bool:
    """The same of an un-acknowledgement, which not every product takes in somebody's name."""
    is_named = now.policy.acts_are_named and now.policy.product.unacknowledges_by_name
    return not is_named and alert_to_unacknowledge(now)


def priority_is_noted(now: Situation) -> bool:
    """ON_ALERT_PRIORITY is not `ignore`."""
    return now.policy.on_alert_priority != "ignore"


def incident_follows_priority(now: Situation) -> bool:
    """ON_ALERT_PRIORITY is `urgency`, and an incident that is not resolved lacks the urgency or the priority."""
    is_open = _incident_status(now) != "resolved"
    is_behind = now.change.raises or bool(now.change.priority)
    return is_behind and is_open and now.policy.on_alert_priority == "urgency"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: when `verb` happens on `side` and `holds`, `kind` follows, for `reason`.

    `says` is the text of a note. {who} in the reason is the person, {product} the one that raises the alerts, and
    {policies} how the settings for its alerts begin. {detail} is what the change adds; if `says` has no place for
    it, the note ends with it, in brackets.
    """

    side: Side
    verb: str
    kind: Kind
    holds: Condition
    says: str
    reason: str


OG, PD = Side.ALERTS, Side.PAGERDUTY
SECOND_INCIDENT = "the alert has a second incident"
"""Beginning of the reason of a note that names an incident which is not followed."""

TABLE = (
    Row(OG, "create", Kind.CREATE_INCIDENT, always, "", "the alert was raised in {product}"),
    Row(OG, "late", Kind.CREATE_INCIDENT, always,
        "", "the alert was raised in {product}, and {detail}: low urgency"),
    Row(OG, "details", Kind.PAGERDUTY_NOTE, always,
        "", "the alert's details could not be read when the incident was created"),
    Row(OG, "refused details", Kind.PAGERDUTY_NOTE, always,
        "", "PagerDuty refused the incident's details, and took it without them"),
    Row(OG, "note", Kind.PAGERDUTY_NOTE, always, "", "{who} added a note in {product}"),
    Row(OG, "acknowledge", Kind.PAGERDUTY_NOTE, always,
        "acknowledged the alert", "{who} acknowledged the alert in {product}"),
    Row(OG, "acknowledge", Kind.PAGERDUTY_ACKNOWLEDGE, incident_to_acknowledge,
        "", "{who} acknowledged the alert in {product}"),
    Row(OG, "unacknowledge", Kind.PAGERDUTY_NOTE, always,
        "unacknowledged the alert", "{who} unacknowledged the alert in {product}"),
    Row(OG, "unacknowledge", Kind.PAGERDUTY_UNACKNOWLEDGE, acknowledgement_was_mirrored,
        "", "{who} unacknowledged the alert in {product}, and only the automation user holds the incident"),
    Row(OG, "close", Kind.PAGERDUTY_NOTE, close_is_noted,
        "closed the alert", "{who} closed the alert in {product}"),
    Row(OG, "close", Kind.PAGERDUTY_RESOLVE, close_resolves,
        "", "{who} closed the alert in {product}, and {policies}_CLOSE is resolve"),
    Row(OG, "delete", Kind.PAGERDUTY_NOTE, always,
        "no longer has the alert: it was deleted", "the alert was deleted in {product}"),
    Row(OG, "priority", Kind.PAGERDUTY_NOTE, priority_is_noted,
        "changed the priority {detail}", "{who} changed the alert's priority in {product}"),
    Row(OG, "priority", Kind.PAGERDUTY_SET_URGENCY, incident_follows_priority,
        "", "{who} changed the alert's priority in {product} {detail}"),
    Row(OG, "urgency", Kind.PAGERDUTY_SET_URGENCY, incident_follows_priority,
        "", "the alert's priority is {detail}, and the incident is open again with low urgency"),
    Row(OG, "unpaged", Kind.PAGERDUTY_UNACKNOWLEDGE, always, "", "nobody is paged: {detail}"),
    Row(OG, "late acknowledgement", Kind.PAGERDUTY_UNACKNOWLEDGE, always,
        "", "the automation user's acknowledgement came after it had been taken back, and nobody is paged"),
    Row(OG, "twin", Kind.PAGERDUTY_NOTE, always,
        "incident {detail} bears this alert's key, too: it is not followed",
        SECOND_INCIDENT + ", {detail}, which is not followed"),
    Row(OG, "follow", Kind.PAGERDUTY_NOTE, always,
        "incident {detail} is followed from now on", "the alert's earlier incident is resolved"),

    Row(PD, "acknowledge", Kind.ALERT_ACKNOWLEDGE, alert_to_acknowledge,
        "", "{who} acknowledged the incident in PagerDuty"),
    Row(PD, "acknowledge", Kind.ALERT_NOTE, acknowledgement_lacks_a_name,
        "acknowledged the incident", "{who} acknowledged the incident in PagerDuty"),
    Row(PD, "unacknowledge", Kind.ALERT_UNACKNOWLEDGE, alert_to_unacknowledge,
        "", "{who} unacknowledged the incident in PagerDuty"),
    Row(PD, "unacknowledge", Kind.ALERT_NOTE, unacknowledgement_lacks_a_name,
        "unacknowledged the incident", "{who} unacknowledged the incident in PagerDuty"),
    Row(PD, "note", Kind.ALERT_NOTE, always, "", "{who} added a note in PagerDuty"),
    Row(PD, "resolve", Kind.ALERT_NOTE, always,
        "resolved the incident", "{who} resolved the incident in PagerDuty"),
    Row(PD, "reopen", Kind.ALERT_NOTE, always,
        "reopened the incident", "{who} reopened the incident in PagerDuty"),
    Row(PD, "twin", Kind.ALERT_NOTE, always,
        "incident {detail} bears this alert's key, too: it is not followed",
        SECOND_INCIDENT + ", {detail}, which is not followed"),
    Row(PD, "follow", Kind.ALERT_NOTE, always,
        "incident {detail} is followed from now on", "the alert's earlier incident is resolved"),
)  # fmt: skip


SUPERSEDES: dict[tuple[Side, str], frozenset[Kind]] = {
    (OG, "acknowledge"): frozenset({Kind.PAGERDUTY_UNACKNOWLEDGE, Kind.ALERT_UNACKNOWLEDGE}),
    (OG, "unacknowledge"): frozenset({Kind.PAGERDUTY_ACKNOWLEDGE, Kind.ALERT_ACKNOWLEDGE}),
    (OG, "close"): frozenset({Kind.PAGERDUTY_ACKNOWLEDGE, Kind.PAGERDUTY_UNACKNOWLEDGE}),
    (PD, "acknowledge"): frozenset({Kind.ALERT_UNACKNOWLEDGE, Kind.PAGERDUTY_UNACKNOWLEDGE}),
    (PD, "unacknowledge"): frozenset({Kind.ALERT_ACKNOWLEDGE, Kind.PAGERDUTY_ACKNOWLEDGE}),
    (PD, "resolve"): frozenset({Kind.ALERT_ACKNOWLEDGE, Kind.ALERT_UNACKNOWLEDGE}),
}
"""Actions not begun yet that a later act makes unnecessary. One that may be on the wire is never taken back."""


def superseded_by(change: Change) -> frozenset[Kind]:
    """The kinds of action that a change makes unnecessary.

    A machine's act takes nothing back that a person did on the other side.
    """
    kinds = SUPERSEDES.get((change.side, change.verb), frozenset())
    return kinds if change.actor is Actor.PERSON else frozenset(k for k in kinds if k.side is not change.side)


_DETAIL = r"(?:from .{1,40} to .{1,40}|#\d+ \([^)\s]+\)(?: \".*\")?)"
_ACT_TEXTS = {
    side: re.compile(
        "|".join(
            re.escape(row.says).replace(re.escape("{detail}"), _DETAIL) + r"(?: \(merged into .+\))?"
            for row in TABLE
            if row.side is side and row.says
        )
    )
    for side in Side
}
"""Patterns for the words of our notes about acts, including what may stand in the place of a detail."""


def is_act_text(side: Side, words: str) -> bool:
    """Whether these are the words of a note about an act on that side."""
    return _ACT_TEXTS[side].fullmatch(words) is not None


_SAID = {"acknowledge": Kind.ALERT_ACKNOWLEDGE, "unacknowledge": Kind.ALERT_UNACKNOWLEDGE}
"""By verb: the state that is written for an engineer's act, which a note may also describe in words."""


def state_of(action: Action) -> Kind | None:
    """The state that this action writes or, beside another one that writes it, says in words; None if none."""
    if action.kind.is_state:
        return action.kind
    verb, *_ = action.key.removeprefix(f"{Kind.ALERT_NOTE.value} {action.alert_id} ").split(" ")
    return _SAID.get(verb) if action.kind is Kind.ALERT_NOTE else None


def state_key(action: Action) -> str:
    """The key of the action that writes this one's state."""
    state = state_of(action)
    return action.key if state is None else action.key.replace(action.kind.value, state.value, 1)


def actions_for(now: Situation) -> tuple[Action, ...]:
    """The actions that follow from one change, in the table's order."""
    cause = (now.change.side, now.change.verb)
    rows = (row for row in TABLE if (row.side, row.verb) == cause and row.holds(now))
    return tuple(action for row in rows for action in _actions(row, now))


def _actions(row: Row, now: Situation) -> Iterator[Action]:
    """The actions of one row: one, or for a note one per part."""
    change, product = now.change, now.policy.product
    who = change.person.name or SOMEBODY.name
    action = Action(
        key=f"{row.kind.value} {change.alert_id} {change.verb} {change.ref}".rstrip(),
        kind=row.kind,
        alert_id=change.alert_id,
        incident_id=now.pair.incident_id,
        reason=row.reason.format(who=who, detail=change.detail, product=product.name, policies=product.policies),
        at=change.at,
        person=one_line(who) or SOMEBODY.name,
    )
    if row.kind is Kind.PAGERDUTY_SET_URGENCY:
        yield replace(action, urgency="high" if change.raises else "", priority=change.priority)
    elif row.kind is Kind.CREATE_INCIDENT and now.alert is not None:
        made = _creation(action, now.alert, now.policy)
        yield replace(made, urgency="low") if change.verb == "late" else made
    elif row.kind.is_note:
        parts = _note(row, now, who)
        for nth, (mark, words) in enumerate(parts, 1):
            key = action.key if nth == 1 else f"{action.key} {nth}/{len(parts)}"
            yield replace(action, key=key, mark=mark, text=words)
    else:
        yield action


def _creation(action: Action, alert: Alert, policy: Policy) -> Action:
    return replace(
        action,
        mark=alert.id,
        text=text.title(alert, policy.product, policy.title),
        body=text.body(alert, policy.details),
        urgency=text.urgency(alert.priority, policy.high_urgency),
        priority=policy.priority_of(alert.priority),
    )


def _note(row: Row, now: Situation, who: str) -> tuple[tuple[str, str], ...]:
    """The parts of a note, each with the mark that identifies it on its target."""
    change, product = now.change, now.policy.product
    if change.note is not None:
        mark = now.marks.get(change.note.id) or text.note_mark(change.side, change.note, product=product)
        return text.split(mark, safe(change.note.text))
    detail = safe_line(change.detail)
    # PagerDuty's stamps are whole seconds: the words tell a resolution from a reopening in the same one.
    mark = text.marked(text.act_mark(change.side, who, change.at, product), row.says.format(detail=detail))
    is_added = detail and "{detail}" not in row.says
    return ((mark, mark + (f" ({detail})" if is_added else "")),)


def _incident_status(now: Situation) -> str:
    """The incident's status, as it will be when the write on its way takes effect."""
    if now.pair.pagerduty is None or _sent(now, Kind.PAGERDUTY_UNACKNOWLEDGE):
        return "triggered"
    return now.pair.pagerduty.status


def _alert_acknowledged(now: Situation) -> bool:
    """Whether the alert is acknowledged, or will be when the write on its way takes effect."""
    if _sent(now, Kind.ALERT_ACKNOWLEDGE):
        return True
    return now.pair.alerts.acknowledged and not _sent(now, Kind.ALERT_UNACKNOWLEDGE)


def _sent(now: Situation, kind: Kind) -> bool:
    return any(action.kind is kind and action.status is Status.SENT for action in now.mine)


def _is_ours(seen: IncidentBaseline, policy: Policy) -> bool:
    return bool(seen.acknowledgers) and all(policy.is_automation(person) for person in seen.acknowledgers)
