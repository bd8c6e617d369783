"""Carrying out one action: look, mark as on the wire, write, settle.

Every step is a transaction of its own, so that a crash anywhere leaves an action either certain not to have been
sent, or on the wire and to be asked about. What becomes of a write that failed: `core/retry.py`.
"""

from dataclasses import replace
from enum import Enum

from reconciler.core import text
from reconciler.core.model import Action, AlertBaseline, Incident, Kind, Pair, Policy, Settlement, Side, Status
from reconciler.core.plan import settled
from reconciler.core.preconditions import objection_in_opsgenie, objection_in_pagerduty
from reconciler.core.retry import Plainer, Scope, after, steps_aside
from reconciler.errors import (
    Blocked,
    Duplicate,
    Forbidden,
    Misconfigured,
    Missing,
    NotExecuted,
    Permanent,
    RateLimited,
    ReconcilerError,
    Unknown,
)
from reconciler.gate import Gate
from reconciler.observability.logs import Watch
from reconciler.pauses import Trouble
from reconciler.reconcile.key_check import KeyCheck
from reconciler.reconcile.vendor_calls import Effect, Remotes, write
from reconciler.store.database import Database, DatabaseDown
from reconciler.vendors.ports import SKEW, Clock

MANY = 3
"""From so many creations on that may have happened before, one listing is cheaper than to ask for each."""
_SCOPES: tuple[tuple[type[ReconcilerError], Scope], ...] = (
    (Missing, Scope.MISSING),
    (Forbidden, Scope.FORBIDDEN),
    (Blocked, Scope.PATH),
    (NotExecuted, Scope.LATER),
    (Misconfigured, Scope.ACCOUNT),
    (Permanent, Scope.REQUEST),
)
"""What each error concerns, the more special classes first. Any other one says no more than: not now."""
_RETRIED = {Scope.PATH: "not_executed", Scope.LATER: "not_executed"}


class Hold(Enum):
    """What an action holds back of its pair's later ones on the same side."""

    NOTHING = 0
    STATES = 1  # Opsgenie has it in its queue: looking at the alert now would show the state before it
    ALL = 2  # it waits, or is in doubt: order would be lost


