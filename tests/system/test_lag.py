"""Lists lag by five seconds, the log by three, and writes by two: no flip-flop, no loss and no duplicate."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from reconciler.core.product import OPSGENIE
from tests.support.harness import World, a_world


def live(folder: Path) -> None:
    with a_world(folder, list_lag=5.0, log_lag=3.0, write_lag=2.0) as world:
        world.start(STALENESS_SECONDS="8", SWEEP_INTERVAL_SECONDS="2")
        world.until_ready()
        _play(world)


BACKGROUND = {"lag": live}


def test_lagging_lists_logs_and_writes_cause_no_flip_flop_and_no_duplicate(
    finished: Callable[[str], None],
) -> None:
    finished("lag")


def _play(world: World) -> None:
    asleep, away, chat, both, corrected, taken, low = (
        world.raise_alert(name, priority="P4" if name == "low" else "P1")
        for name in ("asleep", "away", "chat", "both", "corrected", "taken", "low")
    )
    every = (asleep, away, chat, both, corrected, taken, low)
    world.until(lambda: all(world.incidents(alert) for alert in every), "all are paged")

    for alert in (asleep, both, corrected, low):
        world.customer(alert, "acknowledge")
    for alert in (away, both, taken):
        world.engineer(alert, "acknowledge")
    world.customer(chat, "notes", text="one")
    world.engineer(chat, "notes", text="two")
    world.until(lambda: all(_is_held(world, alert) for alert in every if alert != chat), "all are acknowledged")
    world.until(lambda: _copies(world, chat) == 2, "the first notes")

    for alert in (asleep, taken, low):
        world.customer(alert, "unacknowledge")
    for alert in (away, corrected):
        world.engineer(alert, "unacknowledge")
    world.customer(chat, "notes", text="three")
    world.engineer(chat, "notes", text="four")
    world.until(
        lambda: all(world.incident(one)["status"] == "triggered" for one in (asleep, low)), "both page again"
    )
    world.until(
        lambda: not any(world.alert(one)["acknowledged"] for one in (away, corrected)), "both are unacknowledged"
    )
    world.until(lambda: _copies(world, chat) == 4, "all notes")
    world.until(lambda: len(world.incident_notes(taken)) == 1, "the unacknowledgement is told")
    world.until(world.is_settled, "all settled")

    world.assert_quiet(50)
    world.assert_good()
    assert world.incident(taken)["status"] == "acknowledged"
    assert not world.alert(taken)["acknowledged"]
    assert _is_held(world, both)
    written = _writes(world)
    # Where both acknowledged at once, both sides are acknowledged: at most one acknowledgement is mirrored.
    unnamed = 0 if world.product is OPSGENIE else 2 if world.names_engineers else 2 + written["alert acknowledged"]
    told = written["alert acknowledged"] - 2 + written["incident acknowledged"] - 3
    assert told in (0, 1)
    del written["alert acknowledged"], written["incident acknowledged"]
    assert written == {
        "create": 7,
        # Two each for asleep, chat and low, one each for both and corrected, and taken's unacknowledgement.
        "incident note": 9,
        "alert note": 2 + unnamed,
        "alert unacknowledged": 2,
        "incident triggered": 2,
    }


def _is_held(world: World, alert: str) -> bool:
    return bool(world.alert(alert)["acknowledged"]) and world.incident(alert)["status"] == "acknowledged"


def _copies(world: World, alert: str) -> int:
    marked = [*world.alert_notes(alert), *world.incident_notes(alert)]
    return sum(note.startswith("[") for note in marked)


def _writes(world: World) -> Counter[str]:
    """Writes by kind and target; a call that changed nothing counts as well."""
    found: Counter[str] = Counter()
    for call in world.writes():
        assert call["status"] in (200, 201, 202, 400), call
        match call["method"], *call["path"].strip("/").split("/"):
            case "POST", "incidents":
                found["create"] += 1
            case "POST", "incidents", _, "notes":
                found["incident note"] += 1
            case "POST", *_, "alerts", _, "notes":
                found["alert note"] += 1
            case "POST", *_, "alerts", _, verb:
                found[f"alert {verb}d"] += 1
    for incident in world.state()["pagerduty"]["incidents"]:
        for entry in incident["log_entries"]:
            if entry.get("agent") and entry["agent"]["id"] == "PBOT001":
                found["incident acknowledged"] += entry["type"] == "acknowledge_log_entry"
                found["incident triggered"] += entry["type"] in ("escalate_log_entry", "assign_log_entry")
    return found
