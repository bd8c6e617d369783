"""Carrying out what the ledger holds: look, mark as on the wire, write, settle. One pair's troubles stay its own.

Every step is a transaction of its own, so that a crash anywhere leaves an action either certain not to have been
sent, or on the wire and to be asked about.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from itertools import groupby

from reconciler.core import text
from reconciler.core.doubt import backoff
from reconciler.core.model import Action, Incident, Kind, Pair, Policy, Settlement, Side, Status
from reconciler.core.plan import in_order, settled
from reconciler.core.precondition import objection_in_opsgenie, objection_in_pagerduty
from reconciler.crew import Crew
from reconciler.errors import (
    Duplicate,
    Misconfigured,
    Missing,
    NotExecuted,
    Permanent,
    ReconcilerError,
    Refused,
    Unknown,
)
from reconciler.remotes.base import OpsgenieReader, OpsgenieWriter, PagerDutyReader, PagerDutyWriter
from reconciler.remotes.http import Clock
from reconciler.sight import STRIKES, Problem
from reconciler.store.database import Database, DatabaseDown
from reconciler.telemetry import NOBODY, Watch

REFUSED_PAUSE = timedelta(seconds=30)
"""How long a vendor that turns our key away is spared further writes."""


@dataclass(frozen=True, slots=True)
class Remotes:
    """Both sides, for reading and for writing."""

    opsgenie: OpsgenieReader
    pagerduty: PagerDutyReader
    to_opsgenie: OpsgenieWriter
    to_pagerduty: PagerDutyWriter


@dataclass(frozen=True, slots=True)
class Effect:
    """What a call gave back: a request id means accepted, not done; a result id names what came into being."""

    request_id: str = ""
    result_id: str = ""
    incident: Incident | None = None
    accepted: bool = False


class Hold(Enum):
    """What an action holds back of its pair's later ones on the same side."""

    NOTHING = 0
    STATES = 1  # Opsgenie has it in its queue: looking at the alert now would show the state before it
    ALL = 2  # it waits, or is in doubt: order would be lost


class Applier:
    """The only hand that writes to a vendor."""

    def __init__(
        self,
        remotes: Remotes,
        database: Database,
        clock: Clock,
        stopping: Callable[[], bool],
        crew: Crew,
        watch: Watch = NOBODY,
    ) -> None:
        self.watch = watch
        self.crew = crew
        self.remotes = remotes
        self.database = database
        self.clock = clock
        self.stopping = stopping
        self.paused: dict[Side, datetime] = {}

    def page(self, policy: Policy) -> tuple[Problem, ...]:
        """Send the creations that are due, and nothing else: in a storm, notes would use up the rate they need."""
        turn = _Turn(self, policy)
        turn.send_creations()
        return tuple(turn.problems)

    def apply(self, policy: Policy) -> tuple[Problem, ...]:
        """Send whatever is due: creations first, then pair by pair in the order people acted."""
        turn = _Turn(self, policy)
        if turn.send_creations():
            turn.send_the_rest()
        return tuple(turn.problems)


