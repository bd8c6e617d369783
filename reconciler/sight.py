"""What is seen of one pair: the reads that a look asks for, each allowed to fail without hurting the others."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from reconciler.core import outcomes, text
from reconciler.core.model import Actor, Kind, Note, Policy, Side, Sighting, Status
from reconciler.cursors import earlier
from reconciler.errors import Missing, ReconcilerError
from reconciler.looks import Look
from reconciler.memory import Memory
from reconciler.reading import (
    OPSGENIE_STATES,
    PAGERDUTY_STATES,
    STRIKES,
    Problem,
    Reading,
    Stopping,
    defect,
)
from reconciler.receipts import ask, ask_of_the_undone, unanswered
from reconciler.store.database import DatabaseDown
from reconciler.successors import with_successor
from reconciler.vendors.ports import OpsgenieReader, PagerDutyReader

__all__ = ["STRIKES", "Eyes", "Problem", "Stopping"]

NOTE_MARGIN = timedelta(minutes=1)
"""How much further back than the staleness bound an alert's notes are read."""


class Eyes(Reading):
    """Sees one pair after the other. `may_ask`: whose requests may be asked about in this cycle; None for all."""

    def __init__(
        self,
        opsgenie: OpsgenieReader,
        pagerduty: PagerDutyReader,
        stopping: Callable[[], bool],
        policy: Policy,
        now: datetime,
        memory: Memory | None = None,
        may_ask: frozenset[int] | None = None,
    ) -> None:
        super().__init__(opsgenie, pagerduty, stopping, policy, now, memory)
        self._may_ask = may_ask

    def see(self, blank: Sighting, look: Look) -> Sighting:
        """Read what the look asks for. What fails stays unread and is looked at again.

        An exception that nobody expects is this pair's alone; a new alert is then paged from its row.
        """
        try:
            seen = self._see(blank, look)
        except (DatabaseDown, Stopping):
            raise
        except Exception as error:  # noqa: BLE001 - one pair's defect stops no other
            return self._failed_look(blank, look, defect(error, f"alert {blank.alert_id}"))
        for side in look.read - look.again:
            self.memory.worked(blank.alert_id, side)
        return seen

    def _see(self, seen: Sighting, look: Look) -> Sighting:
        seen = self._see_opsgenie(seen, look)
        seen = self._see_pagerduty(seen, look)
        seen = self._see_sources(seen, look)
        seen = ask(self, seen, self._may_ask)
        seen = self._see_alert_acts(seen, look)
        return ask_of_the_undone(self, seen, self._may_ask)

    def _failed_look(self, blank: Sighting, look: Look, error: ReconcilerError) -> Sighting:
        for side in Side:
            self.memory.failed(blank.alert_id, side, error, self.now)
            look.again.add(side)
        self.report(Side.OPSGENIE, error, blank.alert_id)
        return replace(blank, alert=look.row if look.news else None)

    def _see_opsgenie(self, seen: Sighting, look: Look) -> Sighting:
        alert_id = seen.alert_id
        suffices = _row_suffices(seen, look)
        if seen.pair is None or not look.alert or suffices:
            seen = replace(seen, alert=look.row, looked=OPSGENIE_STATES if suffices else frozenset())
        if look.alert and not suffices:
            try:
                alert = self.read(Side.OPSGENIE, look, alert_id, lambda: self.opsgenie.alert(alert_id))
            except Missing as error:
                if not look.news or look.row is None:
                    return replace(seen, alert=None, missing=True)
                self.missing(Side.OPSGENIE, look, alert_id, error)  # the list shows it: somebody is paged
                alert = None
            if alert is not None:
                seen = replace(seen, alert=alert, looked=seen.looked | OPSGENIE_STATES)
        return self._with_alert_notes(seen, look) if look.alert_notes else seen

    def _with_alert_notes(self, seen: Sighting, look: Look) -> Sighting:
        """A 404 of the notes alone says nothing of the alert."""
        try:
            notes = self.read(Side.OPSGENIE, look, seen.alert_id, lambda: self._alert_notes(seen, look))
        except Missing as error:
            self.missing(Side.OPSGENIE, look, seen.alert_id, error)
            return seen
        if notes is None:
            return seen
        return replace(seen, alert_notes=tuple(notes), looked=seen.looked | {Kind.OPSGENIE_NOTE})

    def _alert_notes(self, seen: Sighting, look: Look) -> list[Note]:
        """All notes on a whole look; else down to what was surely seen when the alert was last read."""
        doubtful = any(a.kind in _SOUGHT_IN_ALL_NOTES and a.status is Status.SENT for a in seen.mine)
        known = any(side is Side.OPSGENIE for side, _ in seen.known_notes)
        if seen.pair is None or not known or look.swept or look.all_notes or look.again or doubtful:
            return self.opsgenie.notes(seen.alert_id)
        until = earlier(seen.pair.opsgenie.updated_at, self.policy.staleness + NOTE_MARGIN)
        return self.opsgenie.notes(seen.alert_id, until)

    def _see_pagerduty(self, seen: Sighting, look: Look) -> Sighting:
        incident, looked = look.adopt, seen.looked
        lacks = _lacks_alert_notes(seen, look)
        if lacks and look.incident_notes and not look.news:
            look.again.add(Side.PAGERDUTY)
            if look.together:
                return seen
        if look.by_key and (seen.pair is None or seen.pair.incident_id is None):
            found = self.read(
                Side.PAGERDUTY, look, seen.alert_id, lambda: self.pagerduty.incidents_by_key(seen.alert_id)
            )
            if found is None or (found and lacks):
                # Whether this alert has an incident, or what both have told already, is not known: not yet news.
                return replace(seen, alert=None, alert_notes=None) if seen.pair is None else seen
            incident = found[-1] if found else None
            looked |= {Kind.CREATE_INCIDENT}
        pair = seen.pair
        incident_id = (pair.incident_id if pair else None) or (incident.id if incident else None)
        if incident_id is None:
            return replace(seen, looked=looked)
        try:
            if look.incident and incident is None:
                incident = self.read(
                    Side.PAGERDUTY, look, seen.alert_id, lambda: self.pagerduty.incident(incident_id)
                )
            if incident is not None:
                looked |= PAGERDUTY_STATES
            seen = replace(seen, incident=incident, looked=looked)
            if (look.incident_notes or look.adopt) and not lacks:
                seen = self._with_incident_notes(seen, look, incident_id)
        except Missing as error:
            self.missing(Side.PAGERDUTY, look, seen.alert_id, error)
            return seen
        return with_successor(self, self._see_incident_acts(seen, look), look)

    def _with_incident_notes(self, seen: Sighting, look: Look, incident_id: str) -> Sighting:
        notes = self.read(Side.PAGERDUTY, look, seen.alert_id, lambda: self.pagerduty.notes(incident_id))
        if notes is None:
            return seen
        return replace(seen, incident_notes=tuple(notes), looked=seen.looked | {Kind.PAGERDUTY_NOTE})

    def _see_incident_acts(self, seen: Sighting, look: Look) -> Sighting:
        """Who did it, newest first: from the feed where it told, else from the incident's own log.

        That log also tells of a write of ours in doubt which somebody has reversed since. Where it is needed
        and cannot be read, nothing is known of such writes, and only a person's act explains anything: what the
        feed tells of a machine's is too little, and the step stays unexplained for as long as it may.
        """
        told = tuple(sorted(look.acts, key=lambda act: act.at, reverse=True))
        seen = replace(seen, incident_acts=told)
        doubtful = any(action.kind in PAGERDUTY_STATES for action in unanswered(self, seen))
        unexplained = _is_unexplained(seen)
        if seen.incident is None or not (doubtful or unexplained):
            return seen
        incident_id, lost = seen.incident.id, look if unexplained else None
        try:
            acts = self.read(Side.PAGERDUTY, lost, seen.alert_id, lambda: self.pagerduty.acts(incident_id))
        except Missing as error:
            self.missing(Side.PAGERDUTY, look, seen.alert_id, error)
            acts = None
        if acts is not None:
            return replace(seen, incident_acts=tuple(acts) or told)
        people = tuple(act for act in told if act.actor is Actor.PERSON)
        return replace(seen, incident_acts=people, looked=seen.looked - PAGERDUTY_STATES)

    def _see_sources(self, seen: Sighting, look: Look) -> Sighting:
        """The other side's notes, where a new note bears our mark: it is a copy only if its source is there."""
        incident_id = seen.pair.incident_id if seen.pair else None
        if incident_id is None or look.adopt is not None:
            return seen
        if seen.incident_notes is None and _has_foreign_mark(seen, Side.OPSGENIE, self.policy):
            try:
                seen = self._with_incident_notes(seen, look, incident_id)
            except Missing as error:
                self.missing(Side.PAGERDUTY, look, seen.alert_id, error)
        if seen.alert_notes is None and not seen.missing and _has_foreign_mark(seen, Side.PAGERDUTY, self.policy):
            look.all_notes = True
            seen = self._with_alert_notes(seen, look)
        return seen

    def _see_alert_acts(self, seen: Sighting, look: Look) -> Sighting:
        """Who un-acknowledged the alert, or acknowledged it before us: its log has all the names.

        It also has a write of ours in doubt which somebody has reversed since. Where that cannot be read, the
        alert's state is not seen: it would be told without the name.
        """
        if not (_unacknowledged(seen) or _acknowledged_by_another(seen) or self._may_be_reversed(seen)):
            return seen
        try:
            acts = self.read(Side.OPSGENIE, look, seen.alert_id, lambda: self.opsgenie.acts(seen.alert_id))
        except Missing as error:
            self.missing(Side.OPSGENIE, look, seen.alert_id, error)
            acts = None
        if acts is None:
            return replace(seen, alert=None, looked=seen.looked - OPSGENIE_STATES)
        return replace(seen, alert_acts=tuple(acts))

    def _may_be_reversed(self, seen: Sighting) -> bool:
        """Whether the alert has changed while a write of ours is in doubt of which Opsgenie says nothing."""
        if seen.alert is None or seen.pair is None or seen.alert.updated_at <= seen.pair.opsgenie.updated_at:
            return False
        answered = {receipt.action_id for receipt in seen.receipts}
        doubtful = (action for action in unanswered(self, seen) if action.kind in OPSGENIE_STATES)
        return any(action.id not in answered for action in doubtful)


