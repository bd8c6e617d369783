"""The newest decisions of all pairs, from the journal: what was seen, planned and written, by whom and why."""

from dataclasses import dataclass
from typing import Any

from reconciler.core.journal import Entry
from reconciler.core.model import Pair
from reconciler.core.product import OPSGENIE, Product
from reconciler.store.database import UnitOfWork

MOST = 50
"""How many decisions the status page shows."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One entry of the journal, and its pair; None if it concerns none, or the pair has no record."""

    entry: Entry
    pair: Pair | None = None


def newest(unit: UnitOfWork, most: int = MOST) -> tuple[Decision, ...]:
    """The newest decisions, the newest first."""
    entries = unit.journal.last(most)
    pairs = unit.snapshot.pairs({entry.alert_id for entry in entries if entry.alert_id})
    return tuple(Decision(entry, pairs.get(entry.alert_id)) for entry in entries)


def as_data(each: Decision, product: Product = OPSGENIE) -> dict[str, Any]:
    """One decision as data, with the names of `status --json` and `explain --json`."""
    entry, pair = each.entry, each.pair
    return {
        "at": entry.at.isoformat(),
        "event": entry.event.value,
        "side": product.key_of(entry.side) if entry.side else None,
        "kind": product.kind(entry.kind) if entry.kind else None,
        "alert_id": entry.alert_id or None,
        "alert": pair.tiny_id if pair else None,
        "title": pair.title if pair else "",
        "incident_id": entry.incident_id or (pair.incident_id if pair else None),
        "incident": pair.incident_number if pair else None,
        "who": entry.who,
        "words": entry.words,
        "source": entry.source,
        "request_id": entry.request_id,
        "key": entry.key,
    }
