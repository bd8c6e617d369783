"""Runs every single fault of a story without repeating what precedes it: at each step, a fork for each fault.

A child has the same past as `run(story.but(fault))`, and runs to the end with that fault. The trunk continues
without one.
"""

import gc
import os
import pickle
import select
import sys
import traceback
from collections import defaultdict
from collections.abc import Iterable

from reconciler.sandbox.wire import Request
from tests.support.simulation.drivers import HANDS, Tally, joined
from tests.support.simulation.oracle import findings
from tests.support.simulation.schedule import Fault, History
from tests.support.simulation.world import Parts, World


class _Children:
    """The running child processes, up to a limit, and the results of those that have ended."""

    def __init__(self, most: int) -> None:
        self.tallies: list[Tally] = []
        self._most = most
        self._running: dict[int, tuple[int, bytearray]] = {}

    def fork(self) -> int | None:
        """Fork a child. Returns the pipe for its result in the child, None in this process."""
        self.wait(self._most - 1)
        end, told = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(end)
            return told
        os.close(told)
        self._running[end] = (pid, bytearray())
        return None

    def wait(self, most: int = 0) -> None:
        """Wait until no more than this many are left."""
        while len(self._running) > most:
            for end in select.select(list(self._running), [], [])[0]:
                self._listen(end)

    def _listen(self, end: int) -> None:
        pid, heard = self._running[end]
        part = os.read(end, 65536)
        heard += part
        if part:
            return
        os.close(end)
        del self._running[end]
        _, status = os.waitpid(pid, 0)
        if status:
            raise RuntimeError(f"a branch died with status {status}")
        self.tallies.append(pickle.loads(heard))  # noqa: S301 - of our own child


class _Tree(World):
    """A run of the story, and its branches."""

    def __init__(self, story: History, faults: Iterable[Fault], parts: Parts | None, hands: int) -> None:
        self.told: int | None = None
        self.children = _Children(hands)
        self.wanted = defaultdict[tuple[str, int], list[Fault]](list)
        for fault in faults:
            self.wanted[fault.kind, fault.nth].append(fault)
        super().__init__(story, parts)

    def step(self, kind: str, asked: Request | None = None) -> str:
        """In the trunk, fork the branches of this step."""
        if self.told is None and not self.healed:
            for fault in self.wanted.pop((kind, self.counts[kind]), ()):
                self.told = self.children.fork()
                if self.told is not None:
                    gc.disable()  # it lives for less than a second
                    self.add_fault(kind, 0, fault.what)
                    break
        return super().step(kind, asked)


def drive_branches(
    story: History, faults: Iterable[Fault], parts: Parts | None = None, hands: int | None = None
) -> Tally:
    """Run the story once with each of these faults."""
    gc.collect()
    gc.freeze()  # what is there already is shared with the children, and stays so
    tree = _Tree(story, faults, parts, hands or HANDS)
    try:
        outcome = tree.run()
        if tree.told is not None:
            tally = Tally()
            tally.add(outcome, findings(outcome))
            with os.fdopen(tree.told, "wb") as told:
                pickle.dump(tally, told)
    except BaseException:
        if tree.told is None:
            raise
        traceback.print_exc(file=sys.__stderr__)
        os._exit(1)
    if tree.told is not None:
        os._exit(0)
    tree.children.wait()
    assert not tree.wanted, f"the story never came to {sorted(tree.wanted)}"
    return joined(tree.children.tallies)
