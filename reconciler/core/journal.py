"""The journal's values: one entry for each decision about a pair, never one a cycle.

`explain`, the log and the status page tell a pair's story from these entries. They are appended in the transaction
of the decision, and kept as long as the pair.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from reconciler.core.model import Kind, Side


class Event(StrEnum):
    """What happened, in the words of logs, `status` and metrics."""

    SEEN = "seen"  # an act of a person or an automation on one side
    ECHO = "echo"  # a write of our own, read back; `words` name the guard
    BASELINE = "baseline"  # recorded as it is: pages nobody
    FOLLOWED = "followed"  # an incident that existed already is followed
    UNPAGED = "unpaged"  # there is an incident, and nobody is paged
    PAGED = "paged"  # somebody is paged again
    PLANNED = "planned"
    REFUSED = "refused"  # a write had no effect, and is tried again
    ACCEPTED = "accepted"  # queued by Opsgenie
    UNKNOWN = "unknown"  # no clear answer to a write
    DONE = "done"
    DROPPED = "dropped"  # no longer needed
    DEAD = "dead"  # given up
    RETRIED = "retried"  # put back by an operator
    LINKED = "linked"
    UNLINKED = "unlinked"
    MOVED = "moved"  # to another alert source
    PAUSED = "paused"
    RESUMED = "resumed"


@dataclass(frozen=True, slots=True)
class Entry:
    """One decision.

    `alert_id` is empty if it concerns no single pair, such as a pause. `side` is where an act was seen, or what is
    written to; `kind` and `key` identify the action. `who` acted; `words` say what and why, or are the vendor's.
    `source` names what led to the read (see `core.work.Reason`), `request_id` the vendor's request.
    """

    at: datetime
    event: Event
    alert_id: str = ""
    side: Side | None = None
    kind: Kind | None = None
    key: str = ""
    incident_id: str = ""
    who: str = ""
    words: str = ""
    source: str = ""
    request_id: str = ""

    @property
    def is_act(self) -> bool:
        """Whether `who` did this; otherwise the reconciler did it, because of what they did."""
        return self.kind is None or self.event is Event.RETRIED
