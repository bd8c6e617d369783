"""Many lives of many routes, and every mutant: the part of `make soak` that is about routes and pods.

SOAK_LIVES (200) is how many lives there are, SOAK_SEED (1) the first seed. The exit status is 1 on any finding.
"""

import os
import sys
import time

from tests.support.simulation.routes.life import LARGE, SMALL, Life
from tests.support.simulation.routes.mutants import MUTANTS, caught

SEEDS = 12
"""Lives within which each mutant must be caught."""


def main() -> int:
    """Run all; returns the exit status."""
    count, first = int(os.environ.get("SOAK_LIVES", "200")), int(os.environ.get("SOAK_SEED", "1"))
    bad = 0
    for seed in range(first, first + count):
        life = Life(seed, LARGE if seed % 40 == 0 else SMALL)
        found = life.play()
        bad += bool(found)
        for line in found:
            _say(f"seed {seed}: {line}")
        if seed % 20 == 0:
            _say(f"routes: {seed - first + 1} lives, {bad} went wrong, {time.process_time():.0f} s of CPU")
    escaped = [name for name in MUTANTS if not caught(name, range(1, SEEDS))]
    _say(f"routes: {count} lives, {bad} went wrong; mutants that escaped: {', '.join(escaped) or 'none'}")
    return 1 if bad or escaped else 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
