"""The cost of an idle cycle: requests, transactions and statements."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from benchmarks.figures import Curve, Figure, Finding, at_most
from benchmarks.poller import poll
from benchmarks.scale import Scale
from tests.support.canned import Canned
from tests.support.seed import copy
from tests.support.simulated_daemon import Statements, world
from tests.support.simulated_time import ThreadsClock

NEVER = timedelta(days=365).total_seconds()
CYCLES = 20
SECTION = "Idle"


def run(scale: Scale, folder: Path) -> Iterator[Finding]:
    """One figure of requests for each size; one of the database for the largest, as all sizes agree there."""
    ours: list[tuple[float, float]] = []
    polled: list[tuple[float, float]] = []
    statements: set[float] = set()
    count = {"commits": 0.0}
    for pairs in scale.sizes(0, 100, 10_000, 100_000, quick=1000):
        file = folder / f"{pairs}.db"
        epoch = copy(file, pairs, NEVER)
        clock = ThreadsClock(epoch)
        canned = Canned(pairs, epoch, clock.now)
        requests, count = idle(file, canned, clock)
        plain = poll(canned)
        ours.append((pairs, requests))
        polled.append((pairs, plain))
        if pairs:  # with no pair there is nothing to look up
            statements.add(count["statements"])
        yield at_most(SECTION, f"requests a cycle, {pairs:,} open pairs", requests, 2, poller=plain)
    yield at_most(SECTION, "commits a cycle, one of each feed", count["commits"], 2)
    yield Figure(SECTION, "SQL statements a cycle", count["statements"], target="the same at any size",
                 met=len(statements) == 1)  # fmt: skip
    yield Figure(SECTION, "reading transactions a cycle", count["reading transactions"])
    yield Curve("idle-requests", "Requests of a cycle in which nothing happens", "open pairs", "requests",
                {"reconciler": ours, "plain poller": polled}, "xy")  # fmt: skip


def idle(file: Path, canned: Canned, clock: ThreadsClock) -> tuple[float, dict[str, float]]:
    """The requests of an idle cycle, and its database statements and commits."""
    with world(file, vendor=canned, clock=clock, sweep_interval=NEVER) as here:
        here.cycle()
        here.pause()
        statements = Statements(here.database)
        here.wire.calls.clear()
        for _ in range(CYCLES):
            here.cycle()
            here.pause()
        asked = {name: count / CYCLES for name, count in statements.count.items()}
        return len(here.wire.calls) / CYCLES, asked
