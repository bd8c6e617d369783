"""What is seen of one pair: the reads that a look asks for, each allowed to fail without hurting the others."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from reconciler.core import doubt, text
from reconciler.core.model import (
    Action,
    Kind,
    Note,
    Policy,
    Receipt,
    Side,
    Sighting,
    Status,
)
from reconciler.errors import Missing, Permanent, ReconcilerError
from reconciler.looks import Look
from reconciler.remotes.base import OpsgenieReader, PagerDutyReader
from reconciler.store.database import DatabaseDown

T = TypeVar("T")

NOTE_MARGIN = timedelta(minutes=1)
"""How much further back than the staleness bound an alert's notes are read."""
STRIKES = 3
"""After so many failures in a row a vendor is left alone: by reads for the rest of the cycle."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that did not work; `alert_id` is empty when it concerns a whole vendor."""

    side: Side
    error: ReconcilerError
    alert_id: str = ""


class Stopping(Exception):
    """The program was asked to stop while it was looking: nothing of this cycle is kept, nothing is lost."""


class Eyes:
    """Both sides' readers for one cycle. A vendor that fails again and again is spared for the rest of it."""

    def __init__(
        self,
        opsgenie: OpsgenieReader,
        pagerduty: PagerDutyReader,
        stopping: Callable[[], bool],
        policy: Policy,
        now: datetime,
    ) -> None:
        self.opsgenie = opsgenie
        self.pagerduty = pagerduty
        self.stopping = stopping
        self.policy = policy
        self.now = now
        self._problems: list[Problem] = []
        self._strikes = dict.fromkeys(Side, 0)

    def take_problems(self) -> tuple[Problem, ...]:
        """What went wrong since this was last asked."""
        problems, self._problems = tuple(self._problems), []
        return problems

    def attempt(self, side: Side, step: Callable[[], None]) -> bool:
        """One feed. Its failure is a problem of that vendor alone, which is then spared; whether it went well."""
        if self._strikes[side] >= STRIKES:
            return False
        try:
            step()
        except DatabaseDown:
            raise
        except ReconcilerError as error:
            self._strikes[side] = STRIKES
            self._problems.append(Problem(side, error))
            return False
        return True

    def see(self, seen: Sighting, look: Look) -> Sighting:
        """Read what the look asks for. What fails stays unread and is looked at again."""
        seen = self._see_opsgenie(seen, look)
        seen = self._see_pagerduty(seen, look)
        return self._see_alert_acts(self._see_requests(seen), look)

    def _see_opsgenie(self, seen: Sighting, look: Look) -> Sighting:
        alert_id = seen.alert_id
        suffices = _row_suffices(seen, look)
        if seen.pair is None or not look.alert or suffices:
            seen = replace(seen, alert=look.row, looked=_OPSGENIE_STATES if suffices else frozenset())
        try:
            if look.alert and not suffices:
                alert = self._read(Side.OPSGENIE, look, alert_id, lambda: self.opsgenie.alert(alert_id))
                if alert is not None:
                    seen = replace(seen, alert=alert, looked=seen.looked | _OPSGENIE_STATES)
            if look.alert_notes:
                notes = self._read(Side.OPSGENIE, look, alert_id, lambda: self._alert_notes(seen, look))
                if notes is not None:
                    looked = seen.looked | {Kind.OPSGENIE_NOTE}
                    seen = replace(seen, alert_notes=tuple(notes), looked=looked)
        except Missing:
            return replace(seen, alert=None, alert_notes=None, missing=True, sees_others=True)
        return seen

    def _alert_notes(self, seen: Sighting, look: Look) -> list[Note]:
        """All notes on a whole look; else down to what was surely seen when the alert was last read."""
        doubtful = any(a.kind in _SOUGHT_IN_ALL_NOTES and a.status is Status.SENT for a in seen.mine)
        known = any(side is Side.OPSGENIE for side, _ in seen.known_notes)
        if seen.pair is None or not known or look.swept or look.again or doubtful:
            return self.opsgenie.notes(seen.alert_id)
        until = seen.pair.opsgenie.updated_at - self.policy.staleness - NOTE_MARGIN
        return self.opsgenie.notes(seen.alert_id, until)

    def _see_pagerduty(self, seen: Sighting, look: Look) -> Sighting:
        incident, looked = look.adopt, seen.looked
        if look.by_key and (seen.pair is None or seen.pair.incident_id is None):
            found = self._read(
                Side.PAGERDUTY, look, seen.alert_id, lambda: self.pagerduty.incidents_by_key(seen.alert_id)
            )
            if found is None or (found and _lacks_alert_notes(seen, look)):
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
                incident = self._read(
                    Side.PAGERDUTY, look, seen.alert_id, lambda: self.pagerduty.incident(incident_id)
                )
            if incident is not None:
                looked |= _PAGERDUTY_STATES
            seen = replace(seen, incident=incident, looked=looked)
            if (look.incident_notes or look.adopt) and not _lacks_alert_notes(seen, look):
                notes = self._read(Side.PAGERDUTY, look, seen.alert_id, lambda: self.pagerduty.notes(incident_id))
                if notes is not None:
                    looked = seen.looked | {Kind.PAGERDUTY_NOTE}
                    seen = replace(seen, incident_notes=tuple(notes), looked=looked)
        except Missing as error:
            self._problems.append(Problem(Side.PAGERDUTY, error, seen.alert_id))
            return seen
        return self._see_incident_acts(seen, look)

    def _see_incident_acts(self, seen: Sighting, look: Look) -> Sighting:
        """Who did it, newest first: from the feed where it told, else from the incident's own log.

        That log also tells of a write of ours in doubt which somebody has reversed since. Where it is needed
        and cannot be read, nothing is known of such writes, nor is the incident seen if only the log can say who
        brought it where it stands: a person's act would be taken for a machine's.
        """
        told = tuple(sorted(look.acts, key=lambda act: act.at, reverse=True))
        seen = replace(seen, incident_acts=told)
        doubtful = any(action.kind in _PAGERDUTY_STATES for action in self._unanswered(seen))
        unexplained = _is_unexplained(seen)
        if seen.incident is None or not (doubtful or unexplained):
            return seen
        incident_id, lost = seen.incident.id, look if unexplained else None
        acts = self._read(Side.PAGERDUTY, lost, seen.alert_id, lambda: self.pagerduty.acts(incident_id))
        if acts is not None:
            return replace(seen, incident_acts=tuple(acts) or told)
        seen = replace(seen, looked=seen.looked - _PAGERDUTY_STATES)
        return replace(seen, incident=None) if unexplained else seen

    def _see_requests(self, seen: Sighting) -> Sighting:
        """Ask Opsgenie what became of the writes that it accepted and whose effect does not show yet."""
        receipts = []
        for action in self._unanswered(seen):
            receipt = self._receipt(action) if action.request_id else None
            if receipt is not None:
                receipts.append(receipt)
        return replace(seen, receipts=tuple(receipts))

    def _unanswered(self, seen: Sighting) -> list[Action]:
        """Our writes in doubt that were looked for and do not show."""
        sent = [a for a in seen.mine if a.status is Status.SENT and a.kind in seen.looked]
        answers = [(action, doubt.settle(action, seen, self.policy, self.now)) for action in sent]
        return [action for action, answer in answers if answer is None or answer.status not in _ANSWERED]

    def _see_alert_acts(self, seen: Sighting, look: Look) -> Sighting:
        """Who un-acknowledged the alert, or acknowledged it before us: its log has all the names.

        Where that cannot be read, the alert's state is not seen either: it would be told without the name.
        """
        if not (_unacknowledged(seen) or _acknowledged_by_another(seen)):
            return seen
        acts = self._read(Side.OPSGENIE, look, seen.alert_id, lambda: self.opsgenie.acts(seen.alert_id))
        if acts is None:
            return replace(seen, alert=None, looked=seen.looked - _OPSGENIE_STATES)
        return replace(seen, alert_acts=tuple(acts))

    def _receipt(self, action: Action) -> Receipt | None:
        try:
            status = self._read(
                Side.OPSGENIE, None, action.alert_id, lambda: self.opsgenie.request_status(action.request_id)
            )
        except Missing:
            return None
        if status is None or status.done is None:
            return None
        return Receipt(action.id, status.done, status.at)

    def _read(self, side: Side, look: Look | None, alert_id: str, read: Callable[[], T]) -> T | None:
        """One read; None when it failed. Missing is passed on: that is an answer. A failing vendor is spared."""
        if self.stopping():
            raise Stopping
        if self._strikes[side] < STRIKES:
            try:
                answer = read()
            except DatabaseDown:
                raise
            except Missing:
                self._strikes[side] = 0
                raise
            except ReconcilerError as error:
                self._strikes[side] = 0 if isinstance(error, Permanent) else self._strikes[side] + 1
                self._problems.append(Problem(side, error, alert_id))
            else:
                self._strikes[side] = 0
                return answer
        if look is not None:
            look.again = True
        return None


