"""Three processes share 100 routes on PostgreSQL, and one of them is killed, stopped or ended.

The installed daemon at the default interval. A route is led again once another process has begun an epoch of its
own for it, which the table `leader` shows.
"""

import contextlib
import math
import signal
import subprocess
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.canned_server import CannedServer
from benchmarks.figures import Figure, Finding, at_most
from benchmarks.process import COMMAND, clean
from benchmarks.routes.file import SECTION, routes_file
from benchmarks.routes.server import postgres
from benchmarks.routes.vendor import CannedRoutes
from benchmarks.scale import Scale
from reconciler.sandbox.server import environment
from tests.support.postgres import Postgres

PODS = 3
PATIENCE = 120.0
CHECK = 0.05
LED = "SELECT split_part(holder, ':', 2)::int, route FROM leader"
"""The process id of each route's leader, by the routes."""


class Pods:
    """The daemons on one database, by their process ids."""

    def __init__(self, server: Postgres, given: dict[str, str], folder: Path, routes: int) -> None:
        self._server = server
        self._database = server.create()
        self._given = given | {"DATABASE_URL": server.url(self._database)}
        self._folder = folder
        self._routes = routes
        self._children: dict[int, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Start one more."""
        name = f"pod-{len(list(self._folder.glob('pod-*')))}.log"
        with (self._folder / name).open("w") as log:
            child = subprocess.Popen(
                [COMMAND, "run"], env=clean(self._given), cwd=self._folder, stdout=log, stderr=subprocess.STDOUT
            )
        self._children[child.pid] = child

    def any(self) -> int:
        """One that leads as many routes as any."""
        return self.led().most_common(1)[0][0]

    def led(self) -> Counter[int]:
        """How many routes each leads."""
        with contextlib.suppress(Exception):  # the first one still creates the tables
            return Counter(pid for pid, _ in self._server.run(self._database, LED))
        return Counter()

    def send(self, pid: int, number: signal.Signals) -> None:
        """Send one a signal."""
        self._children[pid].send_signal(number)

    def forget(self, pid: int) -> None:
        """Wait until a process that has received SIGTERM has exited."""
        self._children.pop(pid).wait(30)

    def until_taken_over(self, pid: int) -> float:
        """The seconds until others lead every route of this one."""
        return self._until(lambda led: not led[pid])

    def until_shared(self) -> float:
        """The seconds until each has its share: no more than the routes by the processes, rounded up."""
        most = math.ceil(self._routes / len(self._children))

        def is_shared(led: Counter[int]) -> bool:
            of_ours = set(led) == set(self._children)
            return of_ours and sum(led.values()) == self._routes and max(led.values()) <= most

        return self._until(is_shared)

    def _until(self, reached: Callable[[Counter[int]], bool]) -> float:
        began = time.monotonic()
        while not reached(led := self.led()):
            assert time.monotonic() - began < PATIENCE, f"still {led}"
            time.sleep(CHECK)
        return time.monotonic() - began

    def kill_all(self) -> None:
        """End what is left."""
        for child in self._children.values():
            child.kill()
            child.wait()


def run(scale: Scale, folder: Path) -> Iterator[Finding]:
    """Each way to lose a process, several times; the slowest takeover counts."""
    routes, interval, times = scale.of(100, 6), scale.of(10, 4), scale.of(2, 1)
    with postgres() as server:
        if server is not None:
            yield from figures(*measure(server, folder, routes, interval, times), routes, interval, times)


def measure(
    server: Postgres, folder: Path, routes: int, interval: int, times: int
) -> tuple[dict[str, list[float]], list[int]]:
    """Seconds by what has happened, and the routes that the fullest process led after each takeover."""
    took, most = defaultdict[str, list[float]](list), list[int]()
    vendor = CannedRoutes(routes, routes, datetime.now(UTC), lambda: datetime.now(UTC))
    with CannedServer(vendor) as canned:
        given = environment(canned.url) | {
            "ROUTES_FILE": str(routes_file(folder, routes, (("opsgenie-key", "pagerduty-key"),))),
            "POLL_INTERVAL_SECONDS": str(interval),
        }
        pods = Pods(server, given, folder, routes)
        try:
            pods.start()
            pods.until_shared()
            for _ in range(PODS - 1):
                pods.start()
                took["a process more"].append(pods.until_shared())
            for _ in range(times):
                for what, number in (("kill -9", signal.SIGKILL), ("SIGTERM", signal.SIGTERM)):
                    lost = pods.any()
                    pods.send(lost, number)
                    took[what].append(pods.until_taken_over(lost))
                    pods.forget(lost)
                    pods.until_shared()
                    most.append(max(pods.led().values()))
                    pods.start()
                    took["a process more"].append(pods.until_shared())
                lost = pods.any()
                pods.send(lost, signal.SIGSTOP)
                took["SIGSTOP"].append(pods.until_taken_over(lost))
                most.append(max(pods.led().values()))
                pods.send(lost, signal.SIGCONT)
                pods.until_shared()
        finally:
            pods.kill_all()
    return dict(took), most


def figures(
    took: dict[str, list[float]], most: list[int], routes: int, interval: int, times: int
) -> Iterator[Finding]:
    """Times in intervals."""
    what = f"{routes} routes, {PODS} processes, an interval of {interval} s"
    for how in ("kill -9", "SIGSTOP", "SIGTERM"):
        slowest = f"{what}; slowest of {times}"
        yield at_most(SECTION, f"until every route is led again after {how}", max(took[how]) / interval, 1,
                      "intervals", note=slowest)  # fmt: skip
    slowest = f"{what}; slowest of {len(took['a process more'])}"
    yield Figure(SECTION, "until a further process has its share", max(took["a process more"]) / interval,
                 "intervals", note=slowest)  # fmt: skip
    yield at_most(SECTION, "routes of one process after a takeover", max(most), math.ceil(routes / (PODS - 1)),
                  note=what)  # fmt: skip
