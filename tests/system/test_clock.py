"""A wall clock that is set while `reconciler run` is at work delays neither a poll nor a page."""

import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from reconciler.sandbox.wire import parse_time
from tests.support.harness import World
from tests.support.paths import ROOT

HOURS = 2 * 3600
POLL = 0.5
LATEST = 3.0
"""Seconds between two polls, at most: a jump is noticed within a second, and other tests run beside this one."""
ON_A_CLOCK = [sys.executable, str(ROOT / "tests" / "support" / "set_clock.py")]


class Clock:
    """The daemon's wall clock."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.set(0)

    def set(self, offset: int) -> None:
        """Set it this many seconds ahead of the machine's, in one step."""
        fresh = self.file.with_suffix(".new")
        fresh.write_text(str(offset))
        fresh.replace(self.file)


def start(world: World, clock: Clock) -> None:
    environ = {"POLL_INTERVAL_SECONDS": str(POLL), "RECONCILER_CLOCK": str(clock.file)}
    with (world.folder / f"daemon-{len(world.daemons)}.log").open("w") as log:
        daemon = subprocess.Popen(
            [*ON_A_CLOCK, "run"], env=world.env(environ), cwd=world.folder, stdout=log, stderr=log
        )
    world.daemons.append(daemon)  # type: ignore[arg-type]


def polled(world: World, path: str, since: int) -> list[float]:
    """When this list was asked for, by the sandbox's clock, which stays as it is."""
    return [parse_time(call["at"]).timestamp() for call in world.calls(since) if call["path"] == path]


@pytest.mark.parametrize("jumps", [(HOURS, 0), (-HOURS, 0)], ids=["forward and back", "back and forward"])
def test_a_clock_that_jumps_by_two_hours_delays_no_poll_and_no_page(
    world: World, tmp_path: Path, jumps: tuple[int, int]
) -> None:
    clock = Clock(tmp_path / "offset")
    start(world, clock)
    world.until_ready()
    since = world.seq()
    for number, offset in enumerate(jumps):
        clock.set(offset)
        alert = world.raise_alert(f"alert {number}")
        began = time.monotonic()
        world.until(lambda alert=alert: bool(world.incidents(alert)), "the page", patience=LATEST)  # type: ignore[misc]
        assert time.monotonic() - began < LATEST
        time.sleep(2 * LATEST)
    for path in ("/v2/alerts", "/log_entries"):
        times = polled(world, path, since)
        assert len(times) > 2 * len(jumps) * LATEST
        assert max(later - earlier for earlier, later in pairwise(times)) < LATEST, path
    assert [event for event in world.events() if event["level"] == "error"] == []
    assert world.stop() == 0
