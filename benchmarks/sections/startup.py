"""The time until --help is printed, a wrong setting is reported, and the daemon polls for the first time."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from benchmarks.figures import Figure, Finding, at_most
from benchmarks.process import COMMAND, daemon, seconds
from benchmarks.scale import Scale
from reconciler.sandbox.server import environment, serve

SECTION = "Start-up"


def run(scale: Scale, folder: Path) -> Iterator[Finding]:
    """Medians; the floor is the start of Python alone."""
    times = scale.of(9, 2)

    def middle(measure: Callable[[], float]) -> float:
        return median(measure() for _ in range(times))

    bare = middle(lambda: seconds([sys.executable, "-c", "pass"], {}, folder))
    yield at_most(
        SECTION, "--help", middle(lambda: seconds([str(COMMAND), "--help"], {}, folder)), 0.15, "s", floor=bare
    )
    wrong = middle(lambda: seconds([str(COMMAND), "run"], {"POLL_INTERVAL_SECONDS": "soon"}, folder))
    yield Figure(SECTION, "a configuration error is told", wrong, "s", floor=bare)
    number = iter(range(1000))
    first = middle(lambda: _first_poll(folder / f"new-{next(number)}.db", folder))
    yield Figure(SECTION, "the daemon's first poll, new database", first, "s", floor=bare)
    again = folder / "new-0.db"
    yield Figure(SECTION, "the daemon's first poll", middle(lambda: _first_poll(again, folder)), "s", floor=bare)


def _first_poll(file: Path, folder: Path) -> float:
    with serve() as sandbox:
        given = environment(sandbox.url) | {"DATABASE_URL": f"sqlite:///{file}"}
        started = time.perf_counter()
        with daemon(given, folder):
            journal = sandbox.sandbox.journal
            while not any(call.path == "/v2/alerts" for call in list(journal.calls)):
                assert time.perf_counter() - started < 60, "the daemon does not poll"
                time.sleep(0.001)
            return time.perf_counter() - started
