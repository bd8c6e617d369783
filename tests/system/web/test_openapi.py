"""The listener conforms to `reconciler/web/openapi.yaml` for any request, and gives every answer listed there."""

import copy
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.transport import HttpMethod
from schemathesis.openapi.checks import JsonSchemaError, MissingHeaders, UndefinedContentType, UndefinedStatusCode
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

import reconciler.web
from reconciler import __version__
from reconciler.observability.health import SHORTEST_GRACE
from reconciler.web.app import HEADERS, LARGEST_BODY
from tests.support.harness.listener import INTEGRATION, SHARED, Listener, opsgenie_body, pagerduty_body, signature

FILE = Path(reconciler.web.__file__).parent / "openapi.yaml"
TOLD = yaml.safe_load(FILE.read_text())
OPERATIONS: list[tuple[str, HttpMethod]] = [
    (path, method.upper()) for path, methods in TOLD["paths"].items() for method in methods
]
FUZZED = [
    (path, method, mode)
    for path, method in OPERATIONS
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    if (method, mode) != ("GET", GenerationMode.NEGATIVE)  # a GET has no input that could be invalid
]
CHECKS: list[CheckFunction] = [
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
    allow_header_conformance,
]
FUZZ = settings(
    max_examples=40,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate, Phase.explicit],
    suppress_health_check=list(HealthCheck),
)


@cache
def schema() -> BaseSchema:
    """The description; reading it takes a second, which no process spends that only collects this file."""
    return schemathesis.openapi.from_path(FILE)


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


@pytest.fixture(scope="module")
def front(listener: Listener) -> Listener:
    return listener


# -- generated requests --


@pytest.mark.parametrize(("path", "method", "mode"), FUZZED)
def test_every_answer_to_a_generated_request_conforms_to_the_specification(
    front: Listener, session: requests.Session, path: str, method: str, mode: GenerationMode
) -> None:
    answered = set()

    @FUZZ
    @given(case=schema()[path][method].as_strategy(generation_mode=mode))
    def ask(case: Case[Any]) -> None:
        for sent in (_as_it_is(front, case), _made_genuine(front, case)):
            answer = session.send(sent, timeout=10)
            _validate(case, answer, not_a_server_error)
            answered.add(answer.status_code)

    ask()
    assert answered <= ({200, 405} if method == "GET" else {202, 400, 401, 403, 405})
    assert front.memory() > 0  # the process is still running
    if (method, mode) == ("POST", GenerationMode.POSITIVE):
        assert answered >= {202, 401}


def _as_it_is(front: Listener, case: Case[Any]) -> requests.PreparedRequest:
    kwargs = case.as_transport_kwargs(base_url=front.url)
    names = ("method", "url", "headers", "params", "data", "json", "cookies", "files")
    return requests.Request(**{name: kwargs[name] for name in names if name in kwargs}).prepare()


def _made_genuine(front: Listener, case: Case[Any]) -> requests.PreparedRequest:
    """The same as the vendor would send it: with our integration's id, the shared secret and a valid signature."""
    if isinstance(case.body, dict) and "integrationId" in case.body:
        case.body = case.body | {"integrationId": INTEGRATION}
    request = _as_it_is(front, case)
    body = request.body.encode() if isinstance(request.body, str) else request.body or b""
    assert isinstance(body, bytes)
    request.headers["X-PagerDuty-Signature"] = signature(body)
    request.headers["X-Webhook-Secret"] = SHARED
    return request


def _validate(case: Case[Any], answer: requests.Response, *more: CheckFunction) -> None:
    case.validate_response(answer, checks=[*CHECKS, *more])
    for name, value in HEADERS:
        assert answer.headers[name] == value


# -- every answer of the specification --


def test_every_answer_in_the_specification_is_given_by_some_request(
    front: Listener, lame: Listener, session: requests.Session
) -> None:
    given_ = set()
    for where, path, method, status, request in _requests(front, lame):
        answer = session.send(request.prepare(), timeout=10)
        assert answer.status_code == status, (path, status, where.log())
        _validate(schema()[path][method].Case(method=method), answer)
        given_.add((path, str(status)))
    told = {
        (path, status)
        for path, method in OPERATIONS
        for status in TOLD["paths"][path][method.lower()]["responses"]
    }
    assert told == given_


