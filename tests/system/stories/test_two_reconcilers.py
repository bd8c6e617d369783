"""A second reconciler with a database of its own mirrors everything twice: both say so, and what to do."""

from pathlib import Path

import pytest

from tests.support.harness import World

OFTEN = {"STALENESS_SECONDS": "1", "SWEEP_INTERVAL_SECONDS": "1"}
WORDS = "another reconciler with a database of its own mirrors the same alerts"


def other_database(world: World) -> str:
    folder = Path(world.folder, "laptop")
    folder.mkdir()
    return f"sqlite:///{folder / 'reconciler.db'}"


@pytest.mark.parametrize("world", [{"latency": 0.02}], indirect=True)
def test_two_daemons_with_two_databases_notice_each_other(world: World) -> None:
    alert = world.raise_alert()
    world.open_ready(**OFTEN, REMIND_SECONDS="2")
    world.until(lambda: world.is_paged(alert) and world.is_settled(), "the page")
    world.start(**OFTEN, DATABASE_URL=other_database(world))
    world.until(lambda: world.told("first start") >= 1, "both are at work")

    def both_tell() -> bool:
        count = len(world.incident_notes(alert))
        world.customer(alert, "notes", text=f"note {count}")
        world.until(lambda: len(world.incident_notes(alert)) > count, "it is mirrored")
        return all(world.told(WORDS, daemon) for daemon in (0, 1))

    world.until(both_tell, "both say so")
    (first, *_) = [line for line in world.events(0) if WORDS in line["event"]]
    assert (first["level"], first["subject"]) == ("error", "second_reconciler")
    assert "stop one of the two" in first["event"]
    world.until(lambda: world.told("Second reconciler: still ", 0) >= 1, "a reminder")
    assert world.metric("reconciler_troubles", subject="second_reconciler") == 1
    assert "Second reconciler: " in world.run("status").stdout


def test_a_lost_database_and_a_restart_are_no_second_reconciler(world: World) -> None:
    alert = world.raise_alert()
    world.start()
    world.customer(alert, "notes", text="one")
    world.until(lambda: world.is_paged(alert) and world.is_told(alert, "one"), "the note")
    world.until(world.is_settled, "all settled")
    world.kill()
    world.customer(alert, "notes", text="two")
    world.start()
    world.until(lambda: world.is_told(alert, "two") and world.is_settled(), "the next note")
    world.kill()
    world.database.unlink()
    world.start(SWEEP_INTERVAL_SECONDS="1")
    world.until_ready()
    world.customer(alert, "notes", text="three")
    world.until(lambda: world.is_told(alert, "three") and world.is_settled(), "the third note")
    world.pass_cycles(15)
    assert not any(world.told(WORDS, daemon) for daemon in range(3))
    world.assert_good()