_SOUGHT_IN_ALL_NOTES = frozenset({Kind.OPSGENIE_NOTE, Kind.CREATE_INCIDENT})
"""Writes of ours in doubt that make us read the whole of an alert's notes: for themselves, or for what is told."""
_ONLY_LOGGED = {
    ("acknowledged", "triggered"): "unacknowledge",
    ("resolved", "triggered"): "reopen",
    ("resolved", "acknowledged"): "reopen",
}
"""Steps from one status to another whose author the incident itself does not name, and what the log calls them."""


def _row_suffices(seen: Sighting, look: Look) -> bool:
    """Whether the row is later than all we know of the alert, and shows what we last wrote to it.

    What it shows was so; what it does not show may only be late. A row without a readable state shows nothing.
    """
    row, base = look.row, seen.pair.opsgenie if seen.pair else None
    if row is None or base is None or row.updated_at <= base.updated_at or base.missing_since is not None:
        return False
    if row.open is None or row.acknowledged is None:
        return False
    probe = replace(seen, alert=row)
    in_doubt = (a for a in seen.mine if a.kind in OPSGENIE_STATES and a.status is Status.SENT)
    return all(outcomes.shown(action, probe) is not None for action in in_doubt)


def _lacks_alert_notes(seen: Sighting, look: Look) -> bool:
    """Whether the alert's notes were wanted and could not be read: what the incident has may be told there."""
    return look.alert_notes and seen.alert_notes is None and not seen.missing


