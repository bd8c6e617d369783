"""Checks of what PagerDuty is sent. Each returns a valid value or raises the error that PagerDuty answers."""

from collections.abc import Iterable
from datetime import datetime

from reconciler.sandbox.pagerduty.directory import BOT, PRIORITIES, USERS, User
from reconciler.sandbox.pagerduty.errors import invalid, problem
from reconciler.sandbox.settings import READ_ONLY_ROLES, REFUSED, SandboxSettings
from reconciler.sandbox.wire import Json, Request, parse_time

_NO_HASH = "params must be a Hash"
_NO_FROM = 'You must specify a user\'s email address in the "From" header to perform this action'
_CLOSED_SERVICE = {"disabled": "is disabled", "maintenance": "is in maintenance"}


def requester(settings: SandboxSettings, users: Iterable[User], request: Request) -> User:
    """The user that a write is made by: the one that From names or, with a user's key, the key's owner.

    A write without `Content-Type: application/json` is refused as one without a body is.
    """
    email = request.headers.get("from", "")
    if not email and not settings.user_token:
        raise problem(400, 2016, message=_NO_FROM)
    if "application/json" not in request.headers.get("content-type", ""):
        raise invalid(_NO_HASH)
    for user in users:
        is_key_owner = settings.user_token and not (settings.from_wins and email)
        if user.id == settings.user_token if is_key_owner else user.email == email:
            if user == BOT and settings.bot_role in READ_ONLY_ROLES:
                raise problem(403, 1018, [])
            return user
    raise problem(400, 1008, [])


def accepting_service(settings: SandboxSettings, status: str) -> None:
    """Refuse to create an incident on a service that takes none (uncertain: PagerDuty's words)."""
    if status == "gone":
        raise problem(400, 5002)
    if status == REFUSED:
        raise problem(403, 2010)
    if status in _CLOSED_SERVICE and not settings.quiet_service:
        raise invalid(f"Service {_CLOSED_SERVICE[status]}")
    if settings.nobody_on_call:
        raise problem(400, 1015, [])


def body(request: Request) -> Json:
    """The request's body, a JSON object."""
    try:
        values = request.json()
    except ValueError:
        raise invalid(_NO_HASH) from None
    return json_object(values)


def json_object(value: object) -> Json:
    """A JSON object, as which PagerDuty expects both bodies and what they wrap (`{"incident": {…}}`)."""
    if not isinstance(value, dict):
        raise invalid(_NO_HASH)
    return dict(value)


def json_objects(value: object) -> list[Json]:
    """A list of JSON objects."""
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise invalid(_NO_HASH)
    return value


def kind(values: Json, *kinds: str) -> None:
    """The `type` is one of these."""
    if values.get("type") not in kinds:
        raise invalid(f"Type must be {' or '.join(kinds)}.")


def priority(settings: SandboxSettings, values: Json) -> str:
    """The id of the priority that is asked for, a reference (documented); empty if none is."""
    given = values.get("priority")
    if given is None:
        return ""
    if settings.priorities == "not_in_plan":
        raise problem(402, 2014)
    named = given.get("id") if isinstance(given, dict) else None
    if settings.priorities != "there" or named not in PRIORITIES:
        raise problem(400, 1020, [])
    return str(named)


def title(settings: SandboxSettings, values: Json) -> str:
    """The title: neither blank nor longer than `title_limit`."""
    return short_enough("Title", _filled(values, "title"), settings.title_limit)


def content(settings: SandboxSettings, values: Json) -> str:
    """A note's text, neither blank nor longer than `pagerduty_note_limit`."""
    return short_enough("Content", _filled(values, "content"), settings.pagerduty_note_limit)


def short_enough(what: str, text: str, limit: int) -> str:
    """A text that is not longer than a limit; a limit of 0 is none."""
    if limit and len(text) > limit:
        raise invalid(f"{what} is too long (maximum is {limit} characters).")
    return text


def assignee(assignments: object) -> User:
    """The first known user among `[{"assignee": {"id": …}}, …]`."""
    rows = assignments if isinstance(assignments, list) else []
    assignees = [row.get("assignee") for row in rows if isinstance(row, dict)]
    for user in USERS:
        if any(isinstance(found, dict) and found.get("id") == user.id for found in assignees):
            return user
    raise problem(400, 1007)


def time(request: Request, name: str) -> datetime | None:
    """A time in the query; None when it is not given."""
    text = request.first(name)
    try:
        return parse_time(text) if text else None
    except ValueError:
        raise problem(400, 2004, message=f"Invalid {name} value") from None


def number(request: Request, name: str, default: int) -> int:
    """A number in the query, from 0."""
    text = request.first(name) or str(default)
    if not text.isdecimal():
        raise invalid(f"{name.capitalize()} must be a number.")
    return int(text)


def _filled(values: Json, name: str) -> str:
    text = values.get(name)
    if not isinstance(text, str) or not text.strip():
        raise invalid(f"{name.capitalize()} cannot be empty.")
    return text
