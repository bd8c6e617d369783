"""The daemon's jobs: what the process that leads does, what one that stands by does not, and how it ends."""

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from reconciler.core.model import Kind, Side
from reconciler.core.pause import Pause
from reconciler.core.work import WorkItem
from reconciler.errors import Transient
from reconciler.observability.health import Health
from reconciler.observability.metrics import Metrics
from reconciler.reconcile.pair import Outcome
from reconciler.reconcile.problems import Problem
from reconciler.runtime.route_jobs import REPORT, REPORT_EVERY, STANDING_BY, ReportSoon
from reconciler.runtime.wiring import Wiring
from reconciler.runtime.worker_pool import WorkerPool
from reconciler.store.database import Database, DatabaseDown, Superseded, open_database
from tests.support.builders import action, at
from tests.support.clock import SimClock
from tests.support.database import url
from tests.support.in_process import settings

ITEM = WorkItem("a", at(0))
AWAY = DatabaseDown("DATABASE_URL: the database cannot be reached", "away")


class Schedule:
    """Records the requested runs."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, float]] = []
        self.names: list[str] = []

    def every(self, name: str, _seconds: object, _run: object) -> None:
        self.names.append(name)

    def soon(self, name: str, after: float = 0.0) -> None:
        self.asked.append((name, after))

    def remove(self, *names: str) -> None:
        self.names = [name for name in self.names if names and name not in names]


class Source:
    """A source that is only counted."""

    name = "a source"
    side = None

    def __init__(self) -> None:
        self.polls = 0

    def poll(self) -> bool:
        self.polls += 1
        return True


class Bench:
    """A route's jobs as they are wired, on this database, run when a test calls them."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.stop = SimClock(), threading.Event()
        configured = settings(database_url=url(folder))
        self.wiring = Wiring(configured, self.stop, open_database(url(folder)), clock=self.clock)
        self.schedule = Schedule()
        self.jobs = self.wiring.jobs(cast("Any", self.schedule))
        self.source = Source()

    def polls(self) -> int:
        """How often a source is asked when its turn comes."""
        before = self.source.polls
        self.jobs.poll(self.source)
        return self.source.polls - before

    def run(self, job: Callable[[], None]) -> None:
        """Run a job as the schedule does."""
        self.jobs._guarded("job", job)()

    def end(self) -> None:
        """End as with the process."""
        self.jobs.drain()
        self.jobs.end()

    def problems(self) -> list[str]:
        return [str(problem.error) for problem in self.wiring.problems.all()]


@pytest.fixture
def bench(tmp_path: Path, database: Database) -> Iterator[Bench]:
    assert database, "the schema is there already"
    made = Bench(tmp_path)
    yield made
    made.end()


def fail(error: Exception) -> Callable[[], None]:
    def job() -> None:
        raise error

    return job


@pytest.mark.parametrize(
    ("outcome", "asked"),
    [
        (Outcome(ITEM), []),
        (Outcome(ITEM, actions=(action(Kind.PAGERDUTY_NOTE),)), [(REPORT, REPORT_EVERY)]),
        (Outcome(ITEM, standing=(Problem(Side.ALERTS, Transient("500")),)), [(REPORT, REPORT_EVERY)]),
    ],
    ids=["nothing", "an action", "a problem"],
)
def test_the_report_runs_soon_after_a_write_or_a_problem(outcome: Outcome, asked: list[tuple[str, float]]) -> None:
    schedule: Any = Schedule()
    ReportSoon(schedule).reconciled(outcome, 0.1)
    assert schedule.asked == asked


def test_every_source_is_polled_at_once_when_the_process_begins_to_lead(bench: Bench) -> None:
    bench.jobs.lead()
    names = [timed.source.name for timed in bench.jobs.program.sources]
    assert bench.schedule.asked == [(name, 0.0) for name in names]
    bench.jobs.lead()
    assert len(bench.schedule.asked) == len(names), "it has led before"


