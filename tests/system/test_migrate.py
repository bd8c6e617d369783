"""`reconciler migrate` through the installed command: from Opsgenie to JSM and back, with new ids."""

import json
import sqlite3
from pathlib import Path

from reconciler.sandbox.server import jsm_environment
from reconciler.sandbox.settings import SandboxSettings
from tests.support.harness import Json, World, a_world


def ready(world: World) -> tuple[str, str]:
    """Two alerts with incidents, one acknowledged with a note; the daemon has stopped; JSM has both as well."""
    first, second = world.raise_alert("db-primary is down"), world.raise_alert("disk is full")
    world.start()
    world.until(lambda: world.is_paged(first) and world.is_paged(second) and world.is_settled(), "the pages")
    world.customer(first, "acknowledge")
    world.customer(first, "notes", text="look at db-3")
    world.until(lambda: world.is_told(first, "look at db-3") and world.is_settled(), "the note")
    world.pass_cycles(2)  # the last poll has seen all of it
    assert world.stop() == 0
    world.control("migrate", jsm_ids="new", jsm_note_ids="fresh")
    world.environment |= jsm_environment(world.running.url, SandboxSettings()) | {"ALERT_SOURCE": "opsgenie"}
    return first, second


def jsm_alerts(world: World) -> dict[str, Json]:
    """JSM's alerts by the id that they have in Opsgenie."""
    return {alert["opsgenie_id"]: alert for alert in world.state()["jsm"]["alerts"]}


def test_a_move_to_other_ids_and_back_pages_nobody_twice(tmp_path: Path) -> None:
    with a_world(tmp_path) as world:
        first, second = ready(world)
        before, seq = world.files(), world.seq()

        checked = world.run("migrate", "--to", "jsm", "--check")
        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert checked.stdout.startswith("2 pairs: 2 rekeyed\n"), checked.stdout
        assert "The first cycle after the move:" in checked.stdout
        assert (world.writes(seq), world.files()) == ([], before)

        document = json.loads(world.run("migrate", "--to", "jsm", "--check", "--json").stdout)
        assert (document["from"], document["to"], document["verdicts"]["rekeyed"]) == ("opsgenie", "jsm", 2)
        assert {each["kind"] for each in document["first_cycle"]["actions"]} == {"jsm.add_note"}, document

        moved = world.run("migrate", "--to", "jsm")
        assert moved.returncode == 0, moved.stdout + moved.stderr
        assert moved.stdout.splitlines()[-1] == (
            "Next: set ALERT_SOURCE=jsm, see `reconciler once --dry-run`, then start `reconciler run`."
        )
        (backup,) = (line.rpartition(": ")[2] for line in moved.stdout.splitlines() if "as it was" in line)
        with sqlite3.connect(backup) as kept:
            assert {row[0] for row in kept.execute("SELECT alert_id FROM pairs")} == {first, second}
        there = jsm_alerts(world)
        assert {row[0] for row in world.ask("SELECT alert_id FROM pairs")} == {
            there[first]["id"],
            there[second]["id"],
        }

        world.environment["ALERT_SOURCE"] = "jsm"
        world.start()
        world.control(f"jsm/alerts/{there[second]['id']}/acknowledge", user="Ben Okafor")
        world.until(lambda: world.incident(second)["status"] == "acknowledged", "the acknowledgement from JSM")
        world.engineer(second, "notes", text="on it")
        world.until(
            lambda: any("on it" in note["note"] for note in jsm_alerts(world)[second]["notes"]), "the note in JSM"
        )
        world.until(world.is_settled, "the outbox")
        assert world.stop() == 0
        marks = [note["note"] for note in jsm_alerts(world)[second]["notes"] if " key " in note["note"]]
        assert marks == [f"[PagerDuty · reconciler · incident {world.incident(second)['id']} key {second}]"]
        assert (len(world.incidents(first)), len(world.incidents(second))) == (1, 1)
        assert there[first]["id"] in world.run("explain", first, "--json").stdout, "the old id still finds it"

        back = world.run("migrate", "--to", "opsgenie", "--drain", "--no-backup", "--json")
        assert back.returncode == 0, back.stdout + back.stderr
        assert {row[0] for row in world.ask("SELECT alert_id FROM pairs")} == {first, second}
        world.environment["ALERT_SOURCE"] = "opsgenie"
        world.start()
        world.rest()
        world.until(world.is_settled, "the outbox")
        assert world.stop() == 0
        assert (len(world.incidents(first)), len(world.incidents(second))) == (1, 1)
        notes = world.incident_notes(first)
        assert len(set(notes)) == len(notes), "nothing twice"


def test_what_has_to_be_decided_first_is_said_and_nothing_is_moved(tmp_path: Path) -> None:
    with a_world(tmp_path) as world:
        ready(world)
        world.settings(jsm_blind_teams=["*"])
        pairs = world.ask("SELECT * FROM pairs")
        for arguments, status in ((["--check"], 3), (["--drop-missing"], 1)):
            refused = world.run("migrate", "--to", "jsm", *arguments)
            assert refused.returncode == status, refused.stdout + refused.stderr
            assert (
                "JSM shows 0 of 2 open alerts: either they have not been moved there yet, or JSM_API_TOKEN"
                in refused.stderr
            )
        assert world.ask("SELECT * FROM pairs") == pairs

        world.settings(jsm_blind_teams=[])
        seq = world.seq()
        world.start()
        world.until(lambda: world.polls(seq) > 0, "the daemon's first poll")
        held = world.run("migrate", "--to", "jsm")
        assert held.returncode == 1
        assert "is at work on this database: stop it first" in held.stderr
