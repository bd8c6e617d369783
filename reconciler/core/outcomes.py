"""Resolution of writes whose outcome is unknown, by reading the target.

The outcome of a write is unknown from the moment it is sent until its effect is seen on the target: after a crash,
a time-out, a 5xx, and after every 202 of Opsgenie's. The write counts as done when the target shows its mark or
its state; as not done only when the target has not shown it for longer than the staleness bound. A creation does
not wait for the bound: PagerDuty refuses a second open incident with the same key, and a page must not wait.
"""

from collections import defaultdict
from datetime import datetime, timedelta
from functools import cached_property

from reconciler.core import text
from reconciler.core.alert_authors import did
from reconciler.core.mapping import is_act_text
from reconciler.core.model import (
    SOMEBODY,
    Act,
    Action,
    Alert,
    Kind,
    Note,
    Observation,
    Person,
    Receipt,
    Settlement,
    Side,
    Status,
    since_last,
)
from reconciler.core.paging import is_left_to_us
from reconciler.core.policy import Policy
from reconciler.core.preconditions import has_urgency
from reconciler.core.sanitize import comparable

UNKNOWN_GIVE_UP = timedelta(hours=6)
"""How long a note or a state may fail before it becomes a dead letter. Creations are retried for ever."""
ALERT_ACKNOWLEDGED = {Kind.ALERT_ACKNOWLEDGE: True, Kind.ALERT_UNACKNOWLEDGE: False}
"""The `acknowledged` value that each of our writes gives an alert."""
_LOGGED_AS = {
    Kind.PAGERDUTY_ACKNOWLEDGE: frozenset({"acknowledge"}),
    Kind.PAGERDUTY_UNACKNOWLEDGE: frozenset({"unacknowledge", "escalate", "assign", "reassign"}),
    Kind.PAGERDUTY_RESOLVE: frozenset({"resolve"}),
    Kind.PAGERDUTY_SET_URGENCY: frozenset({"urgency_change", "priority_change"}),
}
"""The log's verbs for our writes. There are several ways to trigger an incident again."""
_BEFORE_US = timedelta(seconds=2)
"""How much earlier than our own write a person's same act must be in Opsgenie's log to count as the first."""
OVERTAKEN = "carried out; somebody has chosen otherwise since"
NOT_YET = "carried out; its effect does not show yet"
_REFUSED_AS_DUPLICATE = "key already exists"
"""Part of PagerDuty's message when an open incident has this key already."""


class Copies:
    """Index of an observation's notes by their bracketed head, in which our own notes are looked up.

    A note may be on the successor already, written before the database was lost.
    """

    def __init__(self, observation: Observation) -> None:
        on_incidents = (*(observation.incident_notes or ()), *observation.successor_notes)
        self._notes = {Side.ALERTS: observation.alert_notes or (), Side.PAGERDUTY: on_incidents}

    @cached_property
    def _by_head(self) -> dict[tuple[Side, str], list[Note]]:
        found: dict[tuple[Side, str], list[Note]] = defaultdict(list)
        for side, notes in self._notes.items():
            for note in notes:
                found[side, text.head(note.text)].append(note)
        return found

    def of(self, action: Action) -> str | None:
        """Id of the note that this action added; None if no note shows it.

        Of several with its mark it is the one with its words, else the oldest: the others quote it.
        """
        same_head = self._by_head.get((action.kind.side, text.head(action.mark)), ())
        words = _compared(action.text)
        found = [(_compared(note.text) != words, note.at, note.id) for note in same_head if _is_copy(note, action)]
        return min(found)[2] if found else None


def settle(
    action: Action, observation: Observation, policy: Policy, now: datetime, copies: Copies | None = None
) -> Settlement | None:
    """The outcome of an open action as far as this observation shows it; None if it does not.

    `copies` is the observation's index of notes, passed in if many actions are resolved with one observation.
    """
    if not action.status.is_open:
        return None
    if action.kind is Kind.CREATE_INCIDENT and observation.incident is not None:
        return Settlement(action.id, Status.DONE, result_id=observation.incident.id)
    is_looked_for = action.kind in observation.looked
    result = shown(action, observation, policy, copies) if is_looked_for else None
    receipt = receipt_of(action, observation)
    if action.status is Status.SENT and action.kind in ALERT_ACKNOWLEDGED and receipt is not None:
        return _receipted(action, observation, receipt, policy, now)
    if result is not None and (action.status is Status.SENT or action.kind.is_note):
        return Settlement(action.id, Status.DONE, result_id=result)
    if action.status is not Status.SENT or not (is_looked_for or receipt is not None):
        return None
    return _sent(action, observation, receipt, policy, now)


