"""What `explain` may ask: only with a key, and only by reading."""

from collections.abc import Iterator

import pytest
import responses
from pydantic import SecretStr

from reconciler.errors import Missing
from reconciler.runtime.lookups import alert_page, query_of, searches
from reconciler.settings import LookupSettings
from tests.support.wire.http import asked

OPSGENIE, PAGERDUTY = "https://api.opsgenie.com/v2/alerts", "https://api.pagerduty.com/incidents"
KEYS = {"opsgenie_api_key": SecretStr("key-of-opsgenie"), "pagerduty_api_key": SecretStr("key-of-pagerduty")}
ROW = {"id": "a-1", "tinyId": "17", "message": "Disk full", "status": "open"}


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def configured(**more: object) -> LookupSettings:
    return LookupSettings(**{"pagerduty_service_id": "PSVC", **KEYS, **more})  # type: ignore[arg-type]


def test_a_vendor_without_a_key_is_not_asked() -> None:
    found = searches(configured(opsgenie_api_key=None, pagerduty_api_key=None))
    assert (found.alerts, found.incidents, found.service_id) == (None, None, "PSVC")


def test_an_alert_is_asked_for_by_its_id_or_by_any_query(wire: responses.RequestsMock) -> None:
    search = searches(configured()).alerts
    assert search is not None
    wire.get(f"{OPSGENIE}/a-1", json={"data": ROW})
    wire.get(OPSGENIE, json={"data": [ROW]})
    assert search.alert("a-1").tiny_id == "17"
    assert [alert.id for alert in search.find("tinyId: 17")] == ["a-1"]
    assert asked(wire.calls[1])["query"] == "tinyId: 17"
    assert wire.calls[1].request.headers["Authorization"] == "GenieKey key-of-opsgenie"


JSM = {
    "alert_source": "jsm", "jsm_site_url": "https://acme.example", "jsm_cloud_id": "7d2f",
    "jsm_email": "r@acme.example", "jsm_api_token": SecretStr("token-of-jsm"), "jsm_query": "tag:jsm",
}  # fmt: skip


def test_an_alert_is_asked_for_in_jsm_where_that_is_the_source(wire: responses.RequestsMock) -> None:
    search = searches(configured(**JSM)).alerts
    assert search is not None
    api = "https://api.atlassian.com"
    wire.get(f"{api}/ex/jira/7d2f/rest/api/3/myself", json={})
    wire.get(f"{api}/jsm/ops/api/7d2f/v1/alerts/a-1", json=ROW)
    wire.get(f"{api}/jsm/ops/api/7d2f/v1/alerts", json={"values": [ROW], "count": 1})
    assert search.alert("a-1").tiny_id == "17"
    assert [alert.url for alert in search.find("tinyId: 17")] == ["https://acme.example/jira/ops/alerts/a-1"]
    assert asked(wire.calls[2])["query"] == "tinyId: 17"
    assert "token-of-jsm" in configured(**JSM).secret_values()


@pytest.mark.parametrize("name", ["jsm_api_token", "jsm_email", "jsm_site_url"])
def test_jsm_is_not_asked_without_all_that_it_takes(name: str) -> None:
    assert searches(configured(**JSM | {name: None if name == "jsm_api_token" else ""})).alerts is None


def test_the_query_and_an_alerts_page_are_the_sources() -> None:
    assert query_of(configured(opsgenie_query="tag:og")) == "tag:og"
    assert query_of(configured(**JSM)) == "tag:jsm"
    assert alert_page(configured(**JSM), "a-1") == "https://acme.example/jira/ops/alerts/a-1"


def test_an_incident_is_asked_for_by_its_id(wire: responses.RequestsMock) -> None:
    search = searches(configured()).incidents
    assert search is not None
    wire.get(f"{PAGERDUTY}/PINC1", json={"incident": {"id": "PINC1", "status": "triggered"}})
    wire.get(f"{PAGERDUTY}/99", json={"error": {"message": "Not Found", "code": 2100}}, status=404)
    assert search.incident("PINC1").id == "PINC1"
    with pytest.raises(Missing):
        search.incident("99")
    assert wire.calls[0].request.headers["Authorization"] == "Token token=key-of-pagerduty"


def test_an_alerts_page_is_in_the_region_of_the_api() -> None:
    assert alert_page(configured(), "a-1") == "https://app.opsgenie.com/alert/detail/a-1/details"
    eu = configured(opsgenie_api_url="https://api.eu.opsgenie.com")
    assert alert_page(eu, "a-1").startswith("https://app.eu.opsgenie.com/")
