"""Every request of the product and every answer of the sandbox against the vendors' published descriptions.

Skipped where the descriptions are not at hand: they may not be shipped. `test_requests.py` holds without them.
"""

from collections.abc import Iterable
from functools import cache

import pytest

from reconciler.sandbox.wire import Json, Response, json_response, request
from tests.support.contract.asking import asked
from tests.support.contract.description import Problem, description_of
from tests.support.contract.exchange import Exchange
from tests.support.contract.gaps import GAPS, UNDESCRIBED, Gap
from tests.support.contract.making import made
from tests.support.contract.pagerduty_questions import NEW

ACCOUNT = "/jsm/ops/api/site/v1/alerts"
NAMED = "/jsm/ops/integration/v2/alerts"
PAGERDUTY = {
    "Accept": "application/vnd.pagerduty+json;version=2",
    "Content-Type": "application/json",
    "From": "a@b.example",
}


@cache
def problems() -> frozenset[Problem]:
    """Of our requests and the answers to them; of the other questions, many of them bad, the answers."""
    ours = {found for _, _, exchange in made().exchanges for found in _of(exchange)}
    others = {found for exchange in asked().exchanges for found in _of(exchange) if found.part != "request"}
    return frozenset(ours | others)


def _of(exchange: Exchange) -> Iterable[Problem]:
    description = description_of(exchange)
    return () if description is None else description.problems(exchange)


def test_everything_is_as_described_but_for_known_gaps() -> None:
    new = [str(problem) for problem in problems() if not any(gap.covers(problem) for gap in GAPS)]
    assert sorted(new) == []


@pytest.mark.parametrize("gap", GAPS, ids=lambda gap: f"{gap.vendor} {gap.operation} {gap.part} {gap.where}")
def test_a_known_gap_is_one(gap: Gap) -> None:
    is_there = any(gap.covers(problem) for problem in problems())
    if gap.is_excerpt and not is_there:
        pytest.skip("the description at hand is whole")
    assert is_there, "it is described by now: remove it"


def test_apis_without_a_description_are_listed() -> None:
    exchanges = [*asked().exchanges, *(exchange for _, _, exchange in made().exchanges)]
    without = {one.request.path for one in exchanges if description_of(one) is None}
    begins = {path: [begin for begin in UNDESCRIBED if path.startswith(begin)] for path in without}
    assert [path for path, found in begins.items() if not found] == []
    assert {begin for found in begins.values() for begin in found} == set(UNDESCRIBED)


def exchange(target: str, body: Json | None = None, *, answer: Response | None = None) -> Exchange:
    """A request that posts what it is given a body for, and its answer: a good one if the vendor describes it."""
    vendor, _, rest = target.partition(" ")
    method, _, path = rest.partition(" ")
    headers = PAGERDUTY if vendor == "pagerduty" else {"Content-Type": "application/json"}
    return Exchange(vendor, request(method, path, body, headers), answer or json_response(599, {}))


def told(one: Exchange, part: str) -> list[tuple[str, str]]:
    return [(problem.where, problem.what) for problem in _of(one) if problem.part == part]


_OTHER = "the parameter is not described"


