"""The two roads of a write: JSM's account API, as our own user, or its integration API, in an engineer's name.

A request id says where its write was accepted, because its status is known only there. A write that was accepted
in an engineer's name and failed later takes the account's road at its next try, so that a disabled integration
loses no write.
"""

import threading
from dataclasses import dataclass
from enum import StrEnum


class Road(StrEnum):
    """The road of a write; the value is the beginning of its request's id."""

    ACCOUNT = "a"
    KEY = "k"


@dataclass(frozen=True, slots=True)
class Write:
    """A write, to recognise its next try."""

    alert_id: str
    action: str
    text: str = ""


REMEMBERED_WRITES = 10_000


class Roads:
    """The named writes of this process, and those that have failed. For any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._accepted: dict[str, Write] = {}
        self._failed: dict[Write, None] = {}

    def accepted(self, request_id: str, write: Write) -> None:
        """Note that a write was accepted in a name."""
        if not request_id:
            return
        with self._lock:
            self._accepted[request_id] = write
            while len(self._accepted) > REMEMBERED_WRITES:
                del self._accepted[next(iter(self._accepted))]

    def failed(self, request_id: str) -> None:
        """Note that it was not carried out. Said again of the same request, it changes nothing."""
        with self._lock:
            write = self._accepted.pop(request_id, None)
            if write is None:
                return
            self._failed[write] = None
            while len(self._failed) > REMEMBERED_WRITES:
                del self._failed[next(iter(self._failed))]

    def next_of(self, write: Write) -> Road:
        """The road for this try of a write."""
        with self._lock:
            return Road.ACCOUNT if self._failed.pop(write, write) is None else Road.KEY


def told(road: Road, request_id: str) -> str:
    """A request's id together with its road; empty without an id."""
    return f"{road.value}:{request_id}" if request_id else ""


def parted(request_id: str) -> tuple[Road | None, str]:
    """The road and the id; None for an id that is none of ours."""
    road, _, found = request_id.partition(":")
    return (Road(road), found) if found and road in set(Road) else (None, request_id)
