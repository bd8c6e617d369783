"""`pause` holds writes back beside a running daemon; nothing is lost, pages go on, and everybody can see it."""

import json
from datetime import datetime, timedelta

import pytest

from tests.support.harness import NO_KEYS, World
from tests.support.harness.vendors import never


def pause(world: World, *options: str) -> str:
    """Pause as an operator does; what the command prints."""
    done = world.run("pause", *options, "--reason", "maintenance", **NO_KEYS)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def resume(world: World, *options: str) -> str:
    done = world.run("resume", *options, **NO_KEYS)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def journal(world: World, event: str) -> list[tuple[str, str, str]]:
    rows = world.ask("SELECT event, side, who, words FROM journal ORDER BY id")
    return [(side, who, words) for found, side, who, words in rows if found == event]


def held(world: World, count: int) -> None:
    """Wait until the daemon has planned so many writes that wait."""
    world.until(lambda: world.standing()["planned"] == count, f"{count} writes wait")


def test_a_pause_holds_all_but_pages_back_beside_a_running_daemon_and_resume_writes_in_order(world: World) -> None:
    alert = world.raise_alert()
    world.start(REMIND_SECONDS="1")
    world.until(lambda: world.is_paged(alert) and world.is_settled(), "the page")
    printed = pause(world)
    assert printed.startswith("Opsgenie: paused by ")
    assert "PagerDuty: paused by " in printed
    assert ": maintenance\n" in printed
    world.until(lambda: world.told("PagerDuty: paused by ") >= 1, "the daemon says so", patience=10)
    for number in range(3):
        world.customer(alert, "notes", text=f"note {number}")
        world.engineer(alert, "notes", text=f"answer {number}")
    world.customer(alert, "acknowledge")
    held(world, 8)
    world.until(lambda: world.told("maintenance; 4 notes and 1 state change wait") >= 1, "a reminder")
    second = world.raise_alert("second")
    world.until(lambda: world.is_paged(second), "a page passes the pause")
    assert world.incident_notes(alert) == [f"answer {number}" for number in range(3)]
    assert len(world.alert_notes(alert)) == 3
    assert world.run("status", "--exit-code", **NO_KEYS).returncode == 3
    printed = resume(world)
    assert "PagerDuty: resumed; 4 notes and 1 state change were held back" in printed
    world.until(world.is_settled, "all settled")
    copies = [note.rpartition("] ")[2] for note in world.incident_notes(alert) if "Opsgenie" in note]
    assert copies == ["note 0", "note 1", "note 2", "acknowledged the alert"]
    assert world.incident(alert)["status"] == "acknowledged"
    assert {note[-8:] for note in world.alert_notes(alert)[3:]} == {"answer 0", "answer 1", "answer 2"}
    world.until(lambda: world.told("PagerDuty: resumed after ") == 1, "the daemon says that, too")
    assert world.told("4 notes and 1 state change had waited") == 1
    assert not [line for line in world.events() if line["level"] == "error"]
    world.assert_good()
    assert [side for side, _, _ in journal(world, "paused")] == ["opsgenie", "pagerduty"]
    assert {words for _, _, words in journal(world, "paused")} == {"maintenance"}
    assert all("@" in who for _, who, _ in (*journal(world, "paused"), *journal(world, "resumed")))
    assert resume(world) == "Nothing is paused there: nothing to resume.\n"


def test_a_customer_who_takes_an_acknowledgement_back_pages_despite_a_pause(world: World) -> None:
    alert = world.raise_alert()
    world.start()
    world.until(lambda: world.is_paged(alert) and world.is_settled(), "the page")
    world.customer(alert, "acknowledge")
    world.until(lambda: world.incident(alert)["status"] == "acknowledged" and world.is_settled(), "acknowledged")
    pause(world, "--to", "pagerduty")
    world.until(lambda: world.told("PagerDuty: paused by ") == 1, "the pause", patience=10)
    world.customer(alert, "notes", text="waits")
    held(world, 1)
    world.customer(alert, "unacknowledge")
    world.until(lambda: world.incident(alert)["status"] == "triggered", "it pages again")
    assert not [
        note for note in world.incident_notes(alert) if note.endswith(("waits", "unacknowledged the alert"))
    ]
    resume(world)
    world.until(lambda: world.is_told(alert, "unacknowledged the alert") and world.is_settled(), "the notes")
    world.assert_good()


