"""PagerDuty's errors, and the checks of what it is sent."""

from urllib.parse import unquote

from reconciler.sandbox.pagerduty.state import USERS, User
from reconciler.sandbox.wire import Answer, Json, Request, json_response

_TITLE = 1024


def problem(status: int, code: int, message: str, errors: list[str] | None = None) -> Answer:
    """An error in the documented form; `errors` is absent when None."""
    error: Json = {"message": message, "code": code}
    if errors is not None:
        error["errors"] = errors
    return Answer(json_response(status, {"error": error}))


def invalid(*errors: str) -> Answer:
    """400 Invalid Input Provided."""
    return problem(400, 2001, "Invalid Input Provided", list(errors))


def not_found() -> Answer:
    """404."""
    return problem(404, 2100, "Not Found")


def parts(request: Request) -> tuple[str, ...]:
    """The segments of the path."""
    return tuple(unquote(part) for part in request.path.strip("/").split("/"))


def body(request: Request) -> Json:
    """The body as an object; anything else is refused in PagerDuty's words."""
    try:
        values = request.json()
    except ValueError:
        raise invalid("params must be a Hash") from None
    if not isinstance(values, dict):
        raise invalid("params must be a Hash")
    return values


def part(values: Json, name: str) -> Json:
    """The object that wraps what is sent."""
    if not isinstance(values.get(name), dict):
        raise invalid("params must be a Hash")
    return dict(values[name])


def check_type(values: Json, *kinds: str) -> None:
    """Refuse another `type`."""
    if values.get("type") not in kinds:
        raise invalid(f"Type must be {' or '.join(kinds)}.")


def title(values: Json) -> str:
    """The title, neither empty nor longer than 1024 characters."""
    text = values.get("title")
    if not isinstance(text, str) or not text.strip():
        raise invalid("Title cannot be empty.")
    if len(text) > _TITLE:
        raise invalid(f"Title is too long (maximum is {_TITLE} characters).")
    return text


def content(values: Json) -> str:
    """A note's text, not empty."""
    text = values.get("content")
    if not isinstance(text, str) or not text.strip():
        raise invalid("Content cannot be empty.")
    return text


def assignee(assignments: object) -> User:
    """The first known user among assignments."""
    rows = assignments if isinstance(assignments, list) else []
    assignees = [row.get("assignee") for row in rows if isinstance(row, dict)]
    for user in USERS:
        if any(isinstance(found, dict) and found.get("id") == user.id for found in assignees):
            return user
    raise problem(400, 1007, "Assigned To User Not Found")
