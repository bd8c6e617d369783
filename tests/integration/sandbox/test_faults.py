"""Faults that users can rehearse."""

import http.client
import json
import time
from typing import Any
from urllib.parse import urlsplit

import pytest

from reconciler.sandbox.faults import Fault, Faults, from_json
from reconciler.sandbox.server import serve
from reconciler.sandbox.wire import ManualClock, request
from tests.support.sandbox import OG, TroubleBench


@pytest.mark.parametrize(
    ("fault", "status", "message", "code"),
    [
        ({"do": "400", "code": 1008}, 400, "Requester User Not Found", 1008),
        ({"do": "402"}, 402, "Missing Account Ability", 2014),
        ({"do": "403"}, 403, "Access Denied", 2010),
        ({"do": "404"}, 404, "Not Found", 2100),
        ({"do": "400", "code": 4711}, 400, "Something went wrong", 4711),
        ({"do": "400", "code": 2002, "message": "Service is disabled"}, 400, "Service is disabled", 2002),
    ],
)
def test_a_fault_answers_with_pagerdutys_own_error(fault: Any, status: int, message: str, code: int) -> None:
    world = TroubleBench()
    world.fault(**fault, errors=["one", "two"])
    response = world.create()
    assert response.status == status
    assert response.json() == {"error": {"message": message, "code": code, "errors": ["one", "two"]}}


def test_a_fault_answers_with_opsgenies_own_error() -> None:
    world = TroubleBench()
    world.fault(do="422", vendor="opsgenie", code=42201, message="Query is not valid")
    answer = world.call("GET", "/opsgenie/v2/alerts").json()
    assert (answer["message"], answer["code"]) == ("Query is not valid", 42201)


@pytest.mark.parametrize(
    ("do", "header", "value"),
    [
        ("html_302", "Location", "https://login.invalid/"),
        ("html_407", "Proxy-Authenticate", 'Basic realm="proxy"'),
        ("html_405", "Allow", "GET"),
        ("html_200", "Content-Type", "text/html"),
        ("429", "ratelimit-reset", "1"),
    ],
)
def test_an_answer_of_a_gateway_has_the_headers_of_its_kind(do: str, header: str, value: str) -> None:
    world = TroubleBench()
    world.fault(do=do)
    assert world.create().headers[header] == value


def test_a_lasting_fault_ends_by_itself_or_when_it_is_deleted() -> None:
    world = TroubleBench()
    world.fault(do="402", vendor="pagerduty", method="P*", for_seconds=3)
    assert [world.create().status for _ in range(2)] == [402, 402]
    assert world.status("/pagerduty/users") == 200
    world.clock.advance(3)
    assert world.control("GET", "/faults") == {"faults": []}
    assert world.create().status == 201
    world.fault(do="402", times=0)
    assert [world.create().status for _ in range(3)] == [402] * 3
    world.control("DELETE", "/faults")
    assert world.create().status == 201


def test_a_fault_may_last_and_still_count() -> None:
    some = Faults(ManualClock())
    some.add(from_json({"do": "500", "times": 1, "for_seconds": 60}))
    asked = request("GET", "/")
    assert [some.next("opsgenie", asked) is not None for _ in range(2)] == [True, False]


def test_a_fault_may_match_the_body_of_a_request() -> None:
    world = TroubleBench()
    incident = world.created()
    world.fault(do="html_403", contains="<script", times=0)
    path = f"/pagerduty/incidents/{incident}/notes"
    sent = [
        world.call("POST", path, {"note": {"content": text}}).status for text in ("<script>", "calm", "a <script")
    ]
    assert sent == [403, 200, 403]


@pytest.mark.parametrize(
    "wrong",
    [{"do": "600"}, {"do": "html_"}, {"do": "40"}, {"do": "403", "times": -1}, {"do": "403", "for_seconds": "3"},
     {"do": "403", "code": "1008"}, {"do": "403", "errors": "no list"}, {"do": "403", "contains": 7}],
)  # fmt: skip
def test_an_impossible_fault_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_json(wrong)


@pytest.mark.parametrize(("do", "prompt"), [("drip", False), ("drip_body", True)])
def test_a_fault_can_make_an_answer_drip(do: str, prompt: bool) -> None:
    with serve() as running:
        running.sandbox.faults.add(Fault(do, seconds=0.3))
        connection = http.client.HTTPConnection(str(urlsplit(running.url).netloc), timeout=5)
        started = time.perf_counter()
        connection.request("GET", "/opsgenie/v2/alerts", headers=OG)
        answer = connection.getresponse()
        assert (time.perf_counter() - started < 0.2) == prompt
        assert json.loads(answer.read())["data"] == []
        assert time.perf_counter() - started > 0.25
        connection.close()
