"""One exchange with a vendor: what is sent besides the caller's, and what a broken connection means."""

import gzip
import json
import tracemalloc
from typing import Any

import pytest
import requests
import responses

from reconciler import __version__
from reconciler.errors import Misconfigured, NotExecuted, Occupied, Unknown
from reconciler.vendors.bounded_json import Structure
from reconciler.vendors.http import LONGEST_LINE, RequestRecord
from reconciler.vendors.session import AGAIN, LARGE, MAX_BODY, MAX_STRUCTURE, MAX_WIDE
from tests.support.wire.http import OPSGENIE_KEY, PAGERDUTY, PAGERDUTY_KEY, http

INCIDENTS = f"{PAGERDUTY}/incidents"
MIB = 1024 * 1024


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


def bomb(size: int) -> bytes:
    """A compressed answer of that many bytes, which are all objects."""
    return gzip.compress(b'{"incidents": [' + b'{"":0},' * (size // 7) + b"0]}")


def test_an_answer_of_millions_of_objects_is_refused_unparsed_and_soon(
    wire: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """46 KiB that become 32 MiB, which would become a gibibyte: it is not even unpacked to its end."""
    wire.post(INCIDENTS, body=bomb(32 * MIB), headers={"Content-Encoding": "gzip"})
    vendor = http("PagerDuty")
    monkeypatch.setattr(json, "loads", lambda *_: pytest.fail("parsed"))
    tracemalloc.start()
    try:
        with pytest.raises(Unknown, match="more than 1,000,000 values; it may have been carried out"):
            vendor.write("POST", "/incidents", None)
        assert tracemalloc.get_traced_memory()[1] < 16 * MIB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b'"' + b"x" * (MAX_BODY - 2) + b'"', ""),
        (b'"' + b"x" * (MAX_BODY - 1) + b'"', "longer than 16 MiB"),
        ('"é'.encode() + b"x" * (MAX_WIDE - 4) + b'"', ""),
        ('"é'.encode() + b"x" * (MAX_WIDE - 3) + b'"', "longer than 8 MiB"),
        (b"[" * 5_000 + b"]" * 5_000, "nested more than 100 levels deep"),
    ],
    ids=["the longest", "longer", "the longest in UTF-8", "longer in UTF-8", "deep"],
)
def test_an_answer_is_as_long_and_as_deep_as_it_may_be(
    wire: responses.RequestsMock, content: bytes, problem: str
) -> None:
    wire.post(INCIDENTS, body=content)
    vendor = http("PagerDuty")
    if not problem:
        assert len(vendor.write("POST", "/incidents", None).json) > MAX_WIDE - 8
        return
    with pytest.raises(Unknown, match=problem):
        vendor.write("POST", "/incidents", None)


@pytest.mark.parametrize("array", ["values", "data", "notes"])
def test_the_largest_legal_page_is_far_from_the_bounds(wire: responses.RequestsMock, array: str) -> None:
    """By JSM's limits, in UTF-16: a description of 15,000, details of 8,000; Opsgenie's notes have 25,000."""
    row = {
        "id": "x" * 50, "message": "é" * 130, "alias": "x" * 512, "description": "\U0001f600" * 7_500,
        "extraProperties": {f"key{number:03}": "," * 13 for number in range(400)}, "tags": ["t" * 50] * 20,
        "actions": ["a" * 50] * 10, "responders": [{"id": "r" * 36, "type": "team"}] * 50, "source": "s" * 100,
    }  # fmt: skip
    note = {"id": "n", "note": '{"a":[1,2,3]},' * 1_785, "owner": "o" * 100}
    document = {array: [note if array == "notes" else row] * 100}
    structure = Structure(MAX_STRUCTURE)
    content = json.dumps(document, ensure_ascii=array == "data").encode()
    assert not structure.is_too_much(content)
    assert structure._count < MAX_STRUCTURE / 4
    wire.get(INCIDENTS, body=content)
    assert len(http("PagerDuty").get("/incidents").json[array]) == 100


def test_a_request_id_of_the_vendors_is_cut_in_records(wire: responses.RequestsMock) -> None:
    wire.get(INCIDENTS, json={}, headers={"X-Request-Id": "r" * 60_000})
    records: list[RequestRecord] = []
    http("PagerDuty", records=records).get("/incidents")
    assert len(records[0].request_id) == LONGEST_LINE


def test_a_large_answer_is_put_off_while_another_pairs_are_in_memory_but_a_writes_is_read(
    wire: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire.get(INCIDENTS, body=b'"' + b"x" * LARGE + b'"')
    wire.post(INCIDENTS, body=b'"' + b"x" * LARGE + b'"')
    monkeypatch.setattr("reconciler.vendors.call_context.may_be_large", lambda _patience: False)
    vendor = http("PagerDuty")
    with pytest.raises(Occupied) as caught:
        vendor.get("/incidents")
    assert (caught.value.retry_after, len(wire.calls)) == (AGAIN, 1), "the worker turns to another pair at once"
    assert len(vendor.write("POST", "/incidents", None).json) == LARGE


def test_an_answer_that_is_not_large_waits_for_nothing(
    wire: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire.get(INCIDENTS, body=b'"' + b"x" * (LARGE - 2) + b'"')
    monkeypatch.setattr("reconciler.vendors.call_context.may_be_large", lambda _patience: pytest.fail("asked"))
    assert len(http("PagerDuty").get("/incidents").json) == LARGE - 2
