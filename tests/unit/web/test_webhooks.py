"""Webhooks: how the sender is verified, which hint a body yields, and how any other body is answered."""

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.core.hints import Hint
from reconciler.core.model import Side
from reconciler.web.webhooks import MOST_STRUCTURE, Deliveries, is_signed
from tests.support.door import FUZZ, Door
from tests.support.harness.listener import INTEGRATION, NEW, OLD, opsgenie_body, pagerduty_body, signature
from tests.support.paths import ROOT

EXAMPLES = ROOT / "examples" / "webhooks"
SAMPLES = ROOT.parent / "shared" / "samples"


# -- signatures --


def test_a_signature_by_any_configured_secret_is_accepted_anywhere_in_the_header() -> None:
    body = b'{"event": {}}'
    secrets = [OLD.encode(), NEW.encode()]
    wrong = "v1=" + "0" * 64
    for secret in (OLD, NEW):
        right = signature(body, secret)
        for header in (right, f"{wrong},{right}", f"{right}, {wrong}", f"v2=abc,{right}", f" {right} "):
            assert is_signed(body, header, secrets), header


@pytest.mark.parametrize(
    "header",
    ["", "v1=", "v1", ",", "v1=xyz", "v1=" + "0" * 64, "0" * 64, "v1=" + "é" * 64, "v1=" + "0" * 65, "=" * 9000],
)
def test_a_header_without_a_valid_signature_is_rejected(header: str) -> None:
    assert not is_signed(b"{}", header, [NEW.encode()])


def test_a_signature_is_valid_only_for_the_exact_bytes_that_were_signed() -> None:
    body = pagerduty_body("PONE")
    good = signature(body)
    assert is_signed(body, good, [NEW.encode()])
    for other in (body + b"\n", body[:-1], body.replace(b"PONE", b"PTWO"), b""):
        assert not is_signed(other, good, [NEW.encode()])
    assert not is_signed(body, good.upper(), [NEW.encode()])
    assert not is_signed(body, good, [OLD.encode()])


def test_captured_deliveries_verify_and_altered_ones_do_not() -> None:
    vectors = SAMPLES / "pagerduty-webhooks" / "signed-raw" / "vectors.json"
    if not vectors.exists():
        pytest.skip("NOT CHECKED: no captured deliveries of PagerDuty's beside this checkout")
    for vector in json.loads(vectors.read_text()):
        body = (vectors.parent / vector["file"]).read_bytes()
        assert is_signed(body, vector["signature_header"], [b"another", vector["secret"].encode()])
        assert not is_signed(body + b"\n", vector["signature_header"], [vector["secret"].encode()])


def test_only_the_most_recent_delivery_ids_are_remembered() -> None:
    deliveries = Deliveries(most=3)
    assert [deliveries.is_new(name) for name in "abcabc"] == [True, True, True, False, False, False]
    assert deliveries.is_new("d" * 10_000)
    assert deliveries.is_new("a")
    assert len(deliveries._seen) == 3


# -- shapes --


@pytest.mark.parametrize("file", sorted((EXAMPLES / "pagerduty").glob("*.json")), ids=lambda file: file.stem)
def test_each_pagerduty_example_yields_a_hint_with_its_incident(door: Door, file: Path) -> None:
    """The hint also has the key, which is the alert's id, except for a note's event, which has none."""
    assert door.pagerduty(file.read_bytes()) == 202
    key = "" if file.stem == "note" else "6f1d0c52-8a47-4b6e-9d35-2c7e41b8fa10-1774256045123"
    assert door.hints == [Hint(Side.PAGERDUTY, "Q0H7RZK3WT9XMB", key)]


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        ({"type": "incident", "id": "PDI123", "incident_key": "a-1"}, ("PDI123", "a-1")),
        ({"type": "incident", "incident_key": "a-1"}, ("", "a-1")),
        ({"type": "incident", "id": "PDI123", "incident_key": None}, ("PDI123", "")),
        ({"type": "incident", "id": "PDI123", "incident_key": "a key/1"}, ("PDI123", "")),
        (
            {"type": "incident_note", "id": "PN", "incident": {"id": "PONE", "incident_key": "a-1"}},
            ("PONE", "a-1"),
        ),
        ({"type": "incident_note", "id": "PN", "incident_key": "a-1", "incident": {"id": "PONE"}}, ("PONE", "")),
    ],
)
def test_a_hint_carries_the_incidents_id_and_key_where_they_are_valid(
    door: Door, data: dict[str, object], hint: tuple[str, str]
) -> None:
    event = {"event_type": "incident.any", "data": data}
    assert door.pagerduty(json.dumps({"event": event}).encode()) == 202
    assert door.hints == [Hint(Side.PAGERDUTY, *hint)]


