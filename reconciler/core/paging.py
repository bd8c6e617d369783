"""Detection of incidents that page nobody: created acknowledged, or assigned to the automation user alone."""

from collections.abc import Iterable

from reconciler.core.model import Action, Incident, Kind, Person, Status
from reconciler.core.policy import Policy


def is_left_to_us(incident: Incident, policy: Policy) -> bool:
    """Whether a triggered incident is assigned to the automation user alone. If the assignees are unknown: no."""
    return incident.status == "triggered" and _are_ours(incident.assignees or (), policy)


def unpaged(incident: Incident, policy: Policy, *, is_born: bool) -> str:
    """The reason why the incident pages nobody; empty if it pages somebody or is resolved.

    `is_born`: we created it and have never acknowledged it, so that an acknowledgement by the automation user
    alone was made by PagerDuty at its creation.
    """
    if is_left_to_us(incident, policy):
        return f"incident #{incident.number} is assigned to the automation user alone"
    if is_born and incident.status == "acknowledged" and _are_ours(incident.acknowledgers, policy):
        return f"incident #{incident.number} was created acknowledged by the automation user"
    return ""


def is_born(incident: Incident, mine: Iterable[Action], *, alert_acknowledged: bool) -> bool:
    """Whether we created the incident and no acknowledgement of ours was ever written or is pending."""
    made = acknowledged = False
    for action in mine:
        if action.kind is Kind.CREATE_INCIDENT and action.status is Status.DONE:
            made = made or action.result_id == incident.id
        if action.kind is Kind.PAGERDUTY_ACKNOWLEDGE:
            acknowledged = acknowledged or action.status.is_open or action.status is Status.DONE
    return made and not acknowledged and not alert_acknowledged


def is_healable(incident: Incident, mine: Iterable[Action]) -> bool:
    """Whether we have ever changed this incident. One from before the database was lost is left as it is."""
    ours = (Kind.CREATE_INCIDENT, Kind.PAGERDUTY_ACKNOWLEDGE, Kind.PAGERDUTY_UNACKNOWLEDGE)
    done = [action for action in mine if action.kind in ours and action.status is Status.DONE]
    return any(action.kind is not Kind.CREATE_INCIDENT or action.result_id == incident.id for action in done)


def _are_ours(people: tuple[Person, ...], policy: Policy) -> bool:
    return bool(people) and all(policy.is_automation(person) for person in people)