def test_pages_wait_too_where_that_is_said_and_a_later_pause_replaces_the_first(world: World) -> None:
    world.open_ready()
    pause(world, "--pages-too", "--for", "2h")
    world.until(lambda: world.told("pages too: maintenance") == 2, "the pause", patience=10)
    alert = world.raise_alert()
    held(world, 1)
    never(lambda: world.is_paged(alert), 1, "a page")
    ready = world.get("/readyz")
    assert (ready.status_code, ready.json()["ready"]) == (200, True)
    assert [words.partition(":")[0] for words in ready.json()["paused"]] == ["Opsgenie", "PagerDuty"]
    metrics = world.get("/metrics").text
    assert 'reconciler_paused{pages="yes",side="pagerduty"} 1.0' in metrics
    assert 'reconciler_paused{pages="no",side="pagerduty"} 0.0' in metrics
    found = json.loads(world.run("status", "--json", **NO_KEYS).stdout)
    assert [(each["side"], each["pages"], each["waiting"]) for each in found["pauses"]] == [
        ("opsgenie", True, 0),
        ("pagerduty", True, 1),
    ]
    lasts = datetime.fromisoformat(found["pauses"][0]["until"]) - datetime.fromisoformat(
        found["pauses"][0]["since"]
    )
    assert lasts == timedelta(hours=2)
    assert "PagerDuty by " in world.run("status", **NO_KEYS).stdout
    assert found["troubles"] == []
    pause(world, "--to", "pagerduty")
    world.until(lambda: world.is_paged(alert), "the page")
    resume(world)
    world.until(lambda: "paused" not in world.get("/readyz").json(), "no pause")
    assert 'side="pagerduty"} 1.0' not in world.get("/metrics").text


def test_a_pause_with_a_time_ends_by_itself_and_survives_a_crash(world: World) -> None:
    alert = world.raise_alert()
    world.start()
    world.until(lambda: world.is_paged(alert) and world.is_settled(), "the page")
    pause(world, "--for", "12s")
    world.until(lambda: world.told("PagerDuty: paused by ") == 1, "the pause", patience=10)
    world.customer(alert, "notes", text="waits")
    held(world, 1)
    world.kill()
    world.start()
    world.until(lambda: world.told("PagerDuty: paused by ") == 1, "the pause again", patience=10)
    assert not world.is_told(alert, "waits")
    world.until(lambda: world.is_told(alert, "waits"), "the note")
    assert [(who, words) for _, who, words in journal(world, "resumed")] == [("", "its time is over")] * 2
    world.until(world.is_settled, "all settled")
    world.assert_good()


def test_a_single_run_and_its_dry_run_respect_a_pause_and_say_what_waits(world: World) -> None:
    alert = world.raise_alert()
    world.once()
    pause(world, "--to", "pagerduty")
    world.customer(alert, "notes", text="waits")
    second = world.raise_alert("second")
    plan = world.run("once", "--dry-run")
    assert plan.returncode == 0, plan.stderr
    assert "Ana Ruiz added a note in Opsgenie; waits: paused" in plan.stdout
    assert "the alert was raised in Opsgenie; waits" not in plan.stdout
    assert ": maintenance; 1 note waits\nPlan: " in plan.stdout
    report = world.once()
    assert world.is_paged(second)
    assert not world.is_told(alert, "waits")
    held_back = [(a["kind"], a["status"]) for a in report["actions"] if a["paused"]]
    assert held_back == [("pagerduty.add_note", "pending")]
    assert [(each["side"], each["waiting"]) for each in report["pauses"]] == [("pagerduty", 1)]
    assert report["errors"] == []
    assert ": maintenance; 1 note waits\n" in world.run("once").stdout
    resume(world)
    world.once()
    assert world.is_told(alert, "waits")
    world.assert_good()


@pytest.mark.parametrize(
    "arguments",
    [
        ("pause",),
        ("pause", "--reason", "  "),
        ("pause", "--reason", "x", "--for", "2 weeks"),
        ("pause", "--reason", "x", "--for", "0s"),
        ("pause", "--reason", "x", "--for", "31d"),
        ("pause", "--reason", "x", "--to", "jira"),
        ("pause", "--reason", "x"),
        ("resume",),
    ],
)
def test_wrong_usage_and_a_missing_database_exit_with_2_and_create_nothing(
    world: World, arguments: tuple[str, ...]
) -> None:
    done = world.run(*arguments, **NO_KEYS)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr
    assert world.files() == {}
