"""Every request that the product can send is one of our own table, and the table has nothing else.

"Every" is held from two sides: each method of each protocol is called, and each line that makes a request is
reached.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.sandbox.routes import fits
from reconciler.sandbox.wire import Request
from reconciler.vendors import ports
from tests.support.contract.calls import CALLS, SCENES
from tests.support.contract.exchange import Exchange
from tests.support.contract.making import made, protocols, request_places
from tests.support.contract.operations import ALWAYS, OPERATIONS, Operation
from tests.support.contract.places import missed


def test_every_method_of_every_protocol_is_called() -> None:
    assert set(CALLS) == protocols()
    called = {protocol.__name__: set(methods) for protocol, methods in CALLS.items()}
    there = {
        protocol.__name__: {
            name for name, member in vars(protocol).items() if callable(member) and not name.startswith("_")
        }
        for protocol in protocols()
    }
    assert called == there


def test_every_call_sends_something() -> None:
    """In each scene that has its protocol; an integration's key is asked for where there is one."""
    sent = {(source, name) for source, name, _ in made().exchanges}
    silent = {
        (source, f"{protocol.__name__}.{method}")
        for source, _, there in SCENES
        for protocol in there
        for method in CALLS[protocol]
    } - sent
    assert silent == {("jsm", f"{ports.JsmExaminer.__name__}.check_integration_key")}


def test_every_line_that_makes_a_request_is_reached() -> None:
    found = request_places()
    assert len(found) > 30
    assert missed(found, made().sites) == [], "give tests/support/contract/calls.py a call that comes there"


def operation_of(exchange: Exchange) -> Operation | None:
    request = exchange.request
    wanted = (exchange.vendor, request.method)
    return next(
        (row for row in OPERATIONS if (row.vendor, row.method) == wanted and fits(row.path, request.path)), None
    )


def fields(value: Any, above: str = "") -> Iterator[str]:
    """The fields of a body, each with what contains it."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from fields(one, f"{above}.{name}" if above else name)
    else:
        yield above


def sent_fields(request: Request) -> set[str]:
    return set(fields(json.loads(request.body))) if request.body else set()


@pytest.mark.parametrize("source", ["opsgenie", "jsm", "jsm named"])
def test_every_request_is_one_of_the_table(source: str) -> None:
    wrong = []
    for at, name, exchange in made().exchanges:
        if at != source:
            continue
        row, request = operation_of(exchange), exchange.request
        if row is None:
            wrong.append(f"{name}: {request.method} {request.path} is not in the table")
            continue
        extra = (request.query.keys() - set(row.query.split())) | (sent_fields(request) - set(row.body.split()))
        absent = {*ALWAYS[row.vendor], *row.headers} - request.headers.keys()
        wrong += [f"{name}: {row}: {what} is not in the table" for what in sorted(extra)]
        wrong += [f"{name}: {row}: the header {what} is missing" for what in sorted(absent)]
    assert wrong == []


@pytest.mark.parametrize("row", OPERATIONS, ids=str)
def test_everything_in_the_table_is_sent(row: Operation) -> None:
    requests = [exchange.request for _, _, exchange in made().exchanges if operation_of(exchange) == row]
    assert requests, "no call sends it"
    assert set(row.query.split()) == {name for request in requests for name in request.query}
    assert set(row.body.split()) == {name for request in requests for name in sent_fields(request)}


def test_values_are_those_that_the_vendors_document() -> None:
    """What stands in a query or a body beside ids, texts and times, and the most rows of a page."""
    given: dict[str, set[str]] = {}
    for _, _, exchange in made().exchanges:
        for name, values in exchange.request.query.items():
            given.setdefault(f"{exchange.vendor} {name}", set()).update(values)
    assert {name: sorted(given[name]) for name in VALUES} == VALUES
    sizes = {size for name in ("opsgenie limit", "jsm size", "pagerduty limit") for size in given[name]}
    assert sizes == {"1", "100"}


VALUES = {
    "opsgenie sort": ["createdAt", "updatedAt"],
    "opsgenie order": ["asc", "desc"],
    "opsgenie direction": ["next"],
    "opsgenie identifierType": ["id"],
    "jsm sort": ["createdAt", "updatedAt"],
    "jsm order": ["asc", "desc"],
    "jsm identifierType": ["id"],
    "pagerduty statuses[]": ["acknowledged", "triggered"],
    "pagerduty date_range": ["all"],
    "pagerduty sort_by": ["incident_number:asc", "incident_number:desc"],
    "pagerduty time_zone": ["UTC"],
    "pagerduty include[]": ["channels"],
    "pagerduty filter": ["open"],
}
"""`sort=updatedAt` of JSM is a question of `doctor`'s alone."""
