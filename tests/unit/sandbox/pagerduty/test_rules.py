"""What happens to an incident."""

from tests.support.sandbox import NEW, PagerDutyBench, error


def test_a_new_incident_is_triggered_pages_and_names_the_service() -> None:
    world = PagerDutyBench()
    shown = world.incident(world.create(incident_key="alert-1"))
    assert (shown["status"], shown["incident_key"], shown["incident_number"]) == ("triggered", "alert-1", 1)
    assert shown["last_status_change_by"]["type"] == "service_reference"
    assert "body" not in shown
    assert world.causes() == ["triggered"]


def test_an_incident_created_by_the_user_on_call_is_acknowledged_and_pages_nobody() -> None:
    world = PagerDutyBench(bot_on_call=True)
    response = world.send("POST", "/incidents", {"incident": NEW})
    assert response.json()["incident"]["status"] == "acknowledged"
    assert world.causes() == []


def test_acknowledging_a_resolved_incident_reopens_it() -> None:
    world = PagerDutyBench()
    incident = world.create()
    world.api.resolve(incident, "Jane Doe")
    shown = world.put(incident, status="acknowledged").json()["incident"]
    assert (shown["status"], shown["resolved_at"]) == ("acknowledged", None)


def test_triggering_a_resolved_incident_reopens_it_and_pages() -> None:
    world = PagerDutyBench()
    incident = world.create()
    world.put(incident, status="resolved")
    assert error(world.put(incident, status="resolved")) == (400, 1001)
    assert world.put(incident, status="triggered").json()["incident"]["status"] == "triggered"
    assert world.causes() == ["triggered", "reopened"]


def test_acknowledging_again_adds_an_acknowledger_and_restarts_the_timeout() -> None:
    world = PagerDutyBench(acknowledgement_timeout=60.0)
    incident = world.create()
    world.api.acknowledge(incident, "Jane Doe")
    world.clock.advance(40)
    world.put(incident, status="acknowledged")
    world.clock.advance(40)
    shown = world.incident(incident)
    assert [row["acknowledger"]["id"] for row in shown["acknowledgements"]] == ["PJANE01", "PBOT001"]
    assert shown["last_status_change_by"]["id"] == "PJANE01"
    assert world.kinds(incident) == ["trigger", "acknowledge", "acknowledge"]
    assert shown["pending_actions"] == [{"type": "unacknowledge", "at": "2026-11-23T09:01:40Z"}]


def test_an_acknowledgement_expires_after_the_time_of_the_service() -> None:
    world = PagerDutyBench(acknowledgement_timeout=60.0)
    incident = world.create()
    world.put(incident, status="acknowledged")
    world.clock.advance(100)
    shown = world.incident(incident)
    assert (shown["status"], shown["acknowledgements"]) == ("triggered", [])
    newest = world.get("/log_entries?include[]=channels").json()["log_entries"][0]
    assert (newest["type"], newest["agent"]["type"], newest["channel"]) == (
        "unacknowledge_log_entry", "service_reference", {"type": "timeout"}
    )  # fmt: skip
    assert newest["created_at"] == "2026-11-23T09:01:00Z"
    assert world.causes() == ["triggered", "acknowledgement timeout"]


def test_an_acknowledgement_does_not_expire_without_a_timeout() -> None:
    world = PagerDutyBench(acknowledgement_timeout=None)
    incident = world.create()
    world.put(incident, status="acknowledged")
    world.clock.advance(100_000)
    assert world.incident(incident)["status"] == "acknowledged"


def test_an_escalation_level_triggers_again_but_not_with_low_urgency() -> None:
    world = PagerDutyBench()
    high, low = world.create(urgency="high"), world.create(urgency="low")
    for incident in (high, low):
        world.put(incident, status="acknowledged")
    assert world.put(high, escalation_level=1).json()["incident"]["status"] == "triggered"
    assert error(world.put(low, escalation_level=1)) == (400, 1006)
    policy = {"id": "PPOL001", "type": "escalation_policy_reference"}
    assert world.put(low, escalation_policy=policy).json()["incident"]["status"] == "triggered"
    assert "unacknowledge" not in world.kinds(low)
    assert world.causes()[2:] == ["escalated", "reassigned"]


def test_a_note_has_an_id_that_the_log_does_not_contain() -> None:
    world = PagerDutyBench()
    incident = world.create()
    created = world.send("POST", f"/incidents/{incident}/notes", {"note": {"content": "looking"}})
    assert created.status == 200
    note = created.json()["note"]
    assert note["created_at"].endswith("-05:00")
    bare = world.get("/log_entries").json()["log_entries"][0]
    assert (bare["type"], bare["channel"]) == ("annotate_log_entry", {"type": "note"})
    full = world.get("/log_entries?include[]=channels").json()["log_entries"][0]
    assert full["channel"] == {"type": "note", "summary": "looking"}
    assert note["id"] not in str(full)
    assert error(world.send("POST", f"/incidents/{incident}/notes", {"note": {"content": ""}})) == (400, 2001)


def test_noise_has_no_agent_no_incident_or_an_unknown_kind() -> None:
    world = PagerDutyBench(noise=True, noise_every=1)
    incident = world.create()
    for text in ("a", "b", "c"):
        world.api.add_note(incident, "Jane Doe", text)
    rows = world.get("/log_entries").json()["log_entries"]
    noise = {row["type"]: row for row in rows if row["summary"] == "Noise"}
    assert "agent" not in noise["notify_log_entry"]
    assert "incident" not in noise["priority_change_log_entry"]
    assert "link_log_entry" in noise
