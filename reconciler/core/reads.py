"""Rules for reading one pair: which reads its observation still requires.

`next_read` names the next read, `read_answers.answered` takes in its answer or its failure, and `finished` returns
the observation when nothing is left to read. A value that could not be read stays unknown, and affects nothing
else.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.core.alert_authors import wrote
from reconciler.core.model import Observation, Side
from reconciler.core.moved_notes import keys_in
from reconciler.core.policy import Policy
from reconciler.core.read_conditions import (
    has_foreign_mark,
    is_accepted,
    is_alert_log_needed,
    is_incident_in_doubt,
    is_lost,
    is_under_another_name,
    is_undone_by_another,
    is_unexplained,
    notes_until,
    row_suffices,
    unanswered,
)
from reconciler.core.read_progress import ALERT_STATES, INCIDENT_STATES, Progress, Read, What
from reconciler.core.successor_reads import followed, succession
from reconciler.core.work import ReadRequest


@dataclass(frozen=True, slots=True)
class Finished:
    """The observation after all reads; `unread` are sides that have to be read again."""

    observation: Observation
    unread: frozenset[Side] = frozenset()


def begin(request: ReadRequest, known: Observation, policy: Policy, now: datetime) -> Progress:
    """The progress before anything is read: what the snapshot, a list row and the feed's log show."""
    pair = known.pair
    follows = pair.incident_id if pair else None
    if follows is not None and request.is_new:  # created after the list was compared
        request = replace(request, is_new=False)
    if pair is not None and (pair.is_unlinked or request.order is not None):
        request = replace(request, is_new=False, by_key=False, adopt=None, twins=())
    acts = tuple(sorted(request.acts, key=lambda act: act.at, reverse=True))
    twins = tuple(twin for twin in request.twins if follows not in (None, twin.id))
    progress = Progress(request, replace(known, incident_acts=acts, twins=twins), policy, now)
    seen, is_enough = progress.observation, row_suffices(progress)
    if pair is None or not request.alert or is_enough:
        seen = replace(seen, alert=request.row, looked=seen.looked | (ALERT_STATES if is_enough else frozenset()))
    if request.adopt is not None and follows is None and not request.by_key:
        seen = replace(seen, incident=request.adopt, looked=seen.looked | INCIDENT_STATES)
    return replace(progress, observation=seen)


def sides_needed(progress: Progress) -> frozenset[Side]:
    """The sides without which nothing can be concluded, before anything is read.

    A new alert is paged from its row, unless it may have an incident already.
    """
    request = progress.request
    is_looked_up = _incidents_by_key(progress) is not None
    if request.is_new and request.row is not None:
        return frozenset({Side.PAGERDUTY} if is_looked_up and progress.observation.pair is None else ())
    opsgenie = _alert(progress) is not None or request.alert_notes
    pagerduty = progress.incident_id is not None and (request.incident or request.incident_notes)
    needed = {Side.ALERTS: opsgenie, Side.PAGERDUTY: pagerduty or is_looked_up}
    return frozenset(side for side, is_needed in needed.items() if is_needed)


def own_object(side: Side, progress: Progress) -> Read:
    """The read that shows best whether a vendor answers again: of the pair's own alert or incident."""
    if side is Side.ALERTS:
        return Read(What.ALERT, progress.observation.alert_id)
    if progress.incident_id is None:
        return Read(What.INCIDENTS_BY_KEY, progress.observation.alert_id)
    return Read(What.INCIDENT, progress.incident_id)


def next_read(progress: Progress) -> Read | None:
    """The first read of RULES that is needed and was not made yet; None when nothing more can be read."""
    for rule in RULES:
        read = rule(progress)
        if read is not None and read.key not in progress.answers:
            return read
    return None


def finished(progress: Progress) -> Finished:
    """The observation, after the last read."""
    progress = followed(progress)
    request, seen, unread = progress.request, progress.observation, progress.unread
    if progress.lacks_alert_notes and request.incident_notes and not request.is_new:
        unread |= {Side.PAGERDUTY}
    if is_lost(seen) and not seen.sees_others:
        unread |= {Side.ALERTS}
    return Finished(seen, unread)


# -- rules: what is needed, and when --


def _alert(progress: Progress) -> Read | None:
    """The alert itself, unless its list row is enough."""
    is_needed = progress.request.alert and not row_suffices(progress)
    return Read(What.ALERT, progress.observation.alert_id) if is_needed else None


