"""An alert's current values count, not those at its first sight; nothing that people wrote is truncated."""

from typing import Any

import pytest

from reconciler.sandbox.wire import json_response
from tests.support.harness import World
from tests.support.harness.vendors import edited, is_call


def _with(world: World, alert: str, **values: Any) -> None:
    """From now on Opsgenie shows the alert with these values."""

    def edit(document: dict[str, Any]) -> None:
        rows = document["data"] if isinstance(document.get("data"), list) else [document.get("data")]
        for row in rows:
            if isinstance(row, dict) and row.get("id") == alert:
                row.update(values)

    world.bend(
        is_call("opsgenie", "GET", starts="/v2/alerts"),
        lambda _request, real: edited(real, edit) if real.status == 200 else real,
    )


def _paged(world: World, **more: Any) -> str:
    alert = world.raise_alert(**more)
    world.until(lambda: bool(world.incidents(alert)), "the page")
    world.until(world.is_settled, "all settled")
    return alert


def test_a_priority_that_rises_above_the_threshold_raises_the_urgency(world: World) -> None:
    world.start()
    alert = _paged(world, priority="P4")
    assert world.incident(alert)["urgency"] == "low"
    _with(world, alert, priority="P1")
    world.control(f"opsgenie/alerts/{alert}/escalate")
    world.until(lambda: world.incident(alert)["urgency"] == "high", "the urgency")
    world.until(lambda: any("P4" in n and "P1" in n for n in world.incident_notes(alert)), "the note")
    world.until(world.is_settled, "all settled")
    world.assert_quiet(8)


def test_a_priority_that_changes_below_the_threshold_only_adds_a_note(world: World) -> None:
    world.start()
    alert = _paged(world, priority="P5")
    _with(world, alert, priority="P3")
    world.control(f"opsgenie/alerts/{alert}/escalate")
    world.until(lambda: any("P5" in n and "P3" in n for n in world.incident_notes(alert)), "the note")
    world.until(world.is_settled, "all settled")
    assert world.incident(alert)["urgency"] == "low"


@pytest.mark.parametrize(("policy", "notes", "urgency"), [("note", 1, "low"), ("ignore", 0, "low")])
def test_the_priority_policy_limits_a_change_to_a_note_or_to_nothing(
    world: World, policy: str, notes: int, urgency: str
) -> None:
    world.start(ON_OPSGENIE_PRIORITY=policy)
    alert = _paged(world, priority="P4")
    _with(world, alert, priority="P1")
    world.control(f"opsgenie/alerts/{alert}/escalate")
    world.pass_cycles(15)
    world.until(world.is_settled, "all settled")
    assert len(world.incident_notes(alert)) == notes
    assert world.incident(alert)["urgency"] == urgency


@pytest.mark.parametrize("priority", ["P1-Critical", None])
def test_an_unknown_priority_creates_a_high_urgency_incident(world: World, priority: object) -> None:
    def edit(document: dict[str, Any]) -> None:
        rows = document["data"] if isinstance(document.get("data"), list) else [document.get("data")]
        for row in rows:
            if isinstance(row, dict) and "priority" in row:
                row["priority"] = priority

    world.bend(
        is_call("opsgenie", "GET", starts="/v2/alerts"),
        lambda _request, real: edited(real, edit) if real.status == 200 else real,
    )
    world.start()
    alert = _paged(world, priority="P5")
    assert world.incident(alert)["urgency"] == "high"


def test_an_old_alert_whose_priority_rises_above_the_threshold_is_paged(world: World) -> None:
    old = world.raise_alert("old", priority="P4", created_at="2026-11-20T10:00:00Z")
    world.start()
    world.until_ready()
    world.pass_cycles(3)
    assert world.incidents(old) == []
    _with(world, old, priority="P1")
    world.control(f"opsgenie/alerts/{old}/escalate")
    world.until(lambda: bool(world.incidents(old)), "the page")


def test_an_old_alert_that_enters_the_query_is_paged(world: World) -> None:
    old = world.raise_alert("old", priority="P4", created_at="2026-11-20T10:00:00Z", tags=["quiet"])
    world.start(OPSGENIE_QUERY="tag: loud", SWEEP_INTERVAL_SECONDS="1")
    world.until_ready()
    world.pass_cycles(3)
    assert world.incidents(old) == []
    machine = world.sandbox.opsgenie
    with world.sandbox.lock:
        machine.alerts.change(machine.find(old), machine.clock.now(), tags=("loud",))
    world.until(lambda: bool(world.incidents(old)), "the page")


def test_a_widened_query_pages_newly_visible_alerts_only_within_the_lookback(world: World) -> None:
    world.raise_alert("loud", tags=["loud"], priority="P1")
    old = world.raise_alert("old", priority="P1", created_at="2026-11-20T10:00:00Z")
    fresh = world.raise_alert("fresh", priority="P1")
    world.start(OPSGENIE_QUERY="tag: loud")
    world.until_ready()
    world.pass_cycles(3)
    assert world.incidents(fresh) == []
    world.stop()
    world.start(SWEEP_INTERVAL_SECONDS="1")
    world.until(lambda: bool(world.incidents(fresh)), "the fresh one's page")
    world.pass_cycles(20)
    assert world.incidents(old) == []
    world.until(lambda: any("OPSGENIE_QUERY" in str(line) for line in world.events()), "one line about it")


def test_a_long_note_is_split_and_nothing_is_cut(world: World) -> None:
    world.start()
    alert = _paged(world, priority="P1")
    words = " ".join(f"w{number}" for number in range(9000))
    world.engineer(alert, "notes", text=words)
    world.until(lambda: len(world.alert_notes(alert)) >= 3, "the parts")
    world.until(world.is_settled, "all settled")
    everything = " ".join(note.split("] ", 1)[1] for note in world.alert_notes(alert))
    assert all(f"w{number}" in everything for number in (0, 1, 4500, 8998, 8999))
    assert "cut" not in everything
    world.assert_quiet(8)


def test_a_note_that_is_refused_for_its_length_arrives_in_parts(world: World) -> None:
    world.start()
    alert = _paged(world, priority="P1")
    world.answers(
        lambda vendor, request: (
            vendor == "opsgenie" and request.path.endswith("/notes") and len(request.body) > 2000
        ),
        json_response(422, {"message": "Note is too long", "took": 0.0, "requestId": "x"}),
    )
    words = " ".join(f"w{number}" for number in range(1200))
    world.engineer(alert, "notes", text=words)
    world.until(lambda: len(world.alert_notes(alert)) >= 5, "the parts")
    world.until(world.is_settled, "all settled")
    everything = " ".join(note.split("] ", 1)[1] for note in world.alert_notes(alert))
    assert all(f"w{number}" in everything.replace(" ", "") for number in (0, 600, 1199))


def test_details_that_are_not_strings_are_shown_in_the_incident(world: World) -> None:
    details = {"prod": True, "nested": {"a": 1}, "list": [1, "two"], "count": 7, "nothing": None}

    def edit(document: dict[str, Any]) -> None:
        if isinstance(document.get("data"), dict):
            document["data"]["details"] = details

    world.bend(
        is_call("opsgenie", "GET", starts="/v2/alerts"),
        lambda _request, real: edited(real, edit) if real.status == 200 else real,
    )
    world.start()
    alert = _paged(world, priority="P1")
    body = world.incident(alert)["body"]
    assert "prod: true" in body
    assert '"a"' in body
    assert "two" in body
    assert "count: 7" in body
