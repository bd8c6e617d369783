"""Delivery of one action: check its precondition, mark it as sent, call, settle.

Every step is a transaction of its own, so that after a crash an action is either certainly not sent, or sent with
an outcome that a read resolves. What follows a failed write is decided in `core/retry.py`.
"""

from dataclasses import dataclass, replace

from reconciler.core import journal_entries, text
from reconciler.core.journal import Entry, Event
from reconciler.core.model import Action, AlertBaseline, Incident, Kind, Pair, Settlement, Status
from reconciler.core.plan import settled
from reconciler.core.policy import Policy
from reconciler.core.retry import Plainer, Scope, after, backoff
from reconciler.errors import (
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
from reconciler.observability.events import Events
from reconciler.reconcile.delivery_blocks import Blocks, blocks_of
from reconciler.reconcile.delivery_check import OldCopy, TargetCheck
from reconciler.reconcile.delivery_existing import ExistingIncidents
from reconciler.reconcile.delivery_problems import DeliveryProblems
from reconciler.reconcile.delivery_scopes import scope_of
from reconciler.reconcile.in_flight import InFlight
from reconciler.reconcile.key_check import KeyCheck
from reconciler.reconcile.priorities import Priorities
from reconciler.reconcile.vendor_calls import CallResult, Vendors, perform
from reconciler.reconcile.write_breakers import WriteBreakers
from reconciler.store.database import Database, DatabaseDown
from reconciler.vendors.ports import Clock

PART = " part "
"""Stands before the number of a part in its action's key, which begins with the key of the whole note."""
_RETRIED = {Scope.PATH: "not_executed", Scope.LATER: "not_executed"}


@dataclass(frozen=True, slots=True)
class Tools:
    """Dependencies of every delivery, created once and shared by all threads."""

    vendors: Vendors
    database: Database
    clock: Clock
    breakers: WriteBreakers
    in_flight: InFlight
    events: Events
    keys: KeyCheck
    existing: ExistingIncidents
    priorities: Priorities


class ActionDelivery:
    """Delivers actions of one pair: the only place that writes to a vendor."""

    def __init__(self, tools: Tools, policy: Policy, problems: DeliveryProblems) -> None:
        self.tried: list[int] = []
        self._tools = tools
        self._policy = policy
        self._problems = problems
        self._target = TargetCheck(tools.vendors, tools.database, tools.clock, policy)

    def send(self, action: Action) -> Blocks:
        """Check, write and settle one action. Returns which later actions of the pair and side it blocks."""
        self.tried.append(action.id)
        try:
            if self._tools.existing.has(action, self._policy):
                return self._adopt(action, "an incident with this key was there already")
            if (pointless := self._tools.priorities.objection(action)) is not None:
                return self._drop(action, pointless)
            objection, target = self._target.check(self._tools.priorities.known(action))
        except OldCopy as old:
            return self._postpone(action, str(old))
        except DatabaseDown:
            raise
        except ReconcilerError as error:
            return self._not_executed(action, error, at_check=True)
        if objection is not None:
            return self._drop(action, objection)
        with self._tools.in_flight.admit() as admitted:
            return self._write(action, target) if admitted else Blocks.ALL

    def _write(self, action: Action, target: Incident | None) -> Blocks:
        """Make the call and settle it, even if the process is asked to stop meanwhile."""
        with self._tools.database.writing() as unit:
            if not unit.outbox.mark_sent(action, self._tools.clock.now()):
                return Blocks.ALL
        try:
            policy, vendors = self._policy, self._tools.vendors
            result = self._tools.priorities.attempt(
                action, lambda found: perform(vendors, action, target, policy.automation, policy.product, found)
            )
        except DatabaseDown:
            raise
        except ReconcilerError as error:
            return self._failed(action, error)
        self._tools.breakers.succeeded(action.kind)
        return self._succeeded(action, result)

    def _postpone(self, action: Action, why: str) -> Blocks:
        """Make the action due again soon, because its target could not be read as it is."""
        now = self._tools.clock.now()
        since = (action.error == why and action.failing_since) or now
        wait = now + backoff(action.attempts)
        later = Settlement(
            action.id, Status.PLANNED, why, not_before=wait, attempts=action.attempts + 1, failing_since=since
        )
        self._settle(action, later, reason="not_executed", entries=())
        return self._blocks(replace(action, failing_since=since))

    def _succeeded(self, action: Action, result: CallResult) -> Blocks:
        if result.accepted:
            with self._tools.database.writing() as unit:
                unit.outbox.mark_accepted(action, result.request_id)
                unit.journal.append([self._entry(action, Event.ACCEPTED, "", result.request_id)])
            sent = replace(action, status=Status.SENT, request_id=result.request_id)
            return self._blocks(sent)
        done = Settlement(action.id, Status.DONE, result_id=result.result_id)
        entry = self._entry(action, Event.DONE, _written(action, result), result.request_id)
        if result.incident is not None:
            entry = replace(entry, incident_id=result.incident.id)
        self._settle(action, done, result.incident, reason="written", entries=(entry,))
        if action.kind is Kind.CREATE_INCIDENT and result.incident is not None:
            self._report_unpaged(action, result.incident)
        return Blocks.NOTHING

    def _report_unpaged(self, action: Action, incident: Incident) -> None:
        """Report a new incident that pages nobody, as the answer to its creation shows."""
        alone = bool(incident.assignees) and all(map(self._policy.is_automation, incident.assignees or ()))
        if incident.status == "triggered" and not alone:
            return
        how = "assigned to the automation user alone" if incident.status == "triggered" else incident.status
        self._problems.add(
            action,
            Misconfigured(
                f"PAGERDUTY_USER: incident #{incident.number} ({incident.id}) of alert {action.alert_id} was "
                f"created {how}, so nobody was paged: take the automation user off every schedule and escalation "
                "policy"
            ),
        )

    def _failed(self, action: Action, error: ReconcilerError) -> Blocks:
        """Handle a failed call: a write that had no effect is planned again, any other is of unknown outcome."""
        match error:
            case Unknown():
                self._problems.unanswered(action, error)
                with self._tools.database.writing() as unit:
                    unit.outbox.mark_unknown(action, str(error))
                    unit.journal.append(self._failure(action, Event.UNKNOWN, error))
                self._tools.events.outcome(action, Status.SENT, "unknown")
                return self._blocks(replace(action, status=Status.SENT, request_id=""))
            case Duplicate():
                return self._adopt(action, str(error), error.request_id)
            case Permanent() if action.kind.is_state and (objection := self._target.check_again(action)):
                return self._drop(action, objection)
            case _:
                return self._not_executed(action, error, at_check=False)

    def _not_executed(self, action: Action, error: ReconcilerError, *, at_check: bool) -> Blocks:
        """Handle a write without effect: a plainer form now, another try later, or never."""
        error = self._confirmed(action, error)
        scope = scope_of(error, at_check=at_check)
        verdict = self._verdict(action, error, scope)
        if isinstance(verdict, Plainer):
            with self._tools.database.writing() as unit:
                unit.outbox.mark_plain(action, verdict.why)
                words = f"{verdict.why}; sent again in its plainest form"
                unit.journal.append([self._entry(action, Event.REFUSED, words, error.request_id)])
            self._tools.events.outcome(action, Status.PLANNED, "plainer")
            return self.send(replace(action, plain=True))
        if verdict.status is Status.DEAD and scope is Scope.REQUEST and self._replace_by_parts(action):
            return Blocks.ALL  # until the parts are written
        self._report(action, error, at_check=at_check)
        if verdict.status is Status.DEAD:
            dead = self._entry(action, Event.DEAD, verdict.why, error.request_id)
            reason = "missing" if scope is Scope.MISSING else "rejected"
            self._settle(action, verdict, reason=reason, entries=(dead,))
            if scope is Scope.REQUEST:
                self._give_up_parts(action, verdict.why)
        else:
            said = self._failure(action, Event.REFUSED, error) if verdict.why != action.error else ()
            self._settle(action, verdict, reason=_RETRIED.get(scope, "refused"), entries=said)
        since = verdict.failing_since or action.failing_since
        return self._blocks(replace(action, status=verdict.status, failing_since=since))

    def _verdict(self, action: Action, error: ReconcilerError, scope: Scope) -> Settlement | Plainer:
        if isinstance(error, NotExecuted) and (error.retry_after is not None or isinstance(error, RateLimited)):
            return Settlement(action.id, Status.PLANNED, action.error)  # no error: it waits for the rate limit
        now, alert = self._tools.clock.now(), self._alert(action)
        return after(action, scope, str(error), now, alert, self._policy.product)

    def _confirmed(self, action: Action, error: ReconcilerError) -> ReconcilerError:
        """The error, or the key's error if a cheap call shows that every request is refused.

        The key is checked if one object was refused, and if the refusal would end the action.
        """
        is_last = isinstance(error, Permanent) and (action.plain or action.kind.is_state)
        if not (isinstance(error, Missing | Forbidden) or (is_last and action.kind is not Kind.CREATE_INCIDENT)):
            return error
        return self._tools.keys.refused(action.kind.side) or error

    def _report(self, action: Action, error: ReconcilerError, *, at_check: bool) -> None:
        """Report the error, also to the circuit breaker of the writes that would fail in the same way."""
        match scope_of(error, at_check=at_check):
            case Scope.ACCOUNT | Scope.LATER:
                self._problems.not_executed(action, error)
            case Scope.PATH:
                self._problems.unanswered(action, error)
            case Scope.FORBIDDEN if not at_check:
                self._problems.forbidden(action, error)
            case _:
                self._problems.add(action, error)

    def _alert(self, action: Action) -> AlertBaseline | None:
        with self._tools.database.reading() as unit:
            pair = unit.snapshot.pair(action.alert_id)
        return pair.alerts if pair else None

    def _give_up_parts(self, action: Action, why: str) -> None:
        """Give the note's other parts up if its shortest one is refused: then its length is not the reason."""
        whole, is_part, _ = action.key.partition(PART)
        if not is_part:
            return
        with self._tools.database.reading() as unit:
            mine = unit.outbox.of((action.alert_id,)).get(action.alert_id, ())
        parts = [part for part in mine if part.key.startswith(f"{whole}{PART}")]
        if any(part.status in (Status.DONE, Status.SENT) for part in parts):
            return
        for part in parts:
            if part.status is Status.PLANNED:
                entry = self._entry(part, Event.DEAD, why)
                self._settle(part, Settlement(part.id, Status.DEAD, why), reason="rejected", entries=(entry,))

    def _replace_by_parts(self, action: Action) -> bool:
        """Replace a note that is refused even in plain form by shorter parts, each an action of its own."""
        if not action.kind.is_note:
            return False
        parts = text.plain_parts(action.text, action.mark)
        if [words for _, words in parts] == [text.plain_note(action.text)]:
            return False
        now = self._tools.clock.now()
        since = action.failing_since or now  # what waits behind the note waits no longer for its parts
        fresh = replace(action, error="", attempts=0, not_before=None, failing_since=since)
        planned = [
            replace(fresh, key=f"{action.key}{PART}{number}", mark=mark, text=words)
            for number, (mark, words) in enumerate(parts, 1)
        ]
        dropped = Settlement(action.id, Status.DROPPED, f"sent in {len(parts)} shorter parts")
        with self._tools.database.writing() as unit:
            unit.outbox.add(planned, now)
            unit.outbox.settle(dropped, now)
            unit.journal.append(
                (
                    self._entry(action, Event.DROPPED, dropped.why),
                    *(self._entry(part, Event.PLANNED, part.reason) for part in planned),
                )
            )
        self._tools.events.outcome(action, Status.DROPPED, "not_needed")
        return True

    def _drop(self, action: Action, objection: str) -> Blocks:
        dropped = Settlement(action.id, Status.DROPPED, f"not needed: {objection}")
        entry = self._entry(action, Event.DROPPED, dropped.why)
        self._settle(action, dropped, reason="not_needed", entries=(entry,))
        return Blocks.NOTHING

    def _adopt(self, action: Action, why: str, request_id: str = "") -> Blocks:
        """Adopt the incident that PagerDuty has with this key, from an earlier database or another program.

        The creation's outcome counts as unknown: the next read finds the incident, and what is mirrored in it.
        """
        with self._tools.database.writing() as unit:
            unit.outbox.mark_sent(action, self._tools.clock.now())
            unit.outbox.mark_unknown(action, why)
            now = self._tools.clock.now()
            unit.journal.append(journal_entries.of_failure(action, Event.UNKNOWN, now, why, request_id))
        self._tools.events.outcome(action, Status.SENT, "was_there")
        return Blocks.ALL

    def _settle(
        self,
        action: Action,
        settlement: Settlement,
        incident: Incident | None = None,
        *,
        reason: str,
        entries: tuple[Entry, ...],
    ) -> None:
        """Commit the outcome and its entries, together with the baselines that our own write has changed."""
        moved: list[Pair] = []
        now = self._tools.clock.now()
        with self._tools.database.writing() as unit:
            unit.outbox.settle(settlement, now)
            if settlement.status is Status.DONE and not action.kind.is_note:
                pair = unit.snapshot.pair(action.alert_id)
                moved = [] if pair is None else _moved(pair, action, self._policy, incident)
                unit.snapshot.save_pairs(moved)
                if pair is not None and moved:
                    entries = (*entries, *journal_entries.of_moved_pair(pair, moved[0], now))
            elif settlement.result_id and "outbox" in self._policy.guards:
                unit.snapshot.save_notes([(action.alert_id, action.kind.side, settlement.result_id)])
            unit.journal.append(entries)
        self._tools.events.outcome(action, settlement.status, reason)
        for pair in moved:
            self._tools.events.saved(pair)

    def _entry(self, action: Action, event: Event, words: str, request_id: str = "") -> Entry:
        return journal_entries.of_action(action, event, self._tools.clock.now(), words, request_id)

    def _failure(self, action: Action, event: Event, error: ReconcilerError) -> tuple[Entry, ...]:
        now = self._tools.clock.now()
        return journal_entries.of_failure(action, event, now, str(error), error.request_id)

    def _blocks(self, action: Action) -> Blocks:
        return blocks_of(action, self._policy, self._tools.clock.now())


def _written(action: Action, result: CallResult) -> str:
    """The object that the write has created or changed, as people know it."""
    if action.kind.is_note:
        return f"note {result.result_id}"
    if result.incident is None:
        return ""
    lacks = action.priority and result.incident.priority.casefold() != action.priority.casefold()
    without = f", without the priority {action.priority}" if lacks else ""
    return f"incident #{result.incident.number} {result.incident.url}".strip() + without


def _moved(pair: Pair, action: Action, policy: Policy, incident: Incident | None) -> list[Pair]:
    after_write = settled(pair, action, policy, incident)
    return [] if after_write == pair else [after_write]
