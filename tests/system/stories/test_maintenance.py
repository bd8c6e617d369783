"""Maintenance of PagerDuty: an operator pauses writes to it, people go on working, and nothing of it is lost."""

from tests.support.harness import World


def test_a_night_of_maintenance_with_an_outage_and_a_restart_loses_nothing(world: World) -> None:
    alerts = [world.raise_alert(f"alert {number}") for number in range(3)]
    world.start(REMIND_SECONDS="1")
    world.until(lambda: all(map(world.is_paged, alerts)) and world.is_settled(), "the pages")
    paused = world.run("pause", "--to", "pagerduty", "--for", "2h", "--reason", "PagerDuty's migration")
    assert paused.returncode == 0
    world.until(lambda: world.told("PagerDuty: paused by ") >= 1, "the pause", patience=10)
    world.faults({"do": "500", "vendor": "pagerduty", "method": "P*", "path": "/incidents/*", "times": 0})
    for alert in alerts:
        for number in range(2):
            world.customer(alert, "notes", text=f"note {number}")
        world.customer(alert, "acknowledge")
    world.engineer(alerts[0], "notes", text="I am on it")
    world.until(lambda: world.is_noted(alerts[0], "I am on it"), "the other side is written to as ever")
    world.until(lambda: world.standing()["planned"] == 12, "the rest waits")
    assert world.stop() == 0
    world.start(REMIND_SECONDS="1")
    meanwhile = world.raise_alert("raised in the night")
    world.until(lambda: world.is_paged(meanwhile), "a page goes on")
    world.until(lambda: world.told("migration; 9 notes and 3 state changes wait") >= 1, "a reminder")
    assert not [line for line in world.events() if line["level"] == "error"]
    assert world.standing()["dead"] == 0
    world.no_faults()
    assert world.run("resume").returncode == 0
    world.until(world.is_settled, "all settled")
    for alert in alerts:
        copies = [note.rpartition("] ")[2] for note in world.incident_notes(alert) if "[Opsgenie" in note]
        assert copies == ["note 0", "note 1", "acknowledged the alert"]
        assert world.incident(alert)["status"] == "acknowledged"
    world.assert_good()
    assert world.run("status", "--exit-code").returncode == 0
