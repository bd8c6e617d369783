"""Faults as data: what shall go wrong with which API call. The decision is pure; carrying it out is others' work.

| do | the connection | the effect |
|---|---|---|
| refuse_before | closed without answer | none |
| drop_after | closed without answer | happens |
| late | closed without answer | happens `seconds` later |
| hang | silent for `seconds`, then closed | none |
| slow | answers after `seconds` | happens |
| truncate_after | closed in the middle of the answer | happens |
| empty_after | answers 200 without a body | happens |
| html_502_after | answers 502 with an HTML page | happens |
| 500_after | answers 500 | happens |
| 500_before, 503_before, 401, 403 | answers that status | none |
| 429 | answers 429 with the vendor's headers and body | none |
| 429_bare | answers 429 with neither | none |
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Any

from reconciler.sandbox.wire import Request, Response, json_response

DOINGS = frozenset({
    "refuse_before", "drop_after", "late", "hang", "slow", "truncate_after", "empty_after", "html_502_after",
    "500_after", "500_before", "503_before", "401", "403", "429", "429_bare",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to go wrong.

    It fires on the `nth` call that matches from now on and on the `times` - 1 matching calls after it. `vendor`
    is opsgenie, pagerduty or `*`; `method` and `path` (without /opsgenie or /pagerduty) are shell patterns.
    """

    do: str
    vendor: str = "*"
    method: str = "*"
    path: str = "*"
    nth: int = 1
    times: int = 1
    seconds: float = 1.0

    @property
    def has_effect(self) -> bool:
        """Whether the call takes effect at once all the same."""
        return self.do.endswith("_after") or self.do == "slow"

    def matches(self, vendor: str, request: Request) -> bool:
        """Whether it is about this call."""
        return (
            fnmatchcase(vendor, self.vendor)
            and fnmatchcase(request.method, self.method)
            and fnmatchcase(request.path, self.path)
        )


def from_json(values: Mapping[str, Any]) -> Fault:
    """A fault from its JSON form. ValueError with one clear line."""
    unknown = set(values) - {"do", "vendor", "method", "path", "nth", "times", "seconds"}
    if unknown:
        raise ValueError(f"a fault has no {min(unknown)}")
    if str(values.get("do")) not in DOINGS:
        raise ValueError(f"do must be one of: {', '.join(sorted(DOINGS))}")
    fault = Fault(**{**values, "do": str(values["do"])})
    texts = all(isinstance(text, str) for text in (fault.vendor, fault.method, fault.path))
    counts = all(isinstance(count, int) and count >= 1 for count in (fault.nth, fault.times))
    if not texts or not counts or not isinstance(fault.seconds, int | float) or fault.seconds < 0:
        raise ValueError("vendor, method and path are texts, nth and times count from 1, seconds from 0")
    return fault


class Faults:
    """The faults to come, and how many matching calls each has seen."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Fault, int]] = []

    def add(self, fault: Fault) -> None:
        """One more, after those that are there."""
        self._waiting.append((fault, 0))

    def clear(self) -> None:
        """None."""
        self._waiting.clear()

    def next(self, vendor: str, request: Request) -> Fault | None:
        """What shall go wrong with this call: the first fault whose turn it is. Others keep theirs."""
        fired: Fault | None = None
        waiting: list[tuple[Fault, int]] = []
        for fault, seen in self._waiting:
            matches = fault.matches(vendor, request)
            its_turn = matches and seen + 1 >= fault.nth
            count = seen if its_turn and fired else seen + matches
            if its_turn and fired is None:
                fired = fault
            if count < fault.nth + fault.times - 1:
                waiting.append((fault, count))
        self._waiting = waiting
        return fired

    def as_json(self) -> list[dict[str, Any]]:
        """Those that are still to come; `seen` counts their matches so far."""
        return [asdict(fault) | {"seen": seen} for fault, seen in self._waiting]


def answer(fault: Fault, vendor: str, real: Response | None) -> Response:
    """What a fault that answers says. `real` is what would have been answered, where the effect happened."""
    match fault.do:
        case "empty_after":
            return Response(200)
        case "html_502_after":
            page = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
            return Response(502, page, {"Content-Type": "text/html"})
        case "429":
            return _too_many(vendor)
        case "429_bare":
            return Response(429)
        case "slow" | "truncate_after" if real is not None:
            return real
    status = int(fault.do.partition("_")[0])
    return json_response(status, _problem(vendor, status))


def _too_many(vendor: str) -> Response:
    if vendor == "opsgenie":
        message = "You are making too many requests! To avoid errors, we recommend you limit requests."
        headers = {
            "X-RateLimit-State": "THROTTLED",
            "X-RateLimit-Reason": "ACCOUNT",
            "X-RateLimit-Period-In-Sec": "1",
        }
        return json_response(429, {"message": message, "took": 0.002, "requestId": "fault"}, headers)
    headers = {"ratelimit-limit": "960", "ratelimit-remaining": "0", "ratelimit-reset": "1"}
    return json_response(429, {"error": {"message": "Rate Limit Exceeded", "code": 2020}}, headers)


def _problem(vendor: str, status: int) -> dict[str, Any]:
    message = {401: "Authentication failed", 403: "Access Denied", 503: "Service Unavailable"}.get(
        status, "Internal Server Error"
    )
    if vendor == "opsgenie":
        return {"message": message, "took": 0.002, "requestId": "fault"}
    return {"error": {"message": message, "code": {401: 2006, 403: 2010}.get(status, 2000)}}