def receipt_of(action: Action, observation: Observation) -> Receipt | None:
    """Opsgenie's status of this request, if it was read."""
    return next((receipt for receipt in observation.receipts if receipt.action_id == action.id), None)


def _receipted(
    action: Action, observation: Observation, receipt: Receipt, policy: Policy, now: datetime
) -> Settlement | None:
    """Outcome of an Opsgenie state whose request status is known.

    A write that Opsgenie has carried out is ours, under whichever name the alert shows it.
    """
    if receipt.carried_out:
        first = _done_before(action, observation, receipt, policy)
        if first:
            return Settlement(action.id, Status.DROPPED, f"not needed: {first} has done it before us")
        if _stands(action, observation):
            return Settlement(action.id, Status.DONE)
        if _is_overtaken(receipt, observation.alert):
            return Settlement(action.id, Status.DONE, OVERTAKEN)
        if receipt.at is not None:
            return Settlement(action.id, Status.DONE, NOT_YET)
    if receipt.carried_out is False and _stands(action, observation):
        who = (_first(action, observation) or SOMEBODY).name
        return Settlement(action.id, Status.DROPPED, f"not needed: {who} has done it meanwhile")
    return _not_shown(action, receipt, policy, now)


def _sent(
    action: Action, observation: Observation, receipt: Receipt | None, policy: Policy, now: datetime
) -> Settlement | None:
    """Outcome of a write that was looked up on its target and not found as ours."""
    other = _done_by_another(action, observation, policy)
    if other:
        return Settlement(action.id, Status.DROPPED, f"not needed: {other} has done it before us")
    if _is_logged(action, observation, policy) or _is_in_alert_log(action, observation, policy):
        return Settlement(action.id, Status.DONE, OVERTAKEN)
    return _not_shown(action, receipt, policy, now)


def _stands(action: Action, observation: Observation) -> bool:
    """Whether the alert, as read, has the state that this write was to establish."""
    alert = observation.alert if action.kind in observation.looked else None
    return alert is not None and alert.acknowledged is ALERT_ACKNOWLEDGED[action.kind]


def _done_before(action: Action, observation: Observation, receipt: Receipt, policy: Policy) -> str:
    """Name of the person who did the same before our write, since the opposite was done; empty if there is none.

    A single act in the log at about the time of ours is ours, under any name.
    """
    acts = _same_acts(action, observation)
    if receipt.at is None or not acts:
        return ""
    alone = len(acts) == 1 and acts[0].at >= receipt.at - _BEFORE_US
    first = None if alone else _first(action, observation)
    return first.name if first is not None and not did(action, first, policy) else ""


def _first(action: Action, observation: Observation) -> Person | None:
    """The first person in the alert's log to do what this write does, since the opposite was done."""
    acts = _same_acts(action, observation)
    person = acts[-1].person if acts else None
    return person if person is not None and person.name else None


def _same_acts(action: Action, observation: Observation) -> list[Act]:
    """Acts in the alert's log that do what this write does, since the opposite was done, newest first."""
    verb, opposite = "acknowledge", "unacknowledge"
    if not ALERT_ACKNOWLEDGED[action.kind]:
        verb, opposite = opposite, verb
    return [act for act in since_last(opposite, observation.alert_acts) if act.verb == verb]


def _done_by_another(action: Action, observation: Observation, policy: Policy) -> str:
    """Name of the person who put the alert into the desired state before our write; empty if it may have been us.

    That is the first one in the log since the opposite was done.
    """
    alert, to = observation.alert, ALERT_ACKNOWLEDGED.get(action.kind)
    if alert is None or to is None or not alert.open or alert.acknowledged is not to:
        return ""
    first = _first(action, observation)
    return first.name if first is not None and not did(action, first, policy) else ""


def _is_overtaken(receipt: Receipt, alert: Alert | None) -> bool:
    """Whether the alert has changed after our write was carried out; both times are Opsgenie's."""
    return alert is not None and receipt.at is not None and alert.updated_at > receipt.at


def _is_logged(action: Action, observation: Observation, policy: Policy) -> bool:
    """Whether the incident's log has our write since the state it was planned for; both times are PagerDuty's."""
    base = observation.pair.pagerduty if observation.pair else None
    if base is None or base.as_of is None:
        return False
    verbs = _LOGGED_AS.get(action.kind, frozenset())
    since = [act for act in observation.incident_acts if act.verb in verbs and act.at >= base.as_of]
    return any(act.person is not None and policy.is_automation(act.person) for act in since)


