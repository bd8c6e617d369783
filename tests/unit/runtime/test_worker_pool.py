"""The pool of threads that all routes share: started when needed, ended when idle, woken when there is work."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from reconciler.core.work import Priority, WorkItem
from reconciler.observability import defects
from reconciler.reconcile.fetch import Stopping
from reconciler.reconcile.holds import Holds
from reconciler.reconcile.pair import Outcome
from reconciler.reconcile.problems import Problems
from reconciler.reconcile.read_breakers import ReadBreakers
from reconciler.reconcile.work_queue import WorkQueue
from reconciler.runtime import worker_pool
from reconciler.runtime.turns import Turn, Turns
from reconciler.runtime.worker import PAGE_WORKERS, WORKERS, Worker
from reconciler.runtime.worker_pool import WorkerPool
from reconciler.store.database import DatabaseDown
from reconciler.vendors.call_context import current
from reconciler.vendors.http import SystemClock

SOON = 30.0
"""Seconds: the longest that anything here is waited for."""


class Bench:
    """A pool, and routes whose pairs do what the test says. `worked` are (route, alert, route of its calls)."""

    def __init__(self) -> None:
        self.pool = WorkerPool()
        self.clock = SystemClock()
        self.queues: dict[str, WorkQueue] = {}
        self.does: dict[str, Callable[[str], None]] = {}
        self.failed: list[tuple[str, str]] = []
        self.worked: list[tuple[str, str, str]] = []
        self.go_on = threading.Event()
        self.hanging = threading.Semaphore(0)
        self._done = threading.Condition()

    def add(self, *names: str) -> None:
        for name in names:
            queue = self.queues[name] = WorkQueue(self.clock)
            holds = Holds(queue, ReadBreakers(self.clock), None)
            worker = Worker(queue, _Reconciling(self, name), holds, Problems(), (), self.clock.monotonic)
            self.pool.add(name, worker, queue, lambda: True, self._failing(name))

    def _failing(self, name: str) -> Callable[[Exception], None]:
        return lambda error: self.failed.append((name, str(error)))

    def put(self, route: str, *alerts: str, priority: Priority = Priority.CHANGED, after: float = 0.0) -> None:
        due_at = self.clock.now() + timedelta(seconds=after)
        self.queues[route].add(WorkItem(alert, due_at, priority=priority) for alert in alerts)

    def hang(self, _: str) -> None:
        self.hanging.release()
        assert self.go_on.wait(SOON)

    def work(self, route: str, alert: str) -> None:
        if route in self.does:
            self.does[route](alert)
        with self._done:
            self.worked.append((route, alert, current().route))
            self._done.notify_all()

    def until(self, route: str, pairs: int) -> None:
        """Waits until so many pairs of this route have been worked on."""
        with self._done:
            assert self._done.wait_for(lambda: sum(of == route for of, *_ in self.worked) >= pairs, SOON)

    def until_hanging(self, pairs: int) -> None:
        for _ in range(pairs):
            assert self.hanging.acquire(timeout=SOON)


class _Reconciling:
    def __init__(self, bench: Bench, route: str) -> None:
        self.bench, self.route = bench, route

    def reconcile(self, item: WorkItem) -> Outcome:
        self.bench.work(self.route, item.alert_id)
        return Outcome(item)


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.go_on.set()
    assert made.pool.stop(SOON)


def refuse(_: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def ended_but_one(pool: WorkerPool) -> bool:
    """Waits until one thread is left."""
    while len(threads := list(pool._threads)) > 1:
        threads[0].join(0.01)
    return True


def test_pairs_are_worked_on_for_their_own_route(bench: Bench) -> None:
    bench.add("a", "b")
    bench.pool.start()
    bench.put("a", "1")
    bench.put("b", "2")
    bench.until("a", 1)
    bench.until("b", 1)
    assert sorted(bench.worked) == [("a", "1", "a"), ("b", "2", "b")]


def test_many_idle_routes_have_one_thread_and_busy_ones_as_many_as_they_use(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_pool, "SPARE_FOR", 0.01)
    bench.add(*(f"route {number}" for number in range(100)))
    bench.pool.start()
    assert len(bench.pool._threads) == 1
    for number in range(3):
        bench.does[f"route {number}"] = bench.hang
        bench.put(f"route {number}", *(f"{alert}" for alert in range(20)))
    bench.until_hanging(3 * WORKERS)
    assert len(bench.pool._threads) == 3 * WORKERS + 1
    bench.go_on.set()
    for number in range(3):
        bench.until(f"route {number}", 20)
    assert ended_but_one(bench.pool)
    bench.put("route 50", "1")
    bench.until("route 50", 1)


def test_a_spare_thread_is_used_again(bench: Bench) -> None:
    bench.add("a")
    bench.pool.start()
    for number in range(200):
        bench.put("a", f"{number}")
        bench.until("a", number + 1)
    assert len(bench.pool._threads) <= 3


def test_no_queue_is_asked_without_need(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    takes: list[float] = []
    take = Turns.take

    def counted(turns: Turns, now: float) -> Turn | None:
        takes.append(now)
        return take(turns, now)

    monkeypatch.setattr(Turns, "take", counted)
    bench.add(*(f"idle {number}" for number in range(100)), "busy")
    bench.pool.start()
    for number in range(50):
        bench.put("busy", f"{number}")
        bench.until("busy", number + 1)
    assert len(takes) <= 2 + 4 * 50


def test_a_pair_that_becomes_due_first_is_worked_on_while_a_later_one_waits(bench: Bench) -> None:
    bench.add("a", "b")
    bench.pool.start()
    bench.put("a", "in an hour", after=3600.0)
    bench.put("b", "soon", after=0.05)
    bench.until("b", 1)
    assert bench.worked == [("b", "soon", "b")]


def test_routes_whose_reads_hang_delay_neither_the_pairs_nor_the_pages_of_others(bench: Bench) -> None:
    hanging, well = [f"hanging {n}" for n in range(10)], [f"well {n}" for n in range(10)]
    bench.add(*hanging, *well)
    bench.does = dict.fromkeys(hanging, bench.hang)
    bench.pool.start()
    for name in hanging:
        bench.put(name, *(f"{alert}" for alert in range(30)))
    bench.until_hanging(10 * WORKERS)
    for name in well:
        bench.put(name, *(f"{alert}" for alert in range(30)))
        bench.put(name, "page", priority=Priority.PAGE)
    for name in well:
        bench.until(name, 31)
    assert Counter(route for route, *_ in bench.worked) == dict.fromkeys(well, 31)
    for name in hanging:
        bench.put(name, *(f"page {alert}" for alert in range(30)), priority=Priority.PAGE)
    bench.until_hanging(10 * PAGE_WORKERS)
    assert not bench.hanging.acquire(blocking=False)


def test_a_route_can_be_added_and_removed_while_the_pool_works(bench: Bench) -> None:
    bench.add("stays")
    bench.pool.start()
    bench.add("goes")
    bench.does["goes"] = bench.hang
    bench.put("goes", *(f"{alert}" for alert in range(30)))
    bench.until_hanging(WORKERS)
    assert not bench.pool.remove("goes", 0.0)
    bench.put("stays", "1")
    bench.until("stays", 1)
    bench.go_on.set()
    bench.until("goes", WORKERS)
    bench.put("goes", "new")
    bench.put("stays", "2")
    bench.until("stays", 2)
    assert bench.queues["goes"].size() >= 30 - WORKERS
    assert sum(route == "goes" for route, *_ in bench.worked) == WORKERS
    assert bench.pool.remove("goes", 0.0)  # it is not there any more


def test_a_route_is_removed_once_its_last_pair_has_ended(bench: Bench) -> None:
    bench.add("goes")
    bench.does["goes"] = bench.hang
    bench.pool.start()
    bench.put("goes", "1")
    bench.until_hanging(1)
    removed: list[bool] = []
    removing = threading.Thread(target=lambda: removed.append(bench.pool.remove("goes", 3600.0)), daemon=True)
    removing.start()
    bench.go_on.set()
    removing.join(SOON)
    assert removed == [True]
    assert bench.worked == [("goes", "1", "goes")]


def test_an_unreachable_database_pauses_its_route_alone(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_pool, "AFTER_DATABASE", 3600.0)

    def down(_: str) -> None:
        raise DatabaseDown("away")

    bench.add("a", "b")
    bench.does["a"] = down
    bench.pool.start()
    bench.put("a", "1")
    while not bench.failed:
        bench.put("b", "1")
    bench.put("a", "2")
    for number in range(50):
        bench.put("b", f"{number}")
    bench.until("b", 50)
    assert set(bench.failed) == {("a", "away")}


def test_a_route_that_stops_ends_no_other(bench: Bench) -> None:
    def stopping(_: str) -> None:
        bench.hanging.release()
        raise Stopping

    bench.add("a", "b")
    bench.does["a"] = stopping
    bench.pool.start()
    bench.put("a", "1")
    bench.until_hanging(1)
    assert bench.pool.remove("a", SOON)
    bench.put("b", "1")
    bench.until("b", 1)
    assert bench.failed == []


def test_a_listener_that_fails_costs_no_thread(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(defects, "_LOGGED", set())
    monkeypatch.setattr(defects.log, "error", lambda words, **_: said.append(words))
    bench.add("a")
    work = Worker.work

    def fail(worker: Worker, item: WorkItem) -> None:
        work(worker, item)
        raise ZeroDivisionError

    monkeypatch.setattr(Worker, "work", fail)
    bench.pool.start()
    bench.put("a", *(f"{alert}" for alert in range(100)))
    bench.until("a", 100)
    assert len(said) == 1
    assert "about route a" in said[0]


def test_pairs_go_on_where_the_machine_allows_no_further_thread(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.add("a", "b")
    bench.pool.start()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        for number in range(20):
            bench.put("a", f"{number}")
            bench.put("b", f"{number}")
        bench.until("a", 20)
        bench.until("b", 20)
        assert len(bench.pool._threads) == 1
        bench.does["a"] = bench.hang
        bench.put("a", "the only thread is busy")
        bench.until_hanging(1)
    bench.put("b", *(f"more {number}" for number in range(20)))
    bench.go_on.set()
    bench.until("b", 40)
    assert len(bench.pool._threads) > 1


def test_a_pool_that_cannot_start_a_single_thread_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = WorkerPool()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="can't start"):
            pool.start()
    assert pool.stop(0)


def test_a_pool_that_was_stopped_works_no_more(bench: Bench) -> None:
    bench.add("a")
    bench.pool.start()
    assert bench.pool.stop(SOON)
    bench.put("a", "1")
    assert not bench.pool._threads
    assert bench.worked == []
