"""Builders of the core's values, and a bench that runs the planner against both vendors as values."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.core import text
from reconciler.core.model import (
    Act,
    Action,
    Actor,
    Alert,
    AlertBaseline,
    Incident,
    IncidentBaseline,
    Kind,
    Note,
    Observation,
    Pair,
    Person,
    Plan,
    Side,
    Status,
)
from reconciler.core.plan import decide, settled
from reconciler.core.policy import DecisionInput, Policy
from reconciler.core.product import JSM

T0 = datetime(2026, 11, 23, 9, 0, 0, tzinfo=UTC)
OG, PD = Side.ALERTS, Side.PAGERDUTY
BOT = Person("PBOT", "Opsgenie Bridge")
JANE = Person("PJANE", "Jane Doe")
BOB = Person("PBOB", "Bob Ray")
ANA = Person("", "Ana Ruiz")
SERVICE = Person("PSVC", "Customer service")
NOBODY = Person("", "")
ROBOT = Person("712020:robot", "Bridge Robot")
ALERT_ID, INCIDENT_ID = "a-1", "PINC1"


def at(seconds: float) -> datetime:
    """The moment this many seconds after nine o'clock."""
    return T0 + timedelta(seconds=seconds)


def policy(**changed: Any) -> Policy:
    return replace(Policy(automation=BOT), **changed)


def account(**changed: Any) -> Policy:
    """The policy of JSM without an integration key: all that is written bears our own account's name."""
    return policy(**({"product": JSM, "acts_are_named": False, "tells_who": False, "alert_user": ROBOT} | changed))


def named(**changed: Any) -> Policy:
    """The policy of JSM with an integration key: what is written bears the engineer's name."""
    return account(**({"acts_are_named": True} | changed))


def alert(**changed: Any) -> Alert:
    made = Alert(
        id=ALERT_ID,
        tiny_id="17",
        message="Disk full",
        open=True,
        acknowledged=False,
        created_at=T0,
        updated_at=T0,
        url="https://example.app.opsgenie.com/alert/detail/a-1",
    )
    return replace(made, **changed)


def incident(status: str = "triggered", **changed: Any) -> Incident:
    made = Incident(
        id=INCIDENT_ID,
        number=4711,
        status=status,
        key=ALERT_ID,
        title="Disk full",
        service_id="PSVC",
        created_at=at(1),
    )
    return replace(made, **changed)


ACKED = alert(acknowledged=True, acknowledged_by="Ana Ruiz", acknowledged_at=at(10), updated_at=at(10))
RESOLVED = incident("resolved", changed_by=JANE, changed_at=at(40))


def pair(
    status: str | None = "triggered",
    held: tuple[Person, ...] = (),
    acknowledged: bool = False,
    *,
    actor: str = "",
    is_open: bool = True,
    updated_at: datetime = T0,
    snoozed_until: datetime | None = None,
    as_of: datetime | None = None,
    **changed: Any,
) -> Pair:
    """A pair as the snapshot stores it; `status` None means that there is no incident."""
    made = Pair(
        alert_id=ALERT_ID,
        tiny_id="17",
        tracked=True,
        alerts=AlertBaseline(is_open, acknowledged, updated_at, snoozed_until, "P3"),
        title="Disk full",
        incident_id=None if status is None else INCIDENT_ID,
        incident_number=None if status is None else 4711,
        pagerduty=None if status is None else IncidentBaseline(status, held, actor, as_of),
        next_look_at=T0,
        created_at=T0,
    )
    return replace(made, **changed)


def note(note_id: str, author: Person, words: str, seconds: float = 5) -> Note:
    return Note(note_id, author, words, at(seconds))


def act(verb: str, person: Person | None, seconds: float = 20, actor: Actor = Actor.PERSON) -> Act:
    return Act(f"LOG-{verb}-{seconds}", verb, at(seconds), actor, person, INCIDENT_ID)


def observation(**changed: Any) -> Observation:
    return replace(Observation(ALERT_ID), **changed)


def inputs(*observations: Observation, now: datetime | None = None, rules: Policy | None = None) -> DecisionInput:
    return DecisionInput(now or at(60), rules or policy(), observations)


