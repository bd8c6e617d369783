"""The compose file has the shape of one, is confined, and gives the reconciler settings that load."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from dotenv import dotenv_values

from reconciler.settings import load, variables
from tests.support.paths import ROOT

FOLDER = ROOT / "examples" / "compose"
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SCHEMA = json.loads(files("check_jsonschema.builtin_schemas.vendor").joinpath("compose-spec.json").read_text())


def test_the_file_has_the_shape_of_a_compose_file() -> None:
    jsonschema.validate(COMPOSE, SCHEMA)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"services": {"one": {"read_onyl": True}}}, SCHEMA)


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_confined_and_stopped_gently(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"] not in {"root", "0", "0:0"}
    assert service["restart"] == "unless-stopped"
    assert service["stop_grace_period"] == "60s"
    assert {"test", "interval", "timeout", "start_period"} == set(service["healthcheck"])
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_the_database_is_reached_by_the_reconciler_alone() -> None:
    assert SERVICES["postgresql"]["networks"] == ["database"]
    assert COMPOSE["networks"]["database"] == {"internal": True}
    assert SERVICES["reconciler"]["depends_on"] == {"postgresql": {"condition": "service_healthy"}}


def test_every_secret_is_a_file_that_git_does_not_take() -> None:
    used = {name for service in SERVICES.values() for name in service["secrets"]}
    assert COMPOSE["secrets"] == {name: {"file": f"secrets/{name}"} for name in used}
    assert "/examples/compose/secrets/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    for service in SERVICES.values():
        named = {value for name, value in service["environment"].items() if name.endswith("_FILE")}
        assert named == {f"/run/secrets/{name}" for name in service["secrets"]}


def test_the_settings_load(tmp_path: Path) -> None:
    service = SERVICES["reconciler"]
    given = {name: value or "" for name, value in dotenv_values(FOLDER / service["env_file"]).items()}
    given |= service["environment"]
    assert {name.removesuffix("_FILE") for name in given} <= set(variables())
    for name in [name for name in given if name.endswith("_FILE")]:
        file = tmp_path / Path(given[name]).name
        file.write_text(
            "postgresql://reconciler:secret@postgresql/reconciler" if "DATABASE" in name else "some-key"
        )
        given[name] = str(file)
    account = {"PAGERDUTY_SERVICE_ID": "PSERV01", "PAGERDUTY_EMAIL": "bot@example.com"}
    assert load(given | account, dotenv=None).warnings() == ()
    published = {port.rpartition(":")[2] for port in service["ports"]}
    assert published == {given[name].rpartition(":")[2] for name in ("HTTP_LISTEN", "STATUS_LISTEN")}
    assert f":{given['HTTP_LISTEN'].rpartition(':')[2]}/readyz" in service["healthcheck"]["test"][-1]


def test_jsms_file_adds_its_token(tmp_path: Path) -> None:
    added = yaml.safe_load((FOLDER / "compose.jsm.yaml").read_text(encoding="utf-8"))
    jsonschema.validate(added, SCHEMA)
    assert set(added["services"]) <= set(SERVICES)
    service = added["services"]["reconciler"]
    assert service["environment"] == {"JSM_API_TOKEN_FILE": f"/run/secrets/{service['secrets'][0]}"}
    assert added["secrets"] == {name: {"file": f"secrets/{name}"} for name in service["secrets"]}
    token = tmp_path / "jsm-api-token"
    token.write_text("some-token")
    pagerduty = {"PAGERDUTY_API_KEY": "key", "PAGERDUTY_SERVICE_ID": "PSERV01", "PAGERDUTY_USER": "Bot"}
    jsm = {"ALERT_SOURCE": "jsm", "JSM_SITE_URL": "https://acme.atlassian.net", "JSM_EMAIL": "bot@example.com"}
    given = {name: str(tmp_path / Path(path).name) for name, path in service["environment"].items()}
    assert load(pagerduty | jsm | given | {"PAGERDUTY_EMAIL": "bot@example.com"}, dotenv=None).jsm_api_token


def test_the_image_is_built_from_this_clone() -> None:
    assert (FOLDER / SERVICES["reconciler"]["build"] / "Dockerfile").is_file()