_ANSWERED = frozenset({Status.DONE, Status.DROPPED})
_SOUGHT_IN_ALL_NOTES = frozenset({Kind.OPSGENIE_NOTE, Kind.CREATE_INCIDENT})
"""Writes of ours in doubt that make us read the whole of an alert's notes: for themselves, or for what is told."""
_ONLY_LOGGED = {
    ("acknowledged", "triggered"): "unacknowledge",
    ("resolved", "triggered"): "reopen",
    ("resolved", "acknowledged"): "reopen",
}
"""Steps from one status to another whose author the incident itself does not name, and what the log calls them."""
_OPSGENIE_STATES = frozenset({Kind.OPSGENIE_ACKNOWLEDGE, Kind.OPSGENIE_UNACKNOWLEDGE})
_PAGERDUTY_STATES = frozenset({Kind.PAGERDUTY_ACKNOWLEDGE, Kind.PAGERDUTY_UNACKNOWLEDGE, Kind.PAGERDUTY_RESOLVE})


def _row_suffices(seen: Sighting, look: Look) -> bool:
    """Whether the row is later than all we know of the alert, and shows what we last wrote to it.

    What it shows was so; what it does not show may only be late.
    """
    if look.row is None or seen.pair is None or look.row.updated_at <= seen.pair.opsgenie.updated_at:
        return False
    probe = replace(seen, alert=look.row)
    in_doubt = (a for a in seen.mine if a.kind in _OPSGENIE_STATES and a.status is Status.SENT)
    return all(doubt.shown(action, probe) is not None for action in in_doubt)


def _lacks_alert_notes(seen: Sighting, look: Look) -> bool:
    """Whether the alert's notes were wanted and could not be read: what the incident has may be told there."""
    return look.alert_notes and seen.alert_notes is None and not seen.missing


def _is_unexplained(seen: Sighting) -> bool:
    """Whether the incident stands where only its log can say who brought it there."""
    if seen.incident is None or seen.pair is None or seen.pair.pagerduty is None:
        return False
    verb = _ONLY_LOGGED.get((seen.pair.pagerduty.status, seen.incident.status))
    return verb is not None and all(act.verb != verb for act in seen.incident_acts)


def _unacknowledged(seen: Sighting) -> bool:
    """Whether somebody took an acknowledgement back: one that the snapshot has, or ours before it was seen."""
    if seen.pair is None or seen.alert is None or not seen.alert.open or seen.alert.acknowledged:
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
