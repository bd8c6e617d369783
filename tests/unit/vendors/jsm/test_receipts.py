"""What became of an accepted write: asked where it was accepted, and waited for while JSM does not know it."""

from datetime import timedelta
from typing import Any

import pytest
import responses

from reconciler.errors import Blocked, Missing
from reconciler.vendors.jsm import receipts as module
from reconciler.vendors.jsm.receipts import NOT_KNOWN_YET
from reconciler.vendors.ports import RequestStatus
from tests.support.wire.jsm import A1, ALERTS, AT, NAMED, PATIENCE, Jsm, stamp

ACCOUNT, KEYED = f"{ALERTS}/requests/43a2", f"{NAMED}/requests/43a2"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"isSuccess": True, "status": "Acknowledged alert", "processedAt": stamp(5)},
         RequestStatus(True, "Acknowledged alert", AT - timedelta(seconds=5))),
        ({"isSuccess": False, "status": "Alert does not exist"}, RequestStatus(False, "Alert does not exist")),
        ({"isSuccess": "maybe"}, RequestStatus(None)),
        ({}, RequestStatus(None)),
        ([], RequestStatus(None)),
    ],
)  # fmt: skip
def test_the_account_apis_status_is_flat(
    wire: responses.RequestsMock, answer: Any, expected: RequestStatus
) -> None:
    wire.get(ACCOUNT, json=answer)
    assert Jsm().client.request_status("a:43a2") == expected


def test_a_request_in_a_name_is_asked_about_with_the_integrations_key(wire: responses.RequestsMock) -> None:
    wire.get(KEYED, json={"data": {"isSuccess": True, "status": "Added note"}})
    assert Jsm(named=True).client.request_status("k:43a2") == RequestStatus(True, "Added note")
    assert wire.calls[0].request.headers["Authorization"] == "GenieKey k-5ecret"


@pytest.mark.parametrize(("road", "url"), [("a", ACCOUNT), ("k", KEYED)])
def test_an_unknown_request_may_wait_in_the_queue_for_a_while(
    wire: responses.RequestsMock, road: str, url: str
) -> None:
    jsm = Jsm(named=True)
    wire.get(url, status=404, json={"message": "Request not found. It might not be processed, yet."})
    for _ in range(2):
        assert jsm.client.request_status(f"{road}:43a2") == RequestStatus(None, NOT_KNOWN_YET)
        jsm.clock.wait(PATIENCE)
    jsm.clock.wait(1)
    with pytest.raises(Missing):
        jsm.client.request_status(f"{road}:43a2")


def test_a_404_of_something_else_is_no_outcome(wire: responses.RequestsMock) -> None:
    wire.get(ACCOUNT, status=404, body="<html>", content_type="text/html")
    with pytest.raises(Blocked):
        Jsm().client.request_status("a:43a2")


@pytest.mark.parametrize("request_id", ["43a2", "k:43a2", "x:1"])
def test_a_request_of_another_product_or_of_a_key_that_is_gone_is_unknown(request_id: str) -> None:
    with pytest.raises(Missing, match="not accepted by JSM, or with a key"):
        Jsm().client.request_status(request_id)


def test_a_named_write_that_was_not_carried_out_is_made_as_our_own_user_next(
    wire: responses.RequestsMock,
) -> None:
    jsm = Jsm(named=True)
    wire.post(f"{NAMED}/{A1}/acknowledge", json={"requestId": "43a2"}, status=202)
    wire.get(KEYED, json={"data": {"isSuccess": False, "status": "Integration is disabled."}})
    wire.post(f"{ALERTS}/{A1}/acknowledge", json={"requestId": "77"}, status=202)
    request_id = jsm.writing.acknowledge(A1, "Jane").request_id
    assert jsm.client.request_status(request_id) == RequestStatus(False, "Integration is disabled.")
    assert jsm.writing.acknowledge(A1, "Jane").request_id == "a:77"
    assert jsm.writing.acknowledge(A1, "Jane").request_id == "k:43a2"
    assert len(jsm.notices) == 1


def test_memory_is_bounded(wire: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED_REQUESTS", 2)
    jsm = Jsm()
    for number in range(4):
        wire.get(f"{ALERTS}/requests/{number}", status=404, json={"errors": [{"title": "Not found"}]})
        jsm.client.request_status(f"a:{number}")
    assert len(jsm.client._receipts._unknown_since) == 2
