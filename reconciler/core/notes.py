"""Detection of new notes: those that people have written, and our own copies among them (echoes)."""

import re
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from reconciler.core import absence, text
from reconciler.core.alert_authors import wrote
from reconciler.core.genuine import Sources, is_ours_by_author
from reconciler.core.model import Change, Echo, Kind, Note, Observation, Side
from reconciler.core.moved_notes import was_mirrored
from reconciler.core.policy import Policy
from reconciler.core.readings import AHEAD, is_adoption

_SEPARATORS = (": ", "\n", '"', "> ", " - ")
"""Text that precedes a note's words in a copy made by the webhook proxy that this program replaces."""


@dataclass(frozen=True, slots=True)
class Undecided:
    """A note that may be our copy. Deciding it needs the other side's notes, which were not read."""

    side: Side
    note_id: str


Found = Change | Echo | Undecided


def of_alert(observation: Observation, policy: Policy) -> Iterator[Found]:
    """New notes of the alert: people's, our own copies, and those that cannot be classified yet."""
    mine = [action for action in observation.mine if action.kind is Kind.ALERT_NOTE]
    sent = {text.plain_note(action.text) if action.plain else action.text for action in mine}
    written = {action.result_id for action in mine}
    has_incident = observation.incident is not None or bool(observation.pair and observation.pair.incident_id)
    sources = Sources(Side.PAGERDUTY, observation.incident_notes if has_incident else (), mine)
    copied = _copied_by_the_proxy(observation, policy) if is_adoption(observation) else frozenset()
    for note in _unknown(observation, Side.ALERTS, observation.alert_notes):
        genuine = "mark" in policy.guards and sources.has(note.text, by_us=wrote(note, policy))
        if "outbox" in policy.guards and (note.text in sent or note.id in written):
            yield _echo(Side.ALERTS, observation, "outbox", note)
        elif was_mirrored(note, observation.mine, policy.product):
            yield _echo(Side.ALERTS, observation, "mark", note)
        elif is_ours_by_author(Side.ALERTS, note, observation, policy, genuine=genuine):
            yield _echo(Side.ALERTS, observation, "author", note)
        elif genuine:
            yield _echo(Side.ALERTS, observation, "mark", note)
        elif genuine is None:
            yield Undecided(Side.ALERTS, note.id)
        elif not (is_adoption(observation) and (_is_too_old(observation, note) or note.id in copied)):
            yield _noted(Side.ALERTS, observation, note)


def _is_too_old(observation: Observation, note: Note) -> bool:
    return observation.since is not None and note.at < observation.since


def _copied_by_the_proxy(observation: Observation, policy: Policy) -> frozenset[str]:
    """Ids of the alert's notes that the webhook proxy which this program replaces has copied, without a mark.

    Such a copy names the author, and ends with the note's words after a separator: the author's name, a quotation
    mark, a line break. It is the copy of one note that was there before it: of several that fit, the longest, and
    of equal ones the oldest that no earlier copy has.
    """
    waiting: dict[str, dict[str, deque[Note]]] = defaultdict(lambda: defaultdict(deque))
    for note in _in_order(observation.alert_notes):
        waiting[_stripped(note.text)][note.author.name].append(note)
    copied: set[str] = set()
    for copy in _in_order(observation.incident_notes):
        if policy.is_automation(copy.author) and not text.is_copy_from(copy.text, Side.ALERTS):
            endings = sorted(_endings(copy.text), key=len, reverse=True)
            fit = (notes for ending in endings if ending in waiting for notes in _of_named(waiting[ending], copy))
            copied |= {notes.popleft().id for notes in islice(fit, 1)}
    return frozenset(copied)


def _of_named(by_author: Mapping[str, deque[Note]], copy: Note) -> Iterator[deque[Note]]:
    """Notes of the authors whom the copy names, that were there before it, as far as the vendors' clocks agree."""
    for author, notes in by_author.items():
        is_named = re.search(rf"(?<!\w){re.escape(author)}(?!\w)", copy.text) is not None
        if is_named and notes and notes[0].at <= copy.at + AHEAD:
            yield notes


def _endings(words: str) -> set[str]:
    """The text, and what follows each of the first few separators of each kind."""
    found = {_stripped(words)}
    for separator in _SEPARATORS:
        parts = words.split(separator, 8)
        found |= {_stripped(separator.join(parts[n:])) for n in range(1, len(parts))}
    return found


def _stripped(words: str) -> str:
    return words.strip().strip('"').strip()


def of_incident(observation: Observation, policy: Policy, now: datetime) -> Iterator[Found]:
    """New notes of the incident, classified in the same way."""
    mine = [action for action in observation.mine if action.kind is Kind.PAGERDUTY_NOTE]
    written = {action.result_id for action in mine}
    is_deleted = observation.pair is not None and observation.pair.alerts.deleted
    notes = observation.alert_notes
    if notes is None and (is_deleted or absence.is_confirmed(observation, policy, now)):
        notes = ()
    sources = Sources(Side.ALERTS, notes, mine)
    for note in _unknown(observation, Side.PAGERDUTY, observation.incident_notes):
        by_us = policy.is_automation(note.author)
        genuine = "mark" in policy.guards and sources.has(note.text, by_us=by_us)
        if "outbox" in policy.guards and note.id in written:
            yield _echo(Side.PAGERDUTY, observation, "outbox", note)
        elif is_ours_by_author(Side.PAGERDUTY, note, observation, policy, genuine=genuine):
            yield _echo(Side.PAGERDUTY, observation, "author", note)
        elif genuine:
            yield _echo(Side.PAGERDUTY, observation, "mark", note)
        elif genuine is None:
            yield Undecided(Side.PAGERDUTY, note.id)
        elif not (is_adoption(observation) and _is_too_old(observation, note)):
            yield _noted(Side.PAGERDUTY, observation, note)


def _unknown(observation: Observation, side: Side, notes: tuple[Note, ...] | None) -> list[Note]:
    return _in_order(note for note in notes or () if (side, note.id) not in observation.known_notes)


def _in_order(notes: Iterable[Note] | None) -> list[Note]:
    return sorted(notes or (), key=lambda note: (note.at, note.id))


def _echo(side: Side, observation: Observation, guard: str, note: Note) -> Echo:
    return Echo(side, observation.alert_id, guard, f"note {note.id}")


def _noted(side: Side, observation: Observation, note: Note) -> Change:
    return Change(side, "note", observation.alert_id, note.id, note.at, person=note.author, note=note)
