"""Answers of all three dialects that are malformed as a whole, or in one field of the one object they hold."""

import json
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import pytest
import responses

from reconciler.errors import Unknown
from tests.support.wire.jsm import SITE as JSM_SITE
from tests.support.wire.mutations import FEW, ODD, shown
from tests.support.wire.reading_checks import answer, check_single, numbered, prepare
from tests.support.wire.reading_oracle import check_value
from tests.support.wire.readings import ROWS, SHARED, SINGLES, Clients, Rows, Single

pytestmark = pytest.mark.unmeasured  # many runs of lines that other tests cover, too: tracing doubles the time

HOSTS = {"api.opsgenie.com", "api.pagerduty.com", "api.atlassian.com", urlsplit(JSM_SITE).netloc}
ELSEWHERE = "https://evil.example/v2/alerts?offset=100&after=100"
NEXT: list[Any] = [
    ELSEWHERE, "/v1/alerts?offset=&after=", "?offset=o&after=o", "//evil.example", "http://[", "x" * 50_000,
    f"?offset={'x' * 50_000}&after={'x' * 50_000}", "?offset=\x00&after=%00",
    7, -1, True, None, [], {}, [ELSEWHERE],
]  # fmt: skip
"""What may stand where the address of the next page belongs."""
each_list = pytest.mark.parametrize("rows", ROWS, ids=lambda rows: rows.name)
MOST_REQUESTS, LONGEST_URL = 250, 4096


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        prepare(mock)
        yield mock


def asked(wire: responses.RequestsMock) -> int:
    """The number of requests, all of which went to the vendors' own hosts; the mock forgets them."""
    urls = [str(call.request.url) for call in wire.calls]
    assert {urlsplit(url).netloc for url in urls} <= HOSTS
    assert all(len(url) < LONGEST_URL for url in urls)
    found = len(wire.calls)
    wire.calls.reset()
    return found


# -- lists --


@each_list
def test_an_answer_without_its_list_says_nothing_about_what_there_is(
    wire: responses.RequestsMock, rows: Rows
) -> None:
    bodies = [*ODD, rows.answer(...)] + [rows.answer(odd) for odd in ODD if not isinstance(odd, list)]
    for body in bodies:
        without = {} if isinstance(body, dict) and body.get(rows.array) is ... else body
        answer(wire, rows.url, without)
        with pytest.raises(Unknown):
            list(rows.read(Clients()))
        assert asked(wire) <= 10, shown(body)  # what cannot be read is read a few times more


@each_list
def test_odd_paging_leads_nowhere_else_and_hides_no_row(wire: responses.RequestsMock, rows: Rows) -> None:
    given = [numbered(rows, number) for number in range(3)]
    answer(wire, rows.url, rows.answer(given))
    sound = {rows.label(value) for value in rows.read(Clients())}
    assert len(sound) == 3
    wire.calls.reset()
    for odd in NEXT:
        for paging in (
            {"paging": odd, "links": odd, "more": odd, "count": odd, "total": odd, "limit": odd, "offset": odd},
            {"paging": {"next": odd, "first": odd}, "links": {"next": odd}, "more": True, "count": odd},
        ):
            answer(wire, rows.url, rows.answer(given, **paging))
            assert {rows.label(value) for value in rows.read(Clients())} == sound, shown(odd)
            assert asked(wire) < MOST_REQUESTS


@each_list
def test_an_endless_list_ends_and_that_is_said(wire: responses.RequestsMock, rows: Rows) -> None:
    numbers = count()

    def page(_request: Any) -> tuple[int, dict[str, str], str]:
        number = next(numbers)
        more = f"https://x.example/?offset=token{number}&after=token{number}"
        paging = {"paging": {"next": more}, "links": {"next": more}, "more": True, "count": 1_000_000}
        return 200, {}, json.dumps(rows.answer([numbered(rows, number)], **paging))

    wire.add_callback("GET", rows.url, page)
    clients = Clients()
    found = list(rows.read(clients))
    requests = asked(wire)
    assert len(found) >= requests - 3 or requests <= 3, "each page that was asked for was read"
    assert requests <= 2 * MOST_REQUESTS
    assert requests <= 3 or clients.bad, "nobody is told that the rest is not read"


# -- single objects --


each_object = pytest.mark.parametrize("single", SINGLES, ids=lambda single: single.name)


@each_object
def test_a_malformed_object_is_read_to_what_it_says_or_not_at_all(
    wire: responses.RequestsMock, single: Single
) -> None:
    check_single(wire, single, FEW if single.name in SHARED else ODD)
    assert asked(wire) > 0


@each_object
def test_an_answer_of_another_shape_is_not_read_as_an_object(wire: responses.RequestsMock, single: Single) -> None:
    clients = Clients()
    for body in ODD:
        answer(wire, single.url, body)
        with suppress(*single.errors):
            check_value(single.read(clients), single.ahead, shown(body))
