"""The daemon does not wait for the next beat where work was left, or where the beat was missed."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from reconciler.engine import Report
from reconciler.runtime import daemon
from reconciler.runtime.daemon import Daemon
from reconciler.store.database import open_database
from reconciler.vendors.http import SystemClock

HOUR = 3600.0
PATIENCE = 4.0
"""Seconds after which the test gives up: the next beat is an hour away."""


@pytest.fixture(autouse=True)
def _loud_again() -> Iterator[None]:
    """The daemon silences its scheduler, for the whole process: other tests listen to it."""
    yield
    logging.getLogger("apscheduler").setLevel(logging.NOTSET)


@dataclass
class Cycles:
    """An engine of which only the cycles are counted; the program is stopped with the last."""

    reports: list[Report]
    stop: threading.Event = field(default_factory=threading.Event)
    begun: int = 0
    took: float = 0.0

    def cycle(self, _share: float, _patience: timedelta) -> Report:
        self.begun += 1
        self.took += HOUR if self.begun == 1 else 0.0
        if self.begun == len(self.reports):
            self.stop.set()
        return self.reports[self.begun - 1]


@contextmanager
def running(cycles: Cycles, folder: Path) -> Iterator[None]:
    """The daemon until the last cycle, or until the test has waited for long enough."""
    nothing: Any = SimpleNamespace(acquire=lambda: True, release=lambda: None, close=lambda: None)
    program: Any = SimpleNamespace(
        engine=cycles,
        stop=cycles.stop,
        lock=nothing,
        database=open_database(f"sqlite:///{folder / 'some.db'}"),
        gate=nothing,
        metrics=None,
        clock=SystemClock(cycles.stop),
    )
    giving_up = threading.Timer(PATIENCE, cycles.stop.set)
    giving_up.start()
    Daemon(program, interval=HOUR, sweep_interval=HOUR).run()
    giving_up.cancel()
    yield


def test_a_cycle_that_left_work_is_followed_when_that_may_go_on(tmp_path: Path) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=0.2)
    cycles = Cycles([Report(resume=soon), Report(resume=soon), Report()])
    with running(cycles, tmp_path):
        assert cycles.begun == 3


def test_a_cycle_that_missed_the_beat_is_followed_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cycles = Cycles([Report(), Report()])
    clock = SimpleNamespace(monotonic=lambda: 2 * cycles.took)
    monkeypatch.setattr(daemon, "time", clock)
    with running(cycles, tmp_path):
        assert cycles.begun == 2


def test_a_cycle_that_left_nothing_is_followed_at_the_next_beat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cycles = Cycles([Report(), Report()])
    monkeypatch.setattr(f"{__name__}.PATIENCE", 1.5)
    with running(cycles, tmp_path):
        assert cycles.begun == 1
