"""Detection of new notes: those that people have written, and our own copies among them (echoes)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from reconciler.core import absence, text
from reconciler.core.alert_authors import wrote
from reconciler.core.genuine import Sources
from reconciler.core.model import Change, Echo, Kind, Note, Observation, Side
from reconciler.core.policy import Policy
from reconciler.core.readings import is_adoption

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
    has_incident = observation.incident is not None or bool(observation.pair and observation.pair.incident_id)
    sources = Sources(Side.PAGERDUTY, observation.incident_notes if has_incident else (), mine)
    history = _History(observation, policy)
    for note in _unknown(observation, Side.ALERTS, observation.alert_notes):
        genuine = "mark" in policy.guards and sources.has(note.text)
        if "outbox" in policy.guards and note.text in sent:
            yield _echo(Side.ALERTS, observation, "outbox", note)
        elif "author" in policy.guards and wrote(note, policy):
            yield _echo(Side.ALERTS, observation, "author", note)
        elif genuine:
            yield _echo(Side.ALERTS, observation, "mark", note)
        elif genuine is None:
            yield Undecided(Side.ALERTS, note.id)
        elif not (is_adoption(observation) and (_is_too_old(observation, note) or history.has(note))):
            yield _noted(Side.ALERTS, observation, note)


def _is_too_old(observation: Observation, note: Note) -> bool:
    return observation.since is not None and note.at < observation.since


class _History:
    """Copies made by the webhook proxy that this program replaces: words and author, without a mark.

    The words of a note are recognised only after a separator: the author's name, a quotation mark, a line break.
    """

    def __init__(self, observation: Observation, policy: Policy) -> None:
        self.endings: dict[str, list[str]] = {}
        for copy in observation.incident_notes or () if is_adoption(observation) else ():
            if policy.is_automation(copy.author) and not text.is_copy_from(copy.text, Side.ALERTS):
                for ending in _endings(copy.text):
                    self.endings.setdefault(ending, []).append(copy.text)

    def has(self, note: Note) -> bool:
        """Whether this note was copied."""
        return any(note.author.name in copy for copy in self.endings.get(_stripped(note.text), ()))


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
        genuine = "mark" in policy.guards and sources.has(note.text)
        if "outbox" in policy.guards and note.id in written:
            yield _echo(Side.PAGERDUTY, observation, "outbox", note)
        elif policy.is_echo_of_us(note.author):
            yield _echo(Side.PAGERDUTY, observation, "author", note)
        elif genuine:
            yield _echo(Side.PAGERDUTY, observation, "mark", note)
        elif genuine is None:
            yield Undecided(Side.PAGERDUTY, note.id)
        elif not (is_adoption(observation) and _is_too_old(observation, note)):
            yield _noted(Side.PAGERDUTY, observation, note)


def _unknown(observation: Observation, side: Side, notes: tuple[Note, ...] | None) -> list[Note]:
    new = [note for note in notes or () if (side, note.id) not in observation.known_notes]
    return sorted(new, key=lambda note: (note.at, note.id))


def _echo(side: Side, observation: Observation, guard: str, note: Note) -> Echo:
    return Echo(side, observation.alert_id, guard, f"note {note.id}")


def _noted(side: Side, observation: Observation, note: Note) -> Change:
    return Change(side, "note", observation.alert_id, note.id, note.at, person=note.author, note=note)
