"""What an Opsgenie account stores: alerts with all their versions, notes and logs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from random import Random
from typing import Any
from uuid import UUID

from reconciler.sandbox.history import History
from reconciler.sandbox.wire import milliseconds, whole_milliseconds

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
        """Whether the alert is not closed."""
        return self.status == "open"


@dataclass(frozen=True, slots=True)
class Record:
    """A note or a log entry. `kind` is a log entry's type; `token` is what Opsgenie calls `offset`.

    `copy_of` is the token of the record in another store that this one was copied from.
    """

    text: str
    owner: str
    at: datetime
    token: str
    kind: str = ""
    copy_of: str = ""
    edited_at: datetime | None = None


class StoredAlert(History[Alert]):
    """An alert's versions, notes and log entries, each oldest first."""

    def __init__(self, first: Alert, at: datetime) -> None:
        super().__init__(first, at)
        self.notes: list[Record] = []
        self.logs: list[Record] = []
        self.deleted_at: datetime | None = None


class Alerts:
    """All alerts. `revision` counts the changes; `changed_at` is the time of the latest.

    `numbers` has the tiny ids to come: two stores may share it, so that none has a tiny id of the other's. Tokens
    are numbered from `first_token`.
    """

    def __init__(self, seed: int, numbers: Iterator[int] | None = None, first_token: int = 0) -> None:
        self._random = Random(seed)  # noqa: S311 - ids of a simulation, the same for the same seed
        self._entries: dict[str, StoredAlert] = {}
        self._tiny: dict[str, str] = {}
        self._alias: dict[str, str] = {}
        self._sequence = first_token
        self.numbers = numbers or count(1)
        self.changed_at: datetime | None = None
        self.revision = 0

    def get(self, alert_id: str) -> StoredAlert | None:
        """An alert by id; None also when it was deleted."""
        stored = self._entries.get(alert_id)
        return None if stored is None or stored.deleted_at else stored

    def by_tiny(self, tiny_id: str) -> StoredAlert | None:
        """An alert by tiny id."""
        return self.get(self._tiny.get(tiny_id, ""))

    def by_alias(self, alias: str) -> StoredAlert | None:
        """The open alert with an alias; closed ones cannot be found by theirs (documented)."""
        stored = self.get(self._alias.get(alias, ""))
        return stored if stored and stored.now.is_open else None

    def entries(self) -> Iterator[StoredAlert]:
        """All alerts in the order of their creation, including deleted ones."""
        return iter(self._entries.values())

    def as_of(self, at: datetime) -> Iterator[Alert]:
        """The alerts as they were at a time, without those that had been deleted."""
        existing = (
            stored for stored in self._entries.values() if stored.deleted_at is None or stored.deleted_at > at
        )
        return (alert for stored in existing if (alert := stored.as_of(at)) is not None)

    def delete(self, stored: StoredAlert, at: datetime) -> None:
        """Delete an alert. Lists that lag show it until they have caught up."""
        stored.deleted_at = at
        self._touch(at)

    def add(self, now: datetime, created_at: datetime, alias: str | None, **values: Any) -> StoredAlert:
        """Add an alert that can be read from now on; `created_at` may be earlier."""
        created_at = whole_milliseconds(created_at)
        alert_id = f"{self.uuid()}-{milliseconds(created_at)}"
        tiny_id = str(next(self.numbers))
        alert = Alert(alert_id, tiny_id, alias or alert_id, created_at=created_at, updated_at=created_at,
                      last_occurred_at=created_at, **values)  # fmt: skip
        return self.put(now, alert)

    def put(self, now: datetime, alert: Alert) -> StoredAlert:
        """Put an alert in as it is; it can be read from now on."""
        stored = self._entries[alert.id] = StoredAlert(alert, now)
        self._tiny[alert.tiny_id] = self._alias[alert.alias] = alert.id
        self._touch(now)
        return stored

    def change(self, stored: StoredAlert, at: datetime, **changes: Any) -> Alert:
        """Add a version with these fields changed, and `updated_at` unless it is among them."""
        alert = replace(stored.now, **{"updated_at": whole_milliseconds(at), **changes})
        stored.put(at, alert)
        self._touch(at)
        return alert

    def note(self, stored: StoredAlert, at: datetime, owner: str, text: str) -> Record:
        """Add a note."""
        record = Record(text, owner, whole_milliseconds(at), self.token(at))
        stored.notes.append(record)
        return record

    def log(self, stored: StoredAlert, at: datetime, owner: str, text: str, kind: str) -> None:
        """Add a log entry."""
        stored.logs.append(Record(text, owner, whole_milliseconds(at), self.token(at), kind))

    def uuid(self) -> str:
        """The next id, the same for a seed."""
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def token(self, at: datetime) -> str:
        """The next token: `<ms>_<ms><sequence of 6 digits>` (documented by example)."""
        self._sequence += 1
        ms = milliseconds(at)
        return f"{ms}_{ms}{self._sequence % 1_000_000:06d}"

    def _touch(self, at: datetime) -> None:
        self.revision += 1
        self.changed_at = max(at, self.changed_at) if self.changed_at else at


def frozen_details(details: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    """Details in the form in which an alert has them; their values may be of any type."""
    return tuple((str(key), value) for key, value in details.items())