def _alert_notes(progress: Progress) -> Read | None:
    """The alert's notes: requested, or needed as the possible source of a note with Opsgenie's mark."""
    seen = progress.observation
    is_source = _may_have_sources(progress) and has_foreign_mark(seen, Side.PAGERDUTY, progress.policy)
    if seen.missing or not (progress.request.alert_notes or is_source):
        return None
    return Read(What.ALERT_NOTES, seen.alert_id, notes_until(progress))


def _incidents_by_key(progress: Progress) -> Read | None:
    """The search by key, for an alert whose incident is not known."""
    seen = progress.observation
    is_needed = progress.request.by_key and (seen.pair is None or seen.pair.incident_id is None)
    # An alert with a new id since a move has a note of ours that names its incident's key, which is the old id.
    ours = (note for note in seen.alert_notes or () if wrote(note, progress.policy))
    key = next(iter(keys_in(ours)), seen.alert_id)
    return Read(What.INCIDENTS_BY_KEY, key) if is_needed else None


def _incident(progress: Progress) -> Read | None:
    """The incident itself, unless a list has shown it already."""
    if not progress.request.incident or progress.observation.incident is not None:
        return None
    return _of_incident(What.INCIDENT, progress)


def incident_notes(progress: Progress) -> Read | None:
    """The incident's notes: requested, or needed as the possible source of a note with PagerDuty's mark."""
    seen = progress.observation
    is_source = _may_have_sources(progress) and has_foreign_mark(seen, Side.ALERTS, progress.policy)
    return _of_incident(What.INCIDENT_NOTES, progress) if _wants_incident_notes(progress) or is_source else None


def _incident_log(progress: Progress) -> Read | None:
    """The incident's own log: who changed its status, or who reversed a write that is not visible."""
    seen = progress.observation
    if seen.incident is None or not (is_incident_in_doubt(progress) or is_unexplained(seen)):
        return None
    return _of_incident(What.INCIDENT_LOG, progress)


def _successor(progress: Progress) -> Read | None:
    """The incident to follow once the pair's own is resolved."""
    return succession(progress).read


def _receipts(progress: Progress) -> Read | None:
    """The request status of accepted writes that are not visible, or are visible under another name."""
    seen = progress.observation
    asked = [action for action in unanswered(progress) if action.request_id]
    asked += [action for action in seen.mine if is_under_another_name(action, seen, progress.policy)]
    return _first_request(progress, [action.id for action in asked])


def _alert_log(progress: Progress) -> Read | None:
    """The alert's log, for all names and for writes of ours that somebody has reversed since."""
    return Read(What.ALERT_LOG, progress.observation.alert_id) if is_alert_log_needed(progress) else None


def _receipts_of_the_undone(progress: Progress) -> Read | None:
    """The request status of un-acknowledgements for which the alert's log names somebody else."""
    seen, policy = progress.observation, progress.policy
    return _first_request(progress, [a.id for a in seen.mine if is_undone_by_another(a, seen, policy)])


def _other_alerts(progress: Progress) -> Read | None:
    """The check whether the key still sees other alerts, when Opsgenie does not know this one."""
    return Read(What.RECENT_ALERTS) if is_lost(progress.observation) else None


RULES: tuple[Callable[[Progress], Read | None], ...] = (
    _alert,
    _alert_notes,
    _incidents_by_key,
    _incident,
    incident_notes,
    _incident_log,
    _successor,
    _receipts,
    _alert_log,
    _receipts_of_the_undone,
    _other_alerts,
)
"""The reads in order of preference. Every rule is evaluated again after each answer."""


def _may_have_sources(progress: Progress) -> bool:
    pair = progress.observation.pair
    return pair is not None and pair.incident_id is not None


def _wants_incident_notes(progress: Progress) -> bool:
    """Whether the incident's notes are requested. They wait for the alert's notes, whose copies they may be."""
    request = progress.request
    return (request.incident_notes or request.adopt is not None) and not progress.lacks_alert_notes


def _of_incident(what: What, progress: Progress) -> Read | None:
    """A read of the incident that the pair follows, or is about to adopt."""
    if progress.incident_id is None or progress.is_incident_out_of_reach:
        return None
    return Read(what, progress.incident_id)


def _first_request(progress: Progress, action_ids: list[int]) -> Read | None:
    """The status of the first of these requests that was not read yet."""
    actions = [action for action in progress.observation.mine if action.id in action_ids]
    reads = (Read(What.REQUEST, a.request_id, action_id=a.id) for a in actions if is_accepted(a))
    return next((read for read in reads if read.key not in progress.answers), None)
