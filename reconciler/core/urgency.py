"""Detection of an open incident of low urgency whose alert's priority rose over the line while it was resolved.

A resolved incident's urgency is not raised. Once it is open again, low urgency would wake nobody.
"""

from collections.abc import Iterator
from datetime import datetime

from reconciler.core import text
from reconciler.core.model import (
    Actor,
    AlertBaseline,
    Change,
    IncidentBaseline,
    Kind,
    Observation,
    Person,
    Side,
    Status,
)
from reconciler.core.policy import Policy
from reconciler.core.preconditions import RESOLVED


def changes(observation: Observation, policy: Policy) -> Iterator[Change]:
    """The change that raises the incident's urgency, until an action follows from it.

    A priority that rises in this very observation is a change of its own.
    """
    incident, pair = observation.incident, observation.pair
    if incident is None or pair is None or pair.pagerduty is None:
        return
    if (
        incident.status == "resolved"
        or incident.urgency != "low"
        or not _is_high(observation, pair.alerts, policy)
    ):
        return
    at, priority = incident.changed_at or incident.created_at, pair.alerts.priority
    ref = _due(observation, pair.pagerduty, at)
    if ref:
        who = Person("", policy.product.name)
        yield Change(
            Side.ALERTS, "urgency", pair.alert_id, ref, at, Actor.MACHINE, who, detail=priority, raises=True,
            priority=policy.priority_of(priority),
        )  # fmt: skip


def _is_high(observation: Observation, base: AlertBaseline, policy: Policy) -> bool:
    """Whether the open alert's priority was known to be high, and is."""
    alert = observation.alert
    is_open, shown = (base.open, base.priority) if alert is None else (alert.open, alert.priority or base.priority)
    both = (base.priority, shown)
    return bool(is_open and base.priority) and all(text.urgency(p, policy.high_urgency) == "high" for p in both)


def _due(observation: Observation, base: IncidentBaseline, at: datetime) -> str:
    """Reference of the event that makes the urgency due: the dropped write, or the reopening; else empty."""
    ours = (action for action in observation.mine if action.kind is Kind.PAGERDUTY_SET_URGENCY)
    raising = [action for action in ours if not action.is_priority_alone]
    if any(action.status.is_open for action in raising):
        return ""
    last = max(raising, key=lambda action: action.id, default=None)
    if last is not None and last.status is Status.DROPPED and RESOLVED in last.error:
        return f"instead of {last.id}"
    return f"reopened {at.isoformat()}" if base.status == "resolved" else ""