class _Turn:
    """One cycle's writing."""

    def __init__(self, applier: Applier, policy: Policy) -> None:
        self.remotes = applier.remotes
        self.database = applier.database
        self.clock = applier.clock
        self.stopping = applier.stopping
        self.crew = applier.crew
        self.watch = applier.watch
        self.paused = applier.paused
        self.policy = policy
        self.problems: list[Problem] = []
        self.strikes = dict.fromkeys(Side, 0)

    # -- in which order --

    def send_creations(self) -> bool:
        """Pages before chatter. Whether anything at all is waiting."""
        waiting = self._waiting()
        creations = [action for action in waiting if action.kind is Kind.CREATE_INCIDENT]
        self.crew.each(lambda action: self._is_due(action) and self._send(action), creations)
        return bool(waiting)

    def send_the_rest(self) -> None:
        """Per pair in the order people acted; the pair that waits longest goes first."""
        rest = [action for action in self._waiting() if action.kind is not Kind.CREATE_INCIDENT]
        by_pair = groupby(sorted(rest, key=lambda action: action.alert_id), key=lambda action: action.alert_id)
        pairs = [in_order(mine) for _, mine in by_pair]
        self.crew.each(self._send_pair, sorted(pairs, key=lambda mine: mine[0].at))

    def _send_pair(self, mine: tuple[Action, ...]) -> None:
        """One pair's actions. What cannot go, or is in doubt, holds back what comes after it on its side."""
        held: set[tuple[Side, bool]] = set()
        for action in mine:
            side, is_state = action.kind.side, action.kind.is_state
            if (side, is_state) in held:
                continue
            hold = _held_by(action)
            if action.status is Status.PLANNED:
                hold = self._send(action) if self._is_due(action) else Hold.ALL
            held |= {(side, True)} if hold is not Hold.NOTHING else set()
            held |= {(side, False)} if hold is Hold.ALL else set()

    def _waiting(self) -> list[Action]:
        with self.database.reading() as books:
            return books.ledger.open()

    def _is_due(self, action: Action) -> bool:
        now = self.clock.now()
        if action.status is not Status.PLANNED or self.stopping():
            return False
        if (
            action.kind is not Kind.CREATE_INCIDENT
            and action.kind.side is Side.PAGERDUTY
            and not action.incident_id
        ):
            return False
        paused = self.paused.get(action.kind.side)
        return not (paused and now < paused) and not (action.not_before and now < action.not_before)

    # -- one action --

    def _send(self, action: Action) -> Hold:
        """Look, write, settle. What it holds back of the pair's later actions on that side."""
        try:
            objection = self._objection(action)
        except DatabaseDown:
            raise
        except ReconcilerError as error:
            return self._could_not_look(action, error)
        if objection is not None:
            self._settle(action, *objection, reason=_OBJECTED[objection[0].status])
            return Hold.NOTHING
        with self.database.writing() as books:
            if not books.ledger.send(action, self.clock.now()):
                return Hold.ALL
        try:
            effect = self._call(action)
        except DatabaseDown:
            raise
        except ReconcilerError as error:
            return self._failed(action, error)
        self.strikes[action.kind.side] = 0
        return self._succeeded(action, effect)

    def _objection(self, action: Action) -> tuple[Settlement, Incident | None] | None:
        """The look before: what the action was planned for may no longer hold."""
        why: str | None = None
        if action.kind is Kind.CREATE_INCIDENT:
            return self._existing(action)
        if action.kind.is_state and action.kind.side is Side.OPSGENIE:
            why = objection_in_opsgenie(action, self.remotes.opsgenie.alert(action.alert_id))
        elif action.kind.is_state:
            incident = self.remotes.pagerduty.incident(action.incident_id or "")
            why = objection_in_pagerduty(action, incident, self.policy)
        return None if why is None else (Settlement(action.id, Status.DROPPED, f"not needed: {why}"), None)

    def _existing(self, action: Action) -> tuple[Settlement, Incident | None] | None:
        """An alert that is not fresh may have its incident already, even a resolved one: paging again is worse."""
        fresh = self.clock.now() - action.at <= self.policy.staleness
        if action.attempts == 0 and fresh:
            return None
        found = self.remotes.pagerduty.incidents_by_key(action.alert_id)
        if not found:
            return None
        why = "an incident with this key was there already"
        return Settlement(action.id, Status.DONE, why, found[-1].id), found[-1]

    def _call(self, action: Action) -> Effect:  # noqa: PLR0911 - one return for each kind
        opsgenie, pagerduty = self.remotes.to_opsgenie, self.remotes.to_pagerduty
        incident_id = action.incident_id or ""
        note = text.plain_note(action.text) if action.plain else action.text
        match action.kind:
            case Kind.CREATE_INCIDENT:
                title = text.plain_title(action.text) if action.plain else action.text
                body = "" if action.plain else action.body
                created = pagerduty.create_incident(action.alert_id, title, body, action.urgency)
                return Effect(result_id=created.id, incident=created)
            case Kind.PAGERDUTY_NOTE:
                return Effect(result_id=pagerduty.add_note(incident_id, note).id)
            case Kind.PAGERDUTY_ACKNOWLEDGE:
                return Effect(incident=pagerduty.acknowledge(incident_id))
            case Kind.PAGERDUTY_UNACKNOWLEDGE:
                return Effect(incident=pagerduty.retrigger(self.remotes.pagerduty.incident(incident_id)))
            case Kind.PAGERDUTY_RESOLVE:
                return Effect(incident=pagerduty.resolve(incident_id))
            case Kind.OPSGENIE_ACKNOWLEDGE:
                name = text.cut_name(action.person)
                return Effect(opsgenie.acknowledge(action.alert_id, name), accepted=True)
            case Kind.OPSGENIE_UNACKNOWLEDGE:
                name = text.cut_name(action.person)
                return Effect(opsgenie.unacknowledge(action.alert_id, name), accepted=True)
            case Kind.OPSGENIE_NOTE:
                name = text.signature(action.person)
                return Effect(opsgenie.add_note(action.alert_id, name, note), accepted=True)

    # -- what came of it --

    def _succeeded(self, action: Action, effect: Effect) -> Hold:
        if effect.accepted:
            with self.database.writing() as books:
                books.ledger.accepted(action, effect.request_id)
            return _held_by(replace(action, status=Status.SENT, request_id=effect.request_id))
        done = Settlement(action.id, Status.DONE, result_id=effect.result_id)
        self._settle(action, done, effect.incident, reason="written")
        if action.kind is Kind.CREATE_INCIDENT and effect.incident and effect.incident.status != "triggered":
            self._problem(
                action,
                Misconfigured(
                    f"PAGERDUTY_USER: incident #{effect.incident.number} was born {effect.incident.status}, "
                    "so nobody was paged: take the automation user off every schedule and escalation policy"
                ),
            )
        return Hold.NOTHING

    def _failed(self, action: Action, error: ReconcilerError) -> Hold:
        """After the call was begun. What certainly had no effect goes back into the queue; the rest is asked."""
        match error:
            case Unknown():
                self._strike(action, error)
                with self.database.writing() as books:
                    books.ledger.doubtful(action, str(error))
                self.watch.outcome(action, Status.SENT, "unknown")
                return Hold.ALL
            case Duplicate():
                return self._adopt(action, error)
            case NotExecuted() | Refused():
                self._pause(action, error)
                reason = "refused" if isinstance(error, Refused) else "not_executed"
                self._settle(action, Settlement(action.id, Status.PLANNED, str(error)), reason=reason)
                return Hold.ALL
            case Permanent() if not isinstance(error, Missing) and not action.plain and not action.kind.is_state:
                with self.database.writing() as books:
                    books.ledger.plainer(action, str(error))
                self.watch.outcome(action, Status.PLANNED, "plainer")
                return self._send(replace(action, plain=True))
            case _:
                self._problem(action, error)
                reason = "missing" if isinstance(error, Missing) else "rejected"
                self._settle(action, Settlement(action.id, Status.DEAD, str(error)), reason=reason)
                return Hold.NOTHING

    def _could_not_look(self, action: Action, error: ReconcilerError) -> Hold:
        """Before the call: nothing was sent."""
        if isinstance(error, Missing):
            self._problem(action, error)
            self._settle(action, Settlement(action.id, Status.DEAD, str(error)), reason="missing")
            return Hold.NOTHING
        if isinstance(error, NotExecuted | Refused):
            self._pause(action, error)
        else:
            self._strike(action, error)
        return Hold.ALL

    def _adopt(self, action: Action, error: Duplicate) -> Hold:
        """PagerDuty has an open incident with this key: it is ours, from an earlier life or from the old proxy."""
        try:
            found = self.remotes.pagerduty.incidents_by_key(action.alert_id)
        except ReconcilerError as failure:
            self._problem(action, failure)
            found = []
        if found:
            done = Settlement(action.id, Status.DONE, str(error), found[-1].id)
            self._settle(action, done, found[-1], reason="was_there")
            return Hold.NOTHING
        later = self.clock.now() + backoff(action.attempts + 1)
        again = Settlement(action.id, Status.PLANNED, str(error), "", later, action.attempts + 1)
        self._settle(action, again, reason="duplicate")
        return Hold.ALL

    def _settle(
        self, action: Action, settlement: Settlement, incident: Incident | None = None, *, reason: str
    ) -> None:
        """One transaction: the ledger's word, and the baselines that our own write has moved."""
        moved: list[Pair] = []
        with self.database.writing() as books:
            books.ledger.settle(settlement, self.clock.now())
            if settlement.status is Status.DONE:
                pair = books.snapshot.pairs([action.alert_id]).get(action.alert_id)
                moved = [] if pair is None else _moved(pair, action, self.policy, incident)
                books.snapshot.save_pairs(moved)
                if settlement.result_id and action.kind.is_note and "ledger" in self.policy.guards:
                    books.snapshot.save_notes([(action.alert_id, action.kind.side, settlement.result_id)])
        self.watch.outcome(action, settlement.status, reason)
        for pair in moved:
            self.watch.saved(pair)

    def _problem(self, action: Action, error: ReconcilerError) -> None:
        self.problems.append(Problem(action.kind.side, error, action.alert_id))

    def _pause(self, action: Action, error: ReconcilerError) -> None:
        """The vendor takes nothing now: leave it alone until it said, or until the next cycle."""
        self._problem(action, error)
        wait = REFUSED_PAUSE if isinstance(error, Refused) else timedelta(seconds=_seconds(error))
        self.paused[action.kind.side] = self.clock.now() + wait

    def _strike(self, action: Action, error: ReconcilerError) -> None:
        self._problem(action, error)
        side = action.kind.side
        self.strikes[side] += 1
        if self.strikes[side] >= STRIKES:
            self.paused[side] = self.clock.now() + timedelta(seconds=1)


_OBJECTED = {Status.DROPPED: "not_needed", Status.DONE: "was_there"}
"""The class of the reason, where a look before the write made it unnecessary."""


def _held_by(action: Action) -> Hold:
    """What an action on the wire holds back."""
    if action.status is not Status.SENT:
        return Hold.NOTHING
    if not action.request_id:
        return Hold.ALL
    return Hold.STATES if action.kind.is_state else Hold.NOTHING


def _moved(pair: Pair, action: Action, policy: Policy, incident: Incident | None) -> list[Pair]:
    after = settled(pair, action, policy, incident)
    return [] if after == pair else [after]


def _seconds(error: ReconcilerError) -> float:
    return (error.retry_after or 1.0) if isinstance(error, NotExecuted) else 1.0
