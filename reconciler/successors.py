"""Which incident to follow once ours is over: what it was merged into, or an open one with the alert's key."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from reconciler.core import outcomes
from reconciler.core.model import Incident, Kind, Side, Sighting, Status
from reconciler.errors import ObjectError
from reconciler.looks import Look
from reconciler.reading import PAGERDUTY_STATES, Reading

T = TypeVar("T")

MERGES = 5
"""How many merges in a row are followed."""


class _Unread(Exception):
    """The incident to follow could not be read now."""


def with_successor(reading: Reading, seen: Sighting, look: Look) -> Sighting:
    """The sighting with other open incidents of its alert, and with what is to be followed from now on.

    Where that cannot be read, the pair stays as it is: ours is not seen as over, and is looked at again.
    """
    pair = seen.pair
    if pair is None or pair.incident_id is None:
        return seen
    twins = tuple(twin for twin in look.twins if twin.id != pair.incident_id)
    base = pair.pagerduty.status if pair.pagerduty else ""
    over = (seen.incident.status if seen.incident else base) == "resolved"
    merged = seen.incident.merged_into if seen.incident and over else ""
    try:
        successor = _target(reading, look, seen.alert_id, merged) if merged else None
        if successor is None and over:
            successor = _open_one(reading, look, seen.alert_id, twins)
        if successor is None or successor.id == pair.incident_id:
            return replace(seen, twins=twins)
        followed, ours = successor.id, pair.incident_id
        if seen.incident_notes is None:  # the last chance to read them: ours is not looked at any more
            last = _read(reading, look, seen.alert_id, lambda: reading.pagerduty.notes(ours))
            if last is not None:
                seen = replace(seen, incident_notes=tuple(last), looked=seen.looked | {Kind.PAGERDUTY_NOTE})
        waits = _may_still_land(reading, seen)
        notes = None if waits else _read(reading, look, seen.alert_id, lambda: reading.pagerduty.notes(followed))
    except _Unread:
        return replace(seen, incident=None, twins=twins, looked=seen.looked - PAGERDUTY_STATES)
    if notes is None:  # we wait, or cannot have them: without them all its past would be news
        look.again.add(Side.PAGERDUTY)
        return replace(seen, incident=None, twins=twins, looked=seen.looked - PAGERDUTY_STATES)
    look.again.add(Side.PAGERDUTY)  # what people did there since is news: read in the next cycle
    others = tuple(twin for twin in twins if twin.id != followed)
    return replace(seen, successor=successor, successor_notes=tuple(notes), twins=others)


def _may_still_land(reading: Reading, seen: Sighting) -> bool:
    """Whether a note of ours is in doubt on the incident that is left: on another one it would not be found."""
    sent = (a for a in seen.mine if a.kind is Kind.PAGERDUTY_NOTE and a.status is Status.SENT)
    if Kind.PAGERDUTY_NOTE not in seen.looked:
        return False
    return any(outcomes.settle(action, seen, reading.policy, reading.now) is None for action in sent)


def _target(reading: Reading, look: Look, alert_id: str, merged_into: str) -> Incident | None:
    """Where a row of merges ends; None where that is not ours to see."""
    found, follow, met = None, merged_into, set[str]()
    while follow and follow not in met and len(met) < MERGES:
        met.add(follow)
        target = _incident(
            reading, look, alert_id, follow, f"; this is the incident {follow} that the alert's was merged into"
        )
        if target is None:
            return found
        found = target
        follow = target.merged_into if target.status == "resolved" else ""
    return found


def _open_one(reading: Reading, look: Look, alert_id: str, twins: tuple[Incident, ...]) -> Incident | None:
    """The oldest incident with the alert's key that is open, as it says itself: a list may be late."""
    for twin in sorted(twins, key=lambda twin: (twin.created_at, twin.number)):
        found = _incident(reading, look, alert_id, twin.id)
        if found is not None and found.status != "resolved":
            return found
    return None


def _incident(reading: Reading, look: Look, alert_id: str, incident_id: str, what: str = "") -> Incident | None:
    return _read(reading, look, alert_id, lambda: reading.pagerduty.incident(incident_id), what)


def _read(reading: Reading, look: Look, alert_id: str, read: Callable[[], T], what: str = "") -> T | None:
    """What PagerDuty says; None when that object is not for us. _Unread when it cannot be had now."""
    refused: list[ObjectError] = []

    def ask() -> T | None:
        try:
            return read()
        except ObjectError as error:
            refused.append(error)
            return None

    found = reading.read(Side.PAGERDUTY, look, alert_id, ask)
    if found is None and not refused:
        raise _Unread
    if refused:
        reading.report(Side.PAGERDUTY, type(refused[0])(f"{refused[0]}{what}"), alert_id)
    return found
