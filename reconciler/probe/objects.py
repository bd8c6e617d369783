"""Everything that the probe creates, recorded before it is created, so that all of it can be removed."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum

from reconciler.errors import Misconfigured, NotExecuted

PREFIX = "reconciler probe"
"""How the title of everything begins that any run of the probe creates."""
TAG = "reconciler-probe"
"""The tag of its alerts, by which a later run finds them."""


_MADE = re.compile(rf"{PREFIX} [0-9a-f]+ [a-z]+ \d+: may be removed")


def is_made(title: str) -> bool:
    """Whether an object has the title of one that a run of the probe has created."""
    return _MADE.match(title) is not None


class Kind(StrEnum):
    """What is created."""

    INCIDENT = "incident"
    ALERT = "alert"


@dataclass(frozen=True, slots=True)
class Created:
    """One object, by its unique title. `key` is the alert's alias or the incident's key.

    `id` is empty until the vendor has answered the creation; `url` is where people see it.
    """

    kind: Kind
    title: str
    key: str = ""
    id: str = ""
    url: str = ""


class Objects:
    """What one run has created and not removed yet. `nonce` is in every title; safe for any thread."""

    def __init__(self, nonce: str) -> None:
        self.nonce = nonce
        self.made = 0
        """How many objects were to be created."""
        self._lock = threading.Lock()
        self._open: dict[str, Created] = {}

    def plan(self, kind: Kind) -> Created:
        """Record an object that is about to be created."""
        with self._lock:
            self.made += 1
            title = f"{PREFIX} {self.nonce} {kind} {self.made}: may be removed"
            one = Created(kind, title, f"{TAG}-{self.nonce}-{self.made}")
            self._open[title] = one
        return one

    def adopt(self, kind: Kind, title: str, object_id: str, url: str = "") -> None:
        """Record an object that an earlier run has left behind."""
        with self._lock:
            self._open[title] = Created(kind, title, "", object_id, url)

    def created(self, one: Created, object_id: str, url: str = "") -> Created:
        """Record the vendor's id."""
        with self._lock:
            self._open[one.title] = replace(one, id=object_id, url=url)
            return self._open[one.title]

    @contextmanager
    def unless_refused(self, one: Created) -> Iterator[None]:
        """The request that creates an object: one that was certainly not carried out has created none."""
        try:
            yield
        except (Misconfigured, NotExecuted):
            self.over(one)
            raise

    def over(self, one: Created) -> None:
        """Forget an object that was never created, or is closed or resolved."""
        with self._lock:
            self._open.pop(one.title, None)

    def left(self) -> tuple[Created, ...]:
        """What is not removed yet, the oldest first."""
        with self._lock:
            return tuple(self._open.values())
