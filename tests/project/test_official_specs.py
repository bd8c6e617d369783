"""Our requests against both vendors' published descriptions, where a copy is at hand (they may not be shipped)."""

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import responses

from reconciler.core.model import Incident, Person
from reconciler.errors import ReconcilerError
from reconciler.vendors.opsgenie.client import OpsgenieClient, OpsgenieWriting
from reconciler.vendors.opsgenie.heartbeat import OpsgenieHeartbeat
from reconciler.vendors.pagerduty.client import PagerDutyClient, PagerDutyWriting
from tests.support.official import JSM, JSM_BASE, Description
from tests.support.paths import ROOT
from tests.support.wire.http import OPSGENIE, http, sent_json
from tests.support.wire.jsm import Jsm

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
SPECS = Path(os.environ.get("RECONCILER_SPEC_DIR") or ROOT.parent / "shared" / "openapi")
HELD = Incident("PINC1", 1, "acknowledged", "k", "Disk", "PSVC", AT, escalation_policy_id="PESC")

opsgenie = OpsgenieClient(http("Opsgenie"), "tag:a", OPSGENIE)
to_alerts = OpsgenieWriting(http("Opsgenie"))
pagerduty = PagerDutyClient(http("PagerDuty"), "PSVC", "bot@operator.example", "Bot")
to_pagerduty = PagerDutyWriting(http("PagerDuty"), "PSVC", "bot@operator.example")

CALLS: list[tuple[str, Callable[[], Any]]] = [
    ("opsgenie", lambda: opsgenie.recent_alerts(None)),
    ("opsgenie", lambda: opsgenie.open_alerts_page(100)),
    ("opsgenie", lambda: opsgenie.alert("a1")),
    ("opsgenie", lambda: opsgenie.notes("a1")),
    ("opsgenie", lambda: opsgenie.acts("a1")),
    ("opsgenie", lambda: opsgenie.request_status("r1")),
    ("opsgenie", opsgenie.confirm_key),
    ("opsgenie", OpsgenieHeartbeat(http("Opsgenie"), "prod").ping),
    ("opsgenie", lambda: to_alerts.acknowledge("a1", "Jane")),
    ("opsgenie", lambda: to_alerts.unacknowledge("a1", "Jane")),
    ("opsgenie", lambda: to_alerts.add_note("a1", "Jane", "text")),
    ("pagerduty", pagerduty.automation_user),
    ("pagerduty", pagerduty.check_key),
    ("pagerduty", pagerduty.confirm_key),
    ("pagerduty", pagerduty.check_service),
    ("pagerduty", lambda: pagerduty._policy("PESC")),
    ("pagerduty", lambda: pagerduty.log_entries(AT, lambda _: True)),
    ("pagerduty", pagerduty.open_incidents),
    ("pagerduty", lambda: pagerduty.incidents_by_key("k")),
    ("pagerduty", lambda: pagerduty.incident("PINC1")),
    ("pagerduty", lambda: pagerduty.notes("PINC1")),
    ("pagerduty", lambda: pagerduty.acts("PINC1")),
    ("pagerduty", lambda: pagerduty._alert_keys("PINC1")),
    ("pagerduty", lambda: to_pagerduty.create_incident("k", "Disk", "details", "high")),
    ("pagerduty", lambda: to_pagerduty.acknowledge("PINC1")),
    ("pagerduty", lambda: to_pagerduty.resolve("PINC1")),
    ("pagerduty", lambda: to_pagerduty.set_urgency("PINC1", "high")),
    ("pagerduty", lambda: to_pagerduty.retrigger(HELD, Person("PBOT", "Bot"))),
    ("pagerduty", lambda: to_pagerduty.add_note("PINC1", "text")),
]
jsm = Jsm("tag:a")
JSM_CALLS: list[Callable[[], Any]] = [
    lambda: jsm.client.recent_alerts(None),
    lambda: jsm.client.changes(AT, None),
    lambda: jsm.client.open_alerts_page(100),
    lambda: list(jsm.client.open_alerts()),
    lambda: jsm.client.alert("a1"),
    lambda: jsm.client.notes("a1"),
    lambda: jsm.client.acts("a1"),
    lambda: jsm.client.request_status("a:r1"),
    jsm.client.confirm_key,
    lambda: jsm.writing.acknowledge("a1", "Jane"),
    lambda: jsm.writing.unacknowledge("a1", "Jane"),
    lambda: jsm.writing.add_note("a1", "Jane", "text"),
]
UNDESCRIBED = {("/incidents/{id}", "time_zone")}
"""What we ask beyond the description, harmlessly."""
LOOSE = {"details"}
"""Described as an object, documented as and exemplified by a string."""


