"""Turns of the routes: pages first, then the route that has waited longest, and no route in another's way."""

import math
from collections import Counter

import pytest

from reconciler.core.model import Side
from reconciler.core.work import Priority, WorkItem
from reconciler.errors import NotExecuted
from reconciler.observability import defects
from reconciler.reconcile.holds import Holds
from reconciler.reconcile.problems import Problems
from reconciler.reconcile.read_breakers import ReadBreakers
from reconciler.reconcile.work_queue import Hold, WorkQueue
from reconciler.runtime.turns import ALL_PAGE_WORKERS, ALL_WORKERS, PARKED, WITHOUT_LEAD, Route, Turn, Turns
from reconciler.runtime.worker import PAGE_WORKERS, WORKERS, Worker
from tests.support.builders import at
from tests.support.clock import SimClock

ALL_OF_ONE = WORKERS + PAGE_WORKERS


class Bench:
    """The turns of some routes. Pairs that are taken stay in work until they are ended."""

    def __init__(self, *names: str) -> None:
        self.clock = SimClock()
        self.changes = 0
        self.turns = Turns(self._changed)
        self.leads = True
        self.breakers = {name: ReadBreakers(self.clock) for name in names}
        self.queues = {name: WorkQueue(self.clock) for name in names}
        self.routes = {name: self._route(name) for name in names}
        for route in self.routes.values():
            self.turns.add(route)

    def _changed(self) -> None:
        self.changes += 1

    def _route(self, name: str) -> Route:
        queue = self.queues[name]
        holds = Holds(queue, self.breakers[name], None)
        worker = Worker(queue, None, holds, Problems(), (), self.clock.monotonic)  # type: ignore[arg-type]
        return Route(name, worker, queue, lambda: self.leads, lambda _: None)

    def put(self, route: str, pairs: int = 1, priority: Priority = Priority.CHANGED, after: float = 0.0) -> None:
        due_at = at(self.clock.passed + after)
        self.queues[route].add(
            WorkItem(f"{priority.name} {number}", due_at, priority=priority) for number in range(pairs)
        )

    def take(self) -> Turn | None:
        return self.turns.take(self.clock.monotonic())

    def taken(self, most: int = 10_000) -> list[Turn]:
        """All pairs that may be in work now, or the first of them."""
        found: list[Turn] = []
        while len(found) < most and (turn := self.take()):
            found.append(turn)
        return found

    def end(self, turn: Turn) -> None:
        turn.route.queue.done(turn.item.alert_id)
        self.turns.ended(turn)


def routes_of(turns: list[Turn]) -> list[str]:
    return [turn.route.name for turn in turns]


def test_routes_take_turns_whatever_waits_in_each() -> None:
    bench = Bench("storm", "calm", "idle")
    bench.put("storm", 100)
    first = bench.taken(3)
    bench.put("calm", 2)
    assert routes_of(first + bench.taken(4)) == ["storm"] * 3 + ["calm", "storm", "calm", "storm"]


def test_the_route_whose_last_turn_is_longest_ago_goes_first() -> None:
    bench = Bench("a", "b", "c")
    for name in ("a", "b", "c"):
        bench.put(name, 3)
    for turn in bench.taken(4):
        bench.end(turn)
    assert routes_of(bench.taken(3)) == ["b", "c", "a"]


def test_a_page_of_any_route_goes_before_all_other_work() -> None:
    bench = Bench("a", "b")
    bench.put("a", 5)
    bench.put("b", 3, Priority.PAGE)
    assert routes_of(bench.taken(5)) == ["b", "b", "b", "a", "a"]


def test_one_route_has_as_many_pairs_in_work_as_alone_and_the_last_are_pages() -> None:
    bench = Bench("a")
    bench.put("a", 40)
    hanging = bench.taken()
    assert len(hanging) == WORKERS
    bench.put("a", 40, Priority.PAGE)
    pages = bench.taken()
    assert len(pages) == PAGE_WORKERS
    assert all(turn.is_page for turn in pages)
    bench.end(hanging[0])
    assert [turn.is_page for turn in bench.taken()] == [True]


def test_pages_alone_may_fill_all_of_a_routes_turns() -> None:
    bench = Bench("a")
    bench.put("a", 40, Priority.PAGE)
    assert len(bench.taken()) == ALL_OF_ONE
    assert bench.turns.next_look() == math.inf  # until one of them ends