@pytest.mark.parametrize(
    ("target", "body", "expected"),
    [
        (f"jsm GET {ACCOUNT}?limit=20", None, [("limit", _OTHER)]),
        (f"jsm GET {ACCOUNT}?size=101", None, [("size", "101 is greater than the maximum of 100")]),
        (f"jsm GET {ACCOUNT}?size=x", None, [("size", "Failed to cast value to integer type: x")]),
        (f"jsm GET {ACCOUNT}?sort=updatedAt", None, [("sort", "'updatedAt' is not one of those described")]),
        (f"jsm GET {ACCOUNT}/alias", None, [("alias", "is missing")]),
        (f"jsm POST {ACCOUNT}/a/acknowledge", {"user": "Jane"}, [("", "no body is described")]),
        (f"jsm POST {ACCOUNT}/a/notes", {}, [("note", "is missing")]),
        (f"jsm POST {ACCOUNT}/a/notes", {"note": 7}, [("note", "is not described as int")]),
        (f"jsm POST {ACCOUNT}/a/notes", {"note": "n", "user": "Jane"}, [("user", "is not described")]),
        (f"jsm POST {ACCOUNT}/a/notes", None, [("", "a body is missing")]),
        (f"jsm POST {ACCOUNT}/a/snooze", None, [("", "the operation is not described")]),
        (f"jsm POST {NAMED}/a/unacknowledge", {}, [("", "the operation is not described")]),
        (f"jsm POST {NAMED}/a/acknowledge?x=1", {"users": "Jane"}, [("users", "is not described"), ("x", _OTHER)]),
        ("opsgenie GET /v2/alerts?sort=x", None, [("sort", "'x' is not one of those described")]),
        ("opsgenie GET /v2/alerts?size=1", None, [("size", _OTHER)]),
        ("opsgenie POST /v2/alerts/a/notes", {"user": "Jane"}, [("note", "is missing")]),
        ("opsgenie GET /v3/alerts", None, [("", "the operation is not described")]),
        ("pagerduty GET /incidents?statuses[]=x&offset=y", None,
         [("offset", "Failed to cast value to integer type: y"),
          ("statuses[]", "'x' is not one of those described")]),
        ("pagerduty PUT /incidents/P1", {"incident": {"type": "incident", "status": "open"}},
         [("incident.status", "'open' is not one of those described")]),
        ("pagerduty PUT /incidents/P1", {"incident": {"state": "resolved"}},
         [("incident.state", "is not described"), ("incident.type", "is missing")]),
        ("pagerduty POST /incidents", {"incident": NEW | {"service": "P1"}},
         [("incident.service", "is not described as str")]),
    ],
)  # fmt: skip
def test_a_request_that_is_not_described_is_found(
    target: str, body: Json | None, expected: list[tuple[str, str]]
) -> None:
    assert sorted(told(exchange(target, body), "request")) == expected


@pytest.mark.parametrize("name", ["Accept", "Content-Type", "From"])
def test_a_header_that_is_missing_is_found(name: str) -> None:
    headers = {header: value for header, value in PAGERDUTY.items() if header != name}
    asked_for = request("POST", "/incidents/P1/notes", {"note": {"content": "n"}}, headers)
    found = told(Exchange("pagerduty", asked_for, json_response(599, {})), "request")
    assert (name, "is missing") in found


@pytest.mark.parametrize(
    ("target", "status", "body", "expected"),
    [
        (f"jsm GET {ACCOUNT}/a", 200, {"createdAt": "yesterday"},
         [("createdAt", "'yesterday' is not a 'date-time'")]),
        (f"jsm GET {ACCOUNT}/a", 200, {"acknowledged": None}, [("acknowledged", "null is not described")]),
        (f"jsm GET {ACCOUNT}/a", 402, {}, [("", "the status is not described")]),
        (f"jsm GET {ACCOUNT}", 200, {"values": [{"isSeen": True}]}, [("values.#.isSeen", "is not described")]),
        ("opsgenie GET /v2/alerts/count", 200, {"data": {"count": "1"}, "took": 0.1, "requestId": "r"},
         [("data.count", "is not described as str")]),
        ("opsgenie GET /v2/alerts/count", 418, {"took": 0.1, "requestId": "r", "text": "x"},
         [("text", "is not described")]),
        ("opsgenie GET /v2/alerts/count", 200, {"data": {"count": 1}},
         [("requestId", "is missing"), ("took", "is missing")]),
        ("pagerduty GET /incidents/P1/notes", 200, {"notes": [{"content": 7}]},
         [("notes.#.content", "is not described as int")]),
        ("pagerduty GET /log_entries", 200, {"log_entries": [{"type": "acknowledge_log_entry", "agent": 7}]},
         [("log_entries.#.agent", "is not described as int"),
          ("log_entries.#.type", "'acknowledge_log_entry' is not one of those described")]),
    ],
)  # fmt: skip
def test_an_answer_that_is_not_described_is_found(
    target: str, status: int, body: Json, expected: list[tuple[str, str]]
) -> None:
    assert sorted(told(exchange(target, answer=json_response(status, body)), str(status))) == expected
