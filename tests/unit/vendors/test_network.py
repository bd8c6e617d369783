from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.errors import Misconfigured
from reconciler.vendors.network import OTHER_REGION, route_to, server_time

URL = "https://api.opsgenie.com"


@pytest.fixture(autouse=True)
def nothing_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def test_without_settings_a_vendor_is_reached_directly() -> None:
    assert route_to(URL).proxy == ""


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "ALL_PROXY"])
def test_a_proxy_is_named_without_its_login(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "http://joe:hunter2@proxy.example:3128")
    assert route_to(URL).proxy == "http://proxy.example:3128"
    monkeypatch.setenv("NO_PROXY", "opsgenie.com")
    assert route_to(URL).proxy == ""


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_the_certificates_in_force_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    monkeypatch.setenv(name, str(tmp_path))
    assert route_to(URL).certificates == str(tmp_path)
    monkeypatch.setenv(name, str(tmp_path / "missing"))
    with pytest.raises(Misconfigured, match=f"{name}: there is no file"):
        route_to(URL)


def test_the_vendors_clock_is_read_from_its_answer() -> None:
    at = datetime(2026, 11, 23, 9, 0, 5, tzinfo=UTC)
    assert server_time({"Date": "Mon, 23 Nov 2026 09:00:05 GMT"}) == at
    assert server_time({"Date": "soon"}) is None
    assert server_time({}) is None


def test_each_region_names_the_other() -> None:
    assert all(OTHER_REGION[other] == url for url, other in OTHER_REGION.items())
