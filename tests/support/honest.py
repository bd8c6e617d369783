"""Honest clients that query health and deliver webhooks during an attack, and the latency that they see."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import requests

from tests.support.harness.listener import Client

LIMIT = 5.0
"""Seconds after which PagerDuty gives up a delivery."""
MIB = 1024 * 1024
GROWTH = 80 * MIB
"""The resident bytes that an attack may add at most."""
EACH = 3
"""The least number of answers that each honest client waits for, so that even a short attack is measured."""


class Honest:
    """One client that queries health and one that delivers webhooks, without a pause."""

    def __init__(self, front: Client) -> None:
        self._front = front
        self._over = threading.Event()
        self.seen: dict[str, list[tuple[int, float]]] = {"health": [], "webhook": []}
        asks = {"health": self._health, "webhook": self._webhook}
        self._threads = [threading.Thread(target=self._go_on, args=item) for item in asks.items()]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Stop once both have been answered a few times."""
        last = time.monotonic() + 2 * LIMIT
        while min(map(len, self.seen.values())) < EACH and time.monotonic() < last:
            time.sleep(0.01)
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _health(self) -> int:
        return self._front.get("/healthz", timeout=LIMIT).status_code

    def _webhook(self) -> int:
        return self._front.deliver("PNOTOURS").status_code

    def _go_on(self, name: str, ask: Callable[[], int]) -> None:
        while not self._over.is_set():
            began = time.monotonic()
            try:
                status = ask()
            except requests.RequestException:
                status = 0
            self.seen[name].append((status, time.monotonic() - began))
            self._over.wait(0.02)


class Attack:
    """One row of the table: the attack, its answers, the latency of honest requests, the daemon's memory."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._came_back: Counter[str] = Counter()

    def came_back(self, *statuses: object) -> None:
        """Record the status of an answer, or the outcome of the attempt in a word."""
        self._came_back.update(map(str, statuses))

    def row(self, honest: Iterable[float], memory: int, growth: int) -> str:
        """The same as a row of Markdown."""
        times = list(honest)
        answers = ", ".join(f"{status} ({count})" for status, count in self._came_back.items())
        figures = f"{len(times)}, slowest {max(times) * 1000:.0f} ms"
        return f"| {self.name} | {answers} | {figures} | {memory // MIB} MiB ({growth / MIB:+.0f}) |"


@contextmanager
def honest_meanwhile(front: Client, name: str) -> Iterator[Attack]:
    """Assert that honest requests are answered inside the block, and the process neither dies nor grows much."""
    pid, before, attack, honest = front.pid, front.memory(), Attack(name), Honest(front)
    try:
        yield attack
    finally:
        honest.end()
    memory = front.memory()
    health, webhooks = honest.seen["health"], honest.seen["webhook"]
    print("\n" + attack.row((seconds for _, seconds in health + webhooks), memory, memory - before))  # noqa: T201
    assert len(health) >= EACH
    assert len(webhooks) >= EACH
    assert {status for status, _ in health} == {200}, name
    assert {status for status, _ in webhooks} == {202}, name
    assert max(seconds for _, seconds in health + webhooks) < LIMIT, name
    assert memory - before < GROWTH, name
    assert front.pid == pid