def test_a_process_that_stands_by_polls_nothing_and_says_why(
    bench: Bench, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    bench.jobs.lead()
    other = Bench(tmp_path)
    other.jobs.lead()
    assert (bench.polls(), other.polls()) == (1, 0)
    assert STANDING_BY in caplog.text
    bench.end()
    other.jobs.lead()
    assert other.polls() == 1
    other.end()


def test_a_stopping_process_polls_nothing_more(bench: Bench) -> None:
    bench.jobs.lead()
    bench.stop.set()
    assert bench.polls() == 0


@pytest.mark.parametrize("error", [AWAY, Superseded("another epoch")], ids=["away", "superseded"])
def test_nothing_is_polled_after_an_error_of_the_database_until_the_lead_is_confirmed(
    bench: Bench, error: Exception
) -> None:
    bench.jobs.lead()
    bench.run(fail(error))
    assert bench.polls() == 0
    bench.jobs.lead()
    assert bench.polls() == 1


def test_the_role_follows_the_lead_and_is_none_while_the_database_fails(bench: Bench) -> None:
    health = Health(10.0, bench.clock.monotonic)
    bench.jobs.metrics = Metrics(health, bench.clock)
    for error, role in ((AWAY, "none"), (Superseded("another epoch"), "standby")):
        bench.jobs.lead()
        assert health.role() == "leader"
        bench.run(fail(error))
        assert health.role() == role


def test_a_defect_of_one_job_is_reported_until_it_runs_well_and_ends_nothing(bench: Bench) -> None:
    bench.jobs.lead()
    bench.run(fail(ValueError("a defect")))
    (words,) = bench.problems()
    assert words.startswith("ValueError in ")
    assert bench.polls() == 1
    bench.run(lambda: None)
    assert bench.problems() == []


def test_what_another_process_puts_back_is_taken_in_by_the_leader_alone(bench: Bench) -> None:
    with bench.wiring.database.writing() as unit:
        unit.work.add([ITEM], external=True)
    bench.jobs.take_in()
    assert not bench.wiring.queue.holds("a")
    bench.jobs.lead()
    with bench.wiring.database.writing() as unit:
        unit.work.add([replace(ITEM, alert_id="b")], external=True)
    bench.jobs.take_in()
    assert bench.wiring.queue.holds("b")


def test_a_pause_holds_writes_back_from_the_next_look_on_and_is_reported_at_once(bench: Bench) -> None:
    bench.jobs.lead()
    bench.schedule.asked.clear()
    breakers = bench.wiring.write_breakers
    assert breakers is not None
    with bench.wiring.database.writing() as unit:
        unit.pauses.save([Pause(Side.PAGERDUTY, bench.clock.now(), "maintenance")])
    bench.jobs.take_in()
    assert breakers.is_paused(action(Kind.PAGERDUTY_NOTE))
    bench.jobs.take_in()
    assert bench.schedule.asked == [(REPORT, 0.0)], "once"


def test_a_pause_is_respected_from_the_beginning_of_the_lead_on(bench: Bench) -> None:
    with bench.wiring.database.writing() as unit:
        unit.pauses.save([Pause(Side.PAGERDUTY, bench.clock.now(), "maintenance")])
    bench.jobs.lead()
    assert bench.wiring.write_breakers is not None
    assert bench.wiring.write_breakers.is_paused(action(Kind.PAGERDUTY_NOTE))


def test_the_end_admits_no_further_write_and_lets_another_process_lead(bench: Bench, tmp_path: Path) -> None:
    bench.jobs.lead()
    bench.jobs.begin(WorkerPool())
    bench.end()
    assert bench.schedule.names == []
    with bench.wiring.in_flight.admit() as admitted:
        assert not admitted
    other = Bench(tmp_path)
    other.jobs.lead()
    assert other.jobs.leadership.leads
    other.end()
