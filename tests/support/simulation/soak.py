"""The long run, `make soak`: the table of mutants, every single fault, random histories, and kill -9.

SOAK_SECONDS (3600) is how long histories run, SOAK_SEED (1) the first seed, SOAK_KILLS (200) how often a daemon is
killed on each database in addition, or 0 for never, SOAK_LIVES (200) how many lives of routes follow. The exit
status is 1 on any finding, when a mutant escapes, or when the time does not suffice for all single faults.
"""

import multiprocessing
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from multiprocessing.pool import Pool

from reconciler.store.database import open_database
from tests.support.paths import ROOT
from tests.support.postgres import Postgres, Unavailable
from tests.support.simulation.branches import drive_branches
from tests.support.simulation.chance import random_history, smallest
from tests.support.simulation.drivers import HANDS, Tally, drive, joined, occasional_faults, single_faults
from tests.support.simulation.machine import drive_machine
from tests.support.simulation.mutants import CAUGHT, DRIVERS, MUTANTS, Catch, catch
from tests.support.simulation.oracle import findings
from tests.support.simulation.schedule import (
    GLANCED,
    JSM,
    JSM_NAMED,
    KINDS,
    OPSGENIE,
    SETTINGS,
    STORY,
    Fault,
    History,
)
from tests.support.simulation.store import ServerDatabase
from tests.support.simulation.world import Parts, run

BATCH = 20
SILENCE = 60.0
EVERYWHERE = (OPSGENIE, JSM, JSM_NAMED)
MOST = {"exhaustive": 2000, "chance": 300, "Hypothesis": 300}
"""The number of runs within which each driver must catch each mutant."""


@dataclass(frozen=True, slots=True)
class Job:
    """Some histories: a story with each of these faults, those of Hypothesis from a seed, or a list."""

    driver: str
    story: History = STORY
    faults: tuple[Fault, ...] = ()
    seed: int = 0
    histories: tuple[History, ...] = ()


def main() -> int:
    """Run the soak test; returns the exit status."""
    seconds = float(os.environ.get("SOAK_SECONDS", "3600"))
    first = int(os.environ.get("SOAK_SEED", "1"))
    whole, runs, rounds, told = Tally(), Counter[str](), _Rounds(first), time.monotonic()
    with _a_server(), multiprocessing.get_context("fork").Pool(HANDS) as pool:
        escaped = _mutants(pool)
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            jobs = rounds.next()
            tallies = pool.map(_do, jobs, chunksize=1)  # a round at a time: no running ahead of the clock
            whole = joined([whole, *tallies])
            for job, tally in zip(jobs, tallies, strict=True):
                runs[job.driver] += tally.histories
            if time.monotonic() - told > SILENCE:
                told = time.monotonic()
                _say(f"{whole.histories} histories, {len(whole.found)} went wrong; {rounds}")
    _report(whole, first)
    _say("by driver: " + ", ".join(f"{driver} {count}" for driver, count in runs.items()))
    _say(f"{rounds}{': UNFINISHED, give it more SOAK_SECONDS' if rounds.left else ''}")
    killed = _kills(int(os.environ.get("SOAK_KILLS", "200")))
    of_routes = subprocess.run(
        [sys.executable, "-m", "tests.support.simulation.routes.soak"], cwd=ROOT, check=False
    )
    return 1 if whole.found or escaped or rounds.left or killed or of_routes.returncode else 0


# -- what is run --


class _Rounds:
    """Rounds of a few jobs for each process, from every driver in turn for as long as it has any left."""

    def __init__(self, first: int) -> None:
        # The others have many more steps: in every setting they would take longer than the hour.
        stories = [GLANCED, *(replace(STORY, setting=name) for name in SETTINGS)]
        stories += [replace(STORY, source=source) for source in (JSM, JSM_NAMED)]
        self.left = [job for story in stories for job in _exhaustively(story)]
        self.all = self.count()
        self._seed = first

    def count(self) -> int:
        """How many single faults are left."""
        return sum(len(job.faults) + len(job.histories) for job in self.left)

    def next(self) -> list[Job]:
        """The next round: single faults while any are left, random histories, Hypothesis, PostgreSQL once."""
        due, self.left = self.left[: 6 * HANDS], self.left[6 * HANDS :]  # so that the hour sees the end of them
        for _ in range(HANDS):
            due.append(Job("chance", histories=self._by_chance(BATCH)))
            due.append(Job("Hypothesis", seed=self._seed))
        return [*due, Job("PostgreSQL", histories=self._by_chance(BATCH // 4))]

    def _by_chance(self, count: int) -> tuple[History, ...]:
        self._seed += count
        seeds = range(self._seed - count, self._seed)
        return tuple(replace(random_history(seed), source=EVERYWHERE[seed % len(EVERYWHERE)]) for seed in seeds)

    def __str__(self) -> str:
        """How far the exhaustive part has come."""
        return f"exhaustive: {self.all - self.count()} of {self.all} single faults"


def _exhaustively(story: History) -> Iterator[Job]:
    faults = [history.faults[0] for history in single_faults(story, full=True)]
    for start in range(0, len(faults), BATCH):
        yield Job("exhaustive", story, tuple(faults[start : start + BATCH]))
    yield Job("exhaustive", histories=tuple(occasional_faults(story)))


def _do(job: Job) -> Tally:
    if job.faults:
        return drive_branches(job.story, job.faults, hands=1)
    if job.driver == "Hypothesis":
        return drive_machine(job.seed, BATCH)
    if job.driver == "PostgreSQL":
        return drive(job.histories, _on_postgres()) if _SERVER else Tally()
    return drive(job.histories)


# -- PostgreSQL: one job of a round, so that one database is enough --

_SERVER: list[str] = []


@contextmanager
def _a_server() -> Iterator[None]:
    try:
        server = Postgres()
    except Unavailable as reason:
        _say(f"NOT ON POSTGRESQL: {reason}")
        yield
        return
    _SERVER.append(server.url(server.create(server.migrated)))
    try:
        yield
    finally:
        server.close()


@cache
def _on_postgres() -> Parts:
    return Parts(database=partial(ServerDatabase, engine=open_database(_SERVER[0]).engine))


# -- the report --


def _mutants(pool: Pool) -> list[str]:
    """Print at which run each driver has caught each mutant. Returns the mutants that no driver has caught."""
    cells = [(name, driver) for name in MUTANTS for driver in DRIVERS]
    found = pool.imap(_caught, cells)
    escaped = []
    for name in MUTANTS:
        catches = {driver: next(found) for driver in DRIVERS}
        at = [f"{d} run {c.run}" if c else f"{d} not in {MOST[d]}" for d, c in catches.items()]
        wrong = [c.first(CAUGHT[name]) for c in catches.values() if c]
        _say(f"mutant {name:30} {'caught' if wrong else 'ESCAPED'}: {', '.join(at)}: {''.join(wrong[:1])}")
        escaped += [] if wrong else [name]
    return escaped


def _caught(cell: tuple[str, str]) -> Catch | None:
    name, driver = cell
    return catch(driver, MUTANTS[name](), CAUGHT[name], MOST[driver])


def _kills(count: int) -> int:
    """Run the tests that kill real processes, this often on each database; returns their exit status."""
    if not count:
        return 0
    tests = ROOT / "tests" / "system" / "processes" / "test_kills.py"
    environ = os.environ | {"RECONCILER_KILLS": str(count)}
    return subprocess.run([sys.executable, "-m", "pytest", "-q", tests], env=environ, check=False).returncode


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