def action(kind: Kind, status: Status = Status.PLANNED, **changed: Any) -> Action:
    made = Action(
        key=f"{kind.value} {ALERT_ID}",
        kind=kind,
        alert_id=ALERT_ID,
        reason="because",
        at=at(10),
        incident_id=INCIDENT_ID,
        id=7,
        status=status,
        sent_at=at(11) if status is Status.SENT else None,
    )
    return replace(made, **changed)


def shown(plan: Plan) -> list[tuple[Kind, str, str]]:
    """The actions of a plan, without the bookkeeping."""
    return [(planned.kind, planned.reason, planned.text) for planned in plan.actions]


def after(seen: Observation, plan: Plan, status: Status = Status.PLANNED) -> Observation:
    """The same observation once the plan has been committed: what the next cycle starts from."""
    settlements = {answer.action_id: answer for answer in plan.settlements}
    old = tuple(
        replace(mine, status=settlements[mine.id].status, attempts=settlements[mine.id].attempts or mine.attempts)
        if mine.id in settlements
        else mine
        for mine in seen.mine
    )
    new = tuple(
        replace(planned, id=100 + n, status=status, sent_at=at(60) if status is Status.SENT else None)
        for n, planned in enumerate(plan.actions)
        if planned.alert_id == seen.alert_id
    )
    saved = [saved for saved in plan.pairs if saved.alert_id == seen.alert_id]
    return replace(
        seen,
        pair=saved[-1] if saved else seen.pair,
        known_notes=seen.known_notes | {(side, key) for owner, side, key in plan.notes if owner == seen.alert_id},
        mine=(*old, *new),
    )


