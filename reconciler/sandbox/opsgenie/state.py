"""What Opsgenie remembers: alerts with all their versions, notes, logs, and what became of accepted requests.

Every change makes a new version of the alert, so that the list can be served from an index that lags.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random
from typing import Any
from uuid import UUID

from reconciler.sandbox.history import History
from reconciler.sandbox.wire import Json, iso_short, milliseconds, whole_milliseconds

INTEGRATION = {"id": "26aaa576-0434-4b17-bc39-602a02fe417c", "name": "Sandbox", "type": "API"}


@dataclass(frozen=True, slots=True)
class Alert:
    """One version of an alert. Times have millisecond precision."""

    id: str
    tiny_id: str
    alias: str
    message: str
    created_at: datetime
    updated_at: datetime
    last_occurred_at: datetime
    status: str = "open"
    acknowledged: bool = False
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None
    closed_by: str = ""
    closed_at: datetime | None = None
    snoozed_until: datetime | None = None
    count: int = 1
    priority: str = "P3"
    tags: tuple[str, ...] = ()
    source: str = ""
    owner: str = ""
    description: str = ""
    details: tuple[tuple[str, Any], ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether it is open."""
        return self.status == "open"


@dataclass(frozen=True, slots=True)
class Record:
    """A note or a log line. `kind` is empty for notes. `token` is Opsgenie's `offset`."""

    text: str
    owner: str
    at: datetime
    token: str
    kind: str = ""


class Entry(History[Alert]):
    """All that is known of one alert: its versions, notes and logs."""

    def __init__(self, first: Alert, at: datetime) -> None:
        super().__init__(first, at)
        self.notes: list[Record] = []
        self.logs: list[Record] = []
        self.deleted_at: datetime | None = None


class Alerts:
    """The store. Knows no HTTP and no rules about who may do what."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - ids of a simulation, the same for the same seed
        self._entries: dict[str, Entry] = {}
        self._tiny: dict[str, str] = {}
        self._alias: dict[str, str] = {}
        self._sequence = 0
        self.changed_at: datetime | None = None
        self.revision = 0

    def entry(self, alert_id: str) -> Entry | None:
        """One alert by id, unless it was deleted."""
        entry = self._entries.get(alert_id)
        return None if entry is None or entry.deleted_at else entry

    def by_tiny(self, tiny_id: str) -> Entry | None:
        """One alert by tiny id."""
        return self.entry(self._tiny.get(tiny_id, ""))

    def by_alias(self, alias: str) -> Entry | None:
        """The open alert of an alias."""
        entry = self.entry(self._alias.get(alias, ""))
        return entry if entry and entry.now.is_open else None

    def entries(self) -> Iterator[Entry]:
        """All alerts in the order of their creation, deleted ones too."""
        return iter(self._entries.values())

    def as_of(self, at: datetime) -> Iterator[Alert]:
        """All alerts as they were, without those that were deleted by then."""
        there = (entry for entry in self._entries.values() if entry.deleted_at is None or entry.deleted_at > at)
        return (alert for entry in there if (alert := entry.as_of(at)) is not None)

    def delete(self, entry: Entry, at: datetime) -> None:
        """It is there no longer; lists that are behind still show it for a while."""
        entry.deleted_at = at
        self._touch(at)

    def add(self, now: datetime, created_at: datetime, alias: str | None, **values: Any) -> Entry:
        """A new alert, visible from now on, created whenever it is said to have been."""
        created_at = whole_milliseconds(created_at)
        alert_id = f"{self.uuid()}-{milliseconds(created_at)}"
        tiny_id = str(len(self._entries) + 1)
        alert = Alert(alert_id, tiny_id, alias or alert_id, created_at=created_at, updated_at=created_at,
                      last_occurred_at=created_at, **values)  # fmt: skip
        entry = self._entries[alert_id] = Entry(alert, now)
        self._tiny[tiny_id] = self._alias[alert.alias] = alert_id
        self._touch(now)
        return entry

    def change(self, entry: Entry, at: datetime, **changes: Any) -> Alert:
        """A new version. `updatedAt` moves with it."""
        alert = replace(entry.now, **{"updated_at": whole_milliseconds(at), **changes})
        entry.put(at, alert)
        self._touch(at)
        return alert

    def note(self, entry: Entry, at: datetime, owner: str, text: str) -> Record:
        """Add a note."""
        record = Record(text, owner, whole_milliseconds(at), self._token(at))
        entry.notes.append(record)
        return record

    def log(self, entry: Entry, at: datetime, owner: str, text: str, kind: str) -> None:
        """Add a log line."""
        entry.logs.append(Record(text, owner, whole_milliseconds(at), self._token(at), kind))

    def uuid(self) -> str:
        """The next id of this seed."""
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def _token(self, at: datetime) -> str:
        self._sequence += 1
        ms = milliseconds(at)
        return f"{ms}_{ms}{self._sequence % 1_000_000:06d}"

    def _touch(self, at: datetime) -> None:
        self.revision += 1
        self.changed_at = max(at, self.changed_at) if self.changed_at else at


def row(alert: Alert) -> Json:
    """An alert as the list shows it: without description and details."""
    shown: Json = {
        "seen": False, "id": alert.id, "tinyId": alert.tiny_id, "alias": alert.alias, "message": alert.message,
        "status": alert.status, "acknowledged": alert.acknowledged, "isSeen": False, "tags": list(alert.tags),
        "snoozed": alert.snoozed_until is not None, "count": alert.count,
        "lastOccurredAt": iso_short(alert.last_occurred_at), "createdAt": iso_short(alert.created_at),
        "updatedAt": iso_short(alert.updated_at), "source": alert.source, "owner": alert.owner,
        "priority": alert.priority, "teams": [], "responders": [], "integration": INTEGRATION, "ownerTeamId": "",
    }  # fmt: skip
    if alert.snoozed_until is not None:
        shown["snoozedUntil"] = iso_short(alert.snoozed_until)
    if report := _report(alert):
        shown["report"] = report
    return shown


def detail(alert: Alert) -> Json:
    """An alert as GET by id shows it."""
    return row(alert) | {
        "actions": [], "entity": "", "description": alert.description, "details": dict(alert.details),
    }  # fmt: skip


def note_json(record: Record) -> Json:
    """A note."""
    return {"note": record.text, "owner": record.owner, "createdAt": iso_short(record.at), "offset": record.token}


def log_json(record: Record) -> Json:
    """A log line."""
    shown = note_json(record)
    return {"log": shown.pop("note"), "type": record.kind, **shown}


def frozen_details(details: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    """Details as an alert keeps them: values need not be texts."""
    return tuple((str(key), value) for key, value in details.items())


def _report(alert: Alert) -> Json:
    """`ackTime` and `closeTime` are durations in ms since the creation."""
    report: Json = {}
    if alert.acknowledged_at is not None:
        report["ackTime"] = milliseconds(alert.acknowledged_at) - milliseconds(alert.created_at)
        report["acknowledgedBy"] = alert.acknowledged_by
    if alert.closed_at is not None:
        report["closeTime"] = milliseconds(alert.closed_at) - milliseconds(alert.created_at)
        report["closedBy"] = alert.closed_by
    return report
