"""Refusals of the account API, and its rate limit's headers."""

from datetime import datetime, timedelta

from reconciler.sandbox.wire import Answer, Json, iso_seconds, json_response

UNAUTHORIZED = "Unauthorized"
NO_SCOPE = "Unauthorized; scope does not match"
PLAN = "Please upgrade your pricing plan to use this feature."
THROTTLED = "Rate limit exceeded"
_TITLES = {
    400: "Bad request", 402: PLAN, 403: "No permission", 404: "Not found", 405: "Method not allowed",
    422: "Payload cannot be validated", 429: THROTTLED, 500: "Internal server error", 503: "Service unavailable",
}  # fmt: skip


def error_body(status: int, message: str = "") -> Json:
    """The body of a refusal: `{"code", "message"}` for 401, otherwise a list of errors (official description)."""
    if status == 401:  # noqa: PLR2004 - HTTP
        return {"code": status, "message": message or UNAUTHORIZED}
    title = _TITLES.get(status, "Error")
    error = {"title": title, "code": title.upper().replace(" ", "_").rstrip("."), "detail": message or title}
    return {"errors": [error]}


def refusal(status: int, message: str = "", headers: dict[str, str] | None = None) -> Answer:
    """A refusal, to be raised."""
    return Answer(json_response(status, error_body(status, message), headers))


def throttled_headers(now: datetime, seconds: int, limit: int) -> dict[str, str]:
    """The headers of a 429. The reset is a time, not a number of seconds (documented)."""
    return {
        "Retry-After": str(seconds), "RateLimit-Reason": "jira-burst-based", "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": iso_seconds(now + timedelta(seconds=seconds)),
    }  # fmt: skip
