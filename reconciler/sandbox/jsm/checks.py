"""Checks of what the account API is sent. Each raises the refusal that JSM answers."""

import base64
import math

from reconciler.sandbox.jsm import errors
from reconciler.sandbox.opsgenie.rules import PRIORITIES
from reconciler.sandbox.settings import SandboxSettings
from reconciler.sandbox.wire import Json, Request

_LONGEST_MESSAGE = 130


def authorized(settings: SandboxSettings, request: Request) -> None:
    """Basic authentication with the user's e-mail and API token."""
    pair = f"{settings.jsm_email}:{settings.jsm_token}".encode()
    if request.headers.get("authorization") != f"Basic {base64.b64encode(pair).decode()}":
        raise errors.refusal(401)


def in_scope(settings: SandboxSettings, request: Request) -> None:
    """The token's scopes: a write needs those to read and to write (official description)."""
    needed = {"read"} if request.method == "GET" else {"read", "write"}
    if not needed <= set(settings.jsm_scopes):
        raise errors.refusal(401, errors.NO_SCOPE)


def number(request: Request, name: str, default: int, least: int, most: float = math.inf) -> int:
    """A number in the query."""
    text = request.first(name, str(default))
    value = int(text) if text.isdecimal() else -1
    if not least <= value <= most:
        raise errors.refusal(422, f"{name} is out of its range")
    return value


def note(settings: SandboxSettings, request: Request) -> str:
    """The text of a note. A limit is stated for the note in the creation of an alert alone."""
    text = _body(request).get("note")
    if not isinstance(text, str) or not text.strip():
        raise errors.refusal(422, "note can not be empty")
    if len(text) > settings.note_limit:
        raise errors.refusal(422, f"note can not be longer than {settings.note_limit} characters")
    return text


def new_alert(request: Request) -> Json:
    """A new alert; only its message is required (official description)."""
    values = _body(request)
    message = values.get("message")
    if not isinstance(message, str) or not 1 <= len(message) <= _LONGEST_MESSAGE:
        raise errors.refusal(422, f"message should have 1 to {_LONGEST_MESSAGE} characters")
    if values.get("priority", "P3") not in PRIORITIES:
        raise errors.refusal(422, f"priority should be one of {', '.join(PRIORITIES)}")
    return values


def _body(request: Request) -> Json:
    try:
        values = request.json()
    except ValueError:
        raise errors.refusal(400, "The body is not JSON") from None
    return values if isinstance(values, dict) else {}
