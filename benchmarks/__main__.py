"""Runs all benchmarks or the named ones. Prints one table and writes benchmarks/results."""

import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

from benchmarks.figures import Finding, write
from benchmarks.scale import scale

SECTIONS = (
    "time_to_page", "idle", "footprint", "sweep", "feed", "acts", "freshness", "storm", "outage", "throughput",
    "year", "startup", "notes", "moving", "hostile", "routes",
)  # fmt: skip


def main(names: list[str]) -> int:
    """Run the sections in this order; returns the exit status."""
    unknown = set(names) - set(SECTIONS)
    if unknown:
        print(f"no such section: {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}", file=sys.stderr)
        return 2
    chosen, started = scale(), time.monotonic()
    findings: list[Finding] = []
    for name in names or SECTIONS:
        begun = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            findings += import_module(f"benchmarks.sections.{name}").run(chosen, Path(folder))
        print(f"{name}: {time.monotonic() - begun:.1f} s", file=sys.stderr, flush=True)
    results = Path(__file__).parent / "results"
    if names or chosen.quick:
        results /= "partial"  # never committed
    print(write(results, findings, quick=chosen.quick, seconds=time.monotonic() - started))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
