"""People's acts and API requests, in order. The audit compares both vendors' states with the acts."""

from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

_KEPT_REQUESTS = 200_000


@dataclass(frozen=True, slots=True)
class Act:
    """What a person did; `side` is opsgenie, pagerduty, or jsm for alerts that were moved there.

    `verb` is create, acknowledge, unacknowledge, close, note, edit_note, delete_note, snooze, priority, delete,
    resolve, reopen, reassign, retrigger or merge. `ref` is a note's id (of an alert's note
    its `offset`). An act on an incident has the incident's key as `alert_id`.
    """

    seq: int
    at: str
    side: str
    who: str
    verb: str
    alert_id: str
    incident_id: str
    text: str
    ref: str


@dataclass(frozen=True, slots=True)
class Call:
    """One API request. `status` is 0 when the connection was cut; `fault` is the `do` of the fault it met."""

    seq: int
    at: str
    vendor: str
    method: str
    path: str
    query: dict[str, list[str]]
    status: int
    write: bool
    fault: str | None


class Journal:
    """The acts and the newest 200,000 requests. `seq` numbers each from 1."""

    def __init__(self) -> None:
        self.acts: list[Act] = []
        self.calls: deque[Call] = deque(maxlen=_KEPT_REQUESTS)
        self._calls_seen = 0

    def act(
        self, at: datetime, side: str, who: str, verb: str, *,
        alert_id: str = "", incident_id: str = "", text: str = "", ref: str = "",
    ) -> None:  # fmt: skip
        """Add an act."""
        seq = len(self.acts) + 1
        self.acts.append(Act(seq, stamp(at), side, who, verb, alert_id, incident_id, text, ref))

    def call(
        self, at: datetime, vendor: str, method: str, path: str, *, query: Mapping[str, tuple[str, ...]],
        status: int, fault: str | None,
    ) -> None:  # fmt: skip
        """Add an API request."""
        self._calls_seen += 1
        values = {name: list(found) for name, found in query.items()}
        write = method not in ("GET", "HEAD")
        call = Call(self._calls_seen, stamp(at), vendor, method, path, values, status, write, fault)
        self.calls.append(call)

    def acts_json(self) -> list[dict[str, Any]]:
        """All acts, oldest first."""
        return [asdict(act) for act in self.acts]

    def calls_json(self, since_seq: int = 0) -> list[dict[str, Any]]:
        """API requests with a higher `seq`, oldest first."""
        return [asdict(call) for call in self.calls if call.seq > since_seq]


def stamp(at: datetime) -> str:
    """A time as the journal has it: ISO 8601, UTC, microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