Sent = tuple[Listener, str, HttpMethod, int, requests.Request]


@pytest.fixture(scope="module")
def lame(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listener]:
    """A listener without webhook endpoints, whose daemon's loop got stuck before the first poll."""
    none = dict.fromkeys(("PAGERDUTY_WEBHOOK_SECRET", "OPSGENIE_INTEGRATION_ID", "OPSGENIE_WEBHOOK_SECRET"), "")
    lame = Listener(tmp_path_factory.mktemp("lame"), "unpolled", "stuck", **none)
    time.sleep(SHORTEST_GRACE)
    yield lame
    assert lame.end() == 0


def _requests(front: Listener, lame: Listener) -> Iterator[Sent]:
    for path, method in OPERATIONS:
        url = front.url + path
        yield front, path, method, 405, requests.Request("PUT", url)
        if method == "GET":
            yield front, path, method, 200, requests.Request(method, url)
        else:
            yield front, path, method, 413, requests.Request(method, url, data=b" " * (LARGEST_BODY + 1))
            yield lame, path, method, 404, requests.Request(method, lame.url + path)
    for path in ("/healthz", "/readyz"):
        yield lame, path, "GET", 503, requests.Request("GET", lame.url + path)
    yield from ((front, *sent) for sent in _deliveries(front))


def _deliveries(front: Listener) -> Iterator[tuple[str, HttpMethod, int, requests.Request]]:
    pagerduty, opsgenie = "/pd-webhook", "/ops-webhook"
    for status, body, header in (
        (202, pagerduty_body("PNOTOURS"), None),
        (400, b"{", None),
        (401, b"{}", "v1=" + "0" * 64),
    ):
        headers = {"X-PagerDuty-Signature": header or signature(body)}
        yield pagerduty, "POST", status, requests.Request("POST", front.url + pagerduty, headers, data=body)
    good = opsgenie_body("a-1")
    for status, told, secret in (
        (202, good, SHARED),
        (400, {"integrationId": INTEGRATION}, SHARED),
        (401, good, "another"),
        (403, good | {"integrationId": "another"}, SHARED),
    ):
        headers = {"X-Webhook-Secret": secret}
        yield opsgenie, "POST", status, requests.Request("POST", front.url + opsgenie, headers, json=told)


# -- the file --


def test_the_specification_is_valid_openapi_and_has_this_version() -> None:
    schema().validate()
    assert TOLD["openapi"].startswith("3.1")
    assert TOLD["info"]["version"] == __version__


def test_the_specification_lists_every_endpoint_and_no_other(front: Listener) -> None:
    for path, method in OPERATIONS:
        answer = requests.request("BREW", front.url + path, timeout=10)
        allowed = set(answer.headers["Allow"].split(", ")) - {"HEAD"}
        assert (answer.status_code, allowed) == (405, {method})
    contract = {"/healthz", "/readyz", "/metrics", "/pd-webhook", "/ops-webhook"}
    assert {path for path, _ in OPERATIONS} == contract


@pytest.mark.parametrize(
    ("change", "failure"),
    [
        (lambda told: told["paths"]["/healthz"]["get"]["responses"].pop("200"), UndefinedStatusCode),
        (lambda told: _alive(told).update(content={"text/html": {}}), UndefinedContentType),
        (lambda told: _alive(told)["content"]["application/json"].update(schema=False), JsonSchemaError),
        (lambda told: _alive(told)["headers"].update({"X-New": {"required": True}}), MissingHeaders),
        (lambda told: told["components"]["headers"]["FrameOptions"].update(schema={"const": 1}), JsonSchemaError),
    ],
    ids=["status", "content type", "words", "a header", "a header's value"],
)
def test_an_answer_that_deviates_from_the_specification_is_detected(
    front: Listener, change: Callable[[Any], object], failure: type[Exception]
) -> None:
    told = copy.deepcopy(TOLD)
    change(told)
    operation = schemathesis.openapi.from_dict(told)["/healthz"]["GET"]
    with pytest.raises(FailureGroup) as caught:
        _validate(operation.Case(method="GET"), front.get("/healthz"))
    assert [type(found) for found in caught.value.exceptions] == [failure]


def _alive(told: Any) -> Any:
    return told["components"]["responses"]["Alive"]
