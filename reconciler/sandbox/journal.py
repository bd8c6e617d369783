"""What people did and what the APIs were asked: the truth that the audit compares both sides with."""

from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

_KEPT_REQUESTS = 200_000


@dataclass(frozen=True, slots=True)
class Act:
    """Something that a person did, on `side` opsgenie or pagerduty.

    `verb` is create, acknowledge, unacknowledge, close, note, edit_note, delete_note, snooze, priority, delete,
    resolve, reopen, reassign, retrigger or merge. `ref` is the note's id where there is one. `alert_id` is also
    set for an incident whose key is an alert's id.
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
    """One API request. `status` is 0 when the connection was cut; `fault` names the fault that was injected."""

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
    """Both lists, in order. `seq` counts each from 1."""

    def __init__(self) -> None:
        self.acts: list[Act] = []
        self.calls: deque[Call] = deque(maxlen=_KEPT_REQUESTS)
        self._calls_seen = 0

    def act(
        self, at: datetime, side: str, who: str, verb: str, *,
        alert_id: str = "", incident_id: str = "", text: str = "", ref: str = "",
    ) -> None:  # fmt: skip
        """Write down what a person did."""
        seq = len(self.acts) + 1
        self.acts.append(Act(seq, stamp(at), side, who, verb, alert_id, incident_id, text, ref))

    def call(
        self, at: datetime, vendor: str, method: str, path: str, *, query: Mapping[str, tuple[str, ...]],
        status: int, fault: str | None,
    ) -> None:  # fmt: skip
        """Write down an API request."""
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
    """UTC with microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
