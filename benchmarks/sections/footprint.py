"""The idle daemon's memory, processor time and database size, by open pairs.

It runs as the installed command in a process of its own, over HTTP, with a database that was written directly.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from math import log2
from pathlib import Path

from benchmarks.canned_server import CannedServer
from benchmarks.figures import Curve, Figure, Finding, at_most
from benchmarks.process import busy, daemon, resident
from benchmarks.scale import Scale
from reconciler.sandbox.server import environment
from tests.support.canned import Canned
from tests.support.seed import copy

SECTION = "Footprint"
YEARS = str(10 * 365 * 86400)
INTERVAL = 0.05


def run(scale: Scale, folder: Path) -> Iterator[Finding]:
    """One daemon a size."""
    memory: list[tuple[float, float]] = []
    processor: list[tuple[float, float]] = []
    disk: list[tuple[float, float]] = []
    for pairs in scale.sizes(0, 1000, 10_000, 100_000, quick=1000):
        file = folder / f"{pairs}.db"
        canned = Canned(pairs, copy(file, pairs), lambda: datetime.now(UTC))
        with CannedServer(canned) as server:
            rss, milliseconds = _idle(server, file, folder, scale.of(200, 30))
        memory.append((pairs, rss))
        processor.append((pairs, milliseconds))
        disk.append((pairs, file.stat().st_size / 1024 / 1024))
    for (known, rss), (_, milliseconds), (_, size) in zip(memory, processor, disk, strict=True):
        yield _figure("processor a cycle", known, milliseconds, 10, "ms")
        yield _figure("resident memory", known, rss, 90, "MiB")
        yield Figure(SECTION, f"database, {known:,} pairs", size, "MiB")
    large = [(known, rss) for known, rss in memory if known >= 10_000]
    for (less, before), (more, after) in pairwise(large):
        growth = 1 + (after - before) / memory[0][1] / log2(more / less)
        yield at_most(SECTION, "memory of an empty daemon, added per doubling beyond 10,000", growth, 1.2, "times")
    yield Curve("memory", "Resident memory of an idle daemon", "open pairs", "MiB", {"reconciler": memory}, "x")
    yield Curve("processor", "Processor time of an idle cycle", "open pairs", "ms", {"reconciler": processor}, "x")
    yield Curve("database", "Database", "open pairs", "MiB", {"SQLite": disk}, "x")


def _figure(name: str, pairs: float, value: float, limit: float, unit: str) -> Figure:
    """The target is for 10,000 pairs."""
    label = f"{name}, {pairs:,} pairs"
    if pairs == 10_000:
        return at_most(SECTION, label, value, limit, unit)
    return Figure(SECTION, label, value, unit)


def _idle(server: CannedServer, file: Path, folder: Path, cycles: int) -> tuple[float, float]:
    """Memory, and processor time of a cycle."""
    given = environment(server.url) | {
        "DATABASE_URL": f"sqlite:///{file}",
        "POLL_INTERVAL_SECONDS": str(INTERVAL),
        "SWEEP_INTERVAL_SECONDS": YEARS,
        "LOG_FORMAT": "json",
    }
    with daemon(given, folder) as process:
        server.until_polled(server.polls + 10)
        before, polls = busy(process), server.polls
        server.until_polled(polls + cycles)
        used, done = busy(process) - before, server.polls - polls
        return resident(process), used / done * 1000
