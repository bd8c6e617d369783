"""What of a request or an answer a vendor's published description does not know or does not want.

openapi-core validates parameters, bodies and answers. What it lets pass is looked at here: a query parameter or a
body that is not described.
"""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema.exceptions import ValidationError
from openapi_core import OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.templating.responses.exceptions import ResponseNotFound
from openapi_core.validation.request.exceptions import MissingRequiredParameter, MissingRequiredRequestBody
from openapi_core.validation.schemas.exceptions import InvalidSchemaValue
from werkzeug.datastructures import Headers, ImmutableMultiDict

from reconciler.sandbox.app import Sandbox
from reconciler.sandbox.routes import fits
from tests.support.contract.exchange import Exchange, Route, routes
from tests.support.contract.reduced import reduced
from tests.support.paths import ROOT

SPECS = Path(os.environ.get("RECONCILER_SPEC_DIR") or ROOT.parent / "shared" / "openapi")


@dataclass(frozen=True, slots=True)
class Api:
    """An API of the sandbox, and the file that describes it.

    `begin` is what its paths begin with, `base` what precedes those of the file in them. JSM's Integration Events
    API is documented as compatible with Opsgenie's Alert API, whose description it has.
    """

    vendor: str
    begin: str
    file: str
    base: str


APIS = (
    Api("opsgenie", "/", "opsgenie", ""),
    Api("jsm", "/jsm/ops/api/", "jsm-operations-alerts", "/jsm/ops"),
    Api("jsm", "/jsm/ops/integration/", "opsgenie", "/jsm/ops/integration"),
    Api("pagerduty", "/", "pagerduty", ""),
)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with an exchange.

    `operation` is the method and the path as described, `part` is `request` or the answer's status. `where` is the
    place in the body, such as `incidents.#.channel`, or a parameter's name.
    """

    vendor: str
    operation: str
    part: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.vendor} {self.operation} · {self.part} · {self.where or 'all'}: {self.what}"


class Description:
    """The description of an API, reduced to the `wanted` routes."""

    def __init__(self, api: Api, document: dict[str, Any], wanted: Iterable[Route]) -> None:
        self.api = api
        self._routes = [route for route in wanted if route.vendor == api.vendor]
        known = [path for path in document["paths"] if any(_is_of(path, api, route) for route in self._routes)]
        self._document = reduced(document, known)
        self._paths = sorted(known, key=lambda path: path.count("{"))
        self._checked = OpenAPI.from_dict(self._document)

    def problems(self, exchange: Exchange) -> Iterator[Problem]:
        """All that is wrong with a request and with its answer."""
        request, answer = exchange.request, exchange.answer
        asked = _Asked(exchange, self.api.base)
        path = next((path for path in self._paths if fits(path, asked.path)), "")
        operation = self._document["paths"].get(path, {}).get(asked.method)
        if operation is None:
            known = next((each.pattern for each in self._routes if fits(each.pattern, request.path)), request.path)
            name = f"{request.method} {known}"
            yield Problem(self.api.vendor, name, "request", "", "the operation is not described")
            return
        name = f"{request.method} {path}"
        wrong = [*map(_said, self._checked.iter_request_errors(asked)), _undescribed(operation, exchange)]
        for part, found in (
            ("request", wrong),
            (str(answer.status), map(_said, self._checked.iter_response_errors(asked, _Given(exchange)))),
        ):
            for where, what in (each for some in found for each in some):
                yield Problem(self.api.vendor, name, part, where, what)


@cache
def descriptions() -> tuple[Description, ...]:
    """All of them, once for each process. Skips the test where a file is absent."""
    wanted = routes(Sandbox())
    return tuple(Description(api, document(api.file), wanted) for api in APIS)


def description_of(exchange: Exchange) -> Description | None:
    """The description of an exchange's API, None where there is none: Jira's users, the site's cloud id."""
    vendor, path = exchange.vendor, exchange.request.path
    return next((d for d in descriptions() if d.api.vendor == vendor and path.startswith(d.api.begin)), None)


