"""One route's jobs on the common schedule: names of their own, and a phase of their own within the interval."""

from collections.abc import Callable
from itertools import cycle, pairwise
from typing import Any, cast

import pytest

from reconciler.runtime.route_schedule import RouteSchedule
from reconciler.runtime.schedule import Schedule
from tests.support.clock import SimClock


class Jobs:
    """A schedule that only notes its jobs."""

    def __init__(self) -> None:
        self.jobs: dict[str, tuple[Any, Callable[[], None]]] = {}
        self.asked: list[tuple[str, float]] = []

    def every(self, name: str, seconds: Any, run: Callable[[], None]) -> None:
        self.jobs[name] = seconds, run

    def soon(self, name: str, after: float) -> None:
        self.asked.append((name, after))

    def remove(self, name: str) -> None:
        del self.jobs[name]


@pytest.fixture
def jobs() -> Jobs:
    return Jobs()


def of(jobs: Jobs, name: str, clock: SimClock | None = None) -> RouteSchedule:
    return RouteSchedule(cast("Schedule", jobs), name, clock.monotonic if clock else None)


def test_jobs_of_the_same_name_are_each_routes_own(jobs: Jobs) -> None:
    a, b = of(jobs, "a"), of(jobs, "b")
    for each in (a, b):
        each.every("feed", 10.0, lambda: None)
        each.every("report", 1.0, lambda: None)
    assert [*jobs.jobs] == ["a: feed", "a: report", "b: feed", "b: report"]
    a.soon("feed", 2.0)
    assert jobs.asked == [("a: feed", 2.0)]
    a.remove("feed")
    b.remove()
    assert ([*jobs.jobs], a.names, b.names) == (["a: report"], ("report",), ())


def test_a_job_that_was_removed_is_never_run_for_another_run_of_its_route(jobs: Jobs) -> None:
    former, present = of(jobs, "a"), of(jobs, "a")
    former.every("feed", 10.0, lambda: None)
    former.remove()
    present.every("feed", 10.0, lambda: None)
    former.soon("feed")
    former.remove()
    assert (jobs.asked, [*jobs.jobs]) == ([], ["a: feed"])


def test_the_only_route_has_the_interval_as_it_is(jobs: Jobs) -> None:
    of(jobs, "a").every("feed", 10.0, lambda: None)
    assert jobs.jobs["a: feed"][0] == 10.0


class Run:
    """One job of a route, each second run of which takes so many seconds."""

    def __init__(self, name: str, seconds: float, takes: float) -> None:
        self.clock, jobs, each = SimClock(), Jobs(), cycle((0.0, takes))
        of(jobs, name, self.clock).every("feed", seconds, lambda: self.clock.advance(next(each)))
        self.next_in, self.run = next(iter(jobs.jobs.values()))

    def times(self, count: int) -> list[float]:
        found = []
        for _ in range(count):
            began = self.clock.monotonic()
            found.append(began)
            self.run()
            self.clock.passed = max(began + self.next_in(), self.clock.monotonic())
        return found


@pytest.mark.parametrize("takes", [0.0, 1.0, 7.0])
@pytest.mark.parametrize("name", ["a", "shop", "bank"])
def test_after_the_first_runs_the_interval_is_kept_however_long_a_run_takes(name: str, takes: float) -> None:
    times = Run(name, 10.0, takes).times(6)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert all(5.0 <= gap < 15.0 for gap in gaps[:2])
    assert gaps[2:] == pytest.approx([10.0] * 3)


def test_a_run_out_of_turn_is_followed_by_one_in_phase() -> None:
    run = Run("a", 10.0, 0.0)
    regular = run.times(2)[-1]
    run.clock.advance(3.0)
    early = run.times(2)
    assert 5.0 <= early[1] - early[0] < 15.0
    assert (early[1] - regular) % 10.0 == pytest.approx(0.0, abs=1e-6) or (early[1] - regular) % 10.0 > 9.999


def test_routes_run_at_different_times() -> None:
    phases = {round(Run(f"route-{number}", 10.0, 0.0).times(2)[-1] % 10.0, 1) for number in range(50)}
    assert len(phases) > 25


def test_an_interval_of_nothing_stays_so(jobs: Jobs) -> None:
    of(jobs, "a", SimClock()).every("hints", lambda: 0.0, lambda: None)
    assert jobs.jobs["a: hints"][0]() == 0.0
