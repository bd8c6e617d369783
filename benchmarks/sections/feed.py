"""The choice between PagerDuty's feeds, the account's log and the service's open set: the cheaper one is due."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from benchmarks.figures import Curve, Figure, Finding, Number
from benchmarks.scale import Scale
from tests.support.canned import Canned
from tests.support.seed import seed
from tests.support.simulated_daemon import world
from tests.support.simulated_time import START, ThreadsClock

NEVER = timedelta(days=365).total_seconds()
WINDOW = 120.0
"""Seconds of the log that every cycle reads again: STALENESS_SECONDS."""
CYCLES = 12
SECTION = "PagerDuty's feed"


def run(scale: Scale, folder: Path) -> Iterator[Finding]:
    """From a quiet account with many pairs to a busy one with few."""
    many = scale.of(5000, 1000)
    yield _compared(folder, "quiet account, many pairs", many, 0.1)
    yield _compared(folder, "busy account, few pairs", 20, scale.of(40, 10))
    pairs = 500
    ours: list[tuple[Number, Number]] = []
    log: list[tuple[Number, Number]] = []
    listed: list[tuple[Number, Number]] = []
    for entries in scale.sizes(0, 100, 200, 400, 600, 800, 1600, 3200, quick=200):
        cost = _cost(folder / f"{entries}.db", pairs, entries / WINDOW)
        ours.append((entries, cost))
        log.append((entries, max(1, -(-entries // 100))))
        listed.append((entries, pairs // 100))
    yield Curve("feed", f"Requests of PagerDuty's feed a cycle, {pairs} open pairs",
                f"log entries of the account in {WINDOW:.0f} s", "requests",
                {"reconciler": ours, "the log alone": log, "the open set alone": listed})  # fmt: skip


def _compared(folder: Path, what: str, pairs: int, rate: float) -> Finding:
    cost = _cost(folder / f"{pairs}.db", pairs, rate)
    log, listed = max(1.0, -(-rate * (WINDOW + 10) // 100)), -(-pairs // 100)
    best = min(log, listed)
    return Figure(
        SECTION, f"requests a cycle, {what}", cost, floor=best,
        target="the cheaper feed, + 1", met=cost <= best + 1,
        note=f"{pairs:,} pairs, {rate:g} log entries a second: log {log:.0f}, open set {listed}",
    )  # fmt: skip


def _cost(file: Path, pairs: int, rate: float) -> float:
    clock = ThreadsClock()
    canned = Canned(pairs, START, clock.now, rate)
    seed(file, canned, START, NEVER)
    with world(file, vendor=canned, clock=clock, sweep_interval=NEVER) as here:
        for _ in range(2 + CYCLES):
            here.cycle()
            here.pause()
        asked = [call for call in here.wire.calls if call.vendor == "pagerduty"]
        settled = [call for call in asked if call.at > 2 * here.interval - 1e-6]
        return len(settled) / CYCLES
