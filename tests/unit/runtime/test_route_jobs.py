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
from reconciler.core.work import Priority, WorkItem
from reconciler.errors import Transient
from reconciler.observability.health import Health
from reconciler.observability.metrics import Metrics
from reconciler.reconcile.pair import Outcome
from reconciler.reconcile.problems import Problem
from reconciler.runtime.route_jobs import LEADERSHIP, REPORT, REPORT_EVERY, SECRETS, STANDING_BY, ReportSoon
from reconciler.runtime.wiring import Wiring
from reconciler.runtime.worker_pool import WorkerPool
from reconciler.store.database import Database, DatabaseDown, Superseded, open_database
from reconciler.store.lock import FileLock
from reconciler.store.removed_routes import mark_removed
from reconciler.store.routes import stored_routes
from reconciler.vendors.call_context import current
from tests.support.builders import action, at, pair
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
        self.wiring.database.close()

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


def test_a_pause_that_ends_while_the_lead_begins_holds_nothing_back(bench: Bench) -> None:
    """`requested` does nothing until this process leads, and a pause that is over is not named again."""
    paused = action(Kind.PAGERDUTY_NOTE)
    with bench.wiring.database.writing() as unit:
        unit.pauses.save([Pause(Side.PAGERDUTY, bench.clock.now(), "maintenance")])

    def resumed() -> None:
        bench.wiring.account.began()
        with bench.wiring.database.writing() as unit:
            unit.pauses.end([Side.PAGERDUTY])
        bench.jobs.requested()

    bench.jobs.leadership.do_first(resumed)
    bench.jobs.lead()
    assert bench.wiring.write_breakers is not None
    assert not bench.wiring.write_breakers.is_paused(paused)


def test_a_route_that_is_led_is_not_marked_as_removed(bench: Bench) -> None:
    """Also where ROUTES_FILE is no longer set, and the variables configure the only route."""
    database = bench.wiring.database
    mark_removed(database, bench.clock.now())
    bench.jobs.lead()
    assert stored_routes(database).removed == {}


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


# -- one of several routes --


def test_a_hand_over_is_made_by_the_job_that_confirms_the_lead(bench: Bench) -> None:
    """So no other job of the process waits for the writes in flight."""
    bench.jobs.lead()
    bench.schedule.asked.clear()
    bench.jobs.hand_over()
    assert bench.schedule.asked == [(LEADERSHIP, 0.0)]
    assert bench.jobs.leadership.leads
    bench.jobs.lead()
    assert not bench.jobs.leadership.leads
    bench.jobs.lead()
    assert bench.jobs.leadership.leads


def test_nothing_is_written_between_a_hand_over_and_the_next_lead(bench: Bench) -> None:
    bench.jobs.lead()
    for _ in range(2):  # told once more before it is done, which changes nothing
        bench.jobs.hand_over()
        bench.jobs.lead()
    assert not admitted(bench)
    bench.jobs.lead()
    assert admitted(bench)
    bench.run(fail(AWAY))
    bench.jobs.lead()
    assert admitted(bench)


def test_a_route_that_has_ended_takes_the_lock_no_more_and_releases_it_for_nobody_else(
    bench: Bench, tmp_path: Path
) -> None:
    bench.jobs.lead()
    bench.end()
    other = Bench(tmp_path)
    other.wiring.leadership._lock = bench.wiring.lock  # another run of the route in this process
    other.jobs.lead()
    assert other.jobs.leadership.leads
    bench.jobs.lead()
    bench.jobs._database_failed(Superseded("another epoch"))
    bench.jobs.leadership.give_up()
    assert not bench.jobs.leadership.leads
    assert not FileLock(tmp_path / "reconciler.db").acquire(), "it is the other run's still"
    other.end()


def test_a_route_that_has_ended_runs_no_job_and_writes_nothing(bench: Bench) -> None:
    bench.jobs.lead()
    bench.jobs.cease()
    bench.run(fail(ValueError("a defect")))
    assert bench.problems() == []
    assert not admitted(bench)
    bench.jobs.drain()


def test_a_job_of_a_route_that_ends_is_waited_for_and_no_longer_than_a_while(bench: Bench) -> None:
    bench.jobs.lead()
    led: list[bool] = []

    def ends_meanwhile() -> None:
        bench.jobs.drain()
        bench.jobs.leave(WorkerPool(), 0.0)
        led.append(bench.jobs.leadership.leads)

    bench.run(ends_meanwhile)
    assert led == [False]


def test_what_is_left_is_known_of_the_leader_and_nothing_of_a_database_that_is_away(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bench.jobs.left() is None, "it is not known yet who leads"
    bench.jobs.lead()
    assert bench.jobs.left() == 0
    bench.wiring.queue.add([replace(ITEM, priority=Priority.PAGE), replace(ITEM, alert_id="b")])
    with bench.wiring.database.writing() as unit:
        unit.snapshot.save_pairs([pair(swept_at=at(0))])
        unit.outbox.add([action(Kind.PAGERDUTY_NOTE, alert_id="a-1")], at(0))
    assert bench.jobs.left() == 2
    with monkeypatch.context() as patched:
        patched.setattr(bench.wiring.database, "reading", fail(AWAY))
        assert bench.jobs.left() is None
    bench.run(fail(AWAY))
    assert bench.jobs.left() is None
    bench.run(fail(Superseded("another epoch")))
    assert bench.jobs.left() == 0


def test_a_drained_route_keeps_what_its_work_needs_and_hears_nothing_new(bench: Bench) -> None:
    bench.jobs.begin(WorkerPool())
    bench.jobs.lead()
    bench.jobs.retire()
    bench.jobs.retire()
    assert bench.schedule.names == [LEADERSHIP, bench.wiring.account.name, REPORT, SECRETS]
    bench.jobs._take_hints()


def test_lines_of_the_log_name_the_route_also_at_the_end(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    named: list[str] = []
    bench.jobs.lead()
    monkeypatch.setattr(bench.jobs.reporter, "report", lambda: named.append(current().route))
    monkeypatch.setattr(bench.jobs.reporter, "failed", lambda _error: named.append(current().route))
    bench.run(lambda: named.append(current().route))
    bench.jobs._failed_in_work(AWAY)
    bench.jobs.lead()
    bench.end()
    assert named == ["default"] * 3


def test_a_defect_at_the_end_leaves_no_lock_behind(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.jobs.lead()
    monkeypatch.setattr(bench.jobs.reporter, "report", fail(ValueError("a defect")))
    bench.end()
    lock = FileLock(tmp_path / "reconciler.db")
    assert lock.acquire()
    lock.release()


def admitted(bench: Bench) -> bool:
    with bench.wiring.in_flight.admit() as found:
        return found
