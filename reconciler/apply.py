"""Carrying out what the ledger holds: look, mark as on the wire, write, settle. One pair's troubles stay its own.

Every step is a transaction of its own, so that a crash anywhere leaves an action either certain not to have been
sent, or on the wire and to be asked about.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from itertools import groupby

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
from reconciler.gate import Gate
from reconciler.pauses import Pause, Pauses
from reconciler.remotes.http import Clock
from reconciler.sight import STRIKES, Problem
from reconciler.store.database import Database, DatabaseDown
from reconciler.telemetry import NOBODY, Watch
from reconciler.writes import Effect, Remotes, write

MANY = 3
"""From so many creations on that may have happened before, one listing is cheaper than to ask for each."""
SKEW = timedelta(hours=1)
"""How far a vendor's clock and ours may differ."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a turn of writing came to: the actions it was about, and what did not work.

    `resume`: when something that had to wait may go on, where that is known.
    """

    ids: tuple[int, ...] = ()
    problems: tuple[Problem, ...] = ()
    resume: datetime | None = None


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
        gate: Gate | None = None,
    ) -> None:
        self.watch = watch
        self.gate = gate or Gate()
        self.crew = crew
        self.remotes = remotes
        self.database = database
        self.clock = clock
        self.stopping = stopping
        self.pauses = Pauses()

    def page(self, policy: Policy) -> Outcome:
        """Send the creations that are due, and nothing else: in a storm, notes would use up the rate they need."""
        turn = _Turn(self, policy, None)
        with self.database.reading() as books:
            waiting = books.ledger.open(Kind.CREATE_INCIDENT)
        turn.send_creations(waiting)
        return Outcome(tuple(turn.tried), tuple(turn.problems), turn.resume)

    def apply(self, policy: Policy, until: datetime | None = None) -> Outcome:
        """Send whatever is due: creations first, then pair by pair in the order people acted.

        What has not been begun `until` then waits for the next cycle, which looks for new alerts first.
        """
        turn = _Turn(self, policy, until)
        waiting = self._waiting()
        if turn.send_creations(waiting):
            waiting = self._waiting()  # by now their pairs have an incident
        turn.send_the_rest(waiting)
        ids = {*turn.tried, *(action.id for action in waiting)}
        return Outcome(tuple(ids), tuple(turn.problems), turn.resume)

    def _waiting(self) -> list[Action]:
        with self.database.reading() as books:
            return books.ledger.open()


class _Turn:
    """One cycle's writing."""

    def __init__(self, applier: Applier, policy: Policy, until: datetime | None) -> None:
        self.remotes = applier.remotes
        self.database = applier.database
        self.clock = applier.clock
        self.stopping = applier.stopping
        self.crew = applier.crew
        self.watch = applier.watch
        self.gate = applier.gate
        self.pauses = applier.pauses
        self.policy = policy
        self.until = until
        self.resume: datetime | None = None
        self.tried: list[int] = []
        self.problems: list[Problem] = []
        self.strikes = dict.fromkeys(Side, 0)
        self.existing: Collection[str] | None = None

    # -- in which order --

    def send_creations(self, waiting: list[Action]) -> bool:
        """Pages before chatter. Whether any was sent or settled."""
        creations = [action for action in waiting if action.kind is Kind.CREATE_INCIDENT]
        self.existing = self._list_existing(creations)
        self.crew.each(lambda action: self._is_due(action) and self._send(action), creations)
        return bool(self.tried)

    def send_the_rest(self, waiting: list[Action]) -> None:
        """Per pair in the order people acted; the pair that waits longest goes first."""
        rest = [action for action in waiting if action.kind is not Kind.CREATE_INCIDENT]
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
        if action.not_before and now < action.not_before:
            return False
        pause = self.pauses.holds(action.kind, now)
        if pause is not None:
            self._held(action, pause)
        elif self.until and now >= self.until:
            self._left(now)
        else:
            return True
        return False

    def _held(self, action: Action, pause: Pause) -> None:
        """A rate that is used up passes. Anything else is as wrong as it was when it was met."""
        self._left(pause.until if pause.rate else None)
        if not pause.rate and all(problem.error is not pause.error for problem in self.problems):
            self._problem(action, pause.error)

    def _left(self, resume: datetime | None) -> None:
        """Something is left to be done, and may be begun then."""
        self.resume = min((at for at in (self.resume, resume) if at), default=None)

    # -- one action --

    def _send(self, action: Action) -> Hold:
        """Look, write, settle. What it holds back of the pair's later actions on that side."""
        self.tried.append(action.id)
        try:
            if self._is_there(action):
                return self._adopt(action, "an incident with this key was there already")
            objection, target = self._look(action)
        except DatabaseDown:
            raise
        except ReconcilerError as error:
            return self._could_not_look(action, error)
        if objection is not None:
            return self._drop(action, objection)
        with self.gate.passing() as may:
            return self._write(action, target) if may else Hold.ALL

    def _write(self, action: Action, target: Incident | None) -> Hold:
        """What was begun here is finished and settled, whoever wants to end meanwhile."""
        with self.database.writing() as books:
            if not books.ledger.send(action, self.clock.now()):
                return Hold.ALL
        try:
            effect = write(self.remotes, action, target)
        except DatabaseDown:
            raise
        except ReconcilerError as error:
            return self._failed(action, error)
        self.strikes[action.kind.side] = 0
        return self._succeeded(action, effect)

    def _look(self, action: Action) -> tuple[str | None, Incident | None]:
        """The look before: why what the action was planned for no longer holds, and the incident it saw."""
        if not action.kind.is_state:
            return None, None
        if action.kind.side is Side.OPSGENIE:
            return objection_in_opsgenie(action, self.remotes.opsgenie.alert(action.alert_id)), None
        incident = self.remotes.pagerduty.incident(action.incident_id or "")
        return objection_in_pagerduty(action, incident, self.policy), incident

    def _may_be_there(self, action: Action) -> bool:
        """An alert that is not fresh may have its incident already, even a resolved one: paging again is worse."""
        fresh = action.attempts == 0 and self.clock.now() - action.at <= self.policy.staleness
        return action.kind is Kind.CREATE_INCIDENT and not fresh

    def _is_there(self, action: Action) -> bool:
        if not self._may_be_there(action):
            return False
        if self.existing is not None:
            return action.alert_id in self.existing
        return bool(self.remotes.pagerduty.incidents_by_key(action.alert_id))

    def _list_existing(self, creations: list[Action]) -> Collection[str] | None:
        """Keys of the service's incidents since the first that may be there; None: asking for each is cheaper."""
        due = [action for action in creations if self._may_be_there(action) and self._is_due(action)]
        if len(due) < MANY:
            return None
        since, until = min(action.at for action in due) - SKEW, self.clock.now() + SKEW
        try:
            return self.remotes.pagerduty.keys_between(since, until, len(due))
        except ReconcilerError as error:
            self._strike(due[0], error)
            return None

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
                return self._adopt(action, str(error))
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
            case Permanent() if action.kind.is_state and (objection := self._look_again(action)):
                return self._drop(action, objection)
            case _:
                self._problem(action, error)
                reason = "missing" if isinstance(error, Missing) else "rejected"
                self._settle(action, Settlement(action.id, Status.DEAD, str(error)), reason=reason)
                return Hold.NOTHING

    def _look_again(self, action: Action) -> str | None:
        """Whether somebody was faster between our look and our write, which is refused then."""
        try:
            return self._look(action)[0]
        except DatabaseDown:
            raise
        except ReconcilerError:
            return None

    def _drop(self, action: Action, objection: str) -> Hold:
        dropped = Settlement(action.id, Status.DROPPED, f"not needed: {objection}")
        self._settle(action, dropped, reason="not_needed")
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

    def _adopt(self, action: Action, why: str) -> Hold:
        """PagerDuty has an incident with this key: it is ours, from an earlier life or from the old proxy.

        The creation is left in doubt: the next look finds the incident, and what both sides have told already.
        """
        with self.database.writing() as books:
            books.ledger.send(action, self.clock.now())
            books.ledger.doubtful(action, why)
        self.watch.outcome(action, Status.SENT, "was_there")
        return Hold.ALL

    def _settle(
        self, action: Action, settlement: Settlement, incident: Incident | None = None, *, reason: str
    ) -> None:
        """One transaction: the ledger's word, and the baselines that our own write has moved."""
        moved: list[Pair] = []
        with self.database.writing() as books:
            books.ledger.settle(settlement, self.clock.now())
            if settlement.status is Status.DONE and not action.kind.is_note:
                pair = books.snapshot.pairs([action.alert_id]).get(action.alert_id)
                moved = [] if pair is None else _moved(pair, action, self.policy, incident)
                books.snapshot.save_pairs(moved)
            elif settlement.result_id and "ledger" in self.policy.guards:
                books.snapshot.save_notes([(action.alert_id, action.kind.side, settlement.result_id)])
        self.watch.outcome(action, settlement.status, reason)
        for pair in moved:
            self.watch.saved(pair)

    def _problem(self, action: Action, error: ReconcilerError) -> None:
        self.problems.append(Problem(action.kind.side, error, action.alert_id))

    def _pause(self, action: Action, error: ReconcilerError) -> None:
        """The vendor takes nothing now: leave it alone until it said, or until the next cycle."""
        self._problem(action, error)
        now = self.clock.now()
        self.pauses.after(action.kind, error, now)
        pause = self.pauses.holds(action.kind, now)
        self._left(pause.until if pause and pause.rate else None)

    def _strike(self, action: Action, error: ReconcilerError) -> None:
        self._problem(action, error)
        side = action.kind.side
        self.strikes[side] += 1
        if self.strikes[side] >= STRIKES:
            self.pauses.side(side, error, self.clock.now())


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
