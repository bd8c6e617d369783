"""Interfaces of both vendors' clients. Reading and writing are separate: a dry run has no writer.

Every call may raise Refused, Missing, Forbidden, Permanent, NotExecuted, Blocked or Unknown (see
`reconciler.errors`). Reads are retried within their time; writes never.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from reconciler.core.model import Act, Alert, Incident, Note, Person
from reconciler.errors import ReconcilerError

PAGE = 100
"""Rows of one page: the largest size that either vendor allows."""
SKEW = timedelta(hours=1)
"""The largest difference between a vendor's clock and ours that hides nothing from us."""
LONGEST_PING = 5.0
"""Seconds that a heartbeat may take."""


class Clock(Protocol):
    """The time, replaceable in tests. A wait ends early when the program is to stop."""

    def now(self) -> datetime:
        """The time of day, in UTC."""

    def monotonic(self) -> float:
        """Seconds that never run backwards."""

    def wait(self, seconds: float) -> bool:
        """Wait; True as soon as the program is to stop."""


class Heartbeat(Protocol):
    """A dead man's switch: somebody is alerted when it has not been pinged for a while."""

    @property
    def name(self) -> str:
        """What metrics call it."""

    def ping(self) -> None:
        """Report that all is well. ReconcilerError, within LONGEST_PING, if that fails."""


@dataclass(frozen=True, slots=True)
class RequestStatus:
    """Status of a write that Opsgenie accepted: `done` is None while it is in Opsgenie's queue."""

    done: bool | None
    detail: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AlertNews:
    """News of the alert feed. A row only says where to look.

    `newest` is the time of the newest row, in the terms in which `since` is given to the next call; None without
    rows. `absent` are ids of alerts that the last call's listing showed, and this one's did not: read them by id.
    `is_whole`: False if something may have changed that only a listing of all open alerts shows. `seen` is what
    the reader remembers of this listing, for the next call. `problem`: only a part could be read.
    """

    rows: tuple[Alert, ...] = ()
    newest: datetime | None = None
    absent: frozenset[str] = frozenset()
    is_whole: bool = True
    seen: object | None = None
    problem: ReconcilerError | None = None


@dataclass(frozen=True, slots=True)
class AlertWrite:
    """The result of a write to an alert: the id of the accepted request (queued, not done), or of the new note.

    `note_id` is empty unless the note was added at once.
    """

    request_id: str = ""
    note_id: str = ""


@dataclass(frozen=True, slots=True)
class LogPage:
    """Log entries of the account in a window of time, newest first, and the number of requests they cost.

    `whole`: that window has no more entries.
    """

    acts: tuple[Act, ...] = ()
    requests: int = 0
    whole: bool = True


@dataclass(frozen=True, slots=True)
class AutomationUser:
    """The automation user in PagerDuty. `objection` says why it may be unable to write (its role), or is empty."""

    person: Person
    objection: str = ""


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """The configured service. `objection` says why its incidents would page nobody (disabled, maintenance)."""

    escalation_policy_id: str = ""
    objection: str = ""
    name: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class OnCall:
    """`objection`: the automation user, or nobody, is on call or on the policy; empty if not known.

    `people` are the names of those who are on call, as far as they are known.
    """

    objection: str = ""
    people: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyOwner:
    """Whose key it is: the `account`'s or a `user`'s; empty if PagerDuty does not say."""

    kind: str = ""
    person: Person | None = None
    email: str = ""


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """The configured service. `acknowledgement_timeout` is in seconds, None if acknowledgements do not end."""

    name: str
    status: str
    acknowledgement_timeout: float | None
    policy_id: str
    policy_name: str


@dataclass(frozen=True, slots=True)
class MaintenanceWindow:
    """A maintenance window of the service."""

    starts: datetime | None
    ends: datetime | None
    description: str


