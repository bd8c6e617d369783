"""Every outcome of a call, and its message to the operator."""

import json
import traceback
from typing import Any

import pytest
import requests
import responses

from reconciler.errors import (
    Blocked,
    Forbidden,
    Missing,
    NotExecuted,
    Permanent,
    RateLimited,
    ReconcilerError,
    Refused,
    Unknown,
)
from reconciler.vendors.call_context import (
    CallContext,
    CallPriority,
    at_least,
    calling,
    current,
    for_route,
    noting,
)
from reconciler.vendors.error_scopes import said
from reconciler.vendors.http import Http, RequestRecord
from reconciler.vendors.limits import Call
from reconciler.vendors.rate_limiter import RateLimiter
from tests.support.clock import SimClock
from tests.support.wire import jsm
from tests.support.wire.http import OPSGENIE, PAGERDUTY, PAGERDUTY_KEY, http

INCIDENTS = f"{PAGERDUTY}/incidents"
DUPLICATE_KEY = "Open incident with matching dedup key already exists on this service"

SHAPES: list[tuple[Any, str]] = [
    ({"error": {"message": "Arguments Caused Error", "code": 2002, "errors": [DUPLICATE_KEY]}},
     f"Arguments Caused Error; {DUPLICATE_KEY} (code 2002)"),
    ({"error": {"message": "Invalid Override", "code": 2001, "errors": "must end in the future"}},
     "Invalid Override; must end in the future (code 2001)"),
    ({"error": {"message": "Invalid Schedule", "code": 3001, "errors": {"layers.duration": ["Too long."]}}},
     "Invalid Schedule; layers.duration: Too long. (code 3001)"),
    ({"error": {"message": "Requester User Not Found", "code": 1008, "errors": []}},
     "Requester User Not Found (code 1008)"),
    ({"error": {"message": "Not Found", "code": 2100}}, "Not Found (code 2100)"),
    ({"error": ["links should have at most 50 item(s)"]}, "links should have at most 50 item(s)"),
    ({"error": "we were unable to tell who you are"}, "we were unable to tell who you are"),
    ({"message": "not processable", "errors": {"owner": "should be provided"}, "took": 0.001, "requestId": "r"},
     "not processable; owner: should be provided"),
    ({"errors": [{"title": "Alert not found", "code": "NOT_FOUND"}]}, "Alert not found"),
    ({"error": {"message": None, "code": None, "errors": None}}, ""),
    ({"error": None}, ""),
    ([], ""),
    (None, ""),
    ("nope", "nope"),
    (17, ""),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "expected"), SHAPES)
def test_the_vendors_error_text_is_read_in_every_known_shape(answer: Any, expected: str) -> None:
    assert said(answer) == expected


@pytest.mark.parametrize(("answer", "expected"), [s for s in SHAPES if s[1]])
def test_a_refusal_names_vendor_call_status_text_and_request_id(
    wire: responses.RequestsMock, answer: Any, expected: str
) -> None:
    wire.post(INCIDENTS, json=answer, status=400, headers={"X-Request-Id": "req-7"})
    with pytest.raises(ReconcilerError) as caught:
        http("PagerDuty").write("POST", "/incidents", {})
    assert str(caught.value).startswith(f"PagerDuty: POST /incidents (request req-7): 400: {expected}")
    if isinstance(caught.value, Permanent):
        assert caught.value.status == 400


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        ({"X-Request-Id": "req-7"}, {"message": "x", "requestId": "of-the-body"}, "req-7"),
        ({}, {"message": "x", "requestId": "of-the-body"}, "of-the-body"),
        ({}, {"message": "x"}, ""),
        ({"X-Request-Id": "r key-of-pagerduty"}, {}, "r •••"),
    ],
)
def test_an_error_has_the_vendors_id_of_the_request_without_a_key(
    wire: responses.RequestsMock, headers: dict[str, str], body: dict[str, str], expected: str
) -> None:
    wire.post(INCIDENTS, json=body, status=422, headers=headers)
    client = http("PagerDuty")
    client._secrets = ["key-of-pagerduty"]
    with noting() as noted, pytest.raises(ReconcilerError) as caught:
        client.write("POST", "/incidents", {})
    assert caught.value.request_id == expected
    assert noted.request_id == (expected if headers else "")


