"""Runs many histories, such as every single fault of a story, on all processors, and collects their findings."""

import gc
import multiprocessing
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.support.simulation.oracle import findings
from tests.support.simulation.schedule import FOR_HOURS, KINDS, OCCASIONS, SCOPED, Fault, History
from tests.support.simulation.world import Outcome, Parts, run

_ALIKE_READ = (
    (
        "crash_before", "drop", "down", "hang", "500", "down", "503", "429", "crash_before", "429_bare", "401",
        "down", "truncated", "empty", "crash_before", "html", "400", "403", "404",
    ),
    ("stale", "skip", "repeat"),
)  # fmt: skip
"""Groups of equivalent faults of a read: those that yield no answer, and those that yield a wrong list."""
_ALIKE_WRITE = (
    ("drop_before", "hang_before", "500_before"),
    ("429", "429_bare", "refused", "401", "402", "html_302", "html_404", "html_407", "1008", "400", "403", "404"),
    ("drop_after", "hang_after", "500_after", "truncated_after", "empty_after", "html_after"),
    ("busy", "full"),
)
"""Groups of equivalent faults of a write or a commit: an unknown outcome without an effect, a known failure, an
unknown outcome with an effect, and a busy or full database."""

HANDS = max(1, (os.cpu_count() or 1) // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))
"""The number of parallel processes: the other workers of a test run need their share of the processors."""
EVERY_READ = 64
"""A fault at a read, or one that affects more than its call, is tried at every n-th step in turn; where the story
has fewer steps of that kind, at one of them."""
EVERY_WRITE = 16
"""The same for faults at a write or a commit."""
READS, WRITES = 6, 4
"""Of equivalent faults, each is tried at every n-th kind of read, or of write, in turn."""

BOUNDS = {("cycle", 0, what) for what in ("far_ahead", "og_gone_for_hours", "pd_gone_for_hours", *FOR_HOURS)}
"""Faults at the first start, which INITIAL_LOOKBACK_SECONDS alone bounds: see test_examples.py."""


@dataclass
class Tally:
    """The histories that have run, and their findings. `hashes` serves to compare two ways of running them."""

    histories: int = 0
    hashes: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    acts: Counter[str] = field(default_factory=Counter)
    found: list[tuple[History, list[str]]] = field(default_factory=list)

    def add(self, outcome: Outcome, wrong: list[str]) -> None:
        """Add an outcome."""
        self.histories += 1
        self.hashes[outcome.hash] += 1
        self.faults.update(f"{fault.kind} {fault.what}" for fault in outcome.fired)
        self.acts.update(f"{act.side} {act.verb}" for act in outcome.acted)
        if wrong:
            self.found.append((outcome.history, wrong))

    def __str__(self) -> str:
        """The findings, each with the history that reproduces it."""
        lines = [f"{len(self.found)} of {self.histories} histories went wrong"]
        for history, wrong in self.found[:12]:
            lines += [
                "",
                f"{history.setting} seed {history.seed}: {list(history.faults)}",
                *(f"    {w}" for w in wrong),
            ]
        return "\n".join(lines)


def single_faults(story: History, parts: Parts | None = None, *, full: bool = False) -> list[History]:
    """The story with every single fault at every step that it takes."""
    steps = run(story, parts).in_fault_phase
    made, turn = [], 0
    for kind in KINDS:
        for nth in range(steps[kind]):
            turn += 1
            chosen = [what for what in KINDS[kind] if full or _is_chosen(kind, what, turn)]
            made += [story.but(Fault(kind, nth, what)) for what in chosen if (kind, nth, what) not in BOUNDS]
    return made


def some_single_faults(story: History) -> list[History]:
    """A sample of all single faults: each fault at some kinds of steps, at one in EVERY_… of these steps.

    A fault is tried at each kind of step, unless equivalent ones exist there: then at every READS-th or WRITES-th.
    """
    every = single_faults(story, full=True)
    steps: Counter[tuple[str, str]] = Counter((h.faults[0].kind, h.faults[0].what) for h in every)
    kinds = list(KINDS)
    made = []
    for history in every:
        (fault,) = history.faults
        place = list(KINDS[fault.kind]).index(fault.what)
        is_read = "down" in KINDS[fault.kind]
        has_alike = fault.what in _ALIKE_READ[0] if is_read else any(fault.what in some for some in _ALIKE_WRITE)
        if has_alike and (kinds.index(fault.kind) + place + 4) % (READS if is_read else WRITES):
            continue
        is_thinned = is_read or fault.what in SCOPED
        one_in = min(EVERY_READ if is_thinned else EVERY_WRITE, steps[fault.kind, fault.what])
        if (place + fault.nth) % one_in == 0:
            made.append(history)
    return made


def occasional_faults(story: History) -> list[History]:
    """Every fault at steps that the story takes only after another fault, each together with one of those."""
    made = []
    for kind, occasions in OCCASIONS.items():
        for turn, what in enumerate(KINDS[kind]):
            before, how = occasions[turn % len(occasions)]
            made.append(story.but(Fault(before, 0, how), Fault(kind, 0, what)))
    return made


def _is_chosen(kind: str, what: str, turn: int) -> bool:
    """Whether a mutant is tried with this fault at this step: of those that are alike, one takes its turn."""
    is_read = "down" in KINDS[kind]
    if is_read and what == "crash_after":
        return False  # the same as a crash before the step
    alike = next((group for group in (_ALIKE_READ if is_read else _ALIKE_WRITE) if what in group), None)
    return alike is None or what == alike[turn % len(alike)]


def drive(histories: Iterable[History], parts: Parts | None = None, *, stop_at: str = "nothing") -> Tally:
    """Run the histories one by one, all of them or until a finding of this kind."""
    tally = Tally()
    gc.freeze()
    for history in histories:
        outcome = run(history, parts)
        wrong = findings(outcome)
        tally.add(outcome, wrong)
        if any(line.startswith(stop_at) for line in wrong):
            break
    return tally


def drive_all(histories: list[History]) -> Tally:
    """Run the histories in parallel: each child takes every n-th."""
    fork = multiprocessing.get_context("fork")
    with fork.Pool(HANDS) as pool:
        tallies = pool.map(drive, [histories[n::HANDS] for n in range(HANDS)])
    return joined(tallies)


def joined(tallies: Iterable[Tally]) -> Tally:
    """All of them as one."""
    whole = Tally()
    for tally in tallies:
        whole.histories += tally.histories
        whole.hashes += tally.hashes
        whole.faults += tally.faults
        whole.acts += tally.acts
        whole.found += tally.found
    return whole
