"""Latency of the fast path, printed but not asserted: `python -m benchmarks.fast_path`, with `dev` installed.

Measures the time from the delivery of a webhook to its mirrored effect on the other side, over loopback, one act
after the other, and the time of the answer. Cycles are a minute apart, so that the fast path alone is measured.
The argument is the seconds that each answer of a vendor takes: with 0.1, the sequential calls become visible.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.harness import World, a_world
from tests.support.harness.listener import RARELY, opsgenie_body

ACTS = 100


def main() -> None:
    """Print all three ways."""
    latency = float(sys.argv[1]) if len(sys.argv) > 1 else 0.0
    with tempfile.TemporaryDirectory() as folder, a_world(Path(folder), latency=latency) as front:
        front.open_ready(POLL_INTERVAL_SECONDS=RARELY)
        pairs = [front.paired(f"alert {number}") for number in range(10)]
        _measure("an engineer's note → PagerDuty's webhook → on the alert", _engineers_note(front, pairs))
        _measure("a customer's note → Opsgenie's webhook → on the incident", _customers_note(front, pairs))
        _measure("an alert → Opsgenie's webhook → a page", _page(front))


Act = Callable[[int], tuple[Callable[[], object], Callable[[], bool]]]
"""Acts for the n-th time; returns the delivery, and the condition that shows its mirrored effect."""


def _engineers_note(front: World, pairs: list[tuple[str, str]]) -> Act:
    def act(number: int) -> tuple[Callable[[], object], Callable[[], bool]]:
        alert, incident = pairs[number % len(pairs)]
        front.engineer(alert, "notes", text=f"note {number}")
        return lambda: front.deliver(incident), lambda: front.is_noted(alert, f"] note {number}")

    return act


def _customers_note(front: World, pairs: list[tuple[str, str]]) -> Act:
    def act(number: int) -> tuple[Callable[[], object], Callable[[], bool]]:
        alert, _ = pairs[number % len(pairs)]
        front.customer(alert, "notes", text=f"note {number}")
        return lambda: front.report(opsgenie_body(alert, "AddNote")), lambda: front.is_told(
            alert, f"] note {number}"
        )

    return act


def _page(front: World) -> Act:
    def act(number: int) -> tuple[Callable[[], object], Callable[[], bool]]:
        alert = front.raise_alert(f"page {number}")
        return lambda: front.report(opsgenie_body(alert, "Create")), lambda: front.is_paged(alert)

    return act


def _measure(name: str, act: Act) -> None:
    answered, mirrored = [], []
    for number in range(ACTS):
        deliver, is_mirrored = act(number)
        began = time.perf_counter()
        deliver()
        answered.append(time.perf_counter() - began)
        while not is_mirrored():
            time.sleep(0.002)
        mirrored.append(time.perf_counter() - began)
        time.sleep(0.3)  # keeps the next act out of this burst of webhooks
    print(name, flush=True)
    for what, times in (("answered", answered), ("mirrored", mirrored)):
        times.sort()
        p50, p99 = times[len(times) // 2], times[int(len(times) * 0.99) - 1]
        print(f"  {what}: p50 {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms, of {len(times)}")


if __name__ == "__main__":
    main()
