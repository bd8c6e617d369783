"""A million open pairs on 100 routes, on PostgreSQL, beside ten thousand.

The vendors answer by arithmetic, so that nobody holds a million alerts. A whole sweep of them takes days at
PagerDuty's rate, so that a slice of it is measured.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.canned_server import CannedServer
from benchmarks.figures import Figure, Finding, at_least, at_most
from benchmarks.process import busy, daemon, free_port, resident
from benchmarks.routes.file import SECTION, routes_file
from benchmarks.routes.seeding import seed_many
from benchmarks.routes.server import postgres
from benchmarks.routes.vendor import CannedRoutes
from benchmarks.scale import Scale
from reconciler.sandbox.server import environment
from tests.support.postgres import Postgres

YEARS = 10.0 * 365 * 86400
SWEEP = 300.0
"""The default of SWEEP_INTERVAL_SECONDS."""
PER_MINUTE = 960
WARM_UP = 6
"""Cycles of a daemon that sweeps before its cost is measured."""
SWEEPS_SHARE = 0.5
"""The share of a limit that the sweep may use: it leaves the rest to everything else."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a daemon costs: requests, polls and processor milliseconds of a cycle; memory in MiB."""

    opsgenie: float
    pagerduty: float
    polls: float
    processor: float
    memory: float


def run(scale: Scale, folder: Path) -> Iterator[Finding]:
    """An idle cycle with either number of pairs, and a slice of the sweep of the larger one."""
    routes = scale.of(100, 4)
    few, many = scale.of(10_000, 200), scale.of(1_000_000, 2000)
    with postgres() as server:
        if server is None:
            return
        small = Account(server, folder, routes, few, YEARS)
        large = Account(server, folder, routes, many, YEARS)
        interval, cycles = scale.of(10, 1), scale.of(6, 3)
        before = small.cost(YEARS, interval, cycles)
        after = large.cost(YEARS, interval, cycles)
        yield from _idle(before, after, f"{many:,} open pairs on {routes} routes", f"over {few:,} pairs")
        swept = large.cost(SWEEP, interval, cycles=scale.of(18, 3))
        yield from _sweep(swept, interval, many, scale.of(180, 3))


class Account:
    """So many pairs, in a database and at both vendors."""

    def __init__(self, server: Postgres, folder: Path, routes: int, pairs: int, sweep_interval: float) -> None:
        self._folder = folder / str(pairs)
        now = datetime.now(UTC)
        self._url = server.url(server.create())
        self._vendor = CannedRoutes(routes, pairs, now, lambda: datetime.now(UTC))
        self._file = routes_file(self._folder, routes, (("opsgenie-key", "pagerduty-key"),))
        began = time.monotonic()
        seed_many(self._url, self._vendor, now, sweep_interval)
        print(f"{pairs:,} pairs written in {time.monotonic() - began:.0f} s", flush=True)

    def cost(self, sweep_interval: float, interval: float, cycles: int) -> Cost:
        """The cost of so many cycles of a daemon. Measuring begins when it is idle, or at once if it sweeps."""
        with CannedServer(self._vendor) as server:
            given = environment(server.url) | {
                "ROUTES_FILE": str(self._file),
                "DATABASE_URL": self._url,
                "POLL_INTERVAL_SECONDS": str(interval),
                "SWEEP_INTERVAL_SECONDS": str(sweep_interval),
                "HTTP_LISTEN": f"127.0.0.1:{free_port()}",
            }
            with daemon(given, self._folder) as process:
                if sweep_interval < YEARS:
                    time.sleep(WARM_UP * interval)
                else:
                    server.until_idle(interval, self._vendor.routes, 4)
                asked, polls, used, began = dict(server.asked), server.polls, busy(process), time.monotonic()
                time.sleep(cycles * interval)
                done = (time.monotonic() - began) / interval
                return Cost(
                    (server.asked["opsgenie"] - asked.get("opsgenie", 0)) / done,
                    (server.asked["pagerduty"] - asked.get("pagerduty", 0)) / done,
                    (server.polls - polls) / done,
                    (busy(process) - used) / done * 1000,
                    resident(process),
                )


def _idle(few: Cost, many: Cost, what: str, over: str) -> Iterator[Finding]:
    yield at_most(SECTION, "requests a cycle", round(many.opsgenie + many.pagerduty), 2, note=what)
    yield Figure(SECTION, "resident memory", many.memory, "MiB", note=what)
    yield at_most(SECTION, f"the same {over}", many.memory / few.memory, 1.2, note=what)
    yield Figure(SECTION, "processor time a cycle", many.processor, "ms", note=what)
    yield at_most(SECTION, f"the same {over}", many.processor / few.processor, 1.2, note=what)


def _sweep(cost: Cost, interval: float, pairs: int, slice_: int) -> Iterator[Finding]:
    minute = 60 / interval
    what = f"{slice_} s of a sweep of {pairs:,} pairs"
    used = (cost.pagerduty - cost.polls) * minute / PER_MINUTE
    yield at_most(SECTION, "share of PagerDuty's rate that the sweep uses", used, SWEEPS_SHARE, note=what)
    yield at_least(SECTION, "polls of PagerDuty's log a cycle meanwhile", round(cost.polls), 1, note=what)
    yield Figure(SECTION, "resident memory", cost.memory, "MiB", note=what)
    hours = pairs / max(1e-9, (cost.pagerduty - cost.polls) * minute) / 60
    yield Figure(SECTION, "a whole sweep at this rate", hours, "h", note=what)
