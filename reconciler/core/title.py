"""The template of an incident's title: `[{priority}] {message}`. A literal brace is written twice."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from reconciler.core.model import Alert

MESSAGE = "{message}"
"""The default template: the alert's message alone."""
FIELDS: Mapping[str, Callable[[Alert], str]] = MappingProxyType({
    "message": lambda alert: alert.message,
    "priority": lambda alert: alert.priority,
    "tiny_id": lambda alert: alert.tiny_id,
    "alias": lambda alert: alert.alias,
    "source": lambda alert: alert.source,
    "tags": lambda alert: ", ".join(alert.tags),
})  # fmt: skip
"""What may stand in braces. List rows have each of these: a title does not depend on which read came first."""
_PIECE = re.compile(r"\{\{|\}\}|\{(?P<name>[^{}]*)\}|(?P<stray>[{}])")
_DOUBLED = {"{{": "{", "}}": "}"}


def unknown_fields(template: str) -> tuple[str, ...]:
    """What is in braces and no field, each once, in the order of the template."""
    names = (piece["name"] for piece in _PIECE.finditer(template))
    return tuple(dict.fromkeys(name for name in names if name is not None and name not in FIELDS))


def has_stray_brace(template: str) -> bool:
    """Whether a brace is neither doubled nor one of a pair."""
    return any(piece["stray"] for piece in _PIECE.finditer(template))


def has_field(template: str) -> bool:
    """Whether anything in the title differs from alert to alert."""
    return any(piece["name"] in FIELDS for piece in _PIECE.finditer(template))


def filled(template: str, alert: Alert, message: str) -> str:
    """The template with the alert's values. `message` stands for the alert's own one, which may be empty."""

    def value(piece: re.Match[str]) -> str:
        if piece["name"] == "message":
            return message
        field = FIELDS.get(piece["name"] or "")
        return field(alert) if field else _DOUBLED.get(piece[0], piece[0])

    return _PIECE.sub(value, template)