class Sender:
    """The only place that writes to a vendor. `trouble` takes what goes wrong, and may pause a lane then."""

    def __init__(
        self,
        remotes: Remotes,
        database: Database,
        clock: Clock,
        gate: Gate,
        watch: Watch,
        policy: Policy,
        trouble: Trouble,
        keys: KeyCheck | None = None,
    ) -> None:
        self.remotes = remotes
        self.database = database
        self.clock = clock
        self.gate = gate
        self.watch = watch
        self.policy = policy
        self.trouble = trouble
        self.keys = keys or KeyCheck(remotes, clock)
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
            return self._not_done(action, error, at_look=True)
        if objection is not None:
            return self._drop(action, objection)
        with self.gate.passing() as may:
            return self._write(action, target) if may else Hold.ALL

    def _write(self, action: Action, target: Incident | None) -> Hold:
        """What was begun here is finished and settled, also when the program is to end meanwhile."""
        with self.database.writing() as books:
            if not books.outbox.send(action, self.clock.now()):
                return Hold.ALL
        try:
            effect = write(self.remotes, action, target, self.policy.automation)
        except DatabaseDown:
            raise
        except ReconcilerError as error:
            return self._failed(action, error)
        self.trouble.worked(action)
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
        try:
            return bool(self.remotes.pagerduty.incidents_by_key(action.alert_id))
        except ReconcilerError as error:
            away = isinstance(error, Misconfigured | NotExecuted | DatabaseDown)
            if away or not steps_aside(action, self.clock.now(), self.policy.staleness):
                raise
            return (
                False  # a list that stays out of order keeps nobody from being paged: PagerDuty refuses a second
            )

    def list_existing(self, due: list[Action]) -> None:
        """Where many creations may have happened before: one listing, of the keys of the incidents since then."""
        doubted = [action for action in due if self._may_be_there(action)]
        if len(doubted) < MANY:
            return
        since, until = min(action.at for action in doubted) - SKEW, self.clock.now() + SKEW
        try:
            keys = self.remotes.pagerduty.keys_between(since, until, len(doubted))
        except ReconcilerError as error:
            self._tell(doubted[0], error, at_look=True)
            return
        if keys is not None:
            self.existing = {action.alert_id: action.alert_id in keys for action in doubted}

    def _succeeded(self, action: Action, effect: Effect) -> Hold:
        if effect.accepted:
            with self.database.writing() as books:
                books.outbox.accepted(action, effect.request_id)
            sent = replace(action, status=Status.SENT, request_id=effect.request_id)
            return held_by(sent, self.policy, self.clock)
        done = Settlement(action.id, Status.DONE, result_id=effect.result_id)
        self._settle(action, done, effect.incident, reason="written")
        if action.kind is Kind.CREATE_INCIDENT and effect.incident is not None:
            self._tell_unpaged(action, effect.incident)
        return Hold.NOTHING

    def _tell_unpaged(self, action: Action, incident: Incident) -> None:
        """An incident that nobody was paged for, as its creation's answer shows."""
        alone = bool(incident.assignees) and all(map(self.policy.is_automation, incident.assignees or ()))
        if incident.status == "triggered" and not alone:
            return
        how = "assigned to the automation user alone" if incident.status == "triggered" else incident.status
        self.trouble.problem(
            action,
            Misconfigured(
                f"PAGERDUTY_USER: incident #{incident.number} ({incident.id}) of alert {action.alert_id} was "
                f"created {how}, so nobody was paged: take the automation user off every schedule and escalation "
                "policy"
            ),
        )

    def _failed(self, action: Action, error: ReconcilerError) -> Hold:
        """After the call was begun. What certainly had no effect goes back into the queue; the rest is asked."""
        match error:
            case Unknown():
                self.trouble.strike(action, error)
                with self.database.writing() as books:
                    books.outbox.doubtful(action, str(error))
                self.watch.outcome(action, Status.SENT, "unknown")
                return held_by(replace(action, status=Status.SENT, request_id=""), self.policy, self.clock)
            case Duplicate():
                return self._adopt(action, str(error))
            case Permanent() if action.kind.is_state and (objection := self._look_again(action)):
                return self._drop(action, objection)
            case _:
                return self._not_done(action, error, at_look=False)

    def _not_done(self, action: Action, error: ReconcilerError, *, at_look: bool) -> Hold:
        """Nothing was written: again in a plainer form, later, or never."""
        error = self._confirmed(action, error)
        scope = scope_of(error, at_look=at_look)
        verdict = self._verdict(action, error, scope)
        if isinstance(verdict, Plainer):
            with self.database.writing() as books:
                books.outbox.plainer(action, verdict.why)
            self.watch.outcome(action, Status.PLANNED, "plainer")
            return self.send(replace(action, plain=True))
        if verdict.status is Status.DEAD and scope is Scope.REQUEST and self._send_in_parts(action):
            return Hold.ALL  # until the parts are there
        self._tell(action, error, at_look=at_look)
        if verdict.status is Status.DEAD:
            self._settle(action, verdict, reason="missing" if scope is Scope.MISSING else "rejected")
        else:
            self._settle(action, verdict, reason=_RETRIED.get(scope, "refused"))
        stands = replace(
            action, status=verdict.status, failing_since=verdict.failing_since or action.failing_since
        )
        return waiting_holds(stands, self.policy, self.clock)

    def _verdict(self, action: Action, error: ReconcilerError, scope: Scope) -> Settlement | Plainer:
        if isinstance(error, NotExecuted) and (error.retry_after is not None or isinstance(error, RateLimited)):
            return Settlement(action.id, Status.PLANNED, action.error)  # nothing is wrong: it waits for the rate
        return after(action, scope, str(error), self.clock.now(), self._alert(action))

    def _confirmed(self, action: Action, error: ReconcilerError) -> ReconcilerError:
        """A refusal of one object, or one that ends an action, may be the whole key's: a cheap call tells."""
        is_last = isinstance(error, Permanent) and (action.plain or action.kind.is_state)
        if not (isinstance(error, Missing | Forbidden) or (is_last and action.kind is not Kind.CREATE_INCIDENT)):
            return error
        return self.keys.refused(action.kind.side) or error

    def _tell(self, action: Action, error: ReconcilerError, *, at_look: bool) -> None:
        """Report it, and pause what would meet the same."""
        match scope_of(error, at_look=at_look):
            case Scope.ACCOUNT | Scope.LATER:
                self.trouble.pause(action, error)
            case Scope.PATH:
                self.trouble.strike(action, error)
            case Scope.FORBIDDEN if not at_look:
                self.trouble.forbidden(action, error)
            case _:
                self.trouble.problem(action, error)

    def _alert(self, action: Action) -> AlertBaseline | None:
        with self.database.reading() as books:
            pair = books.snapshot.pair(action.alert_id)
        return pair.opsgenie if pair else None

    def _send_in_parts(self, action: Action) -> bool:
        """A note that is too long even when it is plain is replaced by numbered parts, each its own action."""
        if not action.kind.is_note or len(action.text) <= text.PLAIN_NOTE_LIMIT:
            return False
        parts = text.plain_parts(action.text, action.mark)
        if len(parts) < 2:  # noqa: PLR2004 - one part is the whole note
            return False
        fresh = replace(action, error="", attempts=0, not_before=None, failing_since=None)
        planned = [
            replace(fresh, key=f"{action.key} part {number}", mark=mark, text=words)
            for number, (mark, words) in enumerate(parts, 1)
        ]
        dropped = Settlement(action.id, Status.DROPPED, f"sent in {len(parts)} parts")
        with self.database.writing() as books:
            books.outbox.intend(planned, self.clock.now())
            books.outbox.settle(dropped, self.clock.now())
        self.watch.outcome(action, Status.DROPPED, "not_needed")
        return True

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

    def _adopt(self, action: Action, why: str) -> Hold:
        """PagerDuty has an incident with this key: it is ours, from an earlier life or from the old proxy.

        The creation is left in doubt: the next look finds the incident, and what both sides have told already.
        """
        with self.database.writing() as books:
            books.outbox.send(action, self.clock.now())
            books.outbox.doubtful(action, why)
        self.watch.outcome(action, Status.SENT, "was_there")
        return Hold.ALL

    def _settle(
        self, action: Action, settlement: Settlement, incident: Incident | None = None, *, reason: str
    ) -> None:
        """One transaction: the ledger's word, and the baselines that our own write has moved."""
        moved: list[Pair] = []
        with self.database.writing() as books:
            books.outbox.settle(settlement, self.clock.now())
            if settlement.status is Status.DONE and not action.kind.is_note:
                pair = books.snapshot.pair(action.alert_id)
                moved = [] if pair is None else _moved(pair, action, self.policy, incident)
                books.snapshot.save_pairs(moved)
            elif settlement.result_id and "ledger" in self.policy.guards:
                books.snapshot.save_notes([(action.alert_id, action.kind.side, settlement.result_id)])
        self.watch.outcome(action, settlement.status, reason)
        for pair in moved:
            self.watch.saved(pair)


