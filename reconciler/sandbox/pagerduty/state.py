"""What a PagerDuty account stores: incidents with all their versions, notes and the log."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random
from string import ascii_uppercase, digits
from typing import Any

from reconciler.sandbox.history import History
from reconciler.sandbox.pagerduty.directory import POLICY_ID, SERVICE_ID, User
from reconciler.sandbox.wire import Json, whole_seconds

_ID_CHARACTERS = ascii_uppercase + digits


@dataclass(frozen=True, slots=True)
class Involvement:
    """A user to whom an incident is assigned, or who has acknowledged it, and since when."""

    at: datetime
    user: User


@dataclass(frozen=True, slots=True)
class Incident:
    """One version of an incident. `changed_by` is the user of the last change of status; None: the service."""

    id: str
    number: int
    title: str
    key: str
    created_at: datetime
    updated_at: datetime
    changed_at: datetime
    urgency: str = "high"
    priority_id: str = ""
    status: str = "triggered"
    changed_by: User | None = None
    assigned: tuple[Involvement, ...] = ()
    acknowledged: tuple[Involvement, ...] = ()
    ack_until: datetime | None = None
    snoozed: bool = False
    resolved_at: datetime | None = None
    merged_into: str = ""
    policy_id: str = POLICY_ID
    body: str = ""
    alert_keys: tuple[str, ...] = ()
    shows_key: bool = True
    service_id: str = SERVICE_ID

    @property
    def is_open(self) -> bool:
        """Whether the incident is not resolved."""
        return self.status != "resolved"


@dataclass(frozen=True, slots=True)
class Note:
    """A note. `updated_at` differs from `created_at` once the note has been edited."""

    id: str
    user: User
    content: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One log entry. `agent` is None when there is none; `extra` holds further fields of its JSON.

    `incident` is the version of the incident when the entry was written, or None (no incident).
    """

    id: str
    kind: str
    summary: str
    at: datetime
    incident: Incident | None
    agent: User | None
    channel: Json
    extra: Json


class StoredIncident(History[Incident]):
    """An incident's versions, notes and log entries, each oldest first."""

    def __init__(self, first: Incident, at: datetime) -> None:
        super().__init__(first, at)
        self.notes: list[Note] = []
        self.log: list[LogEntry] = []


class Incidents:
    """All incidents and the log. `revision` counts the changes; `changed_at` is the time of the latest."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - ids of a simulation, the same for the same seed
        self._entries: dict[str, StoredIncident] = {}
        self._by_number: dict[str, StoredIncident] = {}
        self._by_key: dict[str, list[StoredIncident]] = {}
        self._by_alert_key: dict[str, list[StoredIncident]] = {}
        self.log: list[LogEntry] = []
        self.changed_at: datetime | None = None
        self.revision = 0

    def get(self, incident_id: str) -> StoredIncident | None:
        """An incident by id or number."""
        return self._entries.get(incident_id) or self._by_number.get(incident_id)

    def by_key(self, key: str) -> list[StoredIncident]:
        """The incidents with a key, oldest first, then those with a child alert of this key."""
        own = self._by_key.get(key, [])
        return own + [
            stored
            for stored in self._by_alert_key.get(key, ())
            if stored not in own and key in stored.now.alert_keys
        ]

    def entries(self) -> Iterator[StoredIncident]:
        """All incidents in the order of their creation."""
        return iter(self._entries.values())

    def add(self, at: datetime, created_at: datetime, **values: Any) -> StoredIncident:
        """Add an incident; `values` are the other fields of its first version."""
        number = len(self._entries) + 1
        incident = Incident(
            self.new_id("Q", 13), number, created_at=created_at, updated_at=created_at, changed_at=created_at,
            **values,
        )  # fmt: skip
        stored = self._entries[incident.id] = self._by_number[str(number)] = StoredIncident(incident, at)
        if incident.key:
            self._by_key.setdefault(incident.key, []).append(stored)
        self._index(stored, incident.alert_keys)
        self._touch(at)
        return stored

    def change(self, stored: StoredIncident, at: datetime, **changes: Any) -> None:
        """Add a version with these fields changed, and `updated_at`."""
        stored.put(at, replace(stored.now, updated_at=whole_seconds(at), **changes))
        self._index(stored, changes.get("alert_keys", ()))
        self._touch(at)

    def write(self, stored: StoredIncident | None, line: LogEntry) -> None:
        """Append to the log; `stored` is None for an entry without an incident."""
        self.log.append(line)
        if stored is not None:
            stored.log.append(line)

    def new_id(self, prefix: str, length: int) -> str:
        """The next id in PagerDuty's style: a prefix and random capitals and digits, the same for a seed."""
        return prefix + "".join(self._random.choices(_ID_CHARACTERS, k=length))

    def _index(self, stored: StoredIncident, alert_keys: tuple[str, ...]) -> None:
        for key in alert_keys:
            self._by_alert_key.setdefault(key, []).append(stored)

    def _touch(self, at: datetime) -> None:
        self.revision += 1
        self.changed_at = max(at, self.changed_at) if self.changed_at else at