HTML, EMPTY, OWN, NULL = b" \r\n<html>busy</html>", b"", b'{"error":{"message":"x"}}', b"null"


@pytest.mark.parametrize(
    ("status", "own", "kind"),
    [
        (302, Blocked, Blocked), (400, Permanent, Blocked), (401, Refused, Refused), (402, Refused, Refused),
        (403, Forbidden, Blocked), (404, Missing, Blocked), (405, Blocked, Blocked), (407, Blocked, Blocked),
        (408, Unknown, Unknown), (409, Blocked, Blocked), (410, Blocked, Blocked), (413, Permanent, Blocked),
        (422, Permanent, Blocked), (429, NotExecuted, NotExecuted), (500, Unknown, Unknown),
        (501, Unknown, Unknown), (502, Unknown, Unknown), (503, Unknown, Unknown), (504, Unknown, Unknown),
        (599, Unknown, Unknown),
    ],
)  # fmt: skip
@pytest.mark.parametrize("content", [EMPTY, HTML, OWN, NULL])
def test_every_status_has_one_outcome_and_a_write_is_sent_once(
    wire: responses.RequestsMock, status: int, own: type[Exception], kind: type[Exception], content: bytes
) -> None:
    wire.put(f"{INCIDENTS}/P1", body=content, status=status, headers={"Location": "http://elsewhere.example/"})
    with pytest.raises(ReconcilerError) as caught:
        http("PagerDuty").write("PUT", "/incidents/P1", {})
    by_the_account = status in (401, 402) and content is HTML
    assert type(caught.value) is (own if content is OWN else Blocked if by_the_account else kind)
    assert len(wire.calls) == 1


@pytest.mark.parametrize("content", [b"", b"<html>ok</html>", b'{"incident": {"id"', b"\xff\xfe"])
def test_a_2xx_that_cannot_be_read_leaves_a_write_in_doubt(wire: responses.RequestsMock, content: bytes) -> None:
    wire.post(INCIDENTS, body=content, status=201)
    with pytest.raises(Unknown, match="201, but the answer is not JSON; it may have been carried out") as caught:
        http("PagerDuty").write("POST", "/incidents", {})
    assert "PAGERDUTY_API_URL" in str(caught.value)


def test_a_web_page_instead_of_an_answer_names_the_address(wire: responses.RequestsMock, clock: SimClock) -> None:
    wire.get(f"{OPSGENIE}/v2/alerts", body="<!doctype html><title>Opsgenie</title>")
    with pytest.raises(Unknown, match=r"200, but the answer is not JSON\..*OPSGENIE_API_URL") as caught:
        http("Opsgenie", clock).get("/v2/alerts")
    assert "carried out" not in str(caught.value)


@pytest.mark.parametrize(
    ("vendor", "status", "told"),
    [
        ("Opsgenie", 401, ["OPSGENIE_API_KEY", "OPSGENIE_API_URL", "https://api.eu.opsgenie.com"]),
        ("Opsgenie", 403, ["OPSGENIE_API_KEY", "API integration", "read-only"]),
        ("PagerDuty", 401, ["PAGERDUTY_API_KEY", "PAGERDUTY_API_URL", "https://api.eu.pagerduty.com"]),
        ("PagerDuty", 403, ["PAGERDUTY_API_KEY", "read-only"]),
    ],
)
def test_a_refused_key_names_the_variable_to_check(
    wire: responses.RequestsMock, vendor: str, status: int, told: list[str]
) -> None:
    path = "/v2/alerts" if vendor == "Opsgenie" else "/incidents"
    body = {"message": "Denied"} if vendor == "Opsgenie" else {"error": {"message": "Denied"}}
    wire.get(f"{OPSGENIE if vendor == 'Opsgenie' else PAGERDUTY}{path}", status=status, json=body)
    with pytest.raises(Refused) as caught:
        http(vendor).get(path)
    assert "\n" not in str(caught.value)
    assert all(word in str(caught.value) for word in told)
    assert len(wire.calls) == 1