def test_no_number_of_hanging_routes_takes_the_first_pair_or_the_first_page_from_another() -> None:
    names = [f"route {number}" for number in range(100)]
    bench = Bench(*names, "late")
    for name in names:
        bench.put(name, 40)
    hanging = Counter(routes_of(bench.taken()))
    assert min(hanging.values()) >= 1
    assert max(hanging.values()) <= WORKERS
    assert hanging.total() <= ALL_WORKERS + len(names)
    bench.put("late", 3)
    assert routes_of(bench.taken()) == ["late"]
    for name in names:
        bench.put(name, 40, Priority.PAGE)
    pages = Counter(routes_of(bench.taken()))
    assert min(pages.values()) >= 1
    assert pages.total() <= ALL_PAGE_WORKERS + len(names)
    bench.put("late", 3, Priority.PAGE)
    assert routes_of(bench.taken()) == ["late"]


def test_of_twenty_routes_ten_go_on_while_the_reads_of_the_others_hang() -> None:
    names = [f"route {number}" for number in range(20)]
    hanging, well = names[:10], names[10:]
    bench = Bench(*names)
    for name in names:
        bench.put(name, 50)
    done: Counter[str] = Counter()
    while turn := bench.take():
        if turn.route.name in well:
            done[turn.route.name] += 1
            bench.end(turn)
    assert done == dict.fromkeys(well, 50)
    assert {bench.routes[name].in_work for name in hanging} == {WORKERS}


def test_idle_routes_cost_nothing_until_their_queue_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[WorkQueue] = []
    until_lease = WorkQueue.until_lease

    def counted(queue: WorkQueue, *, pages_only: bool) -> float:
        asked.append(queue)
        return until_lease(queue, pages_only=pages_only)

    monkeypatch.setattr(WorkQueue, "until_lease", counted)
    bench = Bench("busy", *(f"idle {number}" for number in range(100)))
    assert bench.take() is None
    assert bench.turns.next_look() == math.inf
    asked.clear()
    for _ in range(20):
        bench.put("busy")
        for turn in bench.taken():
            bench.end(turn)
    assert set(asked) == {bench.queues["busy"]}
    bench.put("idle 7", after=5.0)
    assert bench.take() is None
    assert bench.turns.next_look() == bench.clock.monotonic() + 5.0


def test_a_route_without_the_lead_is_looked_at_again_only_while_it_has_work() -> None:
    bench = Bench("a")
    bench.leads = False
    assert (bench.take(), bench.turns.next_look()) == (None, math.inf)
    bench.put("a")
    assert (bench.take(), bench.turns.next_look()) == (None, bench.clock.monotonic() + WITHOUT_LEAD)
    bench.leads = True
    bench.clock.wait(WITHOUT_LEAD)
    assert routes_of(bench.taken()) == ["a"]


def test_a_paused_route_stops_no_other() -> None:
    bench = Bench("a", "b")
    bench.put("a", 2)
    bench.put("b", 2)
    bench.turns.pause(bench.routes["a"], bench.clock.monotonic() + 1.0)
    assert routes_of(bench.taken()) == ["b", "b"]
    assert bench.turns.next_look() == bench.clock.monotonic() + 1.0
    bench.put("a", after=0.5)
    assert bench.take() is None
    bench.clock.wait(1.0)
    assert len(bench.taken()) == 2


def test_a_defect_of_one_route_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(defects, "_LOGGED", set())
    monkeypatch.setattr(defects.log, "error", lambda words, **_: said.append(words))
    bench = Bench("a", "b")
    bench.put("a")
    bench.put("b")
    bench.routes["a"].may_work = lambda: bool(1 // 0)
    assert routes_of(bench.taken()) == ["b"]
    assert "about route a" in said[0]


def test_a_parked_pair_is_taken_soon_after_its_circuit_breaker_lets_it_through() -> None:
    bench = Bench("a")
    bench.breakers["a"].failed(Side.ALERTS, "x", NotExecuted("no connection"))
    bench.put("a")
    (turn,) = bench.taken()
    bench.queues["a"].park(turn.item, frozenset({Hold.READ_ALERTS}))
    bench.turns.ended(turn)
    assert bench.take() is None
    waited = 0.0
    while not (found := bench.taken()):
        wait = bench.turns.next_look() - bench.clock.monotonic()
        assert 0 < wait <= PARKED
        bench.clock.wait(wait)
        waited += wait
    assert routes_of(found) == ["a"]
    assert waited <= 1.0 + 2 * PARKED


def test_a_removed_route_has_no_further_turn_and_its_pairs_in_work_are_known() -> None:
    bench = Bench("a", "b")
    bench.put("a", 3)
    turns = bench.taken(2)
    assert bench.turns.remove("a") is bench.routes["a"]
    assert bench.turns.remove("a") is None
    before = bench.changes
    bench.put("a", 5)
    assert (bench.take(), bench.changes) == (None, before)
    assert bench.routes["a"].in_work == 2
    for turn in turns:
        bench.end(turn)
    assert bench.routes["a"].in_work == 0


def test_a_name_is_given_once() -> None:
    bench = Bench("a")
    with pytest.raises(ValueError, match="has a route a already"):
        bench.turns.add(bench.routes["a"])
