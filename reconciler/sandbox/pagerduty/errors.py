"""PagerDuty's error answers (developer.pagerduty.com: "Errors").

A body is `{"error": {"message", "code"[, "errors": [text, …]]}}`.
"""

from reconciler.sandbox.wire import Answer, Json, json_response

MESSAGES = {
    1001: "Incident Already Resolved", 1002: "Incident Already Acknowledged", 1003: "Invalid Status Provided",
    1006: "Cannot Escalate",
    1007: "Assigned To User Not Found", 1008: "Requester User Not Found", 1012: "Incident is not Acknowledged",
    1013: "Snooze Duration Invalid", 1014: "Escalation Policy Not Found",
    1015: "Escalation Policy Has No User On Call", 1018: "Requester not authorized",
    1019: "Incident Already Merged", 1020: "Invalid Priority", 2000: "An internal error occurred",
    2001: "Invalid Input Provided",
    2002: "Arguments Caused Error", 2005: "Invalid Query Date Range", 2006: "Authentication failed",
    2007: "Account not found", 2008: "Account locked", 2010: "Access Denied", 2012: "Account is expired",
    2013: "User not found", 2014: "Missing Account Ability", 2015: "Invalid operation",
    2016: "The request took too long to process",
    2018: "Access Denied: You may have lost access to this incident if it has been resolved",
    2019: "Product Limit Reached", 2020: "Rate Limit Exceeded", 2100: "Not Found", 5001: "Incident Not Found",
    5002: "Service Not Found",
}  # fmt: skip
"""The documented message of each error code."""


def error_body(code: int, message: str = "", errors: list[str] | None = None) -> Json:
    """The body of an error; without a message, with the code's own. `errors` is left out when None."""
    error: Json = {"message": message or MESSAGES.get(code, "Something went wrong"), "code": code}
    if errors is not None:
        error["errors"] = errors
    return {"error": error}


def rate_headers(limit: int, remaining: int, reset: int) -> dict[str, str]:
    """PagerDuty's rate limit headers: the limit, what remains of it, and the seconds until it is reset."""
    return {
        "ratelimit-limit": str(limit), "ratelimit-remaining": str(remaining), "ratelimit-reset": str(reset)
    }  # fmt: skip


def problem(status: int, code: int, errors: list[str] | None = None, *, message: str = "") -> Answer:
    """An error, to be raised."""
    return Answer(json_response(status, error_body(code, message, errors)))


def invalid(*errors: str) -> Answer:
    """400/2001, to be raised."""
    return problem(400, 2001, list(errors))


def not_found() -> Answer:
    """404/2100, to be raised."""
    return problem(404, 2100)