def test_a_missing_incident_is_not_a_problem_of_the_key(wire: responses.RequestsMock) -> None:
    wire.get(f"{INCIDENTS}/P1", status=403, json={"error": {"message": "Access Denied", "code": 2018}})
    with pytest.raises(Forbidden) as caught:
        http("PagerDuty").get("/incidents/P1")
    assert "PAGERDUTY_API_KEY" not in str(caught.value)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"ratelimit-limit": "960", "ratelimit-remaining": "0", "ratelimit-reset": "20"}, 20.0),
        ({"Retry-After": "7"}, 7.0),
        ({"X-RateLimit-State": "THROTTLED", "X-RateLimit-Period-In-Sec": "60"}, 1.0),
        ({"X-RateLimit-Period-In-Sec": "60", "Retry-After": "9"}, 9.0),
        ({"Retry-After": "86400"}, 60.0),
        ({"Retry-After": "1e300"}, None),
        ({"ratelimit-reset": "1795000000"}, None),
        ({"ratelimit-reset": "1795000000000", "Retry-After": "3"}, 3.0),
        ({"ratelimit-reset": "-5"}, None),
        ({"ratelimit-reset": "nan"}, None),
        ({"ratelimit-reset": "inf"}, None),
        ({"ratelimit-reset": "0"}, None),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({"ratelimit-reset": "soon"}, None),
        ({}, None),
    ],
)
def test_a_429_is_not_executed_and_states_how_long_to_wait(
    wire: responses.RequestsMock, headers: dict[str, str], seconds: float | None
) -> None:
    wire.post(INCIDENTS, status=429, headers=headers)
    with pytest.raises(NotExecuted) as caught:
        http("PagerDuty").write("POST", "/incidents", {})
    assert caught.value.retry_after == seconds


def test_a_read_is_retried_until_it_succeeds(wire: responses.RequestsMock, clock: SimClock) -> None:
    records: list[RequestRecord] = []
    wire.get(f"{INCIDENTS}/P1", status=503)
    wire.get(f"{INCIDENTS}/P1", body=requests.exceptions.ReadTimeout())
    wire.get(f"{INCIDENTS}/P1", status=429, headers={"ratelimit-reset": "3"})
    wire.get(f"{INCIDENTS}/P1", json={"incident": {}}, headers={"x-request-id": "r4"})
    assert http("PagerDuty", clock, records=records).get("/incidents/P1").json == {"incident": {}}
    assert [(r.status, r.outcome) for r in records] == [
        (503, "unknown"), (None, "unknown"), (429, "notexecuted"), (200, "done"),
    ]  # fmt: skip
    assert records[-1].route == "/incidents/{id}"
    assert records[-1].request_id == "r4"
    assert [(r.path, r.attempt) for r in records] == [("/incidents/P1", number) for number in (1, 2, 3, 4)]
    assert clock.waits[-1] >= 3


def test_a_record_has_the_path_without_its_query(wire: responses.RequestsMock) -> None:
    records: list[RequestRecord] = []
    wire.post(INCIDENTS, json={})
    http("PagerDuty", records=records).write("POST", "/incidents?identifierType=id", {})
    assert [(r.path, r.attempt) for r in records] == [("/incidents", 1)]


def test_a_read_gives_up_within_its_time(wire: responses.RequestsMock, clock: SimClock) -> None:
    wire.get(f"{INCIDENTS}/P1", status=429, headers={"ratelimit-reset": "45"})
    with pytest.raises(NotExecuted) as caught:
        http("PagerDuty", clock, timeout=30).get("/incidents/P1")
    assert caught.value.retry_after == 45
    assert clock.waits == []


