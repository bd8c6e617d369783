"""Search for the incident that succeeds a resolved one: its merge target, or an open one with the alert's key.

While a read fails that this needs, the pair keeps its incident: it does not count as resolved and is read again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from reconciler.core.model import Incident, Note, Side
from reconciler.core.read_conditions import may_still_land
from reconciler.core.read_progress import INCIDENT_STATES, Failure, Progress, Read, What

MERGES = 5
"""The longest chain of merges that is followed."""


@dataclass(frozen=True, slots=True)
class Succession:
    """How far the successor is known: the next read, or the incident and its notes, or neither.

    `is_unknown`: there may be a successor, and it cannot be read now.
    """

    read: Read | None = None
    incident: Incident | None = None
    notes: tuple[Note, ...] = ()
    is_unknown: bool = False


class _Ask(Exception):
    """Raised when a read has to be made first."""

    def __init__(self, read: Read) -> None:
        super().__init__()
        self.read = read


class _Unknown(Exception):
    """Raised when a read that is needed has failed."""


def succession(progress: Progress) -> Succession:
    """The successor as far as the reads so far show it."""
    seen = progress.observation
    pair = seen.pair
    if pair is None or pair.incident_id is None or progress.is_incident_out_of_reach:
        return Succession()
    base = pair.pagerduty.status if pair.pagerduty else ""
    if (seen.incident.status if seen.incident else base) != "resolved":
        return Succession()
    try:
        target = _merge_target(progress, pair.incident_id) or _open_twin(progress)
        return Succession() if target is None else _with_notes(progress, pair.incident_id, target)
    except _Ask as ask:
        return Succession(ask.read)
    except _Unknown:
        return Succession(is_unknown=True)


def followed(progress: Progress) -> Progress:
    """The progress with the outcome of the search, after the last read."""
    found, seen = succession(progress), progress.observation
    if not found.is_unknown and found.incident is None:
        return progress
    if found.incident is None:
        seen = replace(seen, incident=None, looked=seen.looked - INCIDENT_STATES)
    else:  # its history is news, and is read as soon as the pair follows it
        twins = tuple(twin for twin in seen.twins if twin.id != found.incident.id)
        seen = replace(seen, successor=found.incident, successor_notes=found.notes, twins=twins)
    return replace(progress, observation=seen, unread=progress.unread | {Side.PAGERDUTY})


def _merge_target(progress: Progress, ours: str) -> Incident | None:
    """The end of a chain of merges; None if it is not visible to our key."""
    incident, met = progress.observation.incident, [ours]
    found, follow = None, incident.merged_into if incident else ""
    while follow and follow not in met and len(met) <= MERGES:
        met.append(follow)
        about = f"; this is the incident {follow} that the alert's was merged into"
        target = _answer(progress, Read(What.INCIDENT, follow, about=about))
        if target is None:
            return found
        found, follow = target, target.merged_into if target.status == "resolved" else ""
    return found


def _open_twin(progress: Progress) -> Incident | None:
    """The oldest open incident with the alert's key, read by its id because a list may lag."""
    twins = sorted(progress.observation.twins, key=lambda twin: (twin.created_at, twin.number))
    found: Iterator[Incident | None] = (_answer(progress, Read(What.INCIDENT, twin.id)) for twin in twins)
    return next((twin for twin in found if twin is not None and twin.status != "resolved"), None)


def _with_notes(progress: Progress, ours: str, target: Incident) -> Succession:
    """The successor with its notes: without them, all its past would be news.

    The notes of the pair's own incident are read for the last time. While a note of ours is on neither and may
    still appear there, the pair keeps that incident: on the successor the note would be written a second time.
    """
    if progress.observation.incident_notes is None:
        _answer(progress, Read(What.INCIDENT_NOTES, ours))
    notes = _answer(progress, Read(What.INCIDENT_NOTES, target.id))
    if notes is None:
        raise _Unknown
    if may_still_land(replace(progress, observation=replace(progress.observation, successor_notes=notes))):
        raise _Unknown
    return Succession(incident=target, notes=notes)


def _answer(progress: Progress, read: Read) -> Any:
    """The answer of a read; None if our key may not see the object."""
    if read.key not in progress.answers:
        raise _Ask(read)
    answer = progress.answers[read.key]
    if answer is Failure.UNREAD:
        raise _Unknown
    return None if isinstance(answer, Failure) else answer
