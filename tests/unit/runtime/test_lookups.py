"""What `explain` may ask: only with a key, and only by reading."""

from collections.abc import Iterator

import pytest
import responses
from pydantic import SecretStr

from reconciler.errors import Missing
from reconciler.runtime.lookups import alert_page, searches
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
