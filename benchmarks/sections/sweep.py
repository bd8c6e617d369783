"""The cost of the sweep: its reads for each open pair and sweep interval, and how evenly they are spread."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, Finding, at_most
from benchmarks.poller import poll
from benchmarks.scale import Scale
from tests.support.canned import Canned
from tests.support.seed import seed
from tests.support.simulated_daemon import world
from tests.support.simulated_time import START, ThreadsClock

INTERVAL, SWEEP = 10.0, 300.0
SECTION = "Sweep"


def run(scale: Scale, folder: Path) -> Iterator[Finding]:
    """Run two whole sweep intervals, and count the second."""
    pairs = scale.of(1000, 200)
    clock = ThreadsClock()
    canned = Canned(pairs, START, clock.now)
    seed(folder / "sweep.db", canned, START)
    beats = round(SWEEP / INTERVAL)
    with world(folder / "sweep.db", vendor=canned, clock=clock, interval=INTERVAL, sweep_interval=SWEEP) as here:
        costs: list[int] = []
        of_pairs = 0
        for beat in range(2 * beats):
            before = len(here.wire.calls)
            here.cycle()
            calls = here.wire.calls[before:]
            costs.append(len(calls))
            of_pairs += sum(call.path.endswith("/notes") for call in calls) if beat >= beats else 0
            here.pause()
    swept = [cost - 2 for cost in costs[beats:]]
    each = of_pairs / pairs
    plain = poll(canned) * beats
    yield at_most(SECTION, "reads a pair and sweep interval", each, 2, note=f"{pairs:,} pairs")
    yield Figure(SECTION, "reads of listings in a sweep interval", sum(swept) - of_pairs)
    yield Figure(SECTION, f"reads in {SWEEP:.0f} s, all pairs", sum(costs[beats:]), poller=plain)
    yield at_most(SECTION, "largest cycle over the mean", max(swept) / (sum(swept) / beats), 2)
