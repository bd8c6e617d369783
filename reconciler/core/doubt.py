"""Maybe done is asked, never guessed: what became of a write whose outcome is not certain.

A write is in doubt from the moment it goes on the wire until its effect is seen on the target: after a crash,
a time-out, a 5xx, and after every 202 of Opsgenie's. It counts as done when the target shows its mark or its
state; as not done only when the target has not shown it for longer than the staleness bound. A creation need
not wait for the bound: PagerDuty refuses a second open incident with the same key, and a page must not wait.
"""

from datetime import datetime, timedelta

from reconciler.core import text
from reconciler.core.mapping import TABLE
from reconciler.core.model import (
    Action,
    Alert,
    Kind,
    Note,
    Policy,
    Receipt,
    Settlement,
    Side,
    Sighting,
    Status,
    since_last,
)

MAX_FAILURES = 5
"""How often Opsgenie may accept a write and fail it later before it is parked as dead."""
MAX_ATTEMPTS = 20
"""How often a write may end in doubt and prove undone before it is parked as dead. Creations never are."""
ALERT_ACKNOWLEDGED = {Kind.OPSGENIE_ACKNOWLEDGE: True, Kind.OPSGENIE_UNACKNOWLEDGE: False}
"""Where our writes bring an alert."""
_LOGGED_AS = {
    Kind.PAGERDUTY_ACKNOWLEDGE: frozenset({"acknowledge"}),
    Kind.PAGERDUTY_UNACKNOWLEDGE: frozenset({"unacknowledge", "escalate", "assign", "reassign"}),
    Kind.PAGERDUTY_RESOLVE: frozenset({"resolve"}),
}
"""What PagerDuty's log calls our writes: there are several ways to trigger an incident again."""
_ACTS_WORDS = frozenset(row.says for row in TABLE if row.side is Side.OPSGENIE and row.says)


def settle(action: Action, sighting: Sighting, policy: Policy, now: datetime) -> Settlement | None:
    """What became of an open action as far as this sighting tells; None when it does not."""
    if action.kind is Kind.CREATE_INCIDENT and sighting.incident is not None:
        return Settlement(action.id, Status.DONE, result_id=sighting.incident.id)
    if action.kind not in sighting.looked or not action.status.is_open:
        return None
    result = shown(action, sighting)
    if result is not None and (action.status is Status.SENT or action.kind.is_note):
        return Settlement(action.id, Status.DONE, result_id=result)
    return _sent(action, sighting, policy, now) if action.status is Status.SENT else None


def _sent(action: Action, sighting: Sighting, policy: Policy, now: datetime) -> Settlement | None:
    """What became of a write that was looked for and does not show as ours."""
    other = _done_by_another(action, sighting)
    if other:
        return Settlement(action.id, Status.DROPPED, f"not needed: {other} has done it before us")
    receipt = next((receipt for receipt in sighting.receipts if receipt.action_id == action.id), None)
    if _is_overtaken(receipt, sighting.alert) or _is_logged(action, sighting, policy):
        return Settlement(action.id, Status.DONE, "carried out; somebody has chosen otherwise since")
    return _not_shown(action, receipt, policy, now)


def _done_by_another(action: Action, sighting: Sighting) -> str:
    """Who brought the alert where we meant to, while our write was on its way; empty where it may have been us.

    The log tells: whoever was the first since the opposite was done.
    """
    alert, to = sighting.alert, ALERT_ACKNOWLEDGED.get(action.kind)
    if alert is None or not alert.open or alert.acknowledged is not to:
        return ""
    verb, opposite = ("acknowledge", "unacknowledge") if to else ("unacknowledge", "acknowledge")
    acts = [act for act in since_last(opposite, sighting.alert_acts) if act.verb == verb]
    first = acts[-1].person if acts else None
    return "" if first is None or text.is_same_name(first.name, action.person) else first.name


def _is_overtaken(receipt: Receipt | None, alert: Alert | None) -> bool:
    """Whether our write was carried out and the alert has changed after it, both by Opsgenie's own clock."""
    if receipt is None or not receipt.carried_out:
        return False
    return alert is not None and receipt.at is not None and alert.updated_at > receipt.at


def _is_logged(action: Action, sighting: Sighting, policy: Policy) -> bool:
    """Whether PagerDuty's log has our write since the state it was planned for, both by PagerDuty's own clock."""
    base = sighting.pair.pagerduty if sighting.pair else None
    if base is None or base.as_of is None:
        return False
    verbs = _LOGGED_AS.get(action.kind, frozenset())
    since = [act for act in sighting.incident_acts if act.verb in verbs and act.at >= base.as_of]
    return any(act.person is not None and policy.is_automation(act.person) for act in since)


def _not_shown(action: Action, receipt: Receipt | None, policy: Policy, now: datetime) -> Settlement | None:
    if receipt is not None and not receipt.carried_out:
        return _again(action, "Opsgenie accepted the write and did not carry it out", MAX_FAILURES, now)
    if action.kind is Kind.CREATE_INCIDENT:
        return _again(action, "PagerDuty has no incident with this key", None, now)
    if action.sent_at is not None and now - action.sent_at <= policy.staleness:
        return None
    if receipt is not None:
        return Settlement(action.id, Status.DONE, "carried out, though its effect was not seen")
    return _again(action, "not seen on its target for longer than STALENESS_SECONDS", MAX_ATTEMPTS, now)


def _again(action: Action, why: str, most: int | None, now: datetime) -> Settlement:
    failures = action.attempts + 1
    if most is not None and failures >= most:
        return Settlement(action.id, Status.DEAD, why, attempts=failures)
    return Settlement(action.id, Status.PLANNED, why, not_before=now + backoff(action.attempts), attempts=failures)


def backoff(failures: int) -> timedelta:
    """How long to wait after so many earlier failures: nothing, 1 s, 2 s, 4 s … five minutes at most."""
    return timedelta(seconds=min(2 ** (failures - 1), 300) if failures > 0 else 0)


def shown(action: Action, sighting: Sighting) -> str | None:
    """The id of the effect where it has one, an empty text where it has none; None when it does not show."""
    if action.kind.is_note:
        notes = sighting.incident_notes if action.kind.side is Side.PAGERDUTY else sighting.alert_notes
        return next((note.id for note in notes or () if _is_copy(note, action)), None)
    alert, incident = sighting.alert, sighting.incident
    acknowledged = None if alert is None or _done_by_another(action, sighting) else alert.acknowledged
    shows = {
        Kind.OPSGENIE_ACKNOWLEDGE: acknowledged is True,
        Kind.OPSGENIE_UNACKNOWLEDGE: acknowledged is False,
        Kind.PAGERDUTY_ACKNOWLEDGE: incident is not None and incident.status == "acknowledged",
        Kind.PAGERDUTY_UNACKNOWLEDGE: incident is not None and incident.status == "triggered",
        Kind.PAGERDUTY_RESOLVE: incident is not None and incident.status == "resolved",
    }
    return "" if shows.get(action.kind, False) else None


def _is_copy(note: Note, action: Action) -> bool:
    """Whether it bears our mark, and not for an act: who acts and adds a note in one millisecond has one mark."""
    if not text.carries(note.text, action.mark):
        return False
    words = text.after(note.text, action.mark)
    return words not in _ACTS_WORDS or words == text.after(action.text, action.mark)
