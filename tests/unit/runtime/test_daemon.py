"""The routes of one process: how they begin, end and change, and who leads them. None is at another's mercy."""

import logging
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from reconciler.observability import defects
from reconciler.routes import Route, Routes
from reconciler.runtime import daemon as daemon_module
from reconciler.runtime.daemon import DRAINED, SHARES, Daemon
from reconciler.runtime.pod_shares import Change
from reconciler.runtime.route_jobs import LEADERSHIP, REQUESTS
from reconciler.store.database import Database, DatabaseDown
from tests.support.clock import SimClock
from tests.support.in_process import settings


class Jobs:
    """A route's jobs that note what is asked of them. `left` is what is left to do while it is drained."""

    def __init__(self, bench: "Bench", route: Route) -> None:
        self.bench = bench
        self.name = route.name
        self.query = route.settings.opsgenie_query
        self.leadership = SimpleNamespace(leads=False)
        self.schedule = SimpleNamespace(soon=lambda name: self._note(f"soon {name}"))
        self.left_to_do: int | None = 0
        self.is_paused = False
        self.turns = 0

    def _note(self, what: str) -> None:
        self.bench.noted.append(f"{self.name} {what}")

    def begin(self, _pool: object) -> None:
        self._note("begins")
        self.bench.begun(self.name)

    def requested(self) -> None:
        self._note("is asked")

    def hand_over(self) -> None:
        self._note("hands over")

    def retire(self) -> None:
        self._note("retires")

    def left(self) -> int | None:
        return self.left_to_do

    def cease(self) -> None:
        self._note("ceases")

    def drain(self) -> None:
        self._note("drains")

    def leave(self, _pool: object, _within: float) -> None:
        self._note("leaves")
        self.leadership.leads = False

    def end(self) -> None:
        self._note("ends")

    def turned(self) -> None:
        self.turns += 1


class Shares:
    """Shares that change as the test says."""

    beat_every = 2.5

    def __init__(self) -> None:
        self.known: list[str] = []
        self.change = Change()
        self.handed: frozenset[str] = frozenset()
        self.released: list[str] = []
        self.error: Exception | None = None
        self.pods: tuple[object, ...] = ()
        self.is_closed = False

    def know(self, routes: Collection[str]) -> None:
        self.known = list(routes)

    def beat(self) -> Change:
        if self.error is not None:
            raise self.error
        return self.change

    def to_hand_over(self) -> frozenset[str]:
        return self.handed

    def lock(self, route: str) -> Any:
        return SimpleNamespace(release=lambda: self.released.append(route))

    def close(self) -> None:
        self.is_closed = True


class Schedule:
    """Jobs that the test runs."""

    def __init__(self) -> None:
        self.jobs: dict[str, Callable[[], None]] = {}
        self.ended = True
        self.turns = 0

    def every(self, name: str, _seconds: object, run: Callable[[], None]) -> None:
        self.jobs[name] = run

    def start(self) -> None:
        """Nothing runs by itself."""

    def turn(self) -> None:
        self.turns += 1

    def stop(self, _within: float) -> bool:
        return self.ended


