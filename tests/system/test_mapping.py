"""Every row of the mapping, in both directions, through the installed command."""

from reconciler.core.model import Kind
from tests.support.harness import World


def test_a_raised_alert_creates_an_incident_with_all_its_details(world: World) -> None:
    world.once()
    alert = world.raise_alert(
        priority="P1",
        description="replication stopped",
        tags=["db", "prod"],
        source="grafana",
        details={"host": "db-1"},
    )
    report = world.once()
    assert [(a["kind"], a["status"]) for a in report["actions"]] == [("pagerduty.create_incident", "done")]
    incident = world.incident(alert)
    assert (incident["title"], incident["urgency"], incident["status"]) == (
        "db-primary is down",
        "high",
        "triggered",
    )
    body = str(incident["log_entries"])
    for part in ("replication stopped", "P1", "db, prod", "grafana", "host: db-1", alert):
        assert part in body


def test_a_low_priority_alert_creates_a_low_urgency_incident(world: World) -> None:
    world.once()
    alert = world.raise_alert(priority="P3")
    world.once()
    assert world.incident(alert)["urgency"] == "low"


def test_a_customers_note_is_copied_to_the_incident_with_their_name(world: World) -> None:
    world.once()
    alert = world.raise_alert()
    world.once()
    world.customer(alert, "notes", text="after the deploy")
    world.once()
    (note,) = world.incident_notes(alert)
    assert note.startswith(f"[{world.product.name} · Ana Ruiz · 20")
    assert note.endswith("Z] after the deploy")


def test_a_customers_acknowledgement_acknowledges_the_incident_and_adds_a_note(world: World) -> None:
    world.once()
    alert = world.raise_alert()
    world.once()
    world.customer(alert, "acknowledge")
    report = world.once()
    assert [a["kind"] for a in report["actions"]] == ["pagerduty.add_note", "pagerduty.acknowledge"]
    incident = world.incident(alert)
    assert incident["status"] == "acknowledged"
    assert [a["acknowledger"]["summary"] for a in incident["acknowledgements"]] == ["Reconciler Bot"]
    assert world.incident_notes(alert)[0].endswith("] acknowledged the alert")


def test_a_customers_unacknowledgement_pages_again(world: World) -> None:
    world.once()
    alert = world.raise_alert(priority="P1")
    world.once()
    world.customer(alert, "acknowledge")
    world.once()
    world.customer(alert, "unacknowledge")
    world.once()
    assert world.incident(alert)["status"] == "triggered"
    assert world.incident_notes(alert)[-1].endswith("] unacknowledged the alert")
    assert "Ana Ruiz" in world.incident_notes(alert)[-1]


def test_a_customers_unacknowledgement_leaves_an_engineers_acknowledgement_in_place(world: World) -> None:
    world.once()
    alert = world.raise_alert()
    world.once()
    world.engineer(alert, "acknowledge")
    world.once()
    world.customer(alert, "unacknowledge")
    world.once()
    assert world.incident(alert)["status"] == "acknowledged"
    assert world.incident_notes(alert)[-1].endswith("] unacknowledged the alert")


def test_closing_the_alert_adds_a_note_and_does_not_resolve_the_incident(world: World) -> None:
    world.once()
    alert = world.raise_alert()
    world.once()
    world.customer(alert, "close")
    world.once()
    assert world.incident(alert)["status"] == "triggered"
    (note,) = world.incident_notes(alert)
    assert note.startswith(f"[{world.product.name} · Ana Ruiz · ")
    assert note.endswith("] closed the alert")


def test_closing_the_alert_resolves_the_incident_where_the_policy_says_so(world: World) -> None:
    world.once()
    alert = world.raise_alert()
    world.once()
    world.customer(alert, "close")
    world.once(ON_OPSGENIE_CLOSE="resolve")
    assert world.incident(alert)["status"] == "resolved"
    world.once(ON_OPSGENIE_CLOSE="resolve")
    assert world.alert_notes(alert) == []


def test_an_engineers_acknowledgement_acknowledges_the_alert_in_their_name(world: World) -> None:
    world.once()
    alert = world.raise_alert()
    world.once()
    world.engineer(alert, "acknowledge")
    report = world.once()
    kinds = [Kind.ALERT_ACKNOWLEDGE] if world.names_engineers else [Kind.ALERT_ACKNOWLEDGE, Kind.ALERT_NOTE]
    expected = [(world.product.kind(kind), "done") for kind in kinds]
    assert [(a["kind"], a["status"]) for a in report["actions"]] == expected
    assert world.alert(alert)["acknowledged"]
    if world.names_engineers:
        assert world.alert(alert)["owner"] == "Jane Doe"
    else:
        assert world.is_noted(alert, "] acknowledged the incident")


def test_an_engineers_unacknowledgement_unacknowledges_the_alert(world: World) -> None:
    world.once()
    alert = world.raise_alert()
    world.once()
    world.engineer(alert, "acknowledge")
    world.once()
    world.engineer(alert, "unacknowledge")
    world.once()
    assert not world.alert(alert)["acknowledged"]


def test_an_engineers_note_is_copied_to_the_alert_with_their_name(world: World) -> None:
    world.once()
    alert = world.raise_alert()
    world.once()
    world.engineer(alert, "notes", text="failing over")
    world.once()
    (note,) = world.alert_notes(alert)
    note_id = world.incident(alert)["notes"][0]["id"]
    assert note == f"[PagerDuty · Jane Doe · note {note_id}] failing over"


def test_resolving_the_incident_adds_a_note_and_does_not_close_the_alert(world: World) -> None:
    world.once()
    alert = world.raise_alert()
    world.once()
    world.engineer(alert, "resolve")
    world.once()
    (note,) = world.alert_notes(alert)
    assert note.startswith("[PagerDuty · Jane Doe · 20")
    assert note.endswith("Z] resolved the incident")
    assert world.alert(alert)["status"] == "open"


def test_reopening_the_incident_adds_a_note_to_the_alert(world: World) -> None:
    world.once()
    alert = world.raise_alert()
    world.once()
    world.engineer(alert, "resolve")
    world.once()
    world.engineer(alert, "reopen")
    world.once()
    assert world.alert_notes(alert)[-1].endswith("Z] reopened the incident")
    assert "Jane Doe" in world.alert_notes(alert)[-1]


def test_notes_are_still_copied_both_ways_once_both_sides_are_over(world: World) -> None:
    world.once()
    alert = world.raise_alert()
    world.once()
    world.engineer(alert, "resolve")
    world.customer(alert, "close")
    world.once()
    world.engineer(alert, "notes", text="post mortem on Monday")
    world.customer(alert, "notes", text="thank you")
    world.once()
    assert any("post mortem on Monday" in note for note in world.alert_notes(alert))
    assert any("thank you" in note for note in world.incident_notes(alert))
