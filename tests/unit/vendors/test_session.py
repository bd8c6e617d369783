"""One exchange with a vendor: what is sent besides the caller's, and what a broken connection means."""

from typing import Any

import pytest
import requests
import responses

from reconciler import __version__
from reconciler.errors import Misconfigured, NotExecuted, Unknown
from tests.support.wire.http import OPSGENIE_KEY, PAGERDUTY, PAGERDUTY_KEY, http

INCIDENTS = f"{PAGERDUTY}/incidents"


@pytest.mark.parametrize(
    "failure",
    [
        requests.exceptions.ConnectTimeout(f"Token token={PAGERDUTY_KEY}"),
        requests.exceptions.ProxyError(f"http://user:{PAGERDUTY_KEY}@proxy"),
    ],
)
def test_a_connection_never_made_is_not_executed(wire: responses.RequestsMock, failure: Exception) -> None:
    wire.post(INCIDENTS, body=failure)
    with pytest.raises(NotExecuted, match=r"not sent\. Check the network, any proxy, and PAGERDUTY_API_URL"):
        http("PagerDuty").write("POST", "/incidents", {})


@pytest.mark.parametrize(
    "failure",
    [
        requests.exceptions.ReadTimeout(PAGERDUTY_KEY),
        requests.exceptions.ConnectionError(PAGERDUTY_KEY),
        requests.exceptions.ChunkedEncodingError(PAGERDUTY_KEY),
        requests.exceptions.SSLError("bad record mac"),
        ConnectionResetError(),
    ],
)
def test_a_connection_lost_after_sending_leaves_the_write_in_doubt(
    wire: responses.RequestsMock, failure: Exception
) -> None:
    wire.post(INCIDENTS, body=failure)
    with pytest.raises(Unknown, match="it may have been carried out"):
        http("PagerDuty").write("POST", "/incidents", {})
    assert len(wire.calls) == 1


def test_an_unusable_key_or_address_is_a_misconfiguration_without_the_key() -> None:
    with pytest.raises(Misconfigured, match="OPSGENIE_API_URL, OPSGENIE_API_KEY") as caught:
        http("Opsgenie", url="not an address").get("/v2/alerts")
    assert OPSGENIE_KEY not in str(caught.value)


def test_a_netrc_file_does_not_replace_the_key(
    wire: responses.RequestsMock, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine api.pagerduty.com login me password mine\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    wire.get(INCIDENTS, json={})
    http("PagerDuty").get("/incidents")
    assert wire.calls[0].request.headers["Authorization"] == f"Token token={PAGERDUTY_KEY}"


def test_a_compressed_answer_is_read(wire: responses.RequestsMock) -> None:
    import gzip  # noqa: PLC0415 - for this test alone

    wire.get(INCIDENTS, body=gzip.compress(b'{"a": "\\u00e9"}'), headers={"Content-Encoding": "gzip"})
    assert http("PagerDuty").get("/incidents").json == {"a": "é"}


def test_no_cookie_is_kept(wire: responses.RequestsMock) -> None:
    wire.get(INCIDENTS, json={}, headers={"Set-Cookie": "a=b; Domain=api.pagerduty.com; Path=/"})
    vendor = http("PagerDuty")
    for _ in range(3):
        vendor.get("/incidents")
    assert len(vendor._session.requests.cookies) == 0
    assert all("Cookie" not in call.request.headers for call in wire.calls)


def test_each_request_bears_the_version(wire: responses.RequestsMock) -> None:
    wire.get(INCIDENTS, json={})
    http("PagerDuty").get("/incidents")
    assert wire.calls[0].request.headers["User-Agent"] == f"reconciler/{__version__}"
