"""The schedule runs on monotonic time, drops no run, and lets no job wait for another."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise

import apscheduler.schedulers.base
import pytest

import reconciler.runtime.schedule
from reconciler.runtime.schedule import Schedule
from reconciler.vendors.http import SystemClock


class WallClock(datetime):
    """A wall clock that can be set."""

    off = timedelta()

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return datetime.now(tz or UTC) + cls.off


@pytest.fixture
def wall_clock(monkeypatch: pytest.MonkeyPatch) -> type[WallClock]:
    monkeypatch.setattr(WallClock, "off", timedelta())
    for module in (apscheduler.schedulers.base, reconciler.runtime.schedule):
        monkeypatch.setattr(module, "datetime", WallClock)
    return WallClock


@pytest.fixture
def schedule() -> Iterator[Schedule]:
    made = Schedule(SystemClock())
    yield made
    made.stop(30)


def until(holds: Callable[[], bool], seconds: float = 30.0) -> float:
    """Waits until the condition holds; the seconds that it took."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, "the condition did not hold in time"
        time.sleep(0.005)
    return time.monotonic() - began


def test_a_job_runs_at_once_and_then_on_its_interval(schedule: Schedule) -> None:
    runs: list[float] = []
    schedule.every("poll", 0.2, lambda: runs.append(time.monotonic()))
    schedule.start()
    until(lambda: len(runs) >= 4)
    gaps = [later - earlier for earlier, later in pairwise(runs)]
    assert min(gaps) > 0.15


def test_a_job_that_takes_longer_than_its_interval_is_never_dropped(schedule: Schedule) -> None:
    runs: list[int] = []
    schedule.every("poll", 0.0, lambda: runs.append(1))
    schedule.start()
    until(lambda: len(runs) >= 300)


def test_a_job_never_overlaps_itself_and_runs_once_more_after_the_last_request(schedule: Schedule) -> None:
    begun, go_on, running, most = [], threading.Event(), [], []

    def job() -> None:
        begun.append(1)
        running.append(1)
        most.append(len(running))
        go_on.wait(30)
        running.pop()

    schedule.every("poll", 600.0, job)
    schedule.start()
    until(lambda: len(begun) == 1)
    for _ in range(50):
        schedule.soon("poll")
    go_on.set()
    until(lambda: len(begun) == 2)
    time.sleep(0.05)
    assert (len(begun), max(most)) == (2, 1)


def test_no_job_waits_for_another(schedule: Schedule) -> None:
    go_on, runs = threading.Event(), []

    def hang() -> None:
        go_on.wait(30)

    for number in range(8):
        schedule.every(f"hanging {number}", 1.0, hang)
    schedule.every("poll", 0.05, lambda: runs.append(1))
    schedule.start()
    until(lambda: len(runs) >= 5)
    go_on.set()


def test_the_interval_is_evaluated_after_each_run(schedule: Schedule) -> None:
    intervals, runs = iter([0.01, 0.01, 600.0]), []
    schedule.every("poll", lambda: next(intervals), lambda: runs.append(1))
    schedule.start()
    until(lambda: len(runs) == 3)
    time.sleep(0.1)
    assert len(runs) == 3


def test_a_job_that_fails_runs_again_after_its_interval(schedule: Schedule) -> None:
    runs = []

    def job() -> None:
        runs.append(1)
        raise ValueError("broken")

    schedule.every("poll", 0.2, job)
    schedule.start()
    assert until(lambda: len(runs) >= 3) > 0.3


@pytest.mark.parametrize("jump", [-600, 3600, -7200, 7200, -86400])
def test_setting_the_wall_clock_delays_no_job(
    schedule: Schedule, wall_clock: type[WallClock], jump: float
) -> None:
    runs: list[int] = []
    schedule.every("poll", 0.3, lambda: runs.append(1))
    schedule.start()
    until(lambda: len(runs) >= 1)
    wall_clock.off = timedelta(seconds=jump)
    schedule.turn()
    until(lambda: len(runs) >= 2)  # not after the hours by which the clock was set
    until(lambda: len(runs) >= 4)


def test_every_job_runs_at_once_after_the_machine_slept(schedule: Schedule, wall_clock: type[WallClock]) -> None:
    runs: list[str] = []
    for name in ("poll", "sweep"):
        schedule.every(name, 600.0, lambda name=name: runs.append(name))  # type: ignore[misc]
    schedule.start()
    until(lambda: len(runs) == 2)
    wall_clock.off = timedelta(hours=1)
    schedule.turn()
    until(lambda: len(runs) >= 4)
    assert sorted(runs) == ["poll", "poll", "sweep", "sweep"]


def test_no_run_starts_after_the_stop(schedule: Schedule, wall_clock: type[WallClock]) -> None:
    runs: list[int] = []
    schedule.every("poll", 0.05, lambda: runs.append(1))
    schedule.start()
    until(lambda: bool(runs))
    assert schedule.stop(30)
    time.sleep(0.02)
    before = len(runs)
    wall_clock.off = timedelta(hours=1)
    schedule.turn()
    time.sleep(0.15)
    assert len(runs) == before


def test_a_schedule_that_was_never_started_can_be_stopped() -> None:
    assert Schedule(SystemClock()).stop(0)


def test_stop_returns_whether_all_runs_have_ended(schedule: Schedule) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def job() -> None:
        begun.set()
        go_on.wait(30)

    schedule.every("hanging", 1.0, job)
    schedule.start()
    assert begun.wait(30)
    assert not schedule.stop(0.05)
    go_on.set()
    assert schedule.stop(30)


def test_a_stop_at_any_moment_ends_the_scheduler_without_an_exception() -> None:
    for number in range(50):
        schedule = Schedule(SystemClock())
        for job in range(4):
            schedule.every(f"poll {job}", 0.0, lambda: None)
        schedule.start()
        time.sleep(0.0002 * number)
        assert schedule.stop(30)
