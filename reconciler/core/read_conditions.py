"""Conditions on which a read depends: what an observation shows, and what it leaves open."""

from datetime import UTC, datetime, timedelta

from reconciler.core import outcomes
from reconciler.core.alert_authors import did, wrote
from reconciler.core.genuine import Sources, is_ours_by_author
from reconciler.core.model import Act, Action, Actor, Kind, Observation, Person, Side, Status, since_last
from reconciler.core.policy import Policy
from reconciler.core.read_progress import ALERT_STATES, INCIDENT_STATES, Progress
from reconciler.core.readings import is_adoption

NOTE_MARGIN = timedelta(minutes=1)
"""How much further back than the staleness bound an alert's notes are read."""
_OLDEST = datetime(2000, 1, 1, tzinfo=UTC)
"""The earliest plausible time stamp."""
_SOUGHT_IN_ALL_NOTES = frozenset({Kind.ALERT_NOTE, Kind.CREATE_INCIDENT})
"""Writes of unknown outcome for which all notes of an alert are read."""
_ONLY_LOGGED = {
    ("acknowledged", "triggered"): "unacknowledge",
    ("resolved", "triggered"): "reopen",
    ("resolved", "acknowledged"): "reopen",
}
"""Status changes whose author only the incident's log names, and what the log calls them."""
_ANSWERED = frozenset({Status.DONE, Status.DROPPED})


def row_suffices(progress: Progress) -> bool:
    """Whether the list row replaces a read of the alert: it is newer than the baseline and shows our last write.

    A state that a row shows did exist; one that it lacks may only be late. A row without a readable state proves
    nothing.
    """
    row, seen = progress.request.row, progress.observation
    base = seen.pair.alerts if seen.pair else None
    if row is None or base is None or row.updated_at <= base.updated_at or base.missing_since is not None:
        return False
    if row.open is None or row.acknowledged is None:
        return False
    sent = (a for a in seen.mine if a.kind in ALERT_STATES and a.status is Status.SENT)
    return all(row.acknowledged is outcomes.ALERT_ACKNOWLEDGED[action.kind] for action in sent)


def notes_until(progress: Progress) -> datetime | None:
    """The time back to which the alert's notes are read: the last read's certain range; None for all of them."""
    request, seen = progress.request, progress.observation
    is_in_doubt = any(a.kind in _SOUGHT_IN_ALL_NOTES and a.status is Status.SENT for a in seen.mine)
    is_known = any(side is Side.ALERTS for side, _ in seen.known_notes)
    is_whole = request.all_notes or request.swept or not request.alert_notes
    if seen.pair is None or not is_known or is_whole or progress.unread or is_in_doubt:
        return None
    stamp = seen.pair.alerts.updated_at
    return stamp - (progress.policy.staleness + NOTE_MARGIN) if stamp > _OLDEST else None


def unanswered(progress: Progress) -> list[Action]:
    """Writes of unknown outcome that were looked up and are not visible."""
    seen = progress.observation
    sent = [a for a in seen.mine if a.status is Status.SENT and a.kind in seen.looked]
    answers = [(action, outcomes.settle(action, seen, progress.policy, progress.now)) for action in sent]
    return [action for action, answer in answers if answer is None or answer.status not in _ANSWERED]


def is_incident_in_doubt(progress: Progress) -> bool:
    """Whether a write to the incident's state is not visible: its log shows whether it was reversed."""
    return any(action.kind in INCIDENT_STATES for action in unanswered(progress))


def is_unexplained(seen: Observation) -> bool:
    """Whether only the incident's own log can name who changed its status.

    An entry in the feed's log is enough if a person acted; for a machine's act the incident's own log has more.
    """
    if seen.incident is None or seen.pair is None or seen.pair.pagerduty is None:
        return False
    verb = _ONLY_LOGGED.get((seen.pair.pagerduty.status, seen.incident.status))
    people = (act.verb for act in seen.incident_acts if act.actor is Actor.PERSON)
    return verb is not None and verb not in people


def has_foreign_mark(seen: Observation, side: Side, policy: Policy) -> bool:
    """Whether a new note of that side has the other side's mark, and nothing else shows that it is our copy.

    It is a copy only if its source exists, so that the other side's notes have to be read.
    """
    other, kind = (Side.PAGERDUTY, Kind.ALERT_NOTE) if side is Side.ALERTS else (Side.ALERTS, Kind.PAGERDUTY_NOTE)
    notes = (seen.alert_notes if side is Side.ALERTS else seen.incident_notes) or ()
    new = [note for note in notes if (side, note.id) not in seen.known_notes and "[" in note.text]
    sources = Sources(other, None, (action for action in seen.mine if action.kind is kind) if new else ())
    for note in new:
        by_us = wrote(note, policy) if side is Side.ALERTS else policy.is_automation(note.author)
        genuine = sources.has(note.text, by_us=by_us)
        if genuine is None and not is_ours_by_author(side, note, seen, policy, genuine=None):
            return True
    return False