@dataclass(frozen=True, slots=True)
class AtlassianUser:
    """The user whom an API token of Atlassian belongs to.

    `kind` is Atlassian's `accountType`: `atlassian` for a person's account, `app` for a service account or an app.
    """

    person: Person
    kind: str = ""


@dataclass(frozen=True, slots=True)
class AlertSearch:
    """How one product's search finds given alerts again.

    `term` is a search term that matches the alert and few others, `stamp` its time in the terms in which `since`
    is given to `AlertReader.changes`.
    """

    term: Callable[[Alert], str]
    stamp: Callable[[Alert], datetime]


class AlertReader(Protocol):
    """Reads from the product that raises the alerts."""

    def changes(self, since: datetime, seen: object | None) -> AlertNews:
        """Alerts of the configured query that are new or may have changed since.

        `seen` is the `AlertNews.seen` of the last call whose news were stored; None if there was none.
        """

    def recent_alerts(self, since: datetime | None) -> list[Alert]:
        """Alerts of the configured query, the newest first, down to `since`; one page when None."""

    def open_alerts(self) -> Iterator[list[Alert]]:
        """Every open alert of the configured query, page by page, oldest first. From the search index: may lag."""

    def open_alerts_page(self, offset: int) -> tuple[list[Alert], bool]:
        """One page of the open alerts, from `offset`, and whether there is more."""

    def alert(self, alert_id: str) -> Alert:
        """The alert itself, with description and details. Missing if there is none."""

    def notes(self, alert_id: str, until: datetime | None = None) -> list[Note]:
        """Notes, newest first: all, or only as many pages as are needed to reach back to `until`."""

    def acts(self, alert_id: str) -> list[Act]:
        """The newest entries of the alert's log, newest first, only used to name people.

        They reach back to both a person's acknowledgement and a person's end of one, or to the log's beginning.
        Only people's lines are either; empty if there is no log.
        """

    def request_status(self, request_id: str) -> RequestStatus:
        """The status of an accepted write, in Opsgenie's words. Missing if the request is unknown."""

    def confirm_key(self) -> None:
        """One cheap read of no particular alert. Refused if the account refuses the key."""


class AlertExaminer(AlertReader, Protocol):
    """Reads from the product that raises the alerts, for an examination of the set-up."""

    def server_time(self) -> datetime | None:
        """The product's clock; also the cheapest read, with all errors that this may raise."""

    def count(self, *, is_open: bool) -> int:
        """How many alerts the query selects, or how many open ones."""


class JsmExaminer(AlertExaminer, Protocol):
    """Reads from Jira Service Management for an examination of the set-up."""

    def site_cloud_id(self) -> str:
        """The cloud id that the site itself states, whatever is configured. Misconfigured if it states none."""

    def token_user(self) -> AtlassianUser:
        """The token's user. Refused or Forbidden if Jira does not say who that is, which can be done without."""

    def sorts_by_update(self) -> bool | None:
        """Whether `sort=updatedAt` is honoured; None if it is refused, or if the rows do not show it."""

    def check_integration_key(self) -> None:
        """A read that only proves that the integration's key is accepted. Refused if it is not."""


class AlertWriter(Protocol):
    """Writes to the product that raises the alerts, in the name of `user` where it takes a name."""

    def acknowledge(self, alert_id: str, user: str) -> AlertWrite:
        """Acknowledge."""

    def unacknowledge(self, alert_id: str, user: str) -> AlertWrite:
        """Un-acknowledge, which restarts the product's notifications."""

    def add_note(self, alert_id: str, user: str, text: str) -> AlertWrite:
        """Add a note."""


class LogReader(Protocol):
    """Reads the log of a PagerDuty account."""

    def log_entries(self, since: datetime, enough: Callable[[LogPage], bool]) -> LogPage:
        """The account's log since a time (whole seconds, inclusive), without channels.

        Page by page, newest first, until the part that has been read is `enough`.
        """


