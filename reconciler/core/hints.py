"""Hints: the records that webhooks name. They say where to look, never what the state is."""

from dataclasses import dataclass

from reconciler.core.model import Side


@dataclass(frozen=True, slots=True)
class Hint:
    """A record of one vendor in which something may have happened.

    `id` is the alert's id or the incident's; `key` is an incident's key: the alert's id, if the incident is ours.
    """

    side: Side
    id: str
    key: str = ""
