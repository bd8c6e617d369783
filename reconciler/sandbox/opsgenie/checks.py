"""Checks of what Opsgenie is sent. Each returns a valid value or raises the error that Opsgenie answers."""

import math

from reconciler.sandbox.opsgenie.account import Account
from reconciler.sandbox.opsgenie.state import StoredAlert
from reconciler.sandbox.wire import Json, Request

_MAX_LENGTHS = {"user": 100, "source": 100, "message": 130, "alias": 512, "description": 15_000}
"""The documented lengths of texts, in characters. That of a note is a setting."""


def body(account: Account, request: Request) -> Json:
    """The body: a JSON object whose texts are not too long."""
    try:
        values = request.json()
    except ValueError:
        raise account.answers.error(400, "Could not parse request body") from None
    if not isinstance(values, dict):
        raise account.answers.error(400, "Request body should be a JSON object")
    longest = _MAX_LENGTHS | {"note": account.settings.note_limit}
    texts = {name: values.get(name, "") for name in longest}
    errors = {
        name: f"{name.capitalize()} can not be longer than {longest[name]} characters."
        for name, text in texts.items()
        if isinstance(text, str) and len(text) > longest[name]
    }
    errors |= {name: f"{name} should be a string" for name, text in texts.items() if not isinstance(text, str)}
    if errors:
        raise account.answers.unprocessable(errors)
    return values


def number(account: Account, request: Request, name: str, default: int, least: int, most: float = math.inf) -> int:
    """A number in the query."""
    text = request.first(name, str(default))
    number = int(text) if text.isdecimal() else -1
    if not least <= number <= most:
        raise account.answers.unprocessable({name: f"{name} is out of its range"})
    return number


def identifier_type(account: Account, request: Request) -> str:
    """What the identifier in the path is: id, tiny or alias."""
    kind = request.first("identifierType", "id")
    if kind not in ("id", "tiny", "alias"):
        raise account.answers.error(422, "Identifier type is not valid")
    return kind


def allowed(account: Account, stored: StoredAlert | None) -> None:
    """Refuse calls about one of `refused_alerts`."""
    refused = account.settings.refused_alerts
    if stored is not None and refused and {stored.now.id, stored.now.tiny_id} & set(refused):
        raise account.answers.error(403, "You are not authorized to access this alert")