def test_a_read_is_retried_a_few_times_only(wire: responses.RequestsMock, clock: SimClock) -> None:
    wire.get(f"{INCIDENTS}/P1", status=500)
    with pytest.raises(Unknown):
        http("PagerDuty", clock).get("/incidents/P1")
    assert len(wire.calls) == 5


def test_a_read_stops_waiting_when_the_program_stops(wire: responses.RequestsMock, clock: SimClock) -> None:
    clock.stopped = True
    wire.get(f"{INCIDENTS}/P1", status=500)
    with pytest.raises(Unknown):
        http("PagerDuty", clock).get("/incidents/P1")
    assert len(wire.calls) == 1


@pytest.mark.parametrize("content", [EMPTY, HTML, OWN])
@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 407, 410, 422])
def test_a_refused_read_is_not_retried(wire: responses.RequestsMock, status: int, content: bytes) -> None:
    wire.get(f"{INCIDENTS}/P1", body=content, status=status)
    with pytest.raises(ReconcilerError):
        http("PagerDuty").get("/incidents/P1")
    assert len(wire.calls) == 1


@pytest.mark.parametrize(
    "failure",
    [
        requests.exceptions.ConnectTimeout(PAGERDUTY_KEY), requests.exceptions.ReadTimeout(PAGERDUTY_KEY),
        requests.exceptions.InvalidHeader(f"Token token={PAGERDUTY_KEY}\n"), OSError(PAGERDUTY_KEY),
        UnicodeEncodeError("latin-1", PAGERDUTY_KEY, 0, 1, "ordinal not in range"),
        400, 401, 403, 404, 429, 500, 200,
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_error_ever_shows_a_key(
    wire: responses.RequestsMock, clock: SimClock, failure: Exception | int, method: str
) -> None:
    words = f"Token token={PAGERDUTY_KEY} is bad: {PAGERDUTY_KEY}"
    if isinstance(failure, int):
        content = json.dumps({"error": {"message": words, "errors": [words]}}) if failure != 200 else words
        wire.add(method, INCIDENTS, body=content, status=failure, headers={"X-Request-Id": PAGERDUTY_KEY})
    else:
        wire.add(method, INCIDENTS, body=failure)
    vendor = http("PagerDuty", clock)
    with pytest.raises(ReconcilerError) as caught:
        vendor.get("/incidents") if method == "GET" else vendor.write("POST", "/incidents", {})
    error: BaseException | None = caught.value
    shown = (
        "".join(traceback.format_exception(caught.value))
        + repr(vars(vendor._session))
        + repr(vars(vendor._session.requests))
        + repr(vendor)
    )
    while error is not None:
        shown += f"{error} {error!r} {error.args} {vars(error)}"
        error = error.__cause__ or error.__context__
    assert PAGERDUTY_KEY not in shown


@pytest.mark.parametrize("scheme", ["GenieKey ", "Token token=", "Bearer "])
@pytest.mark.parametrize("key", ["abc=def", "u+a/b==", "k=", "a.b=c="])
def test_a_key_with_an_equals_sign_is_hidden_completely(
    wire: responses.RequestsMock, scheme: str, key: str
) -> None:
    words = f"{key}| |{scheme}{key}| |{scheme.rsplit(maxsplit=1)[-1]}{key}| f d"
    wire.post(INCIDENTS, status=400, json={"error": {"message": words}})
    client = Http(
        PAGERDUTY,
        {"Authorization": scheme + key},
        name="PagerDuty",
        clock=SimClock(1000.0),
        limiter=RateLimiter(SimClock(1000.0)),
    )
    with pytest.raises(Permanent) as caught:
        client.write("POST", "/incidents", {})
    assert key not in str(caught.value)
    assert str(caught.value).endswith("| f d")


@pytest.mark.parametrize("status", [302, 400, 403, 404, 405, 500])
def test_a_gateways_page_is_not_shown_as_the_vendors_error_text(
    wire: responses.RequestsMock, clock: SimClock, status: int
) -> None:
    wire.get(f"{INCIDENTS}/P1", body=HTML, status=status)
    with pytest.raises(ReconcilerError) as caught:
        http("PagerDuty", clock).get("/incidents/P1")
    assert "html" not in str(caught.value)


def test_a_long_error_text_of_a_vendor_becomes_one_short_line(wire: responses.RequestsMock) -> None:
    wire.post(INCIDENTS, status=400, json={"error": {"message": "a\nb\x1b[31m" + "x" * 1000}})
    with pytest.raises(Permanent) as caught:
        http("PagerDuty").write("POST", "/incidents", {})
    assert "400: a b [31mxxx" in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_call_delayed_beyond_its_deadline_is_not_sent(wire: responses.RequestsMock, clock: SimClock) -> None:
    class Suspended(RateLimiter):
        def acquire(self, *scope: Any, **named: Any) -> Call:
            clock.passed += 60  # as if the process were suspended here for a minute
            return super().acquire(*scope, **named)

    with pytest.raises(NotExecuted, match="its time was over before it was sent"):
        http("PagerDuty", clock, limiter=Suspended(clock)).write("POST", "/incidents", {})
    assert len(wire.calls) == 0


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (rb'{"a": "cut \ud83d", "b": ["\udc00"], "c\ud83d": "\u0000"}',
         {"a": "cut \ufffd", "b": ["\ufffd"], "c\ufffd": "\ufffd"}),
        (rb'{"whole": "\ud83d\ude00", "written": "\\ud83d"}', {"whole": "\U0001f600", "written": r"\ud83d"}),
        (b'{"raw": "\xed\xa0\xbd|\xff"}', {"raw": "\ufffd\ufffd\ufffd|\ufffd"}),
        (b'\xef\xbb\xbf{"a": 1.5, "b": null, "c": true}', {"a": 1.5, "b": None, "c": True}),
    ],
)  # fmt: skip
def test_characters_that_cannot_be_stored_are_replaced(
    wire: responses.RequestsMock, content: bytes, expected: dict[str, Any]
) -> None:
    wire.get(INCIDENTS, body=content)
    assert http("PagerDuty").get("/incidents").json == expected


