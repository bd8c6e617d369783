"""Three processes share nine routes on PostgreSQL: one is killed, one is stopped, one is cut off, one leaves."""

import contextlib
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from tests.support.cut import Network
from tests.support.postgres import Postgres, name_in
from tests.support.sharing_pod import TABLE, SharingPod

INTERVAL = 4.0
"""Seconds; the least for which a takeover within one interval is promised."""
PATIENCE = 60.0
ROUTES = [f"route {number}" for number in range(9)]
SHARES = """
    SELECT holder, count(*) FROM (
        SELECT DISTINCT ON (route) route, holder FROM written
        WHERE at > clock_timestamp() - interval '1 second' ORDER BY route, id DESC
    ) AS latest
    GROUP BY holder
"""
"""How many routes each process has written for in the last second."""
PODS = "SELECT * FROM pods"
OUT_OF_ORDER = """
    SELECT * FROM (SELECT *, max(epoch) OVER (PARTITION BY route ORDER BY id) AS newest FROM written) AS every
    WHERE epoch < newest
"""
"""Rows that a process has written after another one had begun to lead."""
LONGEST = """
    SELECT max(extract(epoch FROM at - before))::float FROM (
        SELECT at, lag(at) OVER (PARTITION BY route ORDER BY id) AS before FROM written
    ) AS every WHERE at > '{}'
"""
"""The longest time in which nobody has written for a route."""


class Pods:
    """The processes on one database."""

    def __init__(self, postgres: Postgres, url: str) -> None:
        self._postgres = postgres
        self.url = url
        self._started: list[SharingPod] = []
        self.run(TABLE)

    def run(self, statement: str) -> list[tuple[object, ...]]:
        return self._postgres.run(name_in(self.url), statement)

    def start(self, url: str = "") -> SharingPod:
        pod = SharingPod(url or self.url, INTERVAL, ROUTES)
        self._started.append(pod)
        return pod

    def shares(self) -> dict[int, int]:
        """How many routes each process leads, by its process id."""
        return {int(str(holder).split(":")[1]): int(str(n)) for holder, n in self.run(SHARES)}

    def until(self, what: Callable[[dict[int, int]], bool]) -> None:
        last = time.monotonic() + PATIENCE
        while not what(found := self.shares()):
            assert time.monotonic() < last, f"still {found}; {self.run(PODS)}"
            time.sleep(0.1)

    def until_shared(self, *pods: SharingPod) -> None:
        """Wait until these processes lead all routes, none more than its quota."""
        most = -(-len(ROUTES) // len(pods))
        wanted = {pod.pid for pod in pods}
        self.until(lambda found: set(found) == wanted and sum(found.values()) == 9 and max(found.values()) <= most)

    def now(self) -> str:
        return str(self.run("SELECT clock_timestamp()::timestamp")[0][0])

    def longest_gap(self, since: str) -> float:
        return float(str(self.run(LONGEST.format(since))[0][0]))

    def kill_all(self) -> None:
        for pod in self._started:
            with contextlib.suppress(ProcessLookupError):
                pod.end(signal.SIGKILL)


@pytest.fixture
def pods(postgres: Postgres, postgres_url: str) -> Iterator[Pods]:
    found = Pods(postgres, postgres_url)
    yield found
    found.kill_all()


def test_routes_are_shared_and_taken_over_whatever_happens_to_a_pod(
    pods: Pods, postgres: Postgres, tell: Callable[[str], None]
) -> None:
    with Network(postgres.folder, name_in(pods.url)) as network:
        first = pods.start()
        pods.until_shared(first)
        second, third = pods.start(), pods.start(network.url)
        pods.until_shared(first, second, third)

        def taken_over(what: str, since: str, *by: SharingPod) -> None:
            pods.until_shared(*by)
            gap = pods.longest_gap(since)
            tell(f"routes led again {gap:.2f} s after {what}, at an interval of {INTERVAL} s")
            assert gap < 3 * INTERVAL

        since = pods.now()
        network.cut()
        taken_over("a cut network", since, first, second)
        network.mend()
        pods.until_shared(first, second, third)

        since = pods.now()
        second.send(signal.SIGSTOP)
        taken_over("SIGSTOP", since, first, third)
        second.send(signal.SIGCONT)
        pods.until_shared(first, second, third)

        since = pods.now()
        first.end(signal.SIGKILL)
        taken_over("kill -9", since, second, third)

        since = pods.now()
        assert third.end(signal.SIGTERM) == 0
        taken_over("SIGTERM", since, second)

    assert pods.run(OUT_OF_ORDER) == []
    assert pods.run("SELECT count(*) FROM pods") == [(1,)]
