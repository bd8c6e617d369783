"""Faults: what goes wrong with which API calls. KINDS has what can go wrong, `Fault` with which calls and when.

| to rehearse | fault |
|---|---|
| the From user is gone | {"do": "400", "vendor": "pagerduty", "method": "P*", "code": 1008, "for_seconds": 60} |
| the plan lacks an ability, or has expired | {"do": "402", "vendor": "pagerduty", "code": 2014, "times": 0} |
| one incident is refused | {"do": "403", "path": "/incidents/QABC*", "code": 2010, "times": 0} |
| a firewall refuses a note's words | {"do": "html_403", "method": "POST", "contains": "<script", "times": 0} |
| a proxy wants a login, a portal redirects | {"do": "html_407", "times": 0}, {"do": "html_302", "times": 0} |
| the load balancer's pages | {"do": "html_400"}, {"do": "html_404"}, {"do": "html_405"}, {"do": "html_410"} |
| another server answers | {"do": "html_200", "times": 0} |
| PagerDuty's log is out | {"do": "500", "path": "/log_entries", "for_seconds": 600} |
| a new incident is not found yet | {"do": "404", "path": "/incidents/Q*", "for_seconds": 3} |

A lasting state of the account (a service in maintenance, a log that lags, a key that sees nothing) is a setting:
see `settings`.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from reconciler.sandbox.jsm import errors as jsm
from reconciler.sandbox.opsgenie import answers as opsgenie
from reconciler.sandbox.pagerduty import errors as pagerduty
from reconciler.sandbox.wire import Clock, Request, Response, SystemClock, json_response


class Effect(Enum):
    """Whether a call takes effect although its answer goes wrong."""

    NONE = "none"
    AT_ONCE = "at once"
    LATER = "`seconds` later"


class Kind(NamedTuple):
    """A kind of fault. `parameters` are the fields of `Fault` that it uses besides those that choose the calls."""

    name: str
    client_gets: str
    effect: Effect
    parameters: tuple[str, ...] = ()


_WORDS = ("code", "message", "errors")
KINDS = (
    Kind("refuse_before", "a connection closed without answer", Effect.NONE),
    Kind("drop_after", "a connection closed without answer", Effect.AT_ONCE),
    Kind("late", "a connection closed without answer", Effect.LATER, ("seconds",)),
    Kind("hang", "nothing for `seconds`, then a closed connection", Effect.NONE, ("seconds",)),
    Kind("slow", "the answer after `seconds`", Effect.AT_ONCE, ("seconds",)),
    Kind("drip", "the answer, its head byte by byte over `seconds`", Effect.AT_ONCE, ("seconds",)),
    Kind("drip_body", "the answer, its body byte by byte over `seconds`", Effect.AT_ONCE, ("seconds",)),
    Kind("truncate_after", "a connection closed in the middle of the answer", Effect.AT_ONCE),
    Kind("empty_after", "a 200 without a body", Effect.AT_ONCE),
    Kind("STATUS", "that status in the vendor's own JSON", Effect.NONE, _WORDS),
    Kind("STATUS_before", "the same", Effect.NONE, _WORDS),
    Kind("STATUS_after", "the same", Effect.AT_ONCE, _WORDS),
    Kind("STATUS_bare", "that status without a body", Effect.NONE),
    Kind("html_STATUS", "that status with an HTML page, `message` in its title", Effect.NONE, ("message",)),
    Kind("html_STATUS_before", "the same", Effect.NONE, ("message",)),
    Kind("html_STATUS_after", "the same", Effect.AT_ONCE, ("message",)),
    Kind("html_STATUS_bare", "the same as STATUS_bare", Effect.NONE),
)
"""What `do` may be. STATUS is any from 200 to 599: `402`, `503_before`, `429_bare`, `html_502_after`.