@pytest.mark.parametrize("file", sorted((EXAMPLES / "opsgenie").glob("*.json")), ids=lambda file: file.stem)
def test_each_opsgenie_example_yields_a_hint_with_its_alert(door: Door, file: Path) -> None:
    body = json.loads(file.read_text()) | {"integrationId": INTEGRATION}
    assert door.opsgenie(body) == 202
    assert door.hints == [Hint(Side.ALERTS, body["alert"]["alertId"])]


def test_each_captured_or_documented_body_is_accepted(door: Door) -> None:
    files = sorted((SAMPLES / "opsgenie-webhooks").glob("*.json"))
    if not files:
        pytest.skip("NOT CHECKED: no captured webhooks of Opsgenie's beside this checkout")
    for file in files:
        body = json.loads(file.read_text()) | {"integrationId": INTEGRATION}
        assert door.opsgenie(body) == 202, file.name
        assert door.hints.pop() == Hint(Side.ALERTS, body["alert"]["alertId"])
    for file in sorted((SAMPLES / "pagerduty-webhooks" / "docs-v3").glob("data.*.json")):
        data = json.loads(file.read_text())
        body = json.dumps({"event": {"event_type": "anything.new", "data": data}}).encode()
        assert door.pagerduty(body) == 202, file.name
        about = (
            data["incident"]["id"] if "incident" in data else data["id"] if data["type"] == "incident" else None
        )
        assert [hint.id for hint in door.hints] == ([about] if about else []), file.name
        door.hints.clear()


@pytest.mark.parametrize(
    "alert",
    [
        {},
        {"createdAt": 1795472880471, "updatedAt": 1795472880471000123, "insertedAt": 9223372036854775807},
        {"priority": 3},
        {"priority": "P3"},
        {"note": None, "tags": [], "tinyId": 23},
        {"details": {"a": {"b": ["ü", "\U0001f600"]}}},
    ],
)
def test_missing_extra_or_odd_fields_of_an_alert_do_not_prevent_its_hint(
    door: Door, alert: dict[str, object]
) -> None:
    assert (
        door.opsgenie(opsgenie_body("6f1d0c52-0000-4000-8000-000000000000-1795472880471", "Own word", **alert))
        == 202
    )
    assert len(door.hints) == 1


@pytest.mark.parametrize(
    "event",
    [
        {"event_type": "pagey.ping", "resource_type": "pagey", "agent": None, "data": {"type": "ping"}},
        {"event_type": "service.updated", "data": {"id": "PSERVICE", "type": "service"}},
        {"event_type": "incident.new_kind", "data": {"type": "incident_thing", "incident": None, "id": "PX"}},
        {"event_type": "incident.new_kind", "data": {"type": "incident_thing", "incident": {"id": 7}}},
        {"event_type": "incident.new_kind", "data": {"type": "incident", "id": "../../etc"}},
        {"event_type": "incident.new_kind", "data": {"type": "incident", "id": "P" * 129}},
        {"event_type": "incident.new_kind", "data": [1]},
        {"event_type": "incident.new_kind"},
    ],
)
def test_an_event_about_no_incident_is_accepted_and_yields_no_hint(door: Door, event: dict[str, object]) -> None:
    assert door.pagerduty(json.dumps({"event": event}).encode()) == 202
    assert door.hints == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"null", b'"x"', b"\xff\xfe", b"{}", b'{"event": 7}',
                                  b'{"event": {"event_type": 7}}', b"[" * 100_000, b'{"a":' * 50_000,
                                  b"1" * 5000, b'{"event": ' + b"9" * 5000 + b"}"])  # fmt: skip
def test_a_body_that_is_not_a_pagerduty_event_is_answered_with_400(door: Door, body: bytes) -> None:
    assert door.pagerduty(body) == 400
    assert door.hints == []


NO_ALERT: tuple[dict[str, Any], ...] = (
    {},
    {"alert": None},
    {"alert": []},
    {"alert": {}},
    {"alert": {"id": "x"}},
    {"alert": {"alertId": 7}},
    {"alert": {"alertId": ""}},
    {"alert": {"alertId": "a b"}},
    {"alert": {"alertId": "\ud800"}},
    {"alert": {"alertId": "x\n"}},
    {"alert": {"alertId": "x" * 129}},
)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"[" * 100_000]
    + [json.dumps({"integrationId": INTEGRATION} | more).encode() for more in NO_ALERT],
)
def test_a_body_that_is_not_an_opsgenie_webhook_is_answered_with_400(door: Door, body: bytes) -> None:
    assert door.opsgenie(body) == 400
    assert door.hints == []


