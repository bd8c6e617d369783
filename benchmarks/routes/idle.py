"""The cost of an idle cycle of many routes, on one pair of keys and on several."""

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from pathlib import Path

from benchmarks import counted
from benchmarks.canned_server import CannedServer
from benchmarks.figures import Figure, Finding, at_most
from benchmarks.process import busy, daemon, free_port, resident
from benchmarks.routes.file import SECTION, routes_file
from benchmarks.routes.seeding import seed
from benchmarks.routes.vendor import CannedRoutes
from benchmarks.scale import Scale
from reconciler.sandbox.server import environment

PAIRS = 10
"""Open pairs a route."""
YEARS = 10.0 * 365 * 86400
MEMORY, PROCESSOR = 1.0, 5.0
"""Targets for each further route: MiB, and milliseconds of a cycle."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process costs. All but memory and threads are of a cycle; `processor` are milliseconds."""

    requests: float
    processor: float
    memory: float
    threads: int
    commits: float
    reads: float


class Idler:
    """A daemon that has nothing to do."""

    def __init__(self, stack: ExitStack, folder: Path, routes: int, keys: int, interval: float) -> None:
        folder.mkdir()
        now, self._interval = datetime.now(UTC), interval
        vendor = CannedRoutes(routes, PAIRS * routes, now, lambda: datetime.now(UTC))
        seed(f"sqlite:///{folder}/idle.db", vendor, now, YEARS)
        self._server = stack.enter_context(CannedServer(vendor))
        pairs = tuple((f"opsgenie-key-{n}", f"pagerduty-key-{n}") for n in range(keys))
        self._counts = folder / "transactions"
        given = environment(self._server.url) | {
            "ROUTES_FILE": str(routes_file(folder, routes, pairs)),
            "DATABASE_URL": f"sqlite:///{folder}/idle.db",
            "POLL_INTERVAL_SECONDS": str(interval),
            "SWEEP_INTERVAL_SECONDS": str(YEARS),
            "HTTP_LISTEN": f"127.0.0.1:{free_port()}",
        }
        command = (sys.executable, counted.__file__, self._counts)
        self._process = stack.enter_context(daemon(given, folder, command))
        self._server.until_idle(interval, routes, 4 * keys)

    def begin(self) -> None:
        """Begin to measure."""
        self._before = self._now()
        self._began = time.monotonic()

    def cost(self, cycles: int, threads: int) -> Cost:
        """What has been spent since then: half a cycle less than `cycles`, so that no poll is one too many."""
        passed = (time.monotonic() - self._began) / self._interval
        requests, used, commits, reads = (
            (now - before) / passed for now, before in zip(self._now(), self._before, strict=True)
        )
        return Cost(requests * passed / cycles, used * 1000, resident(self._process), threads, commits, reads)

    def threads(self) -> int:
        """Its threads at the moment."""
        return int(self._process.num_threads())

    def _now(self) -> tuple[float, float, float, float]:
        commits, reads = counted.transactions(self._counts)
        return sum(self._server.asked.values()), busy(self._process), commits, reads


def run(scale: Scale, folder: Path) -> Iterator[Finding]:
    """Every size side by side, each in a process of its own."""
    sizes = [(1, 1), (10, 1), (100, 1), (10, 10), (100, 10)] if not scale.quick else [(1, 1), (4, 1), (4, 2)]
    interval = 1.0 if scale.quick else 10.0
    found = measure(folder, sizes, interval, cycles=scale.of(6, 2))
    one = found[1, 1]
    for (routes, keys), cost in found.items():
        what = f"{routes} {'routes' if routes > 1 else 'route'}, {keys} {'pairs' if keys > 1 else 'pair'} of keys"
        yield at_most(SECTION, "requests a cycle and pair of keys", ceil(cost.requests / keys), 2, note=what)
        yield Figure(SECTION, "processor time a cycle", cost.processor, "ms", note=what)
        if routes > 1:
            further = routes - 1
            processor = (cost.processor - one.processor) / further
            yield at_most(SECTION, "the same for each further route", processor, PROCESSOR, "ms", note=what)
            yield Figure(SECTION, "the same over that of one route", cost.processor / one.processor, note=what)
        yield Figure(SECTION, "resident memory", cost.memory, "MiB", note=what)
        if routes > 1:
            memory = (cost.memory - one.memory) / further
            yield at_most(SECTION, "the same for each further route", memory, MEMORY, "MiB", note=what)
        yield Figure(SECTION, "threads at most", cost.threads, note=what)
        yield Figure(SECTION, "commits a cycle and route", cost.commits / routes, note=what)
        yield Figure(SECTION, "reading transactions a cycle and route", cost.reads / routes, note=what)


def measure(
    folder: Path, sizes: list[tuple[int, int]], interval: float, cycles: int
) -> dict[tuple[int, int], Cost]:
    """The cost of so many routes on so many pairs of keys."""
    with ExitStack() as stack:
        idlers = {
            (routes, keys): Idler(stack, folder / f"{routes}-{keys}", routes, keys, interval)
            for routes, keys in sizes
        }
        threads = dict.fromkeys(idlers, 0)
        for idler in idlers.values():
            idler.begin()
        last = time.monotonic() + (cycles - 0.5) * interval
        while time.monotonic() < last:
            for size, idler in idlers.items():
                threads[size] = max(threads[size], idler.threads())
            time.sleep(0.05)
        return {size: idler.cost(cycles, threads[size]) for size, idler in idlers.items()}