def is_alert_log_needed(progress: Progress) -> bool:
    """Whether only the alert's log can name who acted, or show that somebody reversed a write of ours."""
    seen, policy = progress.observation, progress.policy
    if _is_unacknowledged(seen) or _is_untold(seen, policy):
        return True
    return _is_acknowledged_by_another(seen, policy) or _may_be_reversed(progress)


def is_under_another_name(action: Action, seen: Observation, policy: Policy) -> bool:
    """Whether the alert is acknowledged as requested, but under another name than the one we gave."""
    if action.kind is not Kind.ALERT_ACKNOWLEDGE or not is_accepted(action) or seen.alert is None:
        return False
    shown = seen.alert.acknowledged_by
    return bool(seen.alert.acknowledged and shown) and not did(action, Person("", shown), policy)


def is_undone_by_another(action: Action, seen: Observation, policy: Policy) -> bool:
    """Whether the alert's log names somebody else first for an un-acknowledgement that we sent."""
    if action.kind is not Kind.ALERT_UNACKNOWLEDGE or not is_accepted(action):
        return False
    first = _first(seen.alert_acts, "unacknowledge", "acknowledge")
    return first is not None and not did(action, first, policy)


def is_accepted(action: Action) -> bool:
    """Whether Opsgenie has accepted it and its outcome is not known yet."""
    return action.status is Status.SENT and bool(action.request_id)


def may_still_land(progress: Progress) -> bool:
    """Whether a note of ours may still appear on the old incident, whose notes are not read once it is left."""
    seen = progress.observation
    if Kind.PAGERDUTY_NOTE not in seen.looked:
        return False
    sent = (a for a in seen.mine if a.kind is Kind.PAGERDUTY_NOTE and a.status is Status.SENT)
    return any(outcomes.settle(action, seen, progress.policy, progress.now) is None for action in sent)


def is_lost(seen: Observation) -> bool:
    """Whether Opsgenie does not know an alert that is open in the snapshot."""
    base = seen.pair.alerts if seen.pair else None
    return seen.missing and base is not None and base.open and not base.deleted


def _is_unacknowledged(seen: Observation) -> bool:
    """Whether somebody took back an acknowledgement: one in the snapshot, or ours before it became visible."""
    if seen.pair is None or seen.alert is None or not seen.alert.open or seen.alert.acknowledged is not False:
        return False
    carried_out = {receipt.action_id for receipt in seen.receipts if receipt.carried_out}
    ours = any(a.id in carried_out and a.kind is Kind.ALERT_ACKNOWLEDGE for a in seen.mine)
    return seen.pair.alerts.acknowledged or ours


def _is_untold(seen: Observation, policy: Policy) -> bool:
    """Whether somebody has acknowledged or closed the alert, and its log alone says who."""
    alert, pair = seen.alert, seen.pair
    if policy.tells_who or alert is None or (pair is None and is_adoption(seen)):
        return False
    is_followed = seen.tracked if pair is None else pair.tracked or pair.incident_id is not None
    was_open, was_acknowledged = (pair.alerts.open, pair.alerts.acknowledged) if pair else (True, False)
    is_news = alert.open is False or (alert.acknowledged is True and not was_acknowledged)
    return is_followed and was_open and is_news


def _is_acknowledged_by_another(seen: Observation, policy: Policy) -> bool:
    """Whether the alert shows another name than our pending acknowledgement would give it."""
    if seen.alert is None or not (seen.alert.acknowledged and seen.alert.acknowledged_by):
        return False
    ours = (a for a in seen.mine if a.kind is Kind.ALERT_ACKNOWLEDGE and a.status is Status.SENT)
    who = Person("", seen.alert.acknowledged_by)
    return not all(did(action, who, policy) for action in ours)


def _may_be_reversed(progress: Progress) -> bool:
    """Whether the alert has changed since a write of unknown outcome whose request status is unknown."""
    seen = progress.observation
    if seen.alert is None or seen.pair is None or seen.alert.updated_at <= seen.pair.alerts.updated_at:
        return False
    receipted = {receipt.action_id for receipt in seen.receipts}
    in_doubt = (action for action in unanswered(progress) if action.kind in ALERT_STATES)
    return any(action.id not in receipted for action in in_doubt)


def _first(acts: tuple[Act, ...], verb: str, opposite: str) -> Person | None:
    """The first person to do this since the opposite was done; None if nobody is named."""
    people = [act.person for act in since_last(opposite, acts) if act.verb == verb and act.person is not None]
    return people[-1] if people else None
