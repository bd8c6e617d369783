"""How a run with several processes shares out the test files: some compute, and some wait for other processes.

One process a processor draws the files that compute first; the others draw those that wait. So no processor is
idle while tests wait, and a daemon under test does not share the processors with as many tests that compute.
"""

import os
from collections.abc import Mapping
from typing import Any

import pytest

COMPUTING = ("tests/simulation/", "tests/unit/", "tests/contract/")
"""Where tests compute: none of them starts a process or waits for one."""
PROCESSORS = 2
_YIELDING = 5
"""Niceness of the processes that compute: a daemon under test, with its time limits, goes first."""


def is_computing(worker: str) -> bool:
    """Whether a worker, `gw0` and so on, draws the files that compute first."""
    return worker.startswith("gw") and int(worker.removeprefix("gw")) < PROCESSORS


def next_file(files: Mapping[str, object], *, computing: bool) -> str:
    """The file that a worker runs next: the first of its own kind, else the first of all."""
    return next((file for file in files if file.startswith(COMPUTING) == computing), next(iter(files)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """The scheduler of `--dist=loadfile`, with two kinds of files; any other option keeps xdist's own."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling  # noqa: PLC0415 - only the process that schedules needs it

    class _TwoKinds(LoadFileScheduling):  # type: ignore[misc] # xdist ships no types
        def _assign_work_unit(self, node: Any) -> None:
            file = next_file(self.workqueue, computing=is_computing(node.gateway.id))
            self.workqueue.move_to_end(file, last=False)
            super()._assign_work_unit(node)

    return _TwoKinds(config, log)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Lower the priority of a worker that computes."""
    worker = getattr(session.config, "workerinput", {}).get("workerid", "")
    if is_computing(worker):
        os.nice(_YIELDING)
