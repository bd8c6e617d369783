"""The state of reading one pair: the reads made, their answers, and the observation so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum
from typing import Any

from reconciler.core.model import Kind, Observation, Side
from reconciler.core.policy import Policy
from reconciler.core.work import ReadRequest

ALERT_STATES = frozenset({Kind.ALERT_ACKNOWLEDGE, Kind.ALERT_UNACKNOWLEDGE})
INCIDENT_STATES = frozenset(kind for kind in Kind if kind.side is Side.PAGERDUTY and kind.is_state)
"""Our writes whose outcome the alert, or the incident, shows."""


class What(StrEnum):
    """The kinds of read. Each comment gives what the read is addressed by, and its answer."""

    ALERT = "alert"  # alert id; Alert
    ALERT_NOTES = "alert notes"  # alert id; notes, newest first
    ALERT_LOG = "alert log"  # alert id; acts, newest first
    REQUEST = "request status"  # Opsgenie's request id; Receipt, or None when Opsgenie says nothing of it
    RECENT_ALERTS = "recent alerts"  # no id; whether the key still sees other alerts
    INCIDENTS_BY_KEY = "incidents by key"  # alert id; incidents, oldest first
    INCIDENT = "incident"  # incident id; Incident
    INCIDENT_NOTES = "incident notes"  # incident id; notes, oldest first
    INCIDENT_LOG = "incident log"  # incident id; acts, newest first

    @property
    def side(self) -> Side:
        """The vendor that is asked."""
        return Side.PAGERDUTY if self.value.startswith("incident") else Side.ALERTS


@dataclass(frozen=True, slots=True)
class Read:
    """One read to make. `until`: notes are read back to that time, None for all of them.

    `action_id` is the action that a request belongs to. `about` explains the object in an error's text.
    """

    what: What
    id: str = ""
    until: datetime | None = None
    action_id: int = 0
    about: str = ""

    @property
    def key(self) -> tuple[What, str]:
        """Identity of a read: two with the same key are made once."""
        return self.what, self.id


class Failure(Enum):
    """Why a read has no answer. UNREAD: no usable answer came, or the read was not tried."""

    MISSING = "missing"  # 404
    FORBIDDEN = "forbidden"  # 403 for this object
    UNREAD = "unread"


@dataclass(frozen=True, slots=True)
class Progress:
    """The state after the reads made so far.

    `unread` are sides that have to be read again. `is_incident_out_of_reach`: nothing else of the pair's incident
    is read now.
    """

    request: ReadRequest
    observation: Observation
    policy: Policy
    now: datetime
    answers: Mapping[tuple[What, str], Any] = field(default_factory=dict)
    unread: frozenset[Side] = frozenset()
    is_incident_out_of_reach: bool = False

    @property
    def incident_id(self) -> str | None:
        """The incident that the pair follows, or is about to adopt, or that an operator has ordered."""
        seen, order = self.observation, self.request.order
        own = seen.pair.incident_id if seen.pair else None
        return own or (seen.incident.id if seen.incident else None) or (order.incident_id if order else "") or None

    @property
    def lacks_alert_notes(self) -> bool:
        """Whether the alert's notes are wanted and were not read: the incident's may be copies of them."""
        return self.request.alert_notes and self.observation.alert_notes is None and not self.observation.missing