A 429 has the vendor's headers, a 3xx a Location, a 405 and a 407 the headers that HTTP demands.
"""
CONNECTION = frozenset(kind.name for kind in KINDS if "STATUS" not in kind.name)
"""The kinds other than answers with a status."""
_PATTERNS = [(re.compile(kind.name.replace("STATUS", r"(?P<status>[2-5]\d\d)")), kind) for kind in KINDS]
_CODES = {400: 2001, 401: 2006, 402: 2014, 403: 2010, 404: 2100, 408: 2016, 413: 2001, 422: 2001, 429: 2020}
"""PagerDuty's code when the fault has none; 2000 for other statuses."""
_MESSAGES = {
    400: "Bad Request", 401: "Could not authenticate", 402: "Payment Required", 403: "Access Denied",
    404: "Not found", 405: "Method Not Allowed", 407: "Proxy Authentication Required", 408: "Request Timeout",
    410: "Gone", 413: "Request Entity Too Large", 422: "Request body is not processable.",
    429: opsgenie.THROTTLED, 502: "Bad Gateway", 503: "Service Unavailable",
}  # fmt: skip
"""Opsgenie's message, and the title of an HTML page, when the fault has none."""
_HEADERS = {405: {"Allow": "GET"}, 407: {"Proxy-Authenticate": 'Basic realm="proxy"'}}
_UNTIL_FORGOTTEN = 0


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    It is about calls of `vendor` (opsgenie, jsm, pagerduty, `*`) whose `method` and `path` (without the
    vendor's prefix) match these shell patterns and whose body has the text `contains`: from now on the `nth` of
    them and the `times` - 1 after it, or with `times` 0 all until the faults are forgotten. With `for_seconds` the
    fault ends that long after it was added.

    `code`, `message` and `errors` go into the vendor's JSON. Without them it has the usual ones of the status, or
    the message that PagerDuty documents for the code.
    """

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
        found = _kind(self.do)
        return found is not None and found[0].effect is Effect.AT_ONCE

    def matches(self, vendor: str, request: Request) -> bool:
        """Whether the fault is about this call."""
        return (
            fnmatchcase(vendor, self.vendor)
            and fnmatchcase(request.method, self.method)
            and fnmatchcase(request.path, self.path)
            and self.contains.encode() in request.body
        )


def _kind(do: str) -> tuple[Kind, re.Match[str]] | None:
    for pattern, kind in _PATTERNS:
        if found := pattern.fullmatch(do):
            return kind, found
    return None


def from_json(values: Mapping[str, Any]) -> Fault:
    """A fault from JSON. With `for_seconds`, `times` is 0 by default. ValueError, one line, for bad input."""
    unknown = set(values) - set(Fault.__slots__)
    if unknown:
        raise ValueError(f"a fault has no {min(unknown)}")
    do = str(values.get("do"))
    if _kind(do) is None:
        known = ", ".join(sorted(CONNECTION))
        raise ValueError(f"do must be a status such as 403, html_403, 500_after or 429_bare, or one of: {known}")
    changed: dict[str, Any] = {"do": do}
    if values.get("for_seconds") is not None:
        changed["times"] = values.get("times", _UNTIL_FORGOTTEN)
    if isinstance(errors := values.get("errors"), list | tuple):
        changed["errors"] = tuple(map(str, errors))
    fault = Fault(**{**values, **changed})
    texts = (fault.vendor, fault.method, fault.path, fault.contains, fault.message)
    durations = (fault.seconds, 0 if fault.for_seconds is None else fault.for_seconds)
    if not (
        all(isinstance(text, str) for text in texts)
        and all(_is_number(count, int, least) for count, least in ((fault.nth, 1), (fault.times, 0)))
        and all(_is_number(seconds, int | float, 0) for seconds in durations)
        and isinstance(fault.code, int | None)
        and isinstance(fault.errors, tuple | None)
    ):
        raise ValueError(
            "vendor, method, path, contains and message are texts, errors is a list of texts, code is a number, "
            "nth counts from 1, times and seconds from 0"
        )
    return fault


def _is_number(value: Any, kind: Any, least: int) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool) and bool(value >= least)


class Faults:
    """The faults to come, each with the number of matching calls so far and the time at which it ends."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._waiting: list[tuple[Fault, int, datetime | None]] = []

    def add(self, fault: Fault) -> None:
        """Add a fault, after those that are there."""
        lasting = fault.for_seconds
        until = None if lasting is None else self._clock.now() + timedelta(seconds=lasting)
        self._waiting.append((fault, 0, until))

    def clear(self) -> None:
        """Forget all faults."""
        self._waiting.clear()

    def next(self, vendor: str, request: Request) -> Fault | None:
        """The fault of this call: the first whose turn it is. Others keep their turn for the next call."""
        fired: Fault | None = None
        waiting: list[tuple[Fault, int, datetime | None]] = []
        for fault, seen, until in self._current():
            matches = fault.matches(vendor, request)
            its_turn = matches and seen + 1 >= fault.nth
            count = seen if its_turn and fired else seen + matches
            if its_turn and fired is None:
                fired = fault
            if fault.times == _UNTIL_FORGOTTEN or count < fault.nth + fault.times - 1:
                waiting.append((fault, count, until))
        self._waiting = waiting
        return fired

    def as_json(self) -> list[dict[str, Any]]:
        """The faults to come; `seen` is the number of matching calls so far."""
        return [asdict(fault) | {"seen": seen} for fault, seen, _ in self._current()]

    def _current(self) -> list[tuple[Fault, int, datetime | None]]:
        if all(until is None for _, _, until in self._waiting):
            return self._waiting
        now = self._clock.now()
        return [waiting for waiting in self._waiting if waiting[2] is None or now < waiting[2]]


def answer(fault: Fault, vendor: str, real: Response | None, now: datetime | None = None) -> Response:
    """The answer of a fault that answers. `real` is the vendor's own answer when the call has taken effect.

    `now` is for headers that have a time.
    """
    found = _kind(fault.do)
    if found is None or fault.do in CONNECTION:
        return real if real is not None and fault.do != "empty_after" else Response(200)
    status = int(found[1]["status"])
    if fault.do.endswith("_bare"):
        return Response(status)
    headers = dict(_HEADERS.get(status, {}))
    if 300 <= status < 400:  # noqa: PLR2004 - HTTP
        headers["Location"] = "https://login.invalid/"
    if fault.do.startswith("html_"):
        title = f"{status} {fault.message or _MESSAGES.get(status, 'An answer of another server')}"
        page = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
        return Response(status, page.encode(), {"Content-Type": "text/html", **headers})
    errors = None if fault.errors is None else list(fault.errors)
    if vendor == "opsgenie":
        throttled = opsgenie.throttled_headers(1)
        fields = {"code": fault.code, "errors": errors}
        extra = {name: value for name, value in fields.items() if value is not None}
        body = opsgenie.error_body(fault.message or _MESSAGES.get(status, "Internal Server Error"), "fault", extra)
    elif vendor == "jsm":
        throttled = jsm.throttled_headers(now or datetime.now(UTC), 1, 100)
        body = jsm.error_body(status, fault.message)
    else:
        throttled = pagerduty.rate_headers(960, 0, 1)
        code = _CODES.get(status, 2000) if fault.code is None else fault.code
        body = pagerduty.error_body(code, fault.message, errors)
    return json_response(status, body, headers | (throttled if status == 429 else {}))  # noqa: PLR2004 - HTTP
