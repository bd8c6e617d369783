"""`reconciler link` and `unlink`: orders for one pair, handed to the daemon through the work queue's table."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from reconciler.core.journal import Entry, Event
from reconciler.core.model import Order, Pair
from reconciler.core.product import product_of
from reconciler.core.work import Priority, ReadRequest, Reason, WorkItem, everything
from reconciler.errors import Misconfigured
from reconciler.observability.logs import printable
from reconciler.observability.naming import pair_name
from reconciler.operations.status import LATE, LATE_INTERVALS
from reconciler.store.database import Database, UnitOfWork
from reconciler.store.overview import find

WAIT = 8.0
"""Seconds that the commands wait for the daemon's answer."""
STEP = 0.2
"""Seconds between two checks for that answer."""
_INCIDENT = re.compile(r"#?[A-Za-z0-9]{1,40}")
_EVENTS = frozenset({Event.LINKED, Event.UNLINKED, Event.REFUSED})


@dataclass(frozen=True, slots=True)
class Ordered:
    """An order for a pair, as it was handed over; `last` is the number of the pair's earlier journal entries."""

    pair: Pair
    order: Order
    last: int
    is_led: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an order. `event` is `queued` while nobody has carried it out, else as in the journal."""

    ordered: Ordered
    event: str
    words: str

    @property
    def is_refused(self) -> bool:
        """Whether the order cannot be carried out."""
        return self.event == Event.REFUSED


def link(database: Database, alert: str, incident: str, who: str, interval: float) -> Ordered:
    """Hand over the order that this alert's pair follow this incident; Misconfigured if that cannot be."""
    with database.writing() as unit:
        pair = _pair(unit, "link", alert)
        wanted = _incident(unit, incident)
        if pair.incident_id is not None and pair.incident_id != wanted:
            name = pair_name(pair.alert_id, pair)
            raise Misconfigured(f"link: {name} is linked already: `reconciler unlink {pair.tiny_id}` it first")
        return _hand_over(
            unit, pair, Order(who, wanted), replace(everything(), order=Order(who, wanted)), interval
        )


def unlink(database: Database, alert: str, who: str, interval: float) -> Ordered:
    """Hand over the order that nothing of this alert's pair be followed any more."""
    with database.writing() as unit:
        pair = _pair(unit, "unlink", alert)
        if not pair.tracked and pair.incident_id is None:
            raise Misconfigured(f"unlink: {pair_name(pair.alert_id, pair)} is not followed: nothing to unlink")
        return _hand_over(unit, pair, Order(who), ReadRequest(order=Order(who)), interval)


def answer(database: Database, ordered: Ordered, wait: Callable[[float], None]) -> Answer:
    """What the daemon makes of the order; `queued` if none leads, or if it takes longer than WAIT."""
    for _ in range(round(WAIT / STEP) if ordered.is_led else 1):
        with database.reading() as unit:
            entries = unit.journal.of([ordered.pair.alert_id])[ordered.last :]
        found = next((entry for entry in entries if _is_answer(entry, ordered)), None)
        if found is not None:
            return Answer(ordered, found.event.value, found.words)
        if ordered.is_led:
            wait(STEP)
    when = "the daemon has not answered yet" if ordered.is_led else "the next run carries it out"
    return Answer(ordered, "queued", f"queued: {when}; `reconciler status` and the log tell of it")


def as_data(found: Answer) -> dict[str, Any]:
    """The document that `link --json` and `unlink --json` print."""
    pair, order = found.ordered.pair, found.ordered.order
    return {
        "alert_id": pair.alert_id,
        "alert": pair.tiny_id,
        "incident_id": order.incident_id or pair.incident_id,
        "result": found.event,
        "words": found.words,
    }


def as_text(found: Answer) -> str:
    """The text that `link` and `unlink` print."""
    pair = found.ordered.pair
    return printable(f"{pair_name(pair.alert_id, replace(pair, incident_number=None))}: {found.words}")


def _hand_over(unit: UnitOfWork, pair: Pair, order: Order, request: ReadRequest, interval: float) -> Ordered:
    now = datetime.now(UTC)
    polled = unit.cursors.load(now).polled_alerts
    item = WorkItem(pair.alert_id, now, request, Priority.CHANGED, frozenset({Reason.OPERATOR}))
    last = len(unit.journal.of([pair.alert_id]))
    unit.work.add([item], external=True)
    is_led = polled is not None and (now - polled).total_seconds() <= max(LATE, LATE_INTERVALS * interval)
    return Ordered(pair, order, last, is_led)


def _is_answer(entry: Entry, ordered: Ordered) -> bool:
    return entry.event in _EVENTS and entry.kind is None and entry.who == ordered.order.who


def _pair(unit: UnitOfWork, command: str, given: str) -> Pair:
    """The only pair that an operator's id refers to."""
    found = list(unit.snapshot.pairs(find(unit, given)).values())
    if not found:
        query = product_of(unit.cursors.load(datetime.now(UTC)).source).query
        raise Misconfigured(
            f"{command}: {given}: no alert of that id or number is known here; only alerts of {query} are"
        )
    if len(found) > 1:
        names = ", ".join(f"{pair_name(pair.alert_id, pair)} ({pair.alert_id})" for pair in found)
        raise Misconfigured(f"{command}: {given} may be {names}: name the alert by its id")
    return found[0]


def _incident(unit: UnitOfWork, given: str) -> str:
    """The id of an incident, or its number if no pair has it."""
    if not _INCIDENT.fullmatch(given):
        raise Misconfigured(f"link: {given}: is no incident's id or number")
    wanted = given.removeprefix("#")
    pairs = unit.snapshot.pairs(find(unit, wanted)).values()
    ids = {pair.incident_id for pair in pairs if pair.incident_id and wanted == str(pair.incident_number)}
    return ids.pop() if len(ids) == 1 else wanted
