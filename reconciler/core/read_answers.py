"""Transitions of the reading progress: what each answer adds, and what each failed read leaves unknown."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from reconciler.core.model import Actor, Kind, Side
from reconciler.core.read_conditions import is_unexplained
from reconciler.core.read_progress import ALERT_STATES, INCIDENT_STATES, Failure, Progress, Read, What
from reconciler.core.reads import incident_notes


def answered(progress: Progress, read: Read, answer: Any) -> Progress:
    """The progress after this answer, or after the Failure in its place."""
    after = replace(progress, answers={**progress.answers, read.key: answer})
    if not isinstance(answer, Failure):
        return _ANSWERED[read.what](after, read, answer)
    is_own = read.id in (progress.incident_id, progress.observation.alert_id)
    return _FAILED[read.what](after, answer) if is_own else after


# -- answers --


def _sees(progress: Progress, looked: frozenset[Kind] = frozenset(), **seen: Any) -> Progress:
    """The progress with these fields of its observation set; `looked` are the writes that they can resolve."""
    observation = progress.observation
    return replace(progress, observation=replace(observation, looked=observation.looked | looked, **seen))


def _incidents_found(progress: Progress, _: Read, found: tuple[Any, ...]) -> Progress:
    if found and progress.lacks_alert_notes:
        return _without_incident(progress)
    progress = _sees(progress, frozenset({Kind.CREATE_INCIDENT}))
    return _sees(progress, INCIDENT_STATES, incident=found[-1]) if found else progress


def _incident_read(progress: Progress, read: Read, incident: Any) -> Progress:
    is_own = read.id == progress.incident_id
    return _sees(progress, INCIDENT_STATES, incident=incident) if is_own else progress


def _incident_notes_read(progress: Progress, read: Read, notes: tuple[Any, ...]) -> Progress:
    is_own = read.id == progress.incident_id
    return _sees(progress, frozenset({Kind.PAGERDUTY_NOTE}), incident_notes=notes) if is_own else progress


def _receipt_read(progress: Progress, _: Read, receipt: Any) -> Progress:
    known = progress.observation.receipts
    return progress if receipt is None else _sees(progress, receipts=(*known, receipt))


_ANSWERED: dict[What, Callable[[Progress, Read, Any], Progress]] = {
    What.ALERT: lambda progress, _, alert: _sees(progress, ALERT_STATES, alert=alert),
    What.ALERT_NOTES: lambda progress, _, notes: _sees(progress, frozenset({Kind.ALERT_NOTE}), alert_notes=notes),
    What.ALERT_LOG: lambda progress, _, acts: _sees(progress, alert_acts=acts),
    What.REQUEST: _receipt_read,
    What.RECENT_ALERTS: lambda progress, _, sees_others: _sees(progress, sees_others=sees_others),
    What.INCIDENTS_BY_KEY: _incidents_found,
    What.INCIDENT: _incident_read,
    What.INCIDENT_NOTES: _incident_notes_read,
    What.INCIDENT_LOG: lambda progress, _, acts: _sees(
        progress, incident_acts=acts or progress.observation.incident_acts
    ),
}


# -- failed reads of the pair's own objects --


def _unread(progress: Progress, side: Side) -> Progress:
    return replace(progress, unread=progress.unread | {side})


def _alert_failed(progress: Progress, failure: Failure) -> Progress:
    """After a failed read of the alert: a new alert pages from its list row, even if its id is not found."""
    request = progress.request
    if failure is Failure.MISSING and not (request.is_new and request.row is not None):
        return _sees(progress, alert=None, missing=True)
    return _unread(progress, Side.ALERTS)


def _alert_log_failed(progress: Progress, _: Failure) -> Progress:
    """After a failed read of the alert's log: its state counts as unread, so as not to lack a name.

    A new alert is paged all the same.
    """
    seen = progress.observation
    if seen.pair is None:
        return progress
    seen = replace(seen, alert=None, looked=seen.looked - ALERT_STATES)
    return _unread(replace(progress, observation=seen), Side.ALERTS)


def _incidents_by_key_failed(progress: Progress, _: Failure) -> Progress:
    return _without_incident(_unread(progress, Side.PAGERDUTY))


def _without_incident(progress: Progress) -> Progress:
    """After a failed search for an incident: an unknown alert is not treated as new until that is answered."""
    progress = replace(progress, is_incident_out_of_reach=True)
    return _sees(progress, alert=None, alert_notes=None) if progress.observation.pair is None else progress


def _incident_failed(progress: Progress, failure: Failure) -> Progress:
    is_gone, pair = failure is Failure.MISSING, progress.observation.pair
    is_ordered = progress.request.order is not None and pair is not None and pair.incident_id is None
    if is_ordered and failure is not Failure.UNREAD:
        return _sees(replace(progress, is_incident_out_of_reach=True), order_unknown=True)
    return replace(_unread(progress, Side.PAGERDUTY), is_incident_out_of_reach=is_gone)


def _incident_notes_failed(progress: Progress, failure: Failure) -> Progress:
    """After a failed read of the notes: they are optional if only needed before following another incident."""
    return progress if incident_notes(progress) is None else _incident_failed(progress, failure)


def _incident_log_failed(progress: Progress, failure: Failure) -> Progress:
    """After a failed read of the incident's log: invisible writes stay unknown, and so do machines' acts.

    Only a person's act in the feed's log explains a change of status. A machine's act there says too little, and
    the change stays unexplained for the time being.
    """
    seen = progress.observation
    is_needed = failure is Failure.MISSING or is_unexplained(seen)
    people = tuple(act for act in seen.incident_acts if act.actor is Actor.PERSON)
    seen = replace(seen, incident_acts=people, looked=seen.looked - INCIDENT_STATES)
    progress = replace(progress, observation=seen)
    return _unread(progress, Side.PAGERDUTY) if is_needed else progress


_FAILED: dict[What, Callable[[Progress, Failure], Progress]] = {
    What.ALERT: _alert_failed,
    What.ALERT_NOTES: lambda progress, _: _unread(progress, Side.ALERTS),
    What.ALERT_LOG: _alert_log_failed,
    What.INCIDENTS_BY_KEY: _incidents_by_key_failed,
    What.INCIDENT: _incident_failed,
    What.INCIDENT_NOTES: _incident_notes_failed,
    What.INCIDENT_LOG: _incident_log_failed,
}