@dataclass
class Bench:
    """Both vendors as values, and cycles that run against them: planned actions take effect at once.

    With `asynchronous`, Opsgenie's writes stay SENT as after a 202, until the next cycle sees their effect.
    """

    rules: Policy
    alert: Alert = field(default_factory=alert)
    incident: Incident | None = None
    alert_notes: list[Note] = field(default_factory=list)
    incident_notes: list[Note] = field(default_factory=list)
    alert_acts: list[Act] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    pair: Pair | None = None
    known: set[tuple[Side, str]] = field(default_factory=set)
    ledger: dict[str, Action] = field(default_factory=dict)
    written: list[tuple[Kind, str]] = field(default_factory=list)
    clock: int = 100
    asynchronous: bool = True
    looks_back: bool = True

    def observation(self) -> Observation:
        """A complete observation of both sides."""
        return observation(
            pair=self.pair,
            alert=self.alert,
            incident=self.incident,
            alert_notes=tuple(self.alert_notes),
            incident_notes=tuple(self.incident_notes),
            alert_acts=tuple(reversed(self.alert_acts)),
            incident_acts=tuple(reversed(self.acts)),
            known_notes=frozenset(self.known),
            mine=tuple(self.ledger.values()),
            looked=frozenset(Kind) if self.looks_back else frozenset(),
        )

    def cycles(self, count: int) -> "Bench":
        for _ in range(count):
            self.cycle()
        return self

    def cycle(self) -> Plan:
        """Observe, decide, commit and carry out."""
        self.clock += 10
        plan = decide(DecisionInput(at(self.clock), self.rules, (self.observation(),)))
        for saved in plan.pairs:
            self.pair = saved
        self.known |= {(side, key) for _, side, key in plan.notes}
        by_id = {mine.id: mine for mine in self.ledger.values()}
        for answer in plan.settlements:
            old = by_id[answer.action_id]
            self.ledger[old.key] = replace(old, status=answer.status, result_id=answer.result_id)
        for planned in plan.actions:
            self.ledger.setdefault(planned.key, replace(planned, id=len(self.ledger) + 1))
        self._carry_out(mine for mine in tuple(self.ledger.values()) if mine.status is Status.PLANNED)
        return plan

    def _carry_out(self, due: Iterable[Action]) -> None:
        for mine in due:
            if mine.kind.is_state and mine.kind.side is OG and self._is_queued_in_opsgenie():
                continue
            self.written.append((mine.kind, mine.text))
            result = self._write(mine)
            sent = replace(mine, status=Status.SENT, sent_at=at(self.clock))
            if mine.kind.side is OG and self.asynchronous:
                self.ledger[mine.key] = sent
                continue
            self.ledger[mine.key] = replace(sent, status=Status.DONE, result_id=result)
            assert self.pair is not None
            self.pair = settled(self.pair, mine, self.rules, self.incident)
            if result and mine.kind.is_note and "outbox" in self.rules.guards:
                self.known.add((mine.kind.side, result))

    def _is_queued_in_opsgenie(self) -> bool:
        mine = self.ledger.values()
        return any(a.kind.is_state and a.kind.side is OG and a.status is Status.SENT for a in mine)

    def _write(self, mine: Action) -> str:
        when = at(self.clock + 1)
        match mine.kind:
            case Kind.CREATE_INCIDENT:
                self.incident = incident(key=mine.mark, title=mine.text, created_at=when)
            case Kind.PAGERDUTY_NOTE:
                self.incident_notes.append(Note(f"N{len(self.incident_notes)}", BOT, mine.text, when))
                return self.incident_notes[-1].id
            case Kind.ALERT_NOTE:
                author = self._author(text.signature(mine.person))
                self.alert_notes.append(Note(f"O{len(self.alert_notes)}", author, mine.text, when))
                return self.alert_notes[-1].id
            case Kind.ALERT_ACKNOWLEDGE:
                self._move_alert(True, self._author(text.cut_name(mine.person)), when)
            case Kind.ALERT_UNACKNOWLEDGE:
                is_named = self.rules.product.unacknowledges_by_name
                author = self._author(text.cut_name(mine.person)) if is_named else self.rules.alert_user
                self._move_alert(False, author, when)
            case _:
                self._move_incident(mine.kind.value.partition(".")[2], BOT, when)
        return ""

    def _author(self, name: str) -> Person:
        """Whom the alert names for a write of ours."""
        return Person("", name) if self.rules.acts_are_named else self.rules.alert_user

    # -- what people do --

    def _move_alert(self, acknowledged: bool, person: Person, when: datetime) -> None:
        self.alert = replace(
            self.alert,
            acknowledged=acknowledged,
            acknowledged_by=person.name if acknowledged and self.rules.tells_who else "",
            acknowledged_at=when if acknowledged else None,
            updated_at=when,
        )
        verb = "acknowledge" if acknowledged else "unacknowledge"
        self.alert_acts.append(Act(f"A{len(self.alert_acts)}", verb, when, Actor.PERSON, person))

    def _move_incident(self, verb: str, person: Person, when: datetime) -> None:
        assert self.incident is not None
        status = {"acknowledge": "acknowledged", "unacknowledge": "triggered", "resolve": "resolved"}[verb]
        self.incident = replace(
            self.incident,
            status=status,
            acknowledgers=(person,) if verb == "acknowledge" else (),
            changed_by=SERVICE if verb == "unacknowledge" else person,
            changed_at=when,
        )
        self.acts.append(Act(f"L{len(self.acts)}", verb, when, Actor.PERSON, person, INCIDENT_ID))

    def ana(self, verb: str) -> "Bench":
        """A customer's developer acts in Opsgenie."""
        self.clock += 5
        if verb == "note":
            self.alert_notes.append(Note(f"O{len(self.alert_notes)}", ANA, "any news?", at(self.clock)))
        elif verb == "close":
            shown = ANA.name if self.rules.tells_who else ""
            self.alert = replace(
                self.alert, open=False, closed_by=shown, closed_at=at(self.clock), updated_at=at(self.clock)
            )
            self.alert_acts.append(Act(f"A{len(self.alert_acts)}", verb, at(self.clock), Actor.PERSON, ANA))
        else:
            self._move_alert(verb == "acknowledge", ANA, at(self.clock))
        return self

    def jane(self, verb: str) -> "Bench":
        """An engineer on call acts in PagerDuty."""
        self.clock += 5
        if verb == "note":
            self.incident_notes.append(Note(f"N{len(self.incident_notes)}", JANE, "on it", at(self.clock)))
        else:
            self._move_incident(verb, JANE, at(self.clock))
        return self
