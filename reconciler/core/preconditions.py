"""Preconditions of writes that could do harm, checked against a read made just before the write."""

from reconciler.core.model import Action, Alert, Incident, Kind
from reconciler.core.paging import is_left_to_us
from reconciler.core.policy import Policy

RESOLVED = "the incident is resolved"


def objection_to_alert_write(action: Action, alert: Alert) -> str | None:
    """The violated precondition, or None. A redundant write would change the owner and restart notifications."""
    if not alert.open:
        return "the alert is closed"
    if action.kind is Kind.ALERT_ACKNOWLEDGE and alert.acknowledged:
        return f"the alert is acknowledged already, by {alert.acknowledged_by or 'somebody'}"
    if action.kind is Kind.ALERT_UNACKNOWLEDGE and not alert.acknowledged:
        return "the alert is not acknowledged"
    return None


def has_urgency(action: Action, incident: Incident) -> bool:
    """Whether the incident has the urgency and the priority that this write gives it; it may give only one."""
    is_as_urgent = action.is_priority_alone or incident.urgency == (action.urgency or "high")
    return is_as_urgent and (not action.priority or incident.priority.casefold() == action.priority.casefold())


def _already(action: Action) -> str:
    wanted = [] if action.is_priority_alone else ["high urgency"]
    wanted += [f"the priority {action.priority}"] if action.priority else []
    return f"the incident has {' and '.join(wanted)} already"


def objection_in_pagerduty(action: Action, incident: Incident, policy: Policy) -> str | None:
    """The violated precondition, or None. Acknowledging a resolved incident would reopen it."""
    if incident.status == "resolved":
        return RESOLVED
    if action.kind is Kind.PAGERDUTY_ACKNOWLEDGE and incident.status == "acknowledged":
        return "the incident is acknowledged already"
    if action.kind is Kind.PAGERDUTY_SET_URGENCY and has_urgency(action, incident):
        return _already(action)
    if action.kind is not Kind.PAGERDUTY_UNACKNOWLEDGE or is_left_to_us(incident, policy):
        return None
    if incident.status != "acknowledged":
        return "the incident is not acknowledged"
    others = [person.name for person in incident.acknowledgers if not policy.is_automation(person)]
    return f"{others[0]} has acknowledged the incident in person" if others else None
