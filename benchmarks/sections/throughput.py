"""Throughput where no rate limit binds: the installed daemon compared with a bare loop.

Both over HTTP, each in a process of its own, on the same sandbox; SQLite on a real disk, every step committed.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from benchmarks.figures import Figure, Finding, at_least
from benchmarks.live import Live, live
from benchmarks.process import clean, daemon
from benchmarks.scale import Scale
from reconciler.sandbox.settings import SandboxSettings

ANA, JANE = "Ana Ruiz", "Jane Doe"
UNLIMITED = 10_000_000
SECTION = "Throughput, no limit"
ROUNDS = 3


def run(scale: Scale, folder: Path) -> Iterator[Finding]:
    """Without latency, and with 50 ms a call, as over the Internet; the median of several rounds."""
    for latency, alerts in ((0.0, scale.of(400, 20)), (0.05, scale.of(120, 10))):
        rounds = [(_daemon(folder, latency, alerts), _bare(folder, latency, alerts, 1)) for _ in range(ROUNDS)]
        what = f"{latency * 1000:.0f} ms a call"
        ratio = median(_total(bare) / _total(ours) for ours, bare in rounds)
        yield at_least(SECTION, "speed over a bare loop's, all kinds", ratio, 0.5, note=what)
        for kind in rounds[0][0]:
            rate, floor = (alerts / median(one[side][kind] for one in rounds) for side in (0, 1))
            yield Figure(SECTION, kind, rate, "a second", floor=floor, note=what)
        if latency:
            wide = [_bare(folder, latency, alerts, 8) for _ in range(ROUNDS)]
            ratio = median(_total(bare) for bare in wide) / median(_total(ours) for ours, _ in rounds)
            yield Figure(SECTION, "speed over a bare loop's with eight hands", ratio, note=what)


def _total(took: dict[str, float]) -> float:
    return sum(took.values())


def _daemon(folder: Path, latency: float, alerts: int) -> dict[str, float]:
    """Seconds by kind, from the moment when all people act at once to the last write."""
    settings = SandboxSettings(latency=latency, pagerduty_per_minute=UNLIMITED, noise=False)
    file = folder / f"{time.monotonic_ns()}.db"
    with live(settings) as here, daemon(here.environment(file, POLL_INTERVAL_SECONDS="0.1"), file.parent):
        here.until_polled(2)
        customers, engineers = here.sandbox.opsgenie, here.sandbox.pagerduty
        ids: list[str] = []
        took = {}
        acts: dict[str, Callable[[int], object]] = {
            "pages": lambda n: ids.append(customers.create_alert(f"service {n} is down", user=ANA)["id"]),
            "customers' notes": lambda n: customers.add_note(ids[n], ANA, "what is going on?"),
            "engineers' notes": lambda n: engineers.add_note(engineers.find(ids[n]).now.id, JANE, "on it"),
            "acknowledgements": lambda n: engineers.acknowledge(engineers.find(ids[n]).now.id, JANE),
        }
        for name, act in acts.items():
            with here.sandbox.lock:
                for number in range(alerts):
                    act(number)
            started = time.monotonic()
            last = [here.writes.get(timeout=120) for _ in range(alerts)][-1]
            took[name] = last.at - started
            time.sleep(0.5)  # remaining verification must not count towards the next kind
        return took


def _bare(folder: Path, latency: float, alerts: int, hands: int) -> dict[str, float]:
    with live(SandboxSettings(latency=latency, pagerduty_per_minute=UNLIMITED, noise=False)) as here:
        asked = {"url": here.url, "hands": hands, "alerts": _raised(here, alerts)}
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.bare"], input=json.dumps(asked), capture_output=True, text=True,
            check=True, env=clean({"PYTHONPATH": str(Path(__file__).parents[2])}), cwd=folder,
        )  # fmt: skip
        found: dict[str, float] = json.loads(done.stdout)
        return found


def _raised(here: Live, alerts: int) -> list[str]:
    with here.sandbox.lock:
        return [here.sandbox.opsgenie.create_alert(f"service {n} is down", user=ANA)["id"] for n in range(alerts)]
