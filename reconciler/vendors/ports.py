"""What the rest of the program may ask of either side. Reading and writing are apart: a dry run has no writer.

Every call may raise Refused, Missing, Forbidden, Permanent, NotExecuted, Blocked or Unknown (see
`reconciler.errors`). Reads are retried inside within their time; writes never are.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from reconciler.core.model import Act, Alert, Incident, Note, Person

PAGE = 100
"""Rows of one page: the most that either vendor gives."""
SKEW = timedelta(hours=1)
"""How far a vendor's clock and ours may differ without hiding anything from us."""


class Clock(Protocol):
    """Time, so that tests can have their own. Waiting ends early when the program is to stop."""

    def now(self) -> datetime:
        """The time of day, in UTC."""

    def monotonic(self) -> float:
        """Seconds that never run backwards."""

    def wait(self, seconds: float) -> bool:
        """Wait; True as soon as the program is to stop."""


@dataclass(frozen=True, slots=True)
class RequestStatus:
    """What became of a write that Opsgenie accepted: `done` is None while it is still in its queue."""

    done: bool | None
    detail: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LogPage:
    """Log entries of the account in a window of time, newest first, and how many requests they cost.

    `whole`: there are no more of them in that window.
    """

    acts: tuple[Act, ...] = ()
    requests: int = 0
    whole: bool = True


@dataclass(frozen=True, slots=True)
class AutomationUser:
    """Who we are in PagerDuty. `objection` says why this user may be unable to write (its role); or is empty."""

    person: Person
    objection: str = ""


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """The configured service. `objection` says why an incident on it would page nobody (disabled, maintenance)."""

    escalation_policy_id: str = ""
    objection: str = ""


@dataclass(frozen=True, slots=True)
class OnCall:
    """`objection`: the automation user is on call or on the policy, or nobody is; empty: not known."""

    objection: str = ""


class OpsgenieReader(Protocol):
    """What can be asked of Opsgenie."""

    def recent_alerts(self, since: datetime | None) -> list[Alert]:
        """Alerts of the configured query, newest `updatedAt` first, down to `since`; one page when None."""

    def open_alerts(self) -> Iterator[list[Alert]]:
        """Every open alert of the configured query, page by page, oldest first. From the search index: may lag."""

    def open_alerts_page(self, offset: int) -> tuple[list[Alert], bool]:
        """One page of the same, from `offset`, and whether there is more."""

    def alert(self, alert_id: str) -> Alert:
        """The alert itself, with description and details. Missing when there is none."""

    def notes(self, alert_id: str, until: datetime | None = None) -> list[Note]:
        """Notes, newest first: all, or only as many pages as reach back to `until`."""

    def acts(self, alert_id: str) -> list[Act]:
        """The newest entries of the alert's log, newest first: for naming people, nothing else.

        As far back as both a person's acknowledgement and a person's end of one, or as the log reaches. Only
        people's lines are either; empty where there is no log.
        """

    def request_status(self, request_id: str) -> RequestStatus:
        """What became of an accepted write, with Opsgenie's words. Missing when it no longer knows the request."""

    def confirm_key(self) -> None:
        """One cheap read of no alert in particular. Refused when the account turns the key away."""


class OpsgenieWriter(Protocol):
    """What can be written to Opsgenie. Each returns the id of the accepted request (202: queued, not done)."""

    def acknowledge(self, alert_id: str, user: str) -> str:
        """Acknowledge in the name of `user`."""

    def unacknowledge(self, alert_id: str, user: str) -> str:
        """Un-acknowledge in the name of `user`: Opsgenie starts its notifications over."""

    def add_note(self, alert_id: str, user: str, text: str) -> str:
        """Add a note."""


class PagerDutyReader(Protocol):
    """What can be asked of PagerDuty."""

    def automation_user(self) -> AutomationUser:
        """The configured automation user. Misconfigured when unknown or not the one with the e-mail address."""

    def check_key(self) -> None:
        """Misconfigured when the key is a user's token and that user is not the automation user."""

    def check_service(self) -> ServiceStatus:
        """How the configured service stands. Misconfigured when it is unknown to the key."""

    def on_call(self, user: Person, policy_id: str) -> OnCall:
        """Who would be paged: asked of the escalation policy. Answers that cannot be had say nothing."""

    def confirm_key(self) -> None:
        """One cheap read of no incident in particular. Refused when the account turns the key away."""

    def log_entries(self, since: datetime, enough: Callable[[LogPage], bool]) -> LogPage:
        """The account's log since a time (whole seconds, included), without channels.

        Page by page, newest first, until what has been read by then is `enough`.
        """

    def open_incidents(self) -> list[Incident]:
        """Every open incident of the service, any age. From a list: may lag, may repeat; made unique by id."""

    def open_incidents_page(self, offset: int) -> tuple[list[Incident], bool]:
        """One page of the same, from `offset`, and whether there is more."""

    def incidents_by_key(self, key: str) -> list[Incident]:
        """Incidents of the service with this key, open or not, any age, oldest first.

        Also those that have an alert with this key and another key of their own.
        """

    def keys_between(self, since: datetime, until: datetime, most: int) -> set[str] | None:
        """The keys of the service's incidents that came into being then, open or not.

        None when they cannot be had for `most` requests, or when that is longer than may be asked for.
        """

    def incident(self, incident_id: str) -> Incident:
        """The incident itself."""

    def notes(self, incident_id: str) -> list[Note]:
        """All of its notes, oldest first."""

    def acts(self, incident_id: str) -> list[Act]:
        """The newest entries of the incident's log, newest first."""


class PagerDutyWriter(Protocol):
    """What can be written to PagerDuty, always as the automation user."""

    def create_incident(self, key: str, title: str, body: str, urgency: str) -> Incident:
        """A new incident. Duplicate when an open one has this key already."""

    def acknowledge(self, incident_id: str) -> Incident:
        """Acknowledge. Reopens a resolved incident: look first."""

    def retrigger(self, incident: Incident, automation: Person) -> Incident:
        """Make an incident page somebody other than the automation user again.

        The ways that are known are tried one after the other, until the answer shows the incident triggered and
        not assigned to the automation user alone. Permanent when none of them does that.
        """

    def set_urgency(self, incident_id: str, urgency: str) -> Incident:
        """Set the urgency, `high` or `low`; raising it notifies people anew."""

    def resolve(self, incident_id: str) -> Incident:
        """Resolve."""

    def add_note(self, incident_id: str, text: str) -> Note:
        """Add a note."""
