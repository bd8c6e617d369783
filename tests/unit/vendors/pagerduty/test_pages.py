"""Lists are read page by page, to their end and no further."""

import json
from typing import Any

import pytest
import responses

from reconciler.errors import Unknown
from tests.support.wire.http import query
from tests.support.wire.pagerduty import ALWAYS, INCIDENTS, SERVICE, client, incident, page

OPEN = {
    "statuses_": ["triggered", "acknowledged"], "service_ids_": SERVICE, "date_range": "all",
    "sort_by": "incident_number:asc", "time_zone": "UTC", "limit": "100",
}  # fmt: skip


def test_open_incidents_are_read_to_the_end_checked_and_unique(wire: responses.RequestsMock) -> None:
    first = [
        incident(1),
        incident(2, status="resolved"),
        incident(3, service={"id": "POTHER"}),
        None,
        {"id": "PX"},
    ]
    wire.get(INCIDENTS, json=page("incidents", first, more=True), match=[query(**OPEN, offset="0"), ALWAYS])
    second = [incident(1), incident(4, status="acknowledged")]
    wire.get(INCIDENTS, json=page("incidents", second), match=[query(**OPEN, offset="100")])
    bad: list[tuple[str, str]] = []
    assert [found.id for found in client(bad=bad).open_incidents()] == ["PINC1", "PINC4"]
    assert len(bad) == 2


def test_one_page_of_open_incidents_is_read(wire: responses.RequestsMock) -> None:
    wire.get(INCIDENTS, json=page("incidents", [incident(1)], more=True), match=[query(**OPEN, offset="200")])
    found, more = client().open_incidents_page(200)
    assert ([one.id for one in found], more) == (["PINC1"], True)
    assert client().open_incidents_page(9_901) == ([], False)


def test_paging_stays_within_pagerdutys_window(wire: responses.RequestsMock) -> None:
    numbers = iter(range(1, 10_000))
    wire.add_callback("GET", INCIDENTS, lambda _request: (200, {}, json.dumps(page("incidents", [
        incident(next(numbers))], more=True))))  # fmt: skip
    bad: list[tuple[str, str]] = []
    assert len(client(bad=bad).open_incidents()) == 100
    assert bad == [("PagerDuty", "more than 10000 rows of incidents: the rest cannot be listed")]


@pytest.mark.parametrize("answer", [{}, [], {"incidents": {}}, {"incidents": None}, {"error": "x"}])
def test_an_answer_without_its_list_is_an_error_and_no_empty_list(
    wire: responses.RequestsMock, answer: Any
) -> None:
    wire.get(INCIDENTS, json=answer)
    with pytest.raises(Unknown, match="without 'incidents'"):
        client().open_incidents()
