"""Detection of a second reconciler with a database of its own: notes with our mark that this one has not written.

Both mirror everything, so that it is there twice. A note of ours may be missing from the outbox for other reasons,
too: the database is new, or older than the note. So a note counts only if it is younger than the lead of this
process (see `runtime.second_reconciler`), and only on a pair that was known before it.
"""

from reconciler.core import text
from reconciler.core.alert_authors import wrote
from reconciler.core.model import Action, Kind, Note, Observation, Side, Status
from reconciler.core.policy import Policy
from reconciler.core.readings import is_adoption


def foreign_notes(observation: Observation, policy: Policy) -> tuple[Note, ...]:
    """New notes that bear our mark and our name, and that no write of ours can have added."""
    if observation.pair is None or is_adoption(observation):
        return ()
    mine = {kind: [each for each in observation.mine if each.kind is kind] for kind in Kind if kind.is_note}
    found = [
        note
        for note in observation.incident_notes or ()
        if policy.is_automation(note.author)
        and text.is_copy_from(note.text, Side.ALERTS)
        and not any(_may_have_added(action, note) for action in mine[Kind.PAGERDUTY_NOTE])
    ]
    found += [
        note
        for note in observation.alert_notes or ()
        if wrote(note, policy)
        and text.is_copy_from(note.text, Side.PAGERDUTY)
        and not any(_has_mark_of(action, note) for action in mine[Kind.ALERT_NOTE])
    ]
    return tuple(note for note in found if not _is_known(note, observation))


def _is_known(note: Note, observation: Observation) -> bool:
    return any((side, note.id) in observation.known_notes for side in Side)


def _may_have_added(action: Action, note: Note) -> bool:
    """Whether this action may have added the note in PagerDuty, be it as a second copy after an unclear answer."""
    if not _has_mark_of(action, note) or action.sent_at is None:
        return False
    is_clear = action.status is Status.DONE and action.attempts == 0 and bool(action.result_id)
    return not is_clear or action.result_id == note.id


def _has_mark_of(action: Action, note: Note) -> bool:
    return text.head(action.mark) == text.head(note.text)
