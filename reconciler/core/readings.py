"""Filter for stale and unreadable values, applied to an observation before anything is concluded from it.

An unreadable value carries no information. A read that shows an earlier state than one that is known already comes
from a replica that lags behind: it is not a change, and nobody made it.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from reconciler.core.model import Alert, AlertBaseline, Incident, Kind, Observation, Pair, Side, Status
from reconciler.core.policy import Policy

GRAIN = timedelta(seconds=1)
"""Resolution of PagerDuty's time stamps."""
_STATES = {side: frozenset(kind for kind in Kind if kind.side is side and kind.is_state) for side in Side}
_OF_INCIDENTS = frozenset(kind for kind in Kind if kind.side is Side.PAGERDUTY)


AHEAD = timedelta(seconds=60)
"""How far a vendor's time stamp may lie ahead of our clock, which may be slow or set back, and still be used."""


def usable(stamp: datetime | None, now: datetime) -> datetime | None:
    """The vendor's stored time stamp, or None if it lies too far in the future to be compared with anything."""
    return stamp if stamp is not None and stamp <= now + AHEAD else None


def is_adoption(observation: Observation) -> bool:
    """Whether the incident is not in the snapshot yet: its past becomes a baseline and is not mirrored."""
    return observation.incident is not None and (observation.pair is None or observation.pair.incident_id is None)


def in_doubt(observation: Observation, *kinds: Kind) -> bool:
    """Whether a write of ours of one of these kinds has an unknown outcome, so that its field shows nothing."""
    return any(action.kind in kinds and action.status is Status.SENT for action in observation.mine)


def is_overdue(pair: Pair, policy: Policy, now: datetime) -> bool:
    """Whether an explanation of the incident's status has been missing for longer than the staleness bound."""
    return now - (pair.unexplained_since or now) >= policy.staleness


def believable(observation: Observation, policy: Policy, now: datetime) -> tuple[Observation, bool]:
    """The observation without stale and unreadable values, and whether the incident was left out as stale."""
    observation = _readable(observation)
    pair = observation.pair
    if pair is None:
        return observation, False
    if observation.alert is not None and is_old_alert(observation.alert, pair.alerts, now):
        observation = replace(observation, alert=None, looked=observation.looked - _STATES[Side.ALERTS])
    incident = observation.incident
    if incident is not None and pair.incident_id not in (None, incident.id):
        # This read began before the pair followed another incident.
        return replace(
            observation, incident=None, incident_notes=None, looked=observation.looked - _OF_INCIDENTS
        ), False
    if incident is None or not is_old_incident(incident, pair, now):
        return observation, False
    if is_overdue(pair, policy, now):
        return observation, False
    return replace(observation, incident=None, looked=observation.looked - _STATES[Side.PAGERDUTY]), True


def _readable(observation: Observation) -> Observation:
    """The alert with known values in place of unreadable ones; those resolve no write of ours."""
    alert = observation.alert
    if alert is None or (alert.open is not None and alert.acknowledged is not None):
        return observation
    known = observation.pair.alerts if observation.pair else AlertBaseline(True, False, alert.updated_at)
    filled = replace(
        alert,
        open=known.open if alert.open is None else alert.open,
        acknowledged=known.acknowledged if alert.acknowledged is None else alert.acknowledged,
    )
    return replace(observation, alert=filled, looked=observation.looked - _STATES[Side.ALERTS])


def is_old_alert(alert: Alert, base: AlertBaseline, now: datetime) -> bool:
    """Whether an alert is shown in a state older than its baseline: then the read changes nothing."""
    known = usable(base.updated_at, now)
    if known is None or alert.updated_at >= known or base.deleted:
        return False
    differs = (alert.open, alert.acknowledged) != (base.open, base.acknowledged)
    return differs or alert.priority != (base.priority or alert.priority)


def is_old_incident(incident: Incident, pair: Pair, now: datetime) -> bool:
    """Whether an incident is shown with a status older than its baseline: then the read changes nothing."""
    base = pair.pagerduty
    if base is None or incident.status == base.status:
        return False
    known = usable(base.as_of, now)
    return known is not None and incident.changed_at is not None and incident.changed_at < known