def _is_unexplained(seen: Sighting) -> bool:
    """Whether the incident stands where only its log can say who brought it there.

    What the feed told suffices if a person did it: of a machine's act its own log knows more.
    """
    if seen.incident is None or seen.pair is None or seen.pair.pagerduty is None:
        return False
    verb = _ONLY_LOGGED.get((seen.pair.pagerduty.status, seen.incident.status))
    people = (act.verb for act in seen.incident_acts if act.actor is Actor.PERSON)
    return verb is not None and verb not in people


def _has_foreign_mark(seen: Sighting, side: Side, policy: Policy) -> bool:
    """Whether a new note of that side bears a mark of the other side's, and is not known for ours without it."""
    other = Side.PAGERDUTY if side is Side.OPSGENIE else Side.OPSGENIE
    ours = {action.text for action in seen.mine} | {text.plain_note(action.text) for action in seen.mine}
    for note in (seen.alert_notes if side is Side.OPSGENIE else seen.incident_notes) or ():
        known = (side, note.id) in seen.known_notes or note.text in ours or _is_signed(note, side, policy)
        if not known and text.is_copy_from(note.text, other):
            return True
    return False


def _is_signed(note: Note, side: Side, policy: Policy) -> bool:
    """Whether the author guard knows it for ours."""
    if side is Side.PAGERDUTY:
        return policy.is_echo_of_us(note.author)
    return "author" in policy.guards and text.is_signed(note.author.name)


def _unacknowledged(seen: Sighting) -> bool:
    """Whether somebody took an acknowledgement back: one that the snapshot has, or ours before it was seen."""
    if seen.pair is None or seen.alert is None or not seen.alert.open or seen.alert.acknowledged is not False:
        return False
    carried_out = {receipt.action_id for receipt in seen.receipts if receipt.carried_out}
    ours = any(a.id in carried_out and a.kind is Kind.OPSGENIE_ACKNOWLEDGE for a in seen.mine)
    return seen.pair.opsgenie.acknowledged or ours


def _acknowledged_by_another(seen: Sighting) -> bool:
    """Whether the alert bears another name than an acknowledgement of ours that is on its way would give it."""
    if seen.alert is None or not (seen.alert.acknowledged and seen.alert.acknowledged_by):
        return False
    ours = (a for a in seen.mine if a.kind is Kind.OPSGENIE_ACKNOWLEDGE and a.status is Status.SENT)
    return not all(text.is_same_name(seen.alert.acknowledged_by, action.person) for action in ours)