class Bench:
    """A daemon of several routes. `noted` is what was asked of which route, `shared` who shares what.

    `made` is called whenever a route is made, `begun` when one has begun; `told_of` are the routes that share.
    """

    def __init__(self, *routes: Route) -> None:
        self.noted: list[str] = []
        self.shared: list[tuple[list[str], frozenset[str]]] = []
        self.told_of: list[tuple[Route, ...]] = []
        self.unmakeable: set[str] = set()
        self.made: Callable[[], None] = lambda: None
        self.begun: Callable[[str], None] = lambda _name: None
        self.shares, self.schedule, self.clock = Shares(), Schedule(), SimClock()
        database: Any = SimpleNamespace(route="", close=lambda: None, for_route=lambda name: name)
        self.more: Callable[[], None] = lambda: None
        self.stopped = 0
        self.daemon = Daemon(
            database,
            self.clock,
            cast("Any", self.schedule),
            cast("Any", SimpleNamespace(start=lambda: None, stop=lambda _within: True)),
            cast("Any", self.shares),
            cast("Any", self._make),
            of(*routes),
            self._stop,
            lambda: {"routes": len(routes)},
            self._share,
            {"more": (1.0, self._more)},
        )

    def _make(self, route: Route) -> Jobs:
        if route.name in self.unmakeable:
            raise ValueError(route.name)
        self.made()
        return Jobs(self, route)

    def _share(self, routes: tuple[Route, ...], led: frozenset[str]) -> None:
        self.told_of.append(routes)
        self.shared.append(([route.name for route in routes], led))

    def _stop(self) -> None:
        self.stopped += 1

    def _more(self) -> None:
        self.more()

    def jobs(self, name: str) -> Jobs:
        return cast("Jobs", self.daemon.routes[name])

    def running(self) -> list[Jobs]:
        return [cast("Jobs", each) for each in self.daemon.running()]

    def lead(self, *names: str) -> None:
        for name in names:
            self.jobs(name).leadership.leads = True

    def run(self, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], object] = lambda: None) -> bool:
        """Run until `meanwhile` has been called."""
        monkeypatch.setattr(daemon_module, "check", lambda _database: None)

        def wait(turn: Callable[[], None]) -> None:
            turn()
            meanwhile()

        return self.daemon.run(wait)

    def told(self) -> list[str]:
        """What was noted since this was last asked."""
        found = self.noted[:]
        self.noted.clear()
        return found


def route(name: str, query: str = "") -> Route:
    return Route(name, settings(opsgenie_query=query or f"tag: {name}"))


def of(*routes: Route) -> Routes:
    return Routes(routes, Path("routes.toml"))


A, B, C = route("a"), route("b"), route("c")


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(daemon_module, "asked", lambda _database: frozenset())
    monkeypatch.setattr("reconciler.runtime.retired.mark_removed", lambda _database, _now: None)
    return Bench(A, B)


# -- reload --


def test_routes_that_stay_do_not_notice_a_reload(bench: Bench) -> None:
    before = bench.jobs("a")
    bench.daemon.apply(of(C, A))
    assert bench.jobs("a") is before
    assert bench.told() == ["b retires", "c begins"]
    assert list(bench.daemon.routes) == ["c", "a"], "in the order of the file"
    assert bench.shared[-1][0] == ["c", "a"]


