"""Writes in a name over HTTP, and their outcomes, by Opsgenie's client."""

from typing import Any

import pytest
import responses

from reconciler.errors import Blocked, Missing
from reconciler.vendors.ports import AlertWrite, RequestStatus
from tests.support.wire.http import OPSGENIE_KEY, asked, body, query, sent
from tests.support.wire.opsgenie import (
    A1,
    ALERTS,
    client,
    writing,
)

REQUEST = f"{ALERTS}/requests/43a29c5c"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"success": True, "isSuccess": True, "status": "Added note"}, RequestStatus(True, "Added note")),
        ({"isSuccess": False, "status": "Alert does not exist"}, RequestStatus(False, "Alert does not exist")),
        ({"success": True}, RequestStatus(True)),
        ({"success": True, "processedAt": "", "status": ""}, RequestStatus(None)),
        ({"isSuccess": None, "success": False}, RequestStatus(False)),
        ({"isSuccess": "false", "status": "Alert is closed"}, RequestStatus(False, "Alert is closed")),
        ({"isSuccess": "maybe", "success": None}, RequestStatus(None)),
        ({}, RequestStatus(None)),
        (None, RequestStatus(None)),
    ],
)
def test_a_request_status_gives_the_outcome_of_an_accepted_write(
    wire: responses.RequestsMock, data: Any, expected: RequestStatus
) -> None:
    wire.get(REQUEST, json={"data": data, "took": 1, "requestId": "r"})
    assert client().request_status("43a29c5c") == expected


def test_a_404_with_the_code_for_not_processed_means_pending(wire: responses.RequestsMock) -> None:
    wire.get(REQUEST, status=404, headers={"x-opsgenie-errortype": "RequestNotProcessed"}, body="not processed")
    assert client().request_status("43a29c5c") == RequestStatus(None)


def test_a_404_with_the_text_for_not_processed_means_pending(wire: responses.RequestsMock) -> None:
    wire.get(REQUEST, status=404, json={"message": "Request is not processed yet"})
    assert client().request_status("43a29c5c") == RequestStatus(None, "Request is not processed yet")


def test_a_failure_without_a_status_shows_opsgenies_message(wire: responses.RequestsMock) -> None:
    wire.get(REQUEST, json={"data": {"isSuccess": False, "status": None}, "message": "Try it again"})
    assert client().request_status("43a29c5c") == RequestStatus(False, "Try it again")


def test_a_404_not_sent_by_opsgenie_is_no_outcome(wire: responses.RequestsMock) -> None:
    wire.get(REQUEST, status=404, body="<html>not found</html>", content_type="text/html")
    with pytest.raises(Blocked, match="API_URL"):
        client().request_status("43a29c5c")


def test_any_other_404_means_an_unknown_request(wire: responses.RequestsMock) -> None:
    wire.get(REQUEST, status=404, json={"message": "Not found"})
    with pytest.raises(Missing, match="request 43a29c5c is not known"):
        client().request_status("43a29c5c")


@pytest.mark.parametrize(("verb", "path"), [("acknowledge", "acknowledge"), ("unacknowledge", "unacknowledge")])
def test_a_state_is_written(wire: responses.RequestsMock, verb: str, path: str) -> None:
    exact = [
        query(identifierType="id"), body({"user": "J" * 100, "source": "reconciler"}),
        sent(Authorization=f"GenieKey {OPSGENIE_KEY}", Content_Type="application/json"),
    ]  # fmt: skip
    answer = {"result": "Request will be processed", "took": 0.3, "requestId": "43a29c5c"}
    wire.post(f"{ALERTS}/{A1}/{path}", status=202, json=answer, match=exact)
    assert getattr(writing(), verb)(A1, "J" * 120) == AlertWrite("43a29c5c")


def test_a_note_is_written(wire: responses.RequestsMock) -> None:
    exact = [query(identifierType="id"), body({"user": "Jane", "source": "reconciler", "note": "[mark] täxt"})]
    wire.post(f"{ALERTS}/{A1}/notes", status=202, json={"result": "ok"}, match=exact)
    assert writing().add_note(A1, "Jane", "[mark] täxt") == AlertWrite()


def test_a_note_that_is_too_long_is_cut_visibly(wire: responses.RequestsMock) -> None:
    exact = body({"user": "Jane", "source": "reconciler", "note": "x" * 24_999 + "…"})
    wire.post(f"{ALERTS}/{A1}/notes", status=202, json={"requestId": 5}, match=[exact])
    assert writing().add_note(A1, "Jane", "x" * 25_001) == AlertWrite("5")


def test_a_write_to_a_missing_alert_raises_missing(wire: responses.RequestsMock) -> None:
    wire.post(f"{ALERTS}/gone/notes", status=404, json={"message": "Alert does not exist"})
    with pytest.raises(Missing):
        writing().add_note("gone", "Jane", "x")
    assert asked(wire.calls[0]) == {"identifierType": "id"}
