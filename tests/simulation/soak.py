"""The long run, `make soak`: every single fault there is, and histories by chance until the time is over.

SOAK_SECONDS (3600) is for how long, SOAK_SEED (1) the first seed. Status 1 when anything was found.
"""

import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from chance import random_history, smallest
from drivers import Tally, drive, joined, occasional_faults, single_faults
from oracles import findings
from schedule import GLANCED, KINDS, SETTINGS, SPACED, STORY, History
from world import run

BATCH = 20
SILENCE = 60.0


def main() -> int:
    """Soak; the exit status."""
    seconds = float(os.environ.get("SOAK_SECONDS", "3600"))
    first = int(os.environ.get("SOAK_SEED", "1"))
    ends = time.monotonic() + seconds
    whole = Tally()
    hands = os.cpu_count() or 1
    with multiprocessing.get_context("fork").Pool(hands) as pool:
        told = time.monotonic()
        for batches in _rounds(first, ends, hands):  # one at a time: a pool would run ahead of the clock
            whole = joined([whole, *pool.map(drive, batches, chunksize=1)])
            if time.monotonic() - told > SILENCE:
                told = time.monotonic()
                _say(f"{whole.histories} histories, {len(whole.found)} went wrong")
    _report(whole, first)
    return 1 if whole.found else 0


def _rounds(first: int, ends: float, hands: int) -> Iterator[list[list[History]]]:
    """By chance and exhaustively in turn, as long as there is time."""
    stories = (replace(story, setting=name) for story in (STORY, SPACED, GLANCED) for name in SETTINGS)
    everything = [one for story in stories for one in _faulty(story)]
    seed = first
    while time.monotonic() < ends:
        batches = [[random_history(seed + n * BATCH + m) for m in range(BATCH)] for n in range(hands)]
        seed += hands * BATCH
        for _ in range(hands):
            batch, everything = everything[:BATCH], everything[BATCH:]
            batches.append(batch)
        yield batches


def _faulty(story: History) -> list[History]:
    return [*single_faults(story, full=True), *occasional_faults(story)]


def _report(whole: Tally, first: int) -> None:
    for history, wrong in whole.found[:20]:
        kinds = {line.split()[0] for line in wrong}
        least = smallest(history, lambda one, kinds=kinds: bool(kinds & _kinds(one)))  # type: ignore[misc]
        _say(f"\nwent wrong: {wrong}\nto see it again: {least!r}")
    words = Counter(line.split()[0] for _, wrong in whole.found for line in wrong)
    _say(f"\nhistories {whole.histories}, seeds from {first}")
    _say(f"acts {whole.acts.total()}: " + ", ".join(f"{name} {n}" for name, n in sorted(whole.acts.items())))
    _say(f"faults {whole.faults.total()}, by kind:")
    for kind, values in KINDS.items():
        _say(f"  {kind:12}" + ", ".join(f"{what} {whole.faults[f'{kind} {what}']}" for what in values))
    others = words.total() - words["LOST"] - words["TWICE"]
    _say(f"lost {words['LOST']}, twice {words['TWICE']}, other findings {others}")


def _kinds(history: History) -> set[str]:
    return {line.split()[0] for line in findings(run(history))}


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
