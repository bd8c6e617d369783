"""Incidents that page nobody: held by the automation user from the start, or assigned to it alone."""

from collections.abc import Iterable

from reconciler.core.model import Action, Incident, Kind, Person, Policy, Status


def is_left_to_us(incident: Incident, policy: Policy) -> bool:
    """Whether a triggered incident is assigned to the automation user alone. Unknown assignees count as fine."""
    return incident.status == "triggered" and _are_ours(incident.assignees or (), policy)


def unpaged(incident: Incident, policy: Policy, *, is_born: bool) -> str:
    """Why the incident pages nobody; empty when it does, or is resolved.

    `is_born`: our own creation made it, and nobody has acknowledged anything since, so that an acknowledgement
    of the automation user alone is PagerDuty's own doing.
    """
    if is_left_to_us(incident, policy):
        return f"incident #{incident.number} is assigned to the automation user alone"
    if is_born and incident.status == "acknowledged" and _are_ours(incident.acknowledgers, policy):
        return f"incident #{incident.number} was created acknowledged by the automation user"
    return ""


def is_born(incident: Incident, mine: Iterable[Action], *, alert_acknowledged: bool) -> bool:
    """Whether our creation made the incident and we have never been about to acknowledge it."""
    made = acknowledged = False
    for action in mine:
        if action.kind is Kind.CREATE_INCIDENT and action.status is Status.DONE:
            made = made or action.result_id == incident.id
        if action.kind is Kind.PAGERDUTY_ACKNOWLEDGE:
            acknowledged = acknowledged or action.status.is_open or action.status is Status.DONE
    return made and not acknowledged and not alert_acknowledged


def is_healable(incident: Incident, mine: Iterable[Action]) -> bool:
    """Whether we have ever changed this incident. One of an earlier life is left as it is."""
    ours = (Kind.CREATE_INCIDENT, Kind.PAGERDUTY_ACKNOWLEDGE, Kind.PAGERDUTY_UNACKNOWLEDGE)
    done = [action for action in mine if action.kind in ours and action.status is Status.DONE]
    return any(action.kind is not Kind.CREATE_INCIDENT or action.result_id == incident.id for action in done)


def _are_ours(people: tuple[Person, ...], policy: Policy) -> bool:
    return bool(people) and all(policy.is_automation(person) for person in people)