def test_our_own_rate_limit_is_distinguished_from_the_vendors(
    wire: responses.RequestsMock, clock: SimClock
) -> None:
    wire.post(INCIDENTS, json={})
    vendor = http("PagerDuty", clock, limiter=RateLimiter(clock, 1))
    vendor.write("POST", "/incidents", {})
    with pytest.raises(RateLimited, match="PagerDuty: the rate limit leaves no room"):
        vendor.write("POST", "/incidents", {})
    clock.passed += 50
    clock.stopped = True
    with pytest.raises(NotExecuted, match="stopped while waiting") as caught:
        vendor.get("/incidents")
    assert type(caught.value) is NotExecuted


def test_a_call_takes_no_longer_than_its_context_allows(wire: responses.RequestsMock, clock: SimClock) -> None:
    wire.get(f"{INCIDENTS}/P1", status=503)
    started = clock.passed
    with calling(CallPriority.CHANGED, within=2.0), pytest.raises(Unknown):
        http("PagerDuty", clock).get("/incidents/P1")
    assert clock.passed - started <= 2


def test_a_context_never_lengthens_a_call(wire: responses.RequestsMock, clock: SimClock) -> None:
    wire.get(f"{INCIDENTS}/P1", body=requests.exceptions.ReadTimeout())
    with calling(CallPriority.CHANGED, within=600.0), pytest.raises(Unknown, match="within 30 s"):
        http("PagerDuty", clock, timeout=30).get("/incidents/P1")


def test_a_page_keeps_its_place_in_the_rate_limiter_while_other_writes_are_put_back(
    wire: responses.RequestsMock, clock: SimClock
) -> None:
    wire.post(INCIDENTS, json={})
    limiter = RateLimiter(clock)
    limiter.release(limiter.acquire("POST /incidents", write=True, within=0), 429, {"Retry-After": "10"})
    vendor = http("PagerDuty", clock, limiter=limiter)
    with pytest.raises(RateLimited):
        vendor.write("POST", "/incidents", {})
    with calling(CallPriority.PAGE):
        vendor.write("POST", "/incidents", {})
    assert sum(clock.waits) == 10


