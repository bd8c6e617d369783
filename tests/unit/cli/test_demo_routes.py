"""What the demo of several routes writes, looks at, and leaves untold."""

import tomllib
from pathlib import Path

import pytest

from reconciler.cli.demo_routes import AFTER, BEFORE, RoutesStage, _on, _seconds, routes_text

STATE = {
    "opsgenie": {"alerts": [{"id": "a", "createdAt": "2026-11-23T09:00:00Z"}]},
    "pagerduty": {
        "incidents": [{"id": "Q1", "incident_key": "a", "service": {"id": "PSVC002"}}],
        "pages": [
            {"incident_id": "Q2", "at": "2026-11-23T09:00:00.100000Z"},
            {"incident_id": "Q1", "at": "2026-11-23T09:00:01.500000Z"},
        ],
    },
}


def test_the_routes_file_has_each_customers_tag_and_service() -> None:
    routes = tomllib.loads(routes_text(BEFORE))["routes"]
    assert routes["globex"] == {"query": "tag: globex", "service": "PSVC002"}
    assert list(routes) == ["acme", "globex", "initech"]


def test_the_reload_adds_one_route_and_changes_one() -> None:
    assert AFTER.keys() - BEFORE.keys() == {"hooli"}
    assert [name for name, service in BEFORE.items() if AFTER[name] != service] == ["initech"]


def test_a_page_is_found_by_its_alert_with_its_service_and_the_seconds_it_took() -> None:
    assert (_on(STATE, "a"), _on(STATE, "b"), _seconds(STATE, "a")) == (["PSVC002"], [], 1.5)


def test_of_a_storm_the_pages_are_not_told_one_by_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stage = RoutesStage("http://127.0.0.1:9", tmp_path, {"PAGERDUTY_SERVICE_ID": "PSVC001"})
    done = {"kind": "pagerduty.create_incident", "state": "done", "reason": "the alert was raised"}
    stage._tell(done | {"route": "acme", "title": "host 7 is unreachable"})
    assert capsys.readouterr().out == ""
    stage._tell(done | {"route": "globex", "title": "payments fail"})
    assert "globex: pagerduty.create_incident: the alert was raised" in capsys.readouterr().out
    assert "PAGERDUTY_SERVICE_ID" not in stage.environment
