"""What PagerDuty remembers: people, incidents with all their versions, notes and the log."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random
from typing import Any

from reconciler.sandbox.history import History
from reconciler.sandbox.wire import Json, token


@dataclass(frozen=True, slots=True)
class User:
    """A person, or the automation user; or, by its `kind` of reference, something that acts by itself."""

    id: str
    name: str
    email: str
    kind: str = "user_reference"


BOT = User("PBOT001", "Reconciler Bot", "reconciler@example.com")
JANE = User("PJANE01", "Jane Doe", "jane.doe@example.com")
OMAR = User("POMAR01", "Omar Haddad", "omar.haddad@example.com")
ZOE = User("PZOE001", "Zoë O'Brien & Söhne", "zoe.obrien@example.com")
USERS = (BOT, JANE, OMAR, ZOE)
SERVICE_ID = "PSVC001"
SERVICE_NAME = "Sandbox Service"
SERVICE = User(SERVICE_ID, SERVICE_NAME, "", "service_reference")
INTEGRATION = User("PINT001", "Sandbox Monitoring", "", "events_api_v2_inbound_integration_reference")
WORKFLOW = User("PWKF001", "Sandbox Workflow", "", "incident_workflow_reference")
AGENTS = {"service": SERVICE, "integration": INTEGRATION, "workflow": WORKFLOW}
"""Who acts besides people, by the word that the control API knows them by."""
POLICIES = {"PPOL001": "Sandbox Escalation Policy", "PPOL002": "Second Line"}
POLICY_ID = "PPOL001"
LEVELS = 2


@dataclass(frozen=True, slots=True)
class Hand:
    """Who holds something since when: an assignment or an acknowledgement."""

    at: datetime
    user: User


@dataclass(frozen=True, slots=True)
class Incident:
    """One version of an incident. `changed_by` is None where PagerDuty names the service."""

    id: str
    number: int
    title: str
    key: str
    created_at: datetime
    updated_at: datetime
    changed_at: datetime
    urgency: str = "high"
    status: str = "triggered"
    changed_by: User | None = None
    assigned: tuple[Hand, ...] = ()
    acknowledged: tuple[Hand, ...] = ()
    ack_until: datetime | None = None
    snoozed: bool = False
    resolved_at: datetime | None = None
    merged_into: str = ""
    policy_id: str = POLICY_ID
    body: str = ""
    alert_keys: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether it is not resolved."""
        return self.status != "resolved"


@dataclass(frozen=True, slots=True)
class Note:
    """A note. `updated_at` differs once it was edited."""

    id: str
    user: User
    content: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry of the log. `agent` is a User, "service", or None for nobody; `extra` are further fields."""

    id: str
    kind: str
    summary: str
    at: datetime
    incident: Incident | None
    agent: User | str | None
    channel: Json
    extra: Json


class Entry(History[Incident]):
    """All that is known of one incident: its versions, notes (oldest first) and log entries (oldest first)."""

    def __init__(self, first: Incident, at: datetime) -> None:
        super().__init__(first, at)
        self.notes: list[Note] = []
        self.log: list[LogEntry] = []


class Incidents:
    """The store. Knows no HTTP and no rules."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - ids of a simulation, the same for the same seed
        self._entries: dict[str, Entry] = {}
        self._by_number: dict[str, Entry] = {}
        self._by_key: dict[str, list[Entry]] = {}
        self._by_alert_key: dict[str, list[Entry]] = {}
        self.log: list[LogEntry] = []
        self.changed_at: datetime | None = None
        self.revision = 0

    def entry(self, incident_id: str) -> Entry | None:
        """One incident by id or number."""
        return self._entries.get(incident_id) or self._by_number.get(incident_id)

    def by_key(self, key: str) -> list[Entry]:
        """All incidents of a key, oldest first; then those that have an alert of this key."""
        own = self._by_key.get(key, [])
        return own + [e for e in self._by_alert_key.get(key, ()) if e not in own and key in e.now.alert_keys]

    def entries(self) -> Iterator[Entry]:
        """All incidents in the order of their creation."""
        return iter(self._entries.values())

    def add(self, at: datetime, created_at: datetime, **values: Any) -> Entry:
        """A new incident."""
        number = len(self._entries) + 1
        incident = Incident(
            self.new_id("Q", 13),
            number,
            created_at=created_at,
            updated_at=created_at,
            changed_at=created_at,
            **values,
        )
        entry = self._entries[incident.id] = self._by_number[str(number)] = Entry(incident, at)
        if incident.key:
            self._by_key.setdefault(incident.key, []).append(entry)
        self._index(entry, incident.alert_keys)
        self._touch(at)
        return entry

    def change(self, entry: Entry, at: datetime, **changes: Any) -> None:
        """A new version; `updated_at` moves with it."""
        entry.put(at, replace(entry.now, updated_at=at.replace(microsecond=0), **changes))
        self._index(entry, changes.get("alert_keys", ()))
        self._touch(at)

    def write(self, entry: Entry | None, line: LogEntry) -> None:
        """Append to the log; `entry` is None for what belongs to no incident."""
        self.log.append(line)
        if entry is not None:
            entry.log.append(line)

    def new_id(self, prefix: str, length: int) -> str:
        """The next id of this seed."""
        return token(self._random, prefix, length)

    def _index(self, entry: Entry, alert_keys: tuple[str, ...]) -> None:
        for key in alert_keys:
            self._by_alert_key.setdefault(key, []).append(entry)

    def _touch(self, at: datetime) -> None:
        self.revision += 1
        self.changed_at = max(at, self.changed_at) if self.changed_at else at
