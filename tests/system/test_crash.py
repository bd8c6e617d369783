"""kill -9 at a chosen moment: after the restart nothing is lost and nothing is done twice.

Each crash has a world of its own; several run at the same time.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.harness import SOURCE, World, a_world

Act = Callable[[World, str], None]
NOTES, CREATION, UPDATE = "/incidents/*/notes", "/incidents", "/incidents/*"


@dataclass(frozen=True)
class Crash:
    """The act, the faults, and when the daemon is killed: as soon as `dies` holds."""

    act: Act
    dies: Callable[[World], bool]
    faults: tuple[dict[str, Any], ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)


def raising(world: World, _alert: str) -> None:
    world.raise_alert("another one", priority="P1")


def noting(world: World, alert: str) -> None:
    world.customer(alert, "notes", text="is it the disk?")


def acknowledging(world: World, alert: str) -> None:
    world.customer(alert, "acknowledge")


def engineer_noting(world: World, alert: str) -> None:
    world.engineer(alert, "notes", text="it is the disk")


def engineer_acknowledging(world: World, alert: str) -> None:
    world.engineer(alert, "acknowledge")


def everything(world: World, alert: str) -> None:
    noting(world, alert)
    engineer_noting(world, alert)
    engineer_acknowledging(world, alert)
    raising(world, alert)


def at_once(_world: World) -> bool:
    return True


def planned(world: World) -> bool:
    """Whether the intent is committed."""
    return not world.is_settled()


def on_the_wire(world: World) -> bool:
    return any(status == "sent" for _, status in world.ledger())


def faulted(world: World) -> bool:
    return any(call["fault"] for call in world.calls())


def accepted(world: World) -> bool:
    """Whether the alert side has answered 202, or has added a note at once."""
    calls = [call for call in world.calls() if call["write"] and "/alerts/" in call["path"]]
    return any(call["status"] in (200, 202) for call in calls)


def fault(do: str, path: str, vendor: str = "pagerduty", method: str = "POST", **more: Any) -> dict[str, Any]:
    return {"do": do, "vendor": vendor, "method": method, "path": path, **more}


TO_ALERTS = {"vendor": "opsgenie" if SOURCE == "opsgenie" else "jsm", "path": "*/alerts/*/*"}
CRASHES = {
    "right after a creation": Crash(raising, at_once),
    "with everything planned, on slow roads": Crash(everything, planned, settings={"latency": 0.1}),
    "a creation is on the wire": Crash(raising, on_the_wire, settings={"latency": 0.4}),
    "a note is on the wire": Crash(noting, on_the_wire, settings={"latency": 0.4}),
    "an engineer's note is on the wire": Crash(engineer_noting, on_the_wire, settings={"latency": 0.4}),
    "a creation's answer is on its way": Crash(raising, faulted, (fault("slow", CREATION, seconds=3),)),
    "an acknowledgement's answer is on its way": Crash(
        acknowledging, faulted, (fault("slow", UPDATE, method="PUT", seconds=3),)),
    "a creation will land late": Crash(raising, faulted, (fault("late", CREATION, seconds=1.5),)),
    "a note will land late": Crash(noting, faulted, (fault("late", NOTES, seconds=1.5),)),
    "an acknowledgement will land late": Crash(
        acknowledging, faulted, (fault("late", UPDATE, method="PUT", seconds=1.5),)),
    "an engineer's note will land late": Crash(
        engineer_noting, faulted, (fault("late", **TO_ALERTS, seconds=1.5),)),
    "a creation's answer is lost": Crash(raising, faulted, (fault("drop_after", CREATION),)),
    "a note's answer is lost": Crash(noting, faulted, (fault("drop_after", NOTES),)),
    "an engineer's note's answer is lost": Crash(engineer_noting, faulted, (fault("drop_after", **TO_ALERTS),)),
    "a note never arrives": Crash(noting, faulted, (fault("refuse_before", NOTES),)),
    "between 202 and a note's effect": Crash(engineer_noting, accepted, settings={"write_lag": 1.5}),
    "between 202 and an acknowledgement's effect": Crash(
        engineer_acknowledging, accepted, settings={"write_lag": 1.5}),
}  # fmt: skip


def live(crash: Crash, folder: Path) -> None:
    """Start a daemon, act, kill it, start another one, and check the outcome."""
    with a_world(folder) as world:
        patient = {"STALENESS_SECONDS": "3", "POLL_INTERVAL_SECONDS": "0.2"}
        world.start(**patient)
        world.until_ready()
        alert = world.raise_alert(priority="P1")
        world.until(lambda: bool(world.incidents(alert)) and world.is_settled(), "the page")
        world.settings(**crash.settings)
        world.faults(*crash.faults)
        crash.act(world, alert)
        world.until(lambda: crash.dies(world), "the moment to die")
        world.kill()
        world.settings(latency=0.0)

        world.engineer(alert, "notes", text="meanwhile")
        world.customer(alert, "notes", text="all the while")
        world.start(**patient)
        world.until(lambda: any("meanwhile" in note for note in world.alert_notes(alert)), "the note meanwhile")
        world.until(lambda: any("all the" in note for note in world.incident_notes(alert)), "the other note")
        world.until(world.is_settled, "all settled")
        time.sleep(crash.settings.get("latency", 0.0))  # by now the killed daemon's requests have taken effect
        world.assert_quiet(10)
        world.assert_good()
        assert all(status == "done" for _, status in world.ledger()), world.ledger()


BACKGROUND = {name: partial(live, crash) for name, crash in CRASHES.items()}


@pytest.mark.parametrize("name", CRASHES)
def test_nothing_is_lost_or_done_twice_when_the_daemon_is_killed(
    finished: Callable[[str], None], name: str
) -> None:
    finished(name)
