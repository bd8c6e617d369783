"""Faults as data: what shall go wrong with which API call. The decision is pure; `app` and `server` carry it out.

| do | the connection | the effect |
|---|---|---|
| refuse_before | closed without answer | none |
| drop_after | closed without answer | happens |
| late | closed without answer | happens `seconds` later |
| hang | silent for `seconds`, then closed | none |
| slow | answers after `seconds` | happens |
| drip | answers, its head byte by byte over `seconds` | happens |
| drip_body | answers, its body byte by byte over `seconds` | happens |
| truncate_after | closed in the middle of the answer | happens |
| empty_after | answers 200 without a body | happens |
| STATUS, STATUS_before | answers that status in the vendor's own JSON | none |
| STATUS_after | the same | happens |
| STATUS_bare | answers that status without a body | none |
| html_STATUS, html_STATUS_before | answers that status with an HTML page | none |
| html_STATUS_after | the same | happens |

STATUS is any from 200 to 599, so that `402`, `404`, `503_before`, `500_after`, `429_bare`, `html_403` and
`html_502_after` are faults. A 429 has the vendor's headers, a 3xx a Location, a 407 and a 405 their headers.
`code`, `message` and `errors` are what the vendor's JSON says then; without them, the usual ones of the status, or
the message that PagerDuty documents for the code.

Which calls: `vendor` is opsgenie, pagerduty or `*`; `method` and `path` (without /opsgenie or /pagerduty) are
shell patterns; `contains` is a text that the request's body must have. When: on the `nth` call that matches from
now on and on the `times` - 1 matching calls after it; `times` 0 is until the faults are forgotten (DELETE
/control/faults). With `for_seconds` the fault ends by itself so many seconds after it was added, and `times` is 0
unless given.

| to rehearse | fault |
|---|---|
| the From user is gone | {"do": "400", "vendor": "pagerduty", "method": "P*", "code": 1008, "for_seconds": 60} |
| the plan lacks an ability, or has expired | {"do": "402", "vendor": "pagerduty", "code": 2014, "times": 0} |
| one incident is refused | {"do": "403", "path": "/incidents/QABC*", "code": 2010, "times": 0} |
| a firewall dislikes a note's words | {"do": "html_403", "method": "POST", "contains": "<script", "times": 0} |
| a proxy wants a login, a portal redirects | {"do": "html_407", "times": 0}, {"do": "html_302", "times": 0} |
| the load balancer's pages | {"do": "html_400"}, {"do": "html_404"}, {"do": "html_405"}, {"do": "html_410"} |
| another server answers | {"do": "html_200", "times": 0} |
| PagerDuty's log is out | {"do": "500", "path": "/log_entries", "for_seconds": 600} |
| what was just created is not there yet | {"do": "404", "path": "/incidents/Q*", "for_seconds": 3} |

What lasts and is a state of the account rather than an answer (a service in maintenance, a log that is behind, a
key that sees nothing) is a setting: see `settings`.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

from reconciler.sandbox.wire import Clock, Request, Response, SystemClock, json_response

CONNECTION = frozenset({
    "refuse_before", "drop_after", "late", "hang", "slow", "drip", "drip_body", "truncate_after", "empty_after",
})  # fmt: skip
"""What `do` may be besides an answer with a status."""
_ANSWER = re.compile(r"(?P<html>html_)?(?P<status>[2-5]\d\d)(?P<form>_before|_after|_bare)?")
_STANDING = 0
_TEXTS = ("vendor", "method", "path", "contains", "message")
_CODES = {400: 2001, 401: 2006, 402: 2014, 403: 2010, 404: 2100, 408: 2016, 413: 2001, 422: 2001, 429: 2020}
"""PagerDuty's code where the fault names none; 2000 for any other status."""
_WORDS = {
    1001: "Incident Already Resolved", 1006: "Cannot Escalate", 1008: "Requester User Not Found",
    1014: "Escalation Policy Not Found", 1015: "Escalation Policy Has No User On Call",
    1018: "Requester not authorized", 2000: "An internal error occurred", 2001: "Invalid Input Provided",
    2002: "Arguments Caused Error", 2006: "Authentication failed", 2007: "Account not found",
    2008: "Account locked", 2010: "Access Denied", 2012: "Account is expired", 2013: "User not found",
    2014: "Missing Account Ability", 2015: "Invalid operation", 2016: "The request took too long to process",
    2018: "Access Denied: You may have lost access to this incident if it has been resolved",
    2019: "Product Limit Reached", 2020: "Rate Limit Exceeded", 2100: "Not Found", 5001: "Incident Not Found",
    5002: "Service Not Found",
}  # fmt: skip
_STATUS_WORDS = {
    400: "Bad Request", 401: "Could not authenticate", 402: "Payment Required", 403: "Access Denied",
    404: "Not found", 405: "Method Not Allowed", 407: "Proxy Authentication Required", 408: "Request Timeout",
    410: "Gone", 413: "Request Entity Too Large", 422: "Request body is not processable.",
    429: "You are making too many requests! To avoid errors, we recommend you limit requests.",
    502: "Bad Gateway", 503: "Service Unavailable",
}  # fmt: skip
"""Opsgenie's message, and the title of a page."""
_HEADERS = {
    405: {"Allow": "GET"},
    407: {"Proxy-Authenticate": 'Basic realm="proxy"'},
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to go wrong; the module's text says what each field means."""

    do: str
    vendor: str = "*"
    method: str = "*"
    path: str = "*"
    nth: int = 1
    times: int = 1
    seconds: float = 1.0
    for_seconds: float | None = None
    contains: str = ""
    code: int | None = None
    message: str = ""
    errors: tuple[str, ...] | None = None

    @property
    def has_effect(self) -> bool:
        """Whether the call takes effect at once all the same."""
        return self.do.endswith("_after") or self.do in ("slow", "drip", "drip_body")

    def matches(self, vendor: str, request: Request) -> bool:
        """Whether it is about this call."""
        return (
            fnmatchcase(vendor, self.vendor)
            and fnmatchcase(request.method, self.method)
            and fnmatchcase(request.path, self.path)
            and self.contains.encode() in request.body
        )


def from_json(values: Mapping[str, Any]) -> Fault:
    """A fault from its JSON form. ValueError with one clear line."""
    unknown = set(values) - set(Fault.__slots__)
    if unknown:
        raise ValueError(f"a fault has no {min(unknown)}")
    do = str(values.get("do"))
    if do not in CONNECTION and not _ANSWER.fullmatch(do):
        known = ", ".join(sorted(CONNECTION))
        raise ValueError(f"do must be a status such as 403, html_403, 500_after or 429_bare, or one of: {known}")
    changed: dict[str, Any] = {"do": do}
    if values.get("for_seconds") is not None:
        changed["times"] = values.get("times", _STANDING)
    if isinstance(errors := values.get("errors"), list | tuple):
        changed["errors"] = tuple(map(str, errors))
    fault = Fault(**{**values, **changed})
    _check(fault)
    return fault


def _check(fault: Fault) -> None:
    """ValueError unless every field has its kind."""
    texts = all(isinstance(getattr(fault, name), str) for name in _TEXTS)
    nth, times = _is_count(fault.nth, 1), _is_count(fault.times, _STANDING)
    durations = _is_duration(fault.seconds) and (fault.for_seconds is None or _is_duration(fault.for_seconds))
    listed = isinstance(fault.code, int | None) and isinstance(fault.errors, tuple | None)
    if not (texts and nth and times and durations and listed):
        raise ValueError(
            "vendor, method, path, contains and message are texts, errors is a list of texts, code is a number, "
            "nth counts from 1, times and seconds from 0"
        )


def _is_count(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _is_duration(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


class Faults:
    """The faults to come: each with how many matching calls it has seen, and until when it lasts."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._waiting: list[tuple[Fault, int, datetime | None]] = []

    def add(self, fault: Fault) -> None:
        """One more, after those that are there."""
        lasting = fault.for_seconds
        until = None if lasting is None else self._clock.now() + timedelta(seconds=lasting)
        self._waiting.append((fault, 0, until))

    def clear(self) -> None:
        """None."""
        self._waiting.clear()

    def next(self, vendor: str, request: Request) -> Fault | None:
        """What shall go wrong with this call: the first fault whose turn it is. Others keep theirs."""
        fired: Fault | None = None
        waiting: list[tuple[Fault, int, datetime | None]] = []
        for fault, seen, until in self._current():
            matches = fault.matches(vendor, request)
            its_turn = matches and seen + 1 >= fault.nth
            count = seen if its_turn and fired else seen + matches
            if its_turn and fired is None:
                fired = fault
            if fault.times == _STANDING or count < fault.nth + fault.times - 1:
                waiting.append((fault, count, until))
        self._waiting = waiting
        return fired

    def as_json(self) -> list[dict[str, Any]]:
        """Those that are still to come; `seen` counts their matches so far."""
        return [asdict(fault) | {"seen": seen} for fault, seen, _ in self._current()]

    def _current(self) -> list[tuple[Fault, int, datetime | None]]:
        """Those whose time is not over."""
        if all(until is None for _, _, until in self._waiting):
            return self._waiting
        now = self._clock.now()
        return [waiting for waiting in self._waiting if waiting[2] is None or now < waiting[2]]


def answer(fault: Fault, vendor: str, real: Response | None) -> Response:
    """What a fault that answers says. `real` is what would have been answered, where the effect happened."""
    found = _ANSWER.fullmatch(fault.do)
    if found is None:
        return real if real is not None and fault.do != "empty_after" else Response(200)
    status = int(found["status"])
    if found["form"] == "_bare":
        return Response(status)
    headers = dict(_HEADERS.get(status, {}))
    if 300 <= status < 400:  # noqa: PLR2004 - HTTP
        headers["Location"] = "https://login.invalid/"
    if found["html"]:
        title = f"{status} {fault.message or _STATUS_WORDS.get(status, 'An answer of another server')}"
        page = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
        return Response(status, page.encode(), {"Content-Type": "text/html", **headers})
    if status == 429:  # noqa: PLR2004 - HTTP
        headers |= _throttled(vendor)
    return json_response(status, _problem(fault, vendor, status), headers)


def _throttled(vendor: str) -> dict[str, str]:
    if vendor == "opsgenie":
        return {
            "X-RateLimit-State": "THROTTLED", "X-RateLimit-Reason": "ACCOUNT", "X-RateLimit-Period-In-Sec": "1",
        }  # fmt: skip
    return {"ratelimit-limit": "960", "ratelimit-remaining": "0", "ratelimit-reset": "1"}


def _problem(fault: Fault, vendor: str, status: int) -> dict[str, Any]:
    """The body of an error in the vendor's own form."""
    if vendor == "opsgenie":
        message = fault.message or _STATUS_WORDS.get(status, "Internal Server Error")
        coded = {} if fault.code is None else {"code": fault.code}
        listed = {} if fault.errors is None else {"errors": list(fault.errors)}
        return {"message": message, **coded, **listed, "took": 0.002, "requestId": "fault"}
    code = _CODES.get(status, 2000) if fault.code is None else fault.code
    message = fault.message or _WORDS.get(code, "Something went wrong")
    error: dict[str, Any] = {"message": message, "code": code}
    if fault.errors is not None:
        error["errors"] = list(fault.errors)
    return {"error": error}
