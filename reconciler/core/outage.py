"""The incident that reports to the engineers that alerts cannot be read: its key, and its texts.

While that lasts, new alerts page nobody. One incident of the reconciler's own says so. It
has a key of its own, which no alert has, so that it is never taken for an alert's incident.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from reconciler.core.model import Incident, Note
from reconciler.core.product import OPSGENIE, PRODUCTS, Product
from reconciler.core.text import shortened

URGENCY = "high"
LONGEST_REASON = 300
"""Characters of the error that a title shows; the body shows all of it."""
_OVER = "[reconciler] {product}'s alerts can be read again"


@dataclass(frozen=True, slots=True)
class Outage:
    """An outage that lasts, or whose incident is still open.

    `asked_at` is when the creation of its incident was last requested, whatever the outcome; `incident_id` is that
    incident's, empty until it is known.
    """

    since: datetime
    asked_at: datetime | None = None
    incident_id: str = ""


def key_of(route: str) -> str:
    """The incident's key."""
    return f"reconciler outage {route}"


def incident_of(found: Iterable[Incident], outage: Outage) -> Incident | None:
    """The incident of this outage among those with the outage key; None if it has none.

    An open incident belongs to this outage. A resolved one belongs to an earlier outage, unless a creation was
    requested during this one and the incident is younger than its beginning.
    """
    incidents = list(found)
    for incident in incidents:
        if incident.status != "resolved":
            return incident
    if outage.asked_at is None:
        return None
    return next((each for each in incidents if each.created_at >= outage.since), None)


def recalled(found: Incident | None, now: datetime) -> Outage | None:
    """The outage that an open incident with the outage key reports, for a new or lost database."""
    return None if found is None else Outage(min(found.created_at, now), incident_id=found.id)


def title(outage: Outage, error: str, product: Product = OPSGENIE) -> str:
    """The incident's title."""
    why = shortened(_reason(error, product), LONGEST_REASON)
    since = _clock(outage.since)
    return (
        f"{product.name}'s alerts cannot be read since {since}: {why}; new alerts page nobody until this is over"
    )


def body(outage: Outage, error: str, product: Product = OPSGENIE) -> str:
    """The incident's details."""
    since = f"{outage.since.astimezone(UTC):%Y-%m-%d} {_clock(outage.since)}"
    return (
        f"The reconciler cannot read {product.name}'s alerts since {since}:\n\n{_reason(error, product)}\n\n"
        f"Alerts that are raised in {product.name} meanwhile page nobody: look there. They page as soon as they "
        "can be read, and the reconciler then resolves this incident. If it is resolved before, it does not come "
        "again for this outage."
    )


def over_note(outage: Outage, now: datetime, lasted: str, product: Product = OPSGENIE) -> str:
    """The note with which the incident is resolved."""
    began, over = _clock(outage.since), _OVER.format(product=product.name)
    return f"{over} since {_clock(now)}. They could not be from {began} on, for {lasted}."


def is_noted(notes: Iterable[Note]) -> bool:
    """Whether the incident's notes say already that the outage is over."""
    over = tuple(_OVER.format(product=product.name) for product in PRODUCTS.values())
    return any(note.text.startswith(over) for note in notes)


def _reason(error: str, product: Product) -> str:
    return error.removeprefix(f"{product.name}: ")


def _clock(at: datetime) -> str:
    return f"{at.astimezone(UTC):%H:%M} UTC"
