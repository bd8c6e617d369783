"""The canned vendors of several routes list what their pairs are made of, by route."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from benchmarks.routes.vendor import CannedRoutes
from reconciler.sandbox.wire import Request
from tests.support.canned import alert_id, incident_id

EPOCH = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
ROUTES, PAIRS = 4, 1200


@pytest.fixture
def vendor() -> CannedRoutes:
    return CannedRoutes(ROUTES, PAIRS, EPOCH, lambda: EPOCH)


def alerts(vendor: CannedRoutes, query: str, order: str = "asc") -> list[str]:
    """The ids of every alert that the query lists."""
    found: list[str] = []
    while True:
        asked = {"query": (query,), "order": (order,), "offset": (str(len(found)),)}
        body = json.loads(vendor(Request("GET", "/opsgenie/v2/alerts", asked)).body)
        found += [row["id"] for row in body["data"]]
        if "next" not in body["paging"]:
            return found


@pytest.mark.parametrize(
    ("query", "routes"),
    [("", {0, 1, 2, 3}), ("tag: t002", {2}), ("(tag: t003) OR (tag: t001)", {1, 3})],
)
def test_a_list_has_the_alerts_of_the_routes_that_its_query_names(
    vendor: CannedRoutes, query: str, routes: set[int]
) -> None:
    expected = [alert_id(number) for number in range(PAIRS) if number % ROUTES in routes]
    assert alerts(vendor, query) == expected
    assert alerts(vendor, query, "desc") == expected[::-1]


def test_a_list_of_later_alerts_begins_with_the_first_of_them(vendor: CannedRoutes) -> None:
    for number, later in ((500, 0), (500, 1)):
        at = vendor.created(number) + timedelta(milliseconds=later)
        query = f"(tag: t000) AND status:open AND createdAt>={int(at.timestamp() * 1000)}"
        assert alerts(vendor, query)[0] == alert_id(number + 4 * later)


def test_a_services_incidents_are_those_of_its_route(vendor: CannedRoutes) -> None:
    asked = {"service_ids[]": ("PSVC002",), "offset": ("200",)}
    body = json.loads(vendor(Request("GET", "/pagerduty/incidents", asked)).body)
    assert [row["id"] for row in body["incidents"]] == [incident_id(n) for n in range(801, PAIRS, 4)]
    assert {row["service"]["id"] for row in body["incidents"]} == {"PSVC002"}
    assert not body["more"]