def document(file: str) -> dict[str, Any]:
    """A vendor's published description. Skips the test where it is absent: it may not be shipped."""
    path = SPECS / f"{file}.json"
    if not path.is_file():
        pytest.skip(f"no {path.name} there: point RECONCILER_SPEC_DIR at the vendors' published descriptions")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _is_of(path: str, api: Api, route: Route) -> bool:
    """Whether a described path is that of a route: equal but for the names of what is variable."""
    place = route.pattern.removeprefix(api.base)
    return route.pattern.startswith(api.begin) and fits(path, place) and fits(place, path)


class _Asked:
    """A request in openapi-core's form."""

    def __init__(self, exchange: Exchange, base: str) -> None:
        request = exchange.request
        query = [(name, value) for name, values in request.query.items() for value in values]
        self.host_url = ""
        self.path = request.path.removeprefix(base)
        self.method = request.method.lower()
        self.parameters = RequestParameters(ImmutableMultiDict(query), Headers(dict(request.headers)))
        self.content_type = request.headers.get("content-type", "")
        self.body = request.body or None


class _Given:
    """An answer in openapi-core's form."""

    def __init__(self, exchange: Exchange) -> None:
        answer = exchange.answer
        self.status_code = answer.status
        self.headers = Headers(dict(answer.headers))
        self.content_type = self.headers.get("Content-Type", "")
        self.data = answer.body or None


def _undescribed(operation: dict[str, Any], exchange: Exchange) -> Iterator[tuple[str, str]]:
    known = {each["name"] for each in operation["parameters"] if each["in"] == "query"}
    yield from ((name, "the parameter is not described") for name in exchange.request.query if name not in known)
    if exchange.request.body and "requestBody" not in operation:
        yield "", "no body is described"


def _said(error: Exception) -> Iterator[tuple[str, str]]:
    """The place and the words of an error of openapi-core; one for each place in a body."""
    name, cause = str(getattr(error, "name", "")), error.__cause__
    match error:
        case ResponseNotFound():
            yield "", "the status is not described"
        case MissingRequiredParameter():
            yield name, "is missing"
        case MissingRequiredRequestBody():
            yield "", "a body is missing"
        case _ if isinstance(cause, InvalidSchemaValue):
            for found in cause.schema_errors:
                yield from _places(found, name)
        case _:
            yield name, str(cause or error)


def _places(error: ValidationError, above: str) -> Iterator[tuple[str, str]]:
    """The places that a schema's error is about: each field by itself, and of alternatives the nearest one."""
    steps = ["#" if isinstance(step, int) else str(step) for step in error.absolute_path]
    place = _joined(above, *steps)
    match error.validator:
        case "additionalProperties" if isinstance(error.instance, dict):
            extra = sorted(error.instance.keys() - error.schema["properties"].keys())
            yield from ((_joined(place, name), "is not described") for name in extra)
        case "required" if isinstance(error.instance, dict):
            absent = [name for name in error.schema["required"] if name not in error.instance]
            yield from ((_joined(place, name), "is missing") for name in absent if f"'{name}'" in error.message)
        case "anyOf" if error.instance is not None and (nearest := _nearest(error.context)):
            for found in nearest:
                yield from _places(found, above)
        case "type" | "anyOf" if error.instance is None:
            yield from [(place, "null is not described")] if "nullable" not in error.message else []
        case "readOnly":
            yield place, "is described as read-only"
        case "enum":
            yield place, f"{error.instance!r} is not one of those described"
        case "type":
            yield place, f"is not described as {type(error.instance).__name__}"
        case _:
            yield place, error.message


def _nearest(errors: Iterable[ValidationError]) -> list[ValidationError]:
    """Of the errors of alternatives those of the nearest: of the right type, and with the fewest errors."""
    by_member: dict[Any, list[ValidationError]] = {}
    for error in errors:
        by_member.setdefault(error.schema_path[0], []).append(error)
    return min(
        by_member.values(), key=lambda some: (sum(e.validator == "enum" for e in some), len(some)), default=[]
    )


def _joined(*steps: str) -> str:
    return ".".join(filter(None, steps))
