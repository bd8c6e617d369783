"""A question to the sandbox, and the status that its answer should have."""

from dataclasses import dataclass, field
from typing import Any

from reconciler.sandbox.wire import Json

ANY = 0
"""In place of a status: any status."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A question and the status of its answer.

    `{alert}`, `{incident}`, `{second}` (another incident), `{note}` (of the incident) and `{accepted}` (a write)
    stand for ids. `before` are questions that are asked before it, `fault` goes wrong with it.
    """

    status: int
    method: str
    target: str
    body: Any = None
    knobs: Json = field(default_factory=dict)
    headers: Json = field(default_factory=dict)
    before: tuple["Ask", ...] = ()
    fault: str = ""