class PagerDutyReader(LogReader, Protocol):
    """Reads from PagerDuty."""

    def automation_user(self) -> AutomationUser:
        """The configured automation user. Misconfigured if unknown, or if its e-mail address is another one."""

    def check_key(self) -> None:
        """Raise Misconfigured if the key is a user's token and that user is not the automation user."""

    def check_service(self) -> ServiceStatus:
        """The state of the configured service. Misconfigured if the key does not know it."""

    def on_call(self, user: Person, policy_id: str) -> OnCall:
        """Who would be paged, according to the escalation policy. Unreadable answers give no objection."""

    def priorities(self) -> dict[str, str] | None:
        """The ids of the account's priorities by name, the most severe first.

        Empty for an account without any; None if the key may not read them, or if the plan has none.
        """

    def confirm_key(self) -> None:
        """One cheap read of no particular incident. Refused if the account refuses the key."""

    def open_incidents(self) -> list[Incident]:
        """Every open incident of the service, any age. From a list: may lag, may repeat; made unique by id."""

    def open_incidents_page(self, offset: int) -> tuple[list[Incident], bool]:
        """One page of the open incidents, from `offset`, and whether there is more."""

    def incidents_by_key(self, key: str) -> list[Incident]:
        """Incidents of the service with this key, open or not, any age, oldest first.

        Including those that have an alert with this key and another key of their own.
        """

    def keys_between(self, since: datetime, until: datetime, most: int) -> set[str] | None:
        """Keys of the service's incidents that were created in that time, open or not.

        None if they cannot be read with `most` requests, or if the time is longer than PagerDuty lists.
        """

    def incident(self, incident_id: str) -> Incident:
        """The incident itself."""

    def notes(self, incident_id: str) -> list[Note]:
        """All of its notes, oldest first."""

    def acts(self, incident_id: str) -> list[Act]:
        """The newest entries of the incident's log, newest first."""


class PagerDutyExaminer(PagerDutyReader, Protocol):
    """Reads from PagerDuty for an examination of the set-up."""

    def server_time(self) -> datetime | None:
        """PagerDuty's clock; also a read of the service, with all errors that this may raise."""

    def key_owner(self) -> KeyOwner:
        """Whose key it is, as far as PagerDuty says."""

    def service_facts(self) -> ServiceFacts:
        """The configured service as it is now."""

    def maintenance_windows(self) -> list[MaintenanceWindow] | None:
        """The service's maintenance windows, present and future ones; None if the key may not read them."""

    def people_on_call(self, policy_id: str) -> tuple[Person, ...] | None:
        """The people on call on a policy, each once; None if that cannot be read."""

    def duties(self, user_id: str, since: datetime, until: datetime) -> tuple[str, ...]:
        """Names of the schedules and escalation policies that the user is on in that time."""

    def newest_incidents(self, most: int) -> list[Incident]:
        """The service's newest open incidents."""


class PagerDutyWriter(Protocol):
    """Writes to PagerDuty, always as the automation user."""

    def create_incident(self, key: str, title: str, body: str, urgency: str, priority_id: str = "") -> Incident:
        """A new incident. Duplicate when an open one has this key already. Without a priority for an empty id."""

    def acknowledge(self, incident_id: str) -> Incident:
        """Acknowledge. This reopens a resolved incident: check first."""

    def retrigger(self, incident: Incident, automation: Person) -> Incident:
        """Make an incident page somebody other than the automation user again.

        The known ways are tried one after the other, until the answer shows the incident triggered and not
        assigned to the automation user alone. Permanent if none of them does that.
        """

    def set_urgency(self, incident_id: str, urgency: str, priority_id: str = "") -> Incident:
        """Set the urgency, `high` or `low`, the priority, or both; raising the urgency notifies people again.

        What is empty stays as it is.
        """

    def resolve(self, incident_id: str) -> Incident:
        """Resolve."""

    def add_note(self, incident_id: str, text: str) -> Note:
        """Add a note."""
