import re
from pathlib import Path
from typing import Any

import pytest

from reconciler.operations.doctor_setup import SetupChecks
from reconciler.operations.findings import Finding, Verdict
from reconciler.settings import load
from tests.support.configured import REQUIRED, WITH_JSM


@pytest.fixture(autouse=True)
def nothing_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "ALL_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def found(check: str, **given: str) -> Finding:
    return dict(SetupChecks(load(REQUIRED | given, None)).checks())[check]()


def test_probable_mistakes_are_warned_about() -> None:
    assert found("variables").verdict is Verdict.GOOD
    told = found("variables", LOGLEVEL="x", OPSGENIE_INTEGRATION_ID="1-2")
    assert told.verdict is Verdict.WARNING
    assert "LOGLEVEL: is not read" in told.found
    assert "OPSGENIE_INTEGRATION_ID: is of no use without HTTP_LISTEN" in told.found


def test_the_way_to_both_vendors_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert re.fullmatch(
        r"Opsgenie directly(, certificates of \S+)?; PagerDuty directly\1?", found("network").found
    )
    monkeypatch.setenv("HTTPS_PROXY", "http://joe:hunter2@proxy:3128")
    assert found("network").found.startswith("Opsgenie through the proxy http://proxy:3128")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    told = found("network")
    assert told.verdict is Verdict.BAD
    assert told.found.startswith(f"REQUESTS_CA_BUNDLE: there is no file {tmp_path}/ca.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path))
    assert found("network").found.endswith(
        f"PagerDuty through the proxy http://proxy:3128, certificates of {tmp_path}"
    )


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "none: STATUS_LISTEN is empty"),
        ({"STATUS_LISTEN": "127.0.0.1:8081"}, "at http://127.0.0.1:8081/ for everybody on this machine"),
        (
            {"STATUS_LISTEN": "[::]:8081", "STATUS_PASSWORD": "open-sesame"},
            "at http://[::]:8081/ for whoever has STATUS_PASSWORD",
        ),
    ],
)
def test_where_the_status_page_is_is_told(given: dict[str, Any], says: str) -> None:
    told = found("status page", **given)
    assert (told.verdict, told.found) == (Verdict.GOOD, says)


@pytest.mark.parametrize(
    ("given", "verdict", "says"),
    [
        ({}, Verdict.WARNING, "nobody notices"),
        (WITH_JSM, Verdict.WARNING, "nobody notices"),
        ({"HEARTBEAT_URL": "https://x.example/secret"}, Verdict.GOOD, "HEARTBEAT_URL every 60 s"),
        ({"OPSGENIE_HEARTBEAT": "alive"}, Verdict.GOOD, "Opsgenie's heartbeat alive every 60 s"),
        (WITH_JSM | {"OPSGENIE_HEARTBEAT": "alive"}, Verdict.WARNING, "ends with Opsgenie's API"),
        (
            WITH_JSM | {"OPSGENIE_HEARTBEAT": "alive", "HEARTBEAT_URL": "https://x.example/secret"},
            Verdict.GOOD,
            "and",
        ),
        ({"HTTP_LISTEN": "127.0.0.1:8080"}, Verdict.GOOD, "127.0.0.1:8080 can be watched instead"),
    ],
)
def test_whether_anybody_notices_a_failure_is_told(given: dict[str, Any], verdict: Verdict, says: str) -> None:
    told = found("heartbeat", **given)
    assert told.verdict is verdict
    assert says in told.found
    assert "secret" not in told.found


def test_opsgenie_s_heartbeat_is_advised_only_where_opsgenie_is_the_source() -> None:
    assert found("heartbeat").fix == "set HEARTBEAT_URL or OPSGENIE_HEARTBEAT, or HTTP_LISTEN and watch that"
    assert found("heartbeat", **WITH_JSM).fix == "set HEARTBEAT_URL, or HTTP_LISTEN and watch that"