# -- whatever else comes --

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
IDS = st.text(max_size=12) | st.sampled_from(["PONE", "a-1"]) | ANYTHING
BODIES = st.binary(max_size=200) | ANYTHING.map(lambda value: json.dumps(value).encode())
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "event": st.fixed_dictionaries(
            {},
            optional={
                "event_type": st.sampled_from(["incident.triggered", "pagey.ping"]) | ANYTHING,
                "data": st.fixed_dictionaries(
                    {},
                    optional={
                        "type": st.sampled_from(["incident", "incident_note"]) | ANYTHING,
                        "id": IDS,
                        "incident": st.fixed_dictionaries({}, optional={"id": IDS}) | ANYTHING,
                    },
                )
                | ANYTHING,
            },
        )
        | ANYTHING
    },
).map(lambda value: json.dumps(value).encode())
REPORTS = st.fixed_dictionaries(
    {},
    optional={
        "action": ANYTHING,
        "integrationId": st.just(INTEGRATION) | ANYTHING,
        "alert": st.fixed_dictionaries({}, optional={"alertId": IDS, "updatedAt": ANYTHING}) | ANYTHING,
    },
).map(lambda value: json.dumps(value).encode())


def _are_ids(hints: list[Hint]) -> bool:
    return all(hint.id.isascii() and hint.id.isprintable() and 0 < len(hint.id) <= 128 for hint in hints)


@FUZZ
@given(body=BODIES | EVENTS, delivery=st.text(st.characters(codec="ascii", categories=["L", "N"]), max_size=20))
@example(body=b"\xef\xbb\xbf{}", delivery="x")
def test_any_signed_pagerduty_body_is_answered_with_202_or_400(door: Door, body: bytes, delivery: str) -> None:
    assert door.pagerduty(body, delivery=delivery) in (202, 400)
    assert _are_ids(door.hints)


@FUZZ
@given(body=BODIES | EVENTS, header=st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=200))
def test_any_pagerduty_body_without_a_valid_signature_is_answered_with_401(
    door: Door, body: bytes, header: str
) -> None:
    assert door.pagerduty(body, header=header) == 401
    assert door.hints == []


@FUZZ
@given(body=BODIES | REPORTS)
def test_any_opsgenie_body_is_answered_with_202_400_or_403(door: Door, body: bytes) -> None:
    assert door.opsgenie(body) in (202, 400, 403)
    assert _are_ids(door.hints)


def unparsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json, "loads", lambda *_: pytest.fail("parsed"))


@pytest.mark.parametrize(
    "padding", [b"{},", b"[],", b'"k":0,', b'{"":0},'], ids=["objects", "lists", "numbers", "names"]
)
def test_a_body_with_more_structure_than_a_webhook_has_is_refused_unparsed(
    door: Door, monkeypatch: pytest.MonkeyPatch, padding: bytes
) -> None:
    body = json.dumps(opsgenie_body("a-1"))[:-1].encode() + b', "a": [' + padding * 90_000 + b"0]}"
    unparsed(monkeypatch)
    assert (door.opsgenie(body), door.pagerduty(body)) == (400, 400)
    assert door.hints == []


def test_a_webhook_of_a_mebibyte_of_text_is_read(door: Door) -> None:
    body = opsgenie_body("a-1", note='{[,:"' * 100_000)
    assert len(json.dumps(body)) > 600_000
    assert door.opsgenie(body) == 202


def test_a_body_that_names_no_integration_of_ours_is_refused_unparsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no secret, the integration's id is all that a sender has to know."""
    door = Door(OPSGENIE_INTEGRATION_ID=INTEGRATION)
    unparsed(monkeypatch)
    for body in (
        b"",
        b"[" * 1000,
        b'{"integrationId": "other"}',
        b'{"integrationId": "%s' % INTEGRATION[:-1].encode(),
    ):
        assert door.opsgenie(body, "") == 403
    assert door.outcomes() == {"other_integration": 4.0}


def test_a_body_that_names_our_integration_elsewhere_is_refused_too() -> None:
    door = Door(OPSGENIE_INTEGRATION_ID=INTEGRATION)
    for body in ({"a": INTEGRATION}, {"integrationId": f"x{INTEGRATION}", "alert": {"alertId": "a-1"}}):
        assert door.opsgenie(body, "") == 403
    assert door.hints == []


def test_what_fails_authentication_is_never_parsed(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    unparsed(monkeypatch)
    body = json.dumps(opsgenie_body("a-1")).encode()
    assert (door.opsgenie(body, "wrong"), door.pagerduty(body, "v1=" + "0" * 64)) == (401, 401)


def test_the_largest_body_that_is_parsed_takes_little_memory(door: Door) -> None:
    body = (
        json.dumps(opsgenie_body("a-1"))[:-1].encode() + b', "a": [' + b"[]," * (MOST_STRUCTURE // 2 - 10) + b"0]}"
    )
    assert door.opsgenie(body) == 202
    tracemalloc.start()
    try:
        assert door.opsgenie(body) == 202
        assert tracemalloc.get_traced_memory()[1] < 4 * 1024 * 1024
    finally:
        tracemalloc.stop()
