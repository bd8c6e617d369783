"""Routes that were removed: each ends once its work is done, whatever another one meets."""

import logging
import threading
from types import SimpleNamespace
from typing import Any, cast

import pytest

from reconciler.observability import defects
from reconciler.runtime import retired as retired_module
from reconciler.runtime.retired import DRAINED_FOR, Retired
from reconciler.store.database import DatabaseDown
from tests.support.clock import SimClock


class Jobs:
    """A removed route. `left_to_do` is raised if it is an error."""

    def __init__(self, name: str, left_to_do: int | Exception | None, *, leads: bool = True) -> None:
        self.name = name
        self.left_to_do = left_to_do
        self.leadership = SimpleNamespace(leads=leads)
        self.told: list[str] = []

    def retire(self) -> None:
        self.told.append("retires")

    def left(self) -> int | None:
        if isinstance(self.left_to_do, Exception):
            raise self.left_to_do
        return self.left_to_do

    def cease(self) -> None:
        self.told.append("ceases")

    def drain(self) -> None:
        self.told.append("drains")

    def leave(self, _pool: object, _within: float) -> None:
        self.told.append("leaves")


class Bench:
    """Routes that are drained. `marked` are those that the database calls removed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = SimClock()
        self.marked: list[str] = []
        self.away = False
        database: Any = SimpleNamespace(for_route=lambda name: name)
        self.retired = Retired(database, cast("Any", None), self.clock)
        monkeypatch.setattr(retired_module, "mark_removed", self._mark)

    def _mark(self, name: str, _now: object) -> None:
        if self.away:
            raise DatabaseDown("away")
        self.marked.append(name)

    def retire(self, *routes: Jobs) -> None:
        for route in routes:
            self.retired.retire(cast("Any", route))

    def names(self) -> list[str]:
        """The routes that are still drained."""
        self.retired.look()
        return [route.name for route in self.retired.each()]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Bench:
    caplog.set_level(logging.INFO)
    return Bench(monkeypatch)


def test_a_route_ends_once_nothing_is_left(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    route = Jobs("a", 2)
    bench.retire(route)
    assert bench.names() == ["a"]
    assert (route.told, bench.marked) == (["retires"], [])
    route.left_to_do = 0
    assert bench.names() == []
    assert (route.told, bench.marked) == (["retires", "ceases", "drains", "leaves"], ["a"])
    assert "route removed: a: no write is left" in caplog.text


def test_a_route_whose_work_cannot_be_done_ends_after_a_while(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.retire(Jobs("a", 2))
    bench.clock.advance(DRAINED_FOR - 1)
    assert bench.names() == ["a"]
    bench.clock.advance(1)
    assert bench.names() == []
    assert "route removed: a: 2 writes could not be made within 300 s" in caplog.text


def test_a_route_of_which_is_not_known_what_is_left_is_waited_for(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    route = Jobs("a", None, leads=False)
    bench.retire(route)
    assert bench.names() == ["a"]
    bench.clock.advance(DRAINED_FOR)
    assert bench.names() == []
    assert bench.marked == []
    assert "route removed: a: the database was away within 300 s" in caplog.text


def test_a_route_that_another_process_leads_ends_without_a_mark(bench: Bench) -> None:
    bench.retire(Jobs("a", 0, leads=False))
    assert (bench.names(), bench.marked) == ([], [])


def test_a_database_that_is_away_when_a_route_ends_is_waited_for(bench: Bench) -> None:
    route = Jobs("a", 0)
    bench.retire(route)
    bench.away = True
    assert bench.names() == ["a"]
    assert route.told == ["retires"]
    bench.away = False
    assert bench.names() == []
    assert route.told == ["retires", "ceases", "drains", "leaves"]


def test_a_defect_of_one_route_stops_no_other(
    bench: Bench, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(defects, "_LOGGED", set())
    bench.retire(Jobs("a", ValueError("a defect")), Jobs("b", 0))
    assert bench.names() == ["a"]
    assert "about route a: " in caplog.text


def test_routes_whose_reads_hang_have_the_grace_in_common(bench: Bench) -> None:
    """So that the end of the process waits for one grace, however many routes were removed."""
    routes = [Jobs("a", 0), Jobs("b", 0)]
    both = threading.Barrier(2)
    for route in routes:
        route.leave = lambda *_: cast("None", both.wait(60))  # type: ignore[method-assign]
    bench.retire(*routes)
    assert bench.names() == []
    assert not both.broken


def test_a_defect_at_the_end_of_a_route_stops_no_other(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(defects, "_LOGGED", set())
    routes = [Jobs("a", 0), Jobs("b", 0)]

    def fail() -> None:
        raise ValueError("a defect")

    routes[0].drain = fail  # type: ignore[method-assign]
    bench.retire(*routes)
    assert bench.names() == []
    assert routes[1].told == ["retires", "ceases", "drains", "leaves"]


def test_a_route_that_is_taken_back_is_drained_no_more(bench: Bench) -> None:
    route = Jobs("a", 0)
    bench.retire(route)
    assert bench.retired.take_back("a") is cast("Any", route)
    assert bench.retired.take_back("a") is None
    assert bench.names() == []
    assert route.told == ["retires"]