def scope_of(error: ReconcilerError, *, at_look: bool) -> Scope:
    """What an error concerns. The look before a write says nothing about the write's own form."""
    found = next((scope for kind, scope in _SCOPES if isinstance(error, kind)), Scope.PATH)
    return Scope.MISSING if at_look and found is Scope.REQUEST else found


def waiting_holds(action: Action, policy: Policy, clock: Clock) -> Hold:
    """What an action holds back that has not been sent: everything, until it has been refused for too long."""
    if action.status is not Status.PLANNED:
        return Hold.NOTHING
    if not steps_aside(action, clock.now(), policy.staleness):
        return Hold.ALL
    return Hold.STATES if action.kind.is_state else Hold.NOTHING


def held_by(action: Action, policy: Policy, clock: Clock) -> Hold:
    """What an action on the wire holds back: everything while it is in doubt, until it has failed for too long."""
    if action.status is not Status.SENT:
        return Hold.NOTHING
    if not action.request_id and not steps_aside(action, clock.now(), policy.staleness):
        return Hold.ALL
    return Hold.STATES if action.kind.is_state else Hold.NOTHING


def _moved(pair: Pair, action: Action, policy: Policy, incident: Incident | None) -> list[Pair]:
    after_write = settled(pair, action, policy, incident)
    return [] if after_write == pair else [after_write]