def _is_in_alert_log(action: Action, observation: Observation, policy: Policy) -> bool:
    """Whether the alert's log has our write, later than the baseline and earlier than the latest change."""
    if action.kind not in ALERT_ACKNOWLEDGED or observation.pair is None or observation.alert is None:
        return False
    verb = "acknowledge" if ALERT_ACKNOWLEDGED[action.kind] else "unacknowledge"
    since, until = observation.pair.alerts.updated_at, observation.alert.updated_at
    acts = [act for act in observation.alert_acts if act.verb == verb and since < act.at < until]
    return any(act.person is not None and did(action, act.person, policy) for act in acts)


def _not_shown(action: Action, receipt: Receipt | None, policy: Policy, now: datetime) -> Settlement | None:
    """Outcome of an unseen write: wait while it is pending, send it again if it failed or stays unseen."""
    if receipt is not None and not receipt.carried_out:
        return _unprocessed(action, receipt, policy, now)
    if receipt is not None and action.kind.is_note:
        return Settlement(action.id, Status.DONE, NOT_YET)
    if action.kind is Kind.CREATE_INCIDENT:
        return _create_again(action, now)
    if action.sent_at is not None and now - action.sent_at <= policy.staleness:
        return None
    if receipt is not None:
        return Settlement(action.id, Status.DONE, "carried out, though its effect was not seen")
    return _again(action, _met(action, "not seen on its target for longer than STALENESS_SECONDS"), now)


def _unprocessed(action: Action, receipt: Receipt, policy: Policy, now: datetime) -> Settlement | None:
    """Outcome of a request not carried out yet. It is not sent again while it waits in Opsgenie's queue."""
    if receipt.carried_out is None:
        return None
    why = f": {receipt.detail}" if receipt.detail else ""
    return _again(action, f"{policy.product.name} accepted it and did not carry it out{why}", now)


def _create_again(action: Action, now: datetime) -> Settlement:
    """Outcome of an unseen creation: sent again at once, or later if PagerDuty refused it as a duplicate."""
    if _REFUSED_AS_DUPLICATE not in action.error:
        return _again(action, _met(action, "PagerDuty has no incident with this key"), now)
    return _again(action, action.error, now, least=1)


def _met(action: Action, words: str) -> str:
    """The reason for sending an action again, preceded by the last error, on which an operator can act."""
    return f"{action.error}; {words}" if action.error else words


def _again(action: Action, why: str, now: datetime, least: int = 0) -> Settlement:
    failures, since = action.attempts + 1, action.failing_since or action.sent_at or now
    if now - since >= UNKNOWN_GIVE_UP and action.kind is not Kind.CREATE_INCIDENT:
        return Settlement(action.id, Status.DEAD, why, attempts=failures, failing_since=since)
    wait = backoff(action.attempts + least)
    return Settlement(
        action.id, Status.PLANNED, why, not_before=now + wait, attempts=failures, failing_since=since
    )


def backoff(failures: int) -> timedelta:
    """Back-off after this many earlier failures: none, 1 s, 2 s, 4 s …, at most five minutes."""
    return timedelta(seconds=min(2 ** (failures - 1), 300) if failures > 0 else 0)


def shown(action: Action, observation: Observation, policy: Policy, copies: Copies | None = None) -> str | None:
    """Id of the write's effect if it is visible; empty if the effect has no id; None if it is not visible."""
    if action.kind.is_note:
        return (copies or Copies(observation)).of(action)
    alert, incident = observation.alert, observation.incident
    acknowledged = None if alert is None or _done_by_another(action, observation, policy) else alert.acknowledged
    if incident is None:
        shows = {}
    else:
        is_ours_alone = is_left_to_us(incident, policy)
        shows = {
            Kind.PAGERDUTY_ACKNOWLEDGE: incident.status == "acknowledged",
            Kind.PAGERDUTY_UNACKNOWLEDGE: incident.status == "triggered" and not is_ours_alone,
            Kind.PAGERDUTY_RESOLVE: incident.status == "resolved",
            Kind.PAGERDUTY_SET_URGENCY: has_urgency(action, incident),
        }
    shows |= {
        Kind.ALERT_ACKNOWLEDGE: acknowledged is True,
        Kind.ALERT_UNACKNOWLEDGE: acknowledged is False,
    }
    return "" if shows.get(action.kind, False) else None


def _is_copy(note: Note, action: Action) -> bool:
    """Whether the note has this action's mark and is not the mirror of an act with the same mark.

    A person who acts and adds a note within one millisecond gives both the same mark. The mark of an act includes
    its words except for a detail in brackets: within one of PagerDuty's seconds an incident may be resolved by a
    merge, and the one it was merged into be resolved, too.
    """
    if not text.carries(note.text, action.mark):
        return False
    words, ours = text.after(note.text, action.mark), text.after(action.text, action.mark)
    if words.startswith("(") != ours.startswith("("):
        return False
    return not is_act_text(Side.ALERTS, words) or words == ours


def _compared(words: str) -> str:
    return comparable(text.in_one_form(words))
