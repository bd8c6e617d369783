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


# -- jobs of many routes --


def test_a_hundred_jobs_that_hang_hold_back_no_other(schedule: Schedule) -> None:
    go_on, hanging, runs = threading.Event(), threading.Semaphore(0), []

    def hang() -> None:
        hanging.release()
        go_on.wait(30)

    for number in range(100):
        schedule.every(f"hanging {number}", 1.0, hang)
    schedule.start()
    for _ in range(100):
        assert hanging.acquire(timeout=30)
    schedule.every("poll", 0.0, lambda: runs.append(1))
    until(lambda: len(runs) >= 20)
    go_on.set()


def test_the_threads_of_runs_end_with_them(schedule: Schedule) -> None:
    before, go_on, hanging = threading.active_count(), threading.Event(), threading.Semaphore(0)

    def hang() -> None:
        hanging.release()
        go_on.wait(30)

    for number in range(50):
        schedule.every(f"poll {number}", 600.0, hang)
    schedule.start()
    for _ in range(50):
        assert hanging.acquire(timeout=30)
    go_on.set()
    until(lambda: threading.active_count() <= before + 1)  # the scheduler's


def test_a_job_that_is_added_later_runs_at_once(schedule: Schedule) -> None:
    runs: list[int] = []
    schedule.start()
    schedule.every("poll", 600.0, lambda: runs.append(1))
    until(lambda: len(runs) == 1)


@pytest.mark.parametrize("late", [False, True], ids=["before the start", "after the start"])
def test_the_first_run_can_be_put_off_and_asked_for_sooner(schedule: Schedule, *, late: bool) -> None:
    runs: list[str] = []
    if late:
        schedule.start()
    schedule.every("spread", 600.0, lambda: runs.append("spread"), after=300.0)
    schedule.every("poll", 0.0, lambda: runs.append("poll"))
    if not late:
        schedule.start()
    until(lambda: len(runs) >= 20)
    assert "spread" not in runs
    schedule.soon("spread")
    until(lambda: "spread" in runs)


def test_a_removed_job_runs_no_more_and_others_go_on(schedule: Schedule) -> None:
    runs: list[str] = []
    schedule.every("goes", 0.0, lambda: runs.append("goes"))
    schedule.every("stays", 0.0, lambda: runs.append("stays"))
    schedule.start()
    until(lambda: {"goes", "stays"} <= set(runs))
    assert schedule.remove("goes", 30)
    schedule.soon("goes")
    before = runs.count("goes")
    there = len(runs)
    until(lambda: len(runs) >= there + 20)
    assert runs.count("goes") == before
    assert schedule.remove("goes")


def test_a_run_in_progress_ends_after_its_job_was_removed_and_is_not_planned_again(schedule: Schedule) -> None:
    begun, go_on, ended = threading.Semaphore(0), threading.Event(), []

    def job() -> None:
        begun.release()
        go_on.wait(30)
        ended.append(1)

    schedule.every("goes", 0.0, job)
    schedule.start()
    assert begun.acquire(timeout=30)
    assert not schedule.remove("goes")
    go_on.set()
    until(lambda: bool(ended))
    assert schedule.stop(30)
    assert ended == [1]
    assert not begun.acquire(blocking=False)


def test_nothing_is_left_planned_of_a_removed_job_whose_run_has_ended(schedule: Schedule) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def job() -> None:
        begun.set()
        go_on.wait(30)

    schedule.every("goes", 600.0, job)
    schedule.start()
    assert begun.wait(30)
    threading.Timer(0.05, go_on.set).start()
    assert schedule.remove("goes", 30)
    assert schedule._scheduler.get_jobs() == []


def test_a_removed_job_whose_thread_has_just_been_started_does_not_run(schedule: Schedule) -> None:
    runs: list[int] = []
    schedule.every("goes", 600.0, lambda: runs.append(1))
    begun = schedule._jobs["goes"]
    assert schedule.remove("goes")
    schedule._run(begun)
    assert runs == []


def test_a_stop_waits_for_the_run_of_a_removed_job(schedule: Schedule) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def job() -> None:
        begun.set()
        go_on.wait(30)

    schedule.every("goes", 600.0, job)
    schedule.start()
    assert begun.wait(30)
    assert not schedule.remove("goes")
    assert not schedule.stop(0.0)
    go_on.set()
    assert schedule.stop(30)


def test_a_removed_job_that_ends_does_not_take_the_place_of_a_new_one_of_its_name(schedule: Schedule) -> None:
    begun, go_on, runs = threading.Event(), threading.Event(), []

    def old() -> None:
        begun.set()
        runs.append("old")
        go_on.wait(30)

    schedule.every("poll", 0.0, old)
    schedule.start()
    assert begun.wait(30)
    assert not schedule.remove("poll")
    schedule.every("poll", 0.0, lambda: runs.append("new"))
    go_on.set()
    until(lambda: runs.count("new") >= 20)
    assert runs.count("old") == 1


def test_a_name_is_given_once(schedule: Schedule) -> None:
    schedule.every("poll", 1.0, lambda: None)
    with pytest.raises(ValueError, match="has a job poll already"):
        schedule.every("poll", 1.0, lambda: None)


def test_a_run_for_which_the_machine_had_no_thread_is_made_up_for(
    schedule: Schedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused, runs = [], []

    def refuse(**_: object) -> threading.Thread:
        refused.append(1)
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(reconciler.runtime.schedule, "LATE", 0.01)
    schedule.every("poll", 600.0, lambda: runs.append(1))
    with monkeypatch.context() as patched:
        patched.setattr(reconciler.runtime.schedule, "Thread", refuse)
        schedule.start()
        until(lambda: bool(refused))
    assert runs == []

    def turned() -> bool:
        schedule.turn()
        return bool(runs)

    until(turned)


def test_a_run_whose_thread_is_slow_to_begin_gets_no_second_thread(
    schedule: Schedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[threading.Thread] = []

    class Slow(threading.Thread):
        """A thread that the machine does not come to."""

        def start(self) -> None:
            started.append(self)

    monkeypatch.setattr(reconciler.runtime.schedule, "LATE", 0.01)
    runs: list[int] = []
    schedule.every("poll", 600.0, lambda: runs.append(1))
    with monkeypatch.context() as patched:
        patched.setattr(reconciler.runtime.schedule, "Thread", Slow)
        schedule.start()
        until(lambda: bool(started))
        for _ in range(5):
            time.sleep(0.02)
            schedule.turn()
        time.sleep(0.1)
        assert len(started) == 1
    started[0].run()
    assert runs == [1]
