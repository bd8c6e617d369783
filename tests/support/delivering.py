"""The outbox of pairs delivered to vendors whose refusals a test sets."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

from reconciler.core.model import Action, Alert, Incident, Kind, Note, Pair, Status
from reconciler.errors import ReconcilerError
from reconciler.observability.events import NULL_EVENTS
from reconciler.reconcile.deliver import Delivered, Deliverer
from reconciler.reconcile.in_flight import InFlight
from reconciler.reconcile.vendor_calls import Vendors
from reconciler.reconcile.write_breakers import WriteBreakers
from reconciler.store.database import Database
from reconciler.vendors.call_context import CallPriority, current
from reconciler.vendors.ports import AlertWrite
from tests.support.builders import BOT, action, alert, at, incident, pair, policy

NOW = at(0) + timedelta(hours=5)
OLD = timedelta(hours=3)


class BothVendors:
    """Both vendors and a clock. `fails` maps a call's name and alert to an error, or to None.

    `keys` are the keys of existing incidents, in the listing and in single lookups.
    """

    def __init__(self) -> None:
        self.time = NOW
        self.set_by = timedelta()
        self.fails: Callable[[str, str], ReconcilerError | None] = lambda *_: None
        self.calls: list[tuple[str, str]] = []
        self.priorities: list[CallPriority] = []
        self.created = incident()
        self.urgency = self.created.urgency
        self.keys: set[str] = set()
        self.listable = True

    def now(self) -> datetime:
        return self.time + self.set_by

    def monotonic(self) -> float:
        return self.time.timestamp()

    def _call(self, name: str, key: str) -> None:
        self.calls.append((name, key))
        self.priorities.append(current().priority)
        error = self.fails(name, key)
        if error is not None:
            raise error

    def confirm_key(self) -> None:
        self._call("confirm_key", "")

    def incident(self, incident_id: str) -> Incident:
        self._call("incident", incident_id)
        return incident(id=incident_id, urgency=self.urgency)

    def alert(self, alert_id: str) -> Alert:
        self._call("alert", alert_id)
        return alert(id=alert_id)

    def keys_between(self, _since: datetime, _until: datetime, most: int) -> set[str] | None:
        self._call("keys_between", str(most))
        return self.keys if self.listable else None

    def incidents_by_key(self, key: str) -> list[Incident]:
        self._call("incidents_by_key", key)
        return [incident(key=key)] if key in self.keys else []

    def create_incident(self, key: str, title: str, body: str, urgency: str) -> Incident:
        self._call(f"create_incident {title}/{body}/{urgency}", key)
        return replace(self.created, key=key)

    def acknowledge(self, target: str, *_: str) -> Incident | AlertWrite:
        self._call("acknowledge", target)
        is_incident = target.startswith("I-")
        return incident("acknowledged", id=target) if is_incident else AlertWrite(f"R{len(self.calls)}")

    def set_urgency(self, target: str, *_: str) -> Incident:
        self._call("set_urgency", target)
        return incident(id=target, urgency="high")

    def add_note(self, target: str, *_: str) -> Note | AlertWrite:
        self._call("add_note", target)
        note = f"N{len(self.calls)}"
        return Note(note, BOT, "", NOW) if target.startswith("I-") else AlertWrite(note)


@dataclass
class DelivererBench:
    """A deliverer and a database with waiting actions."""

    database: Database
    vendors: BothVendors = field(default_factory=BothVendors)
    stopping: bool = False

    def __post_init__(self) -> None:
        vendor = cast("Any", self.vendors)
        self.breakers = WriteBreakers(vendor)
        self.in_flight = InFlight()
        self.deliverer = Deliverer(
            Vendors(vendor, vendor, vendor, vendor),
            self.database,
            vendor,
            self.breakers,
            self.in_flight,
            NULL_EVENTS,
            lambda: self.stopping,
        )

    def add(self, *waiting: Action) -> None:
        with self.database.writing() as unit:
            unit.outbox.add(waiting, NOW)

    def deliver(self, alert_id: str = "a") -> Delivered:
        return self.deliverer.deliver(alert_id, policy())

    def deliver_after(self, seconds: float = 0.0) -> list[str]:
        """Let time pass, then deliver every pair, pages first; the text of each problem, once."""
        self.vendors.time += timedelta(seconds=seconds)
        with self.database.reading() as unit:
            waiting = unit.outbox.open()
        order = sorted(waiting, key=lambda each: each.kind is not Kind.CREATE_INCIDENT)
        found = [self.deliver(alert_id) for alert_id in dict.fromkeys(each.alert_id for each in order)]
        problems = [problem for delivered in found for problem in delivered.problems]
        problems += self.breakers.problems()
        return [str(error) for error in {id(problem.error): problem.error for problem in problems}.values()]

    def statuses(self) -> list[tuple[str, Status]]:
        with self.database.reading() as unit:
            found = unit.outbox.by_id(range(1, 50))
        return [(each.alert_id, each.status) for each in found]

    def calls_of(self, name: str) -> list[str]:
        return [key for call, key in self.vendors.calls if call.startswith(name)]


def bench_of(database: Database, *waiting: Action, pairs: tuple[Pair, ...] = ()) -> DelivererBench:
    bench = DelivererBench(database)
    with database.writing() as unit:
        unit.snapshot.save_pairs(replace(each, incident_id=f"I-{each.alert_id}") for each in pairs)
    bench.add(*waiting)
    return bench


def waiting(kind: Kind, alert_id: str, number: int = 0, **changed: Any) -> Action:
    """An action planned just now."""
    key = f"{kind.value} {alert_id} {number}"
    made = replace(action(kind), alert_id=alert_id, key=key, at=NOW + timedelta(seconds=number))
    return replace(made, **changed)


def pairs(*alert_ids: str) -> tuple[Pair, ...]:
    return tuple(replace(pair(), alert_id=alert_id, swept_at=NOW) for alert_id in alert_ids)
