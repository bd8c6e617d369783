"""Detection of an acknowledgement of ours that took effect after it had been taken back.

While its outcome was unknown somebody took the acknowledgement back, and that was mirrored. Then the write took
effect: the automation user alone holds the incident, nobody has acknowledged the alert, and nobody is paged.
"""

from collections.abc import Iterator

from reconciler.core.model import Action, Actor, Change, Kind, Observation, Pair, Person, Side, Status
from reconciler.core.policy import Policy

_ACKNOWLEDGEMENTS = frozenset({
    Kind.PAGERDUTY_ACKNOWLEDGE, Kind.PAGERDUTY_UNACKNOWLEDGE,
    Kind.ALERT_ACKNOWLEDGE, Kind.ALERT_UNACKNOWLEDGE,
})  # fmt: skip


def changes(observation: Observation, pair: Pair, policy: Policy) -> Iterator[Change]:
    """The change that pages again. `pair` has the baselines as they are after this observation."""
    incident = observation.incident
    if incident is None or incident.status != "acknowledged" or not incident.acknowledgers:
        return
    if not all(policy.is_automation(person) for person in incident.acknowledgers):
        return
    if pair.alerts.open and not pair.alerts.acknowledged and _is_taken_back(observation.mine):
        at, who = incident.changed_at or incident.created_at, Person("", policy.automation.name)
        yield Change(Side.ALERTS, "late acknowledgement", pair.alert_id, at.isoformat(), at, Actor.MACHINE, who)


def _is_taken_back(mine: tuple[Action, ...]) -> bool:
    """Whether our last word was that nobody has acknowledged, and none of our writes is on its way.

    An un-acknowledgement of ours that was carried out is not made once more: another program may acknowledge in
    the automation user's name.
    """
    ours = sorted((each for each in mine if each.kind in _ACKNOWLEDGEMENTS), key=lambda action: action.id)
    if not any(action.kind is Kind.PAGERDUTY_ACKNOWLEDGE for action in ours):
        return False
    if any(action.status.is_open for action in ours):
        return False
    last = ours[-1]
    is_moot = last.kind is Kind.PAGERDUTY_UNACKNOWLEDGE and last.status is Status.DROPPED
    return last.kind is Kind.ALERT_UNACKNOWLEDGE or is_moot