def test_a_changed_route_ends_before_anything_is_shared_with_its_successor(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until then its reads under way are answered as before; what is shared with its new key is kept for it."""
    before, changed = bench.jobs("b"), route("b", "tag: other")
    bench.lead("b")

    def leave(*_: object) -> None:
        before.leadership.leads = False
        bench.daemon._take_in()  # the lead has changed: it is told again who shares what
        bench.noted.append("b leaves")
        meanwhile.append(bench.told_of[-1])

    meanwhile: list[tuple[Route, ...]] = []
    monkeypatch.setattr(before, "leave", leave)
    bench.daemon.apply(of(A, changed))
    assert meanwhile == [(A, B, changed)]
    assert bench.told() == ["b ceases", "b drains", "b leaves", "b begins"]
    assert bench.told_of[-1] == (A, changed)
    assert bench.jobs("b") is not before
    assert bench.jobs("b").query == "tag: other"


def test_nobody_is_told_who_shares_what_while_routes_are_made(bench: Bench) -> None:
    """Else the key of a route that is just being made is forgotten, because no route of before uses it."""
    is_held: list[bool] = []
    bench.made = lambda: is_held.append(bench.daemon._sharing.locked())
    bench.daemon.apply(of(A, B, C))
    assert is_held == [True]


def test_a_changed_route_waits_for_no_other_ones_write(bench: Bench) -> None:
    begun = threading.Event()
    bench.jobs("b").drain = lambda: bench.noted.append(f"b drains, a has begun: {begun.wait(60)}")  # type: ignore[method-assign]
    bench.begun = lambda name: begun.set() if name == "a" else None
    former = bench.jobs("b")
    bench.daemon.apply(of(route("a", "x"), route("b", "y")))
    told = bench.told()
    assert sorted(told[:2]) == ["a ceases", "b ceases"], "all cease first"
    assert told[-3:] == ["b drains, a has begun: True", "b leaves", "b begins"]
    assert former not in bench.running()


def test_a_route_that_cannot_be_made_leaves_everything_as_it_is(bench: Bench) -> None:
    before = dict(bench.daemon.routes)
    shared = bench.shared[:]
    bench.unmakeable.add("c")
    for _ in range(2):
        with pytest.raises(ValueError, match="c"):
            bench.daemon.apply(of(route("a", "tag: changed"), C))
    assert (bench.daemon.routes, bench.told(), bench.shared) == (before, [], shared)
    bench.unmakeable.clear()
    bench.daemon.apply(of(route("a", "tag: changed"), C))
    assert [*bench.daemon.routes] == ["a", "c"]
    assert "b retires" in bench.told()


def test_a_route_that_is_added_again_while_it_is_drained_ends_first(bench: Bench) -> None:
    former = bench.jobs("b")
    former.left_to_do = 1
    bench.daemon.apply(of(A))
    bench.daemon._look_at_drained()
    assert bench.running() == [bench.jobs("a"), former]
    bench.told()
    bench.daemon.apply(of(A, B))
    assert bench.told() == ["b ceases", "b drains", "b leaves", "b begins"]
    bench.daemon._look_at_drained()
    assert bench.told() == []
    assert bench.running() == [bench.jobs("a"), bench.jobs("b")]


def test_nothing_is_applied_once_the_process_is_to_stop(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.run(monkeypatch)
    bench.told()
    bench.daemon.apply(of(C))
    assert (bench.told(), [*bench.daemon.routes]) == ([], ["a", "b"])


# -- the lead --


def test_each_beat_names_the_routes_of_the_file(bench: Bench) -> None:
    bench.daemon._beat()
    assert bench.shares.known == ["a", "b"]
    bench.jobs("b").left_to_do = 1
    bench.daemon.apply(of(A, C))
    bench.daemon._beat()
    assert bench.shares.known == ["a", "c"]


def test_a_route_that_is_added_again_is_named_from_then_on_also_while_it_ends_as_it_was(bench: Bench) -> None:
    """Else a beat takes it for one that has ended, and releases the lock of its writes in flight."""
    former = bench.jobs("b")
    former.left_to_do = 1
    bench.daemon.apply(of(A))
    bench.shares.handed = frozenset("b")
    former.drain = bench.daemon._beat  # type: ignore[method-assign]
    bench.daemon.apply(of(A, B))
    assert (bench.shares.known, bench.shares.released) == (["a", "b"], [])


def test_a_beat_waits_for_no_route(bench: Bench) -> None:
    bench.shares.change = Change(frozenset("a"), frozenset("b"))
    bench.shares.handed = frozenset("b")
    bench.daemon._beat()
    assert sorted(bench.told()) == [f"a soon {LEADERSHIP}", "b hands over", f"b soon {LEADERSHIP}"]


def test_the_lock_of_a_route_that_has_ended_is_released(bench: Bench) -> None:
    bench.shares.handed = frozenset({"gone"})
    bench.daemon._beat()
    assert bench.shares.released == ["gone"]


def test_a_drained_route_keeps_its_lock_until_it_has_ended(bench: Bench) -> None:
    former = bench.jobs("b")
    former.left_to_do = 1
    bench.daemon.apply(of(A))
    bench.told()
    bench.shares.handed = frozenset("b")
    bench.daemon._beat()
    assert (bench.told(), bench.shares.released) == ([], [])
    former.left_to_do = 0
    bench.daemon._look_at_drained()
    bench.daemon._beat()
    assert bench.shares.released == ["b"]


def test_keys_are_shared_among_the_routes_that_are_led_as_soon_as_they_are(bench: Bench) -> None:
    assert bench.shared == [(["a", "b"], frozenset())]
    bench.lead("a")
    bench.daemon._take_in()
    bench.daemon._take_in()
    bench.lead("b")
    bench.daemon._beat()
    assert bench.shared[1:] == [(["a", "b"], frozenset("a")), (["a", "b"], frozenset("ab"))]


def test_a_change_of_what_is_led_is_told_once(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    bench.lead("a")
    bench.shares.pods = ("us", "them")
    for _ in range(2):
        bench.daemon._beat()
    (line,) = [record.msg for record in caplog.records]
    assert isinstance(line, dict)
    assert (line["event"], line["routes"], line["of"], line["pods"]) == ("routes led", 1, 2, 2)


def test_each_route_looks_at_its_lead_after_a_beat_that_fails(bench: Bench) -> None:
    bench.shares.error = DatabaseDown("away")
    bench.daemon._beat()
    assert bench.told() == [f"a soon {LEADERSHIP}", f"b soon {LEADERSHIP}"]


# -- what operators ask --


def test_only_routes_look_that_are_asked_or_paused_as_far_as_they_know(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[frozenset[str]] = [frozenset({"a", "elsewhere"}), frozenset(), frozenset()]
    monkeypatch.setattr(daemon_module, "asked", lambda _database: asked.pop(0))
    bench.lead("a", "b")
    for is_paused, expected in ((False, ["a is asked"]), (True, ["b is asked"]), (False, [])):
        bench.jobs("b").is_paused = is_paused
        bench.daemon._take_in()
        assert bench.told() == expected


def test_nothing_is_looked_for_where_nothing_is_led(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(_database: Database) -> frozenset[str]:
        raise AssertionError

    monkeypatch.setattr(daemon_module, "asked", never)
    bench.daemon._take_in()


def test_the_end_of_a_pause_reaches_a_drained_route(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon_module, "asked", lambda _database: frozenset("b"))
    bench.lead("b")
    bench.jobs("b").left_to_do = 1
    bench.daemon.apply(of(A))
    bench.told()
    bench.daemon._take_in()
    assert bench.told() == ["b is asked"]


# -- the process --


def test_the_process_runs_its_jobs_and_ends_every_route(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bench.run(monkeypatch)
    assert [*bench.schedule.jobs] == [SHARES, REQUESTS, DRAINED, "more"]
    assert bench.told() == [
        "a begins", "b begins", "a ceases", "b ceases", "a drains", "b drains", "a ends", "b ends",
    ]  # fmt: skip
    assert (bench.stopped, bench.shares.is_closed, bench.jobs("a").turns, bench.schedule.turns) == (1, True, 1, 1)


def test_a_read_that_hangs_is_left_behind_and_drained_routes_end_with_the_process(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.schedule.ended = False
    bench.jobs("b").left_to_do = 1
    assert not bench.run(monkeypatch, lambda: bench.daemon.apply(of(A)))
    assert bench.told()[-4:] == ["a ceases", "b ceases", "a drains", "b drains"]


def test_a_database_that_is_away_at_the_start_is_waited_for(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_database: Database) -> None:
        raise DatabaseDown("away")

    bench.shares.error = DatabaseDown("away")
    monkeypatch.setattr(daemon_module, "check", away)
    assert bench.daemon.run(lambda turn: turn())
    assert bench.told()[2:4] == ["a begins", "b begins"]


def test_an_error_of_a_job_is_told_once_and_ends_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(defects, "_LOGGED", set())

    def fail() -> None:
        raise ValueError

    def away() -> None:
        raise DatabaseDown("away")

    bench.run(monkeypatch)
    for bench.more in (fail, away, fail):
        bench.schedule.jobs["more"]()
    (line,) = [record.msg for record in caplog.records if record.levelno == logging.ERROR]
    assert isinstance(line, dict)
    assert line["event"].startswith("ValueError in ")
    assert ", about more: " in line["event"]