def test_the_rate_limiter_gets_priority_and_route_of_a_call_from_its_context(
    wire: responses.RequestsMock, clock: SimClock
) -> None:
    wire.get(INCIDENTS, json={})
    seen: list[tuple[CallPriority, str]] = []

    class Noting(RateLimiter):
        def acquire(self, *scope: Any, **named: Any) -> Call:
            seen.append((named["priority"], named["route"]))
            return super().acquire(*scope, **named)

    vendor = http("PagerDuty", clock, limiter=Noting(clock))
    with calling(CallPriority.SWEEP, within=5.0), at_least(CallPriority.PAGE):
        vendor.get("/incidents")
        assert current() == CallContext(CallPriority.PAGE, 5.0)
    with for_route("payments"), calling(CallPriority.PAGE), at_least(CallPriority.CHANGED):
        vendor.get("/incidents")
    vendor.get("/incidents")
    assert seen == [(CallPriority.PAGE, ""), (CallPriority.PAGE, "payments"), (CallPriority.CHANGED, "")]


def test_a_new_key_is_sent_from_now_on_and_neither_is_repeated_by_an_error(wire: responses.RequestsMock) -> None:
    session = http("PagerDuty")
    session.use_key("Token token=another-key")
    wire.get(f"{PAGERDUTY}/users", status=400, json={"error": {"message": f"{PAGERDUTY_KEY} another-key"}})
    with pytest.raises(Permanent, match="••• •••"):
        session.get("/users")
    sent = wire.calls[0].request.headers
    assert sent["Authorization"] == "Token token=another-key"
    assert sent["Accept"] == "application/vnd.pagerduty+json;version=2"


def test_a_write_without_a_body_sends_none(wire: responses.RequestsMock) -> None:
    wire.post(f"{OPSGENIE}/v2/alerts", json={})
    http("Opsgenie").write("POST", "/v2/alerts", None)
    sent = wire.calls[0].request
    assert (sent.body or b"", "Content-Type" in sent.headers) == (b"", False)


def test_a_refused_write_is_an_answer_where_its_status_is_accepted(wire: responses.RequestsMock) -> None:
    wire.post(f"{OPSGENIE}/v2/alerts", status=422, json={"message": "too long"})
    answer = http("Opsgenie").write("POST", "/v2/alerts", {}, accept=frozenset({422}))
    assert (answer.status, answer.json) == (422, {"message": "too long"})


def test_the_password_of_basic_authentication_is_not_repeated_by_an_error(wire: responses.RequestsMock) -> None:
    words = "jsm-5ecret cm9ib3RAY3VzdG9tZXIuZXhhbXBsZTpqc20tNWVjcmV0"
    wire.post(f"{jsm.API}/v1", status=400, json={"message": words})
    with pytest.raises(Permanent, match="••• •••"):
        jsm.http().write("POST", "/v1", None)


def test_the_limit_that_was_met_is_named(wire: responses.RequestsMock) -> None:
    wire.post(f"{jsm.API}/v1", status=429, headers={"RateLimit-Reason": "jira-burst-based", "Retry-After": "3"})
    with pytest.raises(NotExecuted, match=r"429 \(jira-burst-based\)") as caught:
        jsm.http().write("POST", "/v1", None)
    assert caught.value.retry_after == 3


def test_a_session_that_is_not_the_vendors_own_is_counted_as_the_vendors(wire: responses.RequestsMock) -> None:
    records: list[RequestRecord] = []
    wire.get(f"{jsm.SITE}/_edge/tenant_info", json={})
    site = jsm.http("JSM site")
    site._on_request = records.append
    site.get("/_edge/tenant_info")
    assert [(record.vendor, record.route) for record in records] == [("JSM", "/_edge/tenant_info")]
