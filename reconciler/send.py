"""Carrying out one action: look, mark as on the wire, write, settle.

Every step is a transaction of its own, so that a crash anywhere leaves an action either certain not to have been
sent, or on the wire and to be asked about.
"""

from dataclasses import replace
from enum import Enum

from reconciler.core.model import Action, Incident, Kind, Pair, Policy, Settlement, Side, Status
from reconciler.core.plan import settled
from reconciler.core.precondition import objection_in_opsgenie, objection_in_pagerduty
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
from reconciler.pauses import Trouble
from reconciler.remotes.base import SKEW, Clock
from reconciler.store.database import Database, DatabaseDown
from reconciler.telemetry import Watch
from reconciler.writes import Effect, Remotes, write

MANY = 3
"""From so many creations on that may have happened before, one listing is cheaper than to ask for each."""


class Hold(Enum):
    """What an action holds back of its pair's later ones on the same side."""

    NOTHING = 0
    STATES = 1  # Opsgenie has it in its queue: looking at the alert now would show the state before it
    ALL = 2  # it waits, or is in doubt: order would be lost


class Sender:
    """The only hand that writes to a vendor. `trouble` hears what goes wrong, and may spare the vendor then."""

    def __init__(
        self,
        remotes: Remotes,
        database: Database,
        clock: Clock,
        gate: Gate,
        watch: Watch,
        policy: Policy,
        trouble: Trouble,
    ) -> None:
        self.remotes = remotes
        self.database = database
        self.clock = clock
        self.gate = gate
        self.watch = watch
        self.policy = policy
        self.trouble = trouble
        self.tried: list[int] = []
        self.existing: dict[str, bool] = {}

    def send(self, action: Action) -> Hold:
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
            effect = write(self.remotes, action, target, self.policy.automation)
        except DatabaseDown:
            raise
        except ReconcilerError as error:
            return self._failed(action, error)
        self.trouble.worked(action.kind.side)
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
        if action.alert_id in self.existing:
            return self.existing[action.alert_id]
        return bool(self.remotes.pagerduty.incidents_by_key(action.alert_id))

    def list_existing(self, due: list[Action]) -> None:
        """Where many creations may have happened before: one listing, of the keys of the incidents since then."""
        doubted = [action for action in due if self._may_be_there(action)]
        if len(doubted) < MANY:
            return
        since, until = min(action.at for action in doubted) - SKEW, self.clock.now() + SKEW
        try:
            keys = self.remotes.pagerduty.keys_between(since, until, len(doubted))
        except ReconcilerError as error:
            self.trouble.strike(doubted[0], error)
            return
        if keys is not None:
            self.existing = {action.alert_id: action.alert_id in keys for action in doubted}

    def _succeeded(self, action: Action, effect: Effect) -> Hold:
        if effect.accepted:
            with self.database.writing() as books:
                books.ledger.accepted(action, effect.request_id)
            return held_by(replace(action, status=Status.SENT, request_id=effect.request_id))
        done = Settlement(action.id, Status.DONE, result_id=effect.result_id)
        self._settle(action, done, effect.incident, reason="written")
        if action.kind is Kind.CREATE_INCIDENT and effect.incident and effect.incident.status != "triggered":
            self.trouble.problem(
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
                self.trouble.strike(action, error)
                with self.database.writing() as books:
                    books.ledger.doubtful(action, str(error))
                self.watch.outcome(action, Status.SENT, "unknown")
                return Hold.ALL
            case Duplicate():
                return self._adopt(action, str(error))
            case NotExecuted() | Refused():
                self.trouble.pause(action, error)
                reason = "refused" if isinstance(error, Refused) else "not_executed"
                self._settle(action, Settlement(action.id, Status.PLANNED, str(error)), reason=reason)
                return Hold.ALL
            case Permanent() if not isinstance(error, Missing) and not action.plain and not action.kind.is_state:
                with self.database.writing() as books:
                    books.ledger.plainer(action, str(error))
                self.watch.outcome(action, Status.PLANNED, "plainer")
                return self.send(replace(action, plain=True))
            case Permanent() if action.kind.is_state and (objection := self._look_again(action)):
                return self._drop(action, objection)
            case _:
                self.trouble.problem(action, error)
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
            self.trouble.problem(action, error)
            self._settle(action, Settlement(action.id, Status.DEAD, str(error)), reason="missing")
            return Hold.NOTHING
        if isinstance(error, NotExecuted | Refused):
            self.trouble.pause(action, error)
        else:
            self.trouble.strike(action, error)
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
                pair = books.snapshot.pair(action.alert_id)
                moved = [] if pair is None else _moved(pair, action, self.policy, incident)
                books.snapshot.save_pairs(moved)
            elif settlement.result_id and "ledger" in self.policy.guards:
                books.snapshot.save_notes([(action.alert_id, action.kind.side, settlement.result_id)])
        self.watch.outcome(action, settlement.status, reason)
        for pair in moved:
            self.watch.saved(pair)


def held_by(action: Action) -> Hold:
    """What an action on the wire holds back."""
    if action.status is not Status.SENT:
        return Hold.NOTHING
    if not action.request_id:
        return Hold.ALL
    return Hold.STATES if action.kind.is_state else Hold.NOTHING


def _moved(pair: Pair, action: Action, policy: Policy, incident: Incident | None) -> list[Pair]:
    after = settled(pair, action, policy, incident)
    return [] if after == pair else [after]
