"""Writes to JSM over HTTP: as our own user, and in the engineer's name."""

import pytest
import responses

from reconciler.errors import Misconfigured, Missing, NotExecuted, Unknown
from reconciler.vendors.ports import AlertWrite
from tests.support.wire.http import body, sent_json
from tests.support.wire.jsm import A1, ALERTS, NAMED, Jsm

ACCEPTED = {"result": "Request will be processed", "requestId": "43a2", "took": 0.1}


@pytest.mark.parametrize("verb", ["acknowledge", "unacknowledge"])
def test_a_state_is_written_as_our_own_user_and_without_a_body(wire: responses.RequestsMock, verb: str) -> None:
    wire.post(f"{ALERTS}/{A1}/{verb}", json=ACCEPTED, status=202)
    assert getattr(Jsm().writing, verb)(A1, "Jane Doe") == AlertWrite("a:43a2")
    sent = wire.calls[0].request
    assert not sent.body
    assert "Content-Type" not in sent.headers
    assert str(sent.headers["Authorization"]).startswith("Basic ")


def test_a_note_is_there_at_once(wire: responses.RequestsMock) -> None:
    wire.post(
        f"{ALERTS}/{A1}/notes", json={"id": "1795424400000000050", "note": "text"}, match=[body({"note": "text"})]
    )
    assert Jsm().writing.add_note(A1, "Jane Doe (PagerDuty)", "text") == AlertWrite(note_id="1795424400000000050")


def test_a_note_that_is_too_long_is_cut_visibly(wire: responses.RequestsMock) -> None:
    wire.post(f"{ALERTS}/{A1}/notes", json={"id": "1"})
    Jsm().writing.add_note(A1, "Jane", "x" * 25_001)
    assert sent_json(wire.calls[0])["note"] == "x" * 24_999 + "…"


def test_with_a_key_acknowledgements_and_notes_are_written_in_the_engineers_name(
    wire: responses.RequestsMock,
) -> None:
    in_name = {"user": "Jane", "source": "reconciler"}
    wire.post(f"{NAMED}/{A1}/acknowledge", json=ACCEPTED, status=202, match=[body(in_name)])
    wire.post(f"{NAMED}/{A1}/notes", json=ACCEPTED, status=202, match=[body(in_name | {"note": "text"})])
    wire.post(f"{ALERTS}/{A1}/unacknowledge", json=ACCEPTED, status=202)
    writing = Jsm(named=True).writing
    assert writing.acknowledge(A1, "Jane") == writing.add_note(A1, "Jane", "text") == AlertWrite("k:43a2")
    assert writing.unacknowledge(A1, "Jane") == AlertWrite("a:43a2")


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (401, {"message": "Could not authenticate"}), (403, {"message": "no"}), (404, {"message": "no"}),
        (422, {"message": "Key format is not valid!"}), (400, {"message": "no"}), (402, {"message": "plan"}),
    ],
)  # fmt: skip
def test_what_is_refused_in_a_name_is_written_as_our_own_user(
    wire: responses.RequestsMock, status: int, answer: dict[str, str]
) -> None:
    jsm = Jsm(named=True)
    wire.post(f"{NAMED}/{A1}/notes", json=answer, status=status)
    wire.post(f"{ALERTS}/{A1}/notes", json={"id": "77"})
    assert jsm.writing.add_note(A1, "Jane", "text") == AlertWrite(note_id="77")
    assert (
        "JSM: written as our own user, because the engineer's name was refused: JSM integration:" in jsm.notices[0]
    )


@pytest.mark.parametrize(("status", "kind"), [(503, Unknown), (429, NotExecuted)])
def test_what_may_have_happened_or_may_work_later_is_not_written_twice(
    wire: responses.RequestsMock, status: int, kind: type[Exception]
) -> None:
    wire.post(f"{NAMED}/{A1}/notes", json={"message": "no"}, status=status)
    with pytest.raises(kind):
        Jsm(named=True).writing.add_note(A1, "Jane", "text")


def test_what_is_refused_on_both_roads_raises_the_accounts_refusal(wire: responses.RequestsMock) -> None:
    jsm = Jsm(named=True)
    wire.post(f"{NAMED}/{A1}/acknowledge", json={"message": "no"}, status=401)
    wire.post(f"{ALERTS}/{A1}/acknowledge", json={"code": 401, "message": "Unauthorized"}, status=401)
    with pytest.raises(Misconfigured, match="JSM_API_TOKEN"):
        jsm.writing.acknowledge(A1, "Jane")
    assert jsm.notices == []


@pytest.mark.parametrize("alert_id", ["", "..", "requests", "Alias"])
def test_an_id_that_addresses_another_path_is_missing_without_a_request(alert_id: str) -> None:
    with pytest.raises(Missing):
        Jsm().writing.acknowledge(alert_id, "Jane")