def spec(vendor: str) -> dict[str, Any]:
    path = SPECS / f"{vendor}.json"
    if not path.is_file():
        pytest.skip(f"no {path.name} there: point RECONCILER_SPEC_DIR at the vendors' published descriptions")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def resolved(document: Any, node: Any) -> Any:
    while isinstance(node, dict) and "$ref" in node:
        target = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            name = part.replace("~1", "/").replace("~0", "~")
            target = target[int(name) if isinstance(target, list) else name]
        node = target
    return node


def whole(document: Any, schema: Any) -> Iterator[Any]:
    """The schema and all that it is made of."""
    schema = resolved(document, schema)
    yield schema
    for part in schema.get("allOf", []):
        yield from whole(document, part)


def conforms(document: Any, schema: Any, value: Any, where: str) -> list[str]:
    """What of `value` the schema does not know or does not want."""
    parts = list(whole(document, schema))
    known = {name: kind for part in parts for name, kind in part.get("properties", {}).items()}
    required = {name for part in parts for name in part.get("required", [])}
    wrong = [f"{where}: {name} is missing" for name in sorted(required - value.keys())]
    kinds = {"string": str, "integer": int, "object": dict, "array": list}
    for name, one in value.items():
        if name not in known and name in required:
            continue  # PagerDuty requires types that it does not describe
        if name not in known:
            wrong.append(f"{where}: {name} is not described")
            continue
        kind = resolved(document, known[name])
        if kind.get("type") in kinds and not isinstance(one, kinds[kind["type"]]) and name not in LOOSE:
            wrong.append(f"{where}: {name} should be {kind['type']}")
        if "enum" in kind and one not in kind["enum"]:
            wrong.append(f"{where}: {name} is {one!r}, not one of {kind['enum']}")
        if isinstance(one, dict):
            wrong += conforms(document, kind, one, f"{where}.{name}")
    return wrong


@pytest.mark.parametrize(("vendor", "call"), CALLS)
def test_requests_are_as_described(vendor: str, call: Callable[[], Any]) -> None:
    document = spec(vendor)
    with responses.RequestsMock() as wire:
        for method in ("GET", "POST", "PUT"):
            wire.add(method, re.compile("https://.*"), json={"data": None}, status=400)
        wire.assert_all_requests_are_fired = False
        with suppress(ReconcilerError):
            call()
        asked = [one.request for one in wire.calls]
    assert asked
    for request in asked:
        assert wrong_with(document, request) == []


def wrong_with(document: Any, request: Any) -> list[str]:
    url = urlsplit(request.url)
    path = next(p for p in sorted(document["paths"], key=lambda p: p.count("{"))
                if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", p), url.path))  # fmt: skip
    operation = document["paths"][path][request.method.lower()]
    shared = document["paths"][path].get("parameters", [])
    parameters = [resolved(document, one) for one in [*shared, *operation.get("parameters", [])]]
    known = {one["name"]: one for one in parameters if one["in"] == "query"}
    wrong = []
    for name, value in parse_qsl(url.query):
        if name not in known:
            wrong += [] if (path, name) in UNDESCRIBED else [f"{path}: {name} is not described"]
            continue
        kind = resolved(document, known[name].get("schema", known[name]))
        allowed = kind.get("enum") or resolved(document, kind.get("items", {})).get("enum")
        if allowed and value not in allowed and name != "sort_by":
            wrong.append(f"{path}: {name} is {value!r}, not one of {allowed}")
        if "maximum" in kind and int(value) > kind["maximum"]:
            wrong.append(f"{path}: {name} is more than {kind['maximum']}")
    headers = [one["name"] for one in parameters if one["in"] == "header" and one.get("required")]
    wrong += [f"{path}: header {name} is missing" for name in headers if name not in request.headers]
    if request.body:
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        schema = content.get("schema") or next(one["schema"] for one in parameters if one["in"] == "body")
        wrong += conforms(document, schema, json.loads(request.body), path)
    return wrong


@pytest.mark.parametrize("call", JSM_CALLS)
def test_requests_to_jsm_are_as_described(call: Callable[[], Any]) -> None:
    described = Description(JSM, JSM_BASE)
    more = {"next": "/v1/alerts/a1/notes?after=1492000072838&size=100"}
    with responses.RequestsMock(assert_all_requests_are_fired=False) as wire:
        wire.get(re.compile(".*/v1/alerts$"), json={"values": [], "count": 0, "links": {}})
        wire.get(re.compile(".*/(notes|logs)"), json={"values": [{}], "links": more})
        wire.get(re.compile(".*"), json={"id": "a1"})
        wire.post(re.compile(".*"), json={"id": "n1", "requestId": "r1"})
        with suppress(ReconcilerError):
            call()
        asked = [(urlsplit(str(one.request.url)), one) for one in wire.calls]
    sent = [(url, one) for url, one in asked if not url.path.startswith("/ex/jira/")]
    assert sent
    for url, one in sent:
        body = sent_json(one) if one.request.body else None
        wrong = described.wrong_request(str(one.request.method), url.path, dict(parse_qsl(url.query)), body)
        assert wrong == [], url.path
