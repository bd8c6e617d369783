"""Several incidents for one alert: the successor of a resolved one, and twins that are not followed."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from reconciler.core import text
from reconciler.core.model import (
    Actor,
    Change,
    Incident,
    IncidentBaseline,
    Note,
    Observation,
    Pair,
    Person,
    Side,
)
from reconciler.core.policy import Policy

TITLE = 200
"""Characters of another incident's title that a note shows."""


def successor(observation: Observation) -> Incident | None:
    """The incident that the pair follows from now on, once its own is resolved."""
    pair, other = observation.pair, observation.successor
    if pair is None or pair.incident_id is None or other is None or other.id == pair.incident_id:
        return None
    known = observation.incident or pair.pagerduty
    return other if known is not None and known.status == "resolved" else None


def history(observation: Observation) -> tuple[Note, ...]:
    """Notes of the successor that do not concern this alert, because they are older than the merge.

    Notes on a second incident of the alert itself are always new.
    """
    ours = observation.incident
    if successor(observation) is None or ours is None or not ours.merged_into:
        return ()
    return tuple(note for note in observation.successor_notes if ours.changed_at and note.at < ours.changed_at)


def merged_into(observation: Observation, incident: Incident) -> str:
    """Description of the incident that a resolved one was merged into; empty if it was not merged."""
    target = successor(observation)
    if not incident.merged_into:
        return ""
    into = text.shortened(incident.merged_name, TITLE) or incident.merged_into
    if target is None:
        return f"merged into {into}, which cannot be followed"
    name = f'#{target.number} "{_title(target)}"'
    if target.id != incident.merged_into:
        return f"merged into {into}; {name} is followed from now on"
    return f"merged into {name}, which is followed from now on"


def changes(observation: Observation, policy: Policy, before: Iterable[Change]) -> Iterator[Change]:
    """Changes that name the alert's other incidents on both sides, after all changes of the pair's own."""
    who = Person("", policy.automation.name)
    for twin in observation.twins:
        name = f"#{twin.number} ({twin.id})"
        yield from _both("twin", observation.alert_id, twin, twin.created_at, who, name)
    target = successor(observation)
    done = tuple(before)
    if target is None or any(change.verb == "resolve" and change.detail.startswith("merged") for change in done):
        return
    last = max((target.created_at, *(change.at for change in done)))
    yield from _both(
        "follow", observation.alert_id, target, last, who, f'#{target.number} ({target.id}) "{_title(target)}"'
    )


def followed(pair: Pair, target: Incident, now: datetime) -> Pair:
    """The pair with its new incident. Everything since that incident's creation is new at the next read."""
    return replace(
        pair,
        incident_id=target.id,
        incident_number=target.number,
        pagerduty=IncidentBaseline("triggered", as_of=target.created_at),
        unexplained_since=now,
        unpaged="",
    )


def _title(incident: Incident) -> str:
    return text.shortened(incident.title, TITLE)


def _both(verb: str, alert_id: str, other: Incident, at: datetime, who: Person, detail: str) -> Iterator[Change]:
    for side in Side:
        yield Change(side, verb, alert_id, other.id, at, Actor.MACHINE, who, detail=detail)
