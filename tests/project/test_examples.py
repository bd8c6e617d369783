"""What is given as an example is true."""

import io
import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from dotenv import dotenv_values

from reconciler.settings import Settings, SettingsError, load, variables
from reconciler.settings_names import PLACEHOLDERS
from tests.support.paths import ROOT

EXAMPLES = ROOT / "examples"
OPSGENIE = {
    "create": "Create",
    "acknowledge": "Acknowledge",
    "unacknowledge": "UnAcknowledge",
    "note": "AddNote",
    "close": "Close",
}
PAGERDUTY = {
    "create": ("incident.triggered", "triggered"),
    "acknowledge": ("incident.acknowledged", "acknowledged"),
    "unacknowledge": ("incident.unacknowledged", "triggered"),
    "note": ("incident.annotated", None),
    "resolve": ("incident.resolved", "resolved"),
}

FILLED_IN = {
    "PAGERDUTY_API_KEY": "key-of-pagerduty",
    "PAGERDUTY_SERVICE_ID": "PSERV01",
    "PAGERDUTY_EMAIL": "bot@example.com",
    "OPSGENIE_API_KEY": "key-of-opsgenie",
}
"""What an operator writes in place of the placeholders."""


def body(vendor: str, name: str) -> Any:
    text = (EXAMPLES / "webhooks" / vendor / f"{name}.json").read_text(encoding="utf-8")
    parsed = json.loads(text)
    assert text == json.dumps(parsed, indent=2, ensure_ascii=False) + "\n"
    return parsed


def test_every_variable_is_in_the_sample_and_nothing_else() -> None:
    text = (ROOT / ".env-example").read_text(encoding="utf-8")
    given = re.findall(r"^([A-Z_]+)=", text, re.MULTILINE)
    commented = re.findall(r"^#([A-Z_]+)=", text, re.MULTILINE)
    assert sorted([*given, *commented]) == sorted(variables())
    assert given == [name for name, read in variables().items() if read.needs and read.source != "jsm"]


def test_the_sample_loads_once_its_placeholders_are_replaced() -> None:
    with pytest.raises(SettingsError) as caught:
        load({}, ROOT / ".env-example")
    assert [line.split(": is still the placeholder")[0] for line in caught.value.problems] == list(PLACEHOLDERS)
    text = (ROOT / ".env-example").read_text(encoding="utf-8")
    assert all(f"\n{name}={placeholder}\n" in text for name, placeholder in PLACEHOLDERS.items())
    assert load(FILLED_IN, ROOT / ".env-example").pagerduty_user == "Reconciler Bot"


def test_the_samples_defaults_are_the_real_ones() -> None:
    text = (ROOT / ".env-example").read_text(encoding="utf-8")
    commented = re.findall(r"^#([A-Z_]+=.*)$", text, re.MULTILINE)
    shown = {name: value or "" for name, value in dotenv_values(stream=io.StringIO("\n".join(commented))).items()}
    settings = load(FILLED_IN | shown, ROOT / ".env-example")
    for name, field in Settings.model_fields.items():
        if not variables()[name.upper()].needs:
            assert getattr(settings, name) == field.default, name
            assert bool(shown[name.upper()]) == (field.default not in ((), None, "")), name


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.env")), ids=lambda file: file.name)
def test_a_sample_of_settings_loads(file: Path) -> None:
    settings = load(FILLED_IN, file)
    url = settings.database_url.get_secret_value()
    assert url.startswith({"sqlite.env": "sqlite:////", "postgresql.env": "postgresql+psycopg://"}[file.name])


def test_every_webhook_is_told_of_and_every_file_named_is_there() -> None:
    told = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    linked = {EXAMPLES / link for link in re.findall(r"\]\(([^)]+)\)", told)}
    assert all(path.exists() for path in linked)
    there = {path for path in EXAMPLES.rglob("*") if path.is_file() and path.name != "README.md"}
    folders = {path for path in linked if path.is_dir()}
    assert [str(path) for path in there - linked if not folders & set(path.parents)] == []
    assert {path.stem for path in there if path.parent.name == "opsgenie"} == set(OPSGENIE)
    assert {path.stem for path in there if path.parent.name == "pagerduty"} == set(PAGERDUTY)


@pytest.mark.parametrize(("name", "action"), OPSGENIE.items())
def test_an_opsgenie_webhook_has_the_vendors_shape(name: str, action: str) -> None:
    sent = body("opsgenie", name)
    alert = sent["alert"]
    assert sent["action"] == action
    assert set(sent["source"]) == {"name", "type"}
    assert sent["integrationId"]
    assert sent["integrationName"]
    assert "id" not in alert
    assert alert["alertId"].endswith(str(alert["createdAt"]))
    assert len(str(alert["createdAt"])) == 13
    assert isinstance(alert["updatedAt"], int)
    assert len(str(alert["updatedAt"])) == 19
    assert alert["updatedAt"] // 10**6 >= alert["createdAt"]
    assert ("note" in alert) == (action == "AddNote")
    assert ("description" in alert) == ("details" in alert) == ("insertedAt" in alert) == (action == "Create")
    assert {"message", "tags", "tinyId", "alias", "entity", "username", "userId", "source"} <= set(alert)


@pytest.mark.parametrize(("name", "kind", "status"), [(name, *rest) for name, rest in PAGERDUTY.items()])
def test_a_pagerduty_webhook_has_the_vendors_shape(name: str, kind: str, status: str | None) -> None:
    sent = body("pagerduty", name)
    assert set(sent) == {"event"}
    event = sent["event"]
    assert set(event) == {"id", "event_type", "resource_type", "occurred_at", "agent", "client", "data"}
    assert (event["event_type"], event["resource_type"]) == (kind, "incident")
    assert re.fullmatch(r"[0-9A-Z]{26}", event["id"])
    assert re.fullmatch(r".*\.\d{3}Z", event["occurred_at"])
    assert event["agent"]["type"] == "user_reference"
    data = event["data"]
    if status is None:
        assert data["type"] == "incident_note"
        assert data["incident"]["id"] == body("pagerduty", "create")["event"]["data"]["id"]
        assert {"id", "content", "trimmed"} <= set(data)
        assert "user" not in data
    else:
        assert data["type"] == "incident"
        assert data["status"] == status
        assert bool(data["assignees"]) == (status != "resolved")
        assert {"id", "number", "title", "service", "urgency", "escalation_policy", "created_at"} <= set(data)
        assert not {"body", "acknowledgements", "alerts"} & set(data)


def test_both_sides_tell_the_same_story_in_order() -> None:
    alerts = [
        body("opsgenie", name)["alert"] for name in ("create", "acknowledge", "note", "unacknowledge", "close")
    ]
    assert len({alert["alertId"] for alert in alerts}) == 1
    assert [alert["updatedAt"] for alert in alerts] == sorted(alert["updatedAt"] for alert in alerts)
    events = [
        body("pagerduty", name)["event"] for name in ("create", "acknowledge", "note", "unacknowledge", "resolve")
    ]
    assert [event["occurred_at"] for event in events] == sorted(event["occurred_at"] for event in events)
    created = events[0]["data"]
    assert created["incident_key"] == alerts[0]["alertId"]
    assert datetime.fromisoformat(created["created_at"]).timestamp() * 1000 >= alerts[0]["createdAt"]
