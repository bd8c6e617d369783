"""Routes on one JSM key: what the looks at the open alerts show and no longer show, for each route by itself."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from reconciler.core.model import Alert
from reconciler.core.routing import Member
from reconciler.errors import Unknown
from reconciler.sources.shared_alerts import SharedAlerts
from reconciler.sources.shared_lists import REMEMBERED_LOOKS
from reconciler.vendors.jsm.search import SEARCH
from reconciler.vendors.ports import AlertNews
from tests.support.builders import alert, at
from tests.support.clock import SimClock

A, B = Member("A", "tag: A"), Member("B", "tag: B")
INTERVAL = 10.0


@dataclass
class Site:
    """JSM as its client shows it: the open alerts, and what left them since the last look."""

    clock: SimClock = field(default_factory=lambda: SimClock(3600.0))
    opened: dict[str, str] = field(default_factory=dict)
    looks: int = 0
    is_whole: bool = True
    problem: Unknown | None = None
    queries: list[str] = field(default_factory=list)

    def reader_for(self, query: str) -> Any:
        return Reader(self, query)

    def rows(self, query: str) -> list[Alert]:
        self.queries.append(query)
        return [self.row(each, tag) for each, tag in self.opened.items() if f"tag: {tag}" in query]

    def row(self, alert_id: str, tag: str) -> Alert:
        return alert(id=alert_id, tags=(tag,), created_at=at(int(alert_id)), updated_at=at(int(alert_id)))


@dataclass(frozen=True)
class Reader:
    """The lists of one query; `seen` are the ids of the last look."""

    site: Site
    query: str

    def changes(self, _since: datetime, seen: object | None) -> AlertNews:
        rows = tuple(self.site.rows(self.query))
        newest = max((row.created_at for row in rows), default=None)
        if self.site.problem is not None:
            return AlertNews(rows, newest, seen=seen, problem=self.site.problem)
        self.site.looks += 1
        ids = frozenset(row.id for row in rows)
        before = seen if isinstance(seen, frozenset) else None
        absent = frozenset() if before is None else before - ids
        return AlertNews(rows, newest, absent, before is not None and self.site.is_whole, ids)

    def recent_alerts(self, _since: datetime | None) -> list[Alert]:
        return self.site.rows(self.query)


class Routes:
    """Two routes that have taken in all that is theirs."""

    def __init__(self) -> None:
        self.site = Site(opened={"1": "A", "2": "B", "3": "A"})
        self.shared = SharedAlerts(
            self.site.reader_for,
            lambda ids: {each: frozenset({self.site.opened.get(each, "A")}) for each in ids},
            SEARCH,
            self.site.clock,
            fresh_for=INTERVAL,
            retry=300.0,
        )
        self.shared.set_members([A, B])
        self.readers = {each.name: self.shared.reader(each.name, each.query) for each in (A, B)}
        self.seen: dict[str, object | None] = {"A": None, "B": None}

    def poll(self, name: str, *, stored: bool = True) -> AlertNews:
        """One poll. `stored`: the feed has stored what it found."""
        news = self.readers[name].changes(at(0), self.seen[name])
        if stored and news.problem is None:
            self.seen[name] = news.seen
        return news

    def cycle(self) -> dict[str, AlertNews]:
        found = {name: self.poll(name) for name in "AB"}
        self.site.clock.advance(INTERVAL)
        return found


@pytest.fixture
def both() -> Routes:
    made = Routes()
    first = made.cycle()
    assert [news.is_whole for news in first.values()] == [False, False], "nothing is known without an earlier look"
    return made


def test_what_a_look_no_longer_shows_is_absent_for_every_route_once(both: Routes) -> None:
    del both.site.opened["1"]
    found = both.cycle()
    assert [news.absent for news in found.values()] == [{"1"}, {"1"}]
    assert [row.id for row in found["A"].rows] == ["3"]
    assert [row.id for row in found["B"].rows] == ["2"]
    assert all(news.is_whole for news in found.values())
    assert [news.absent for news in both.cycle().values()] == [frozenset(), frozenset()]
    assert both.site.looks == 3


def test_a_route_that_missed_looks_gets_what_was_absent_in_any_of_them(both: Routes) -> None:
    del both.site.opened["1"]
    both.poll("A")
    both.site.clock.advance(INTERVAL)
    del both.site.opened["3"]
    assert both.poll("A").absent == {"3"}
    both.site.opened["1"] = "A"
    both.site.clock.advance(INTERVAL)
    assert both.poll("B").absent == {"3"}, "the other one is listed again"


def test_what_was_not_stored_is_told_again(both: Routes) -> None:
    del both.site.opened["2"]
    assert both.poll("B", stored=False).absent == {"2"}
    both.site.clock.advance(INTERVAL)
    assert both.poll("B").absent == {"2"}
    both.site.clock.advance(INTERVAL)
    assert both.poll("B").absent == frozenset()


def test_a_look_that_is_not_whole_is_so_for_every_route_that_has_not_had_it(both: Routes) -> None:
    both.site.is_whole = False
    assert not both.poll("A").is_whole
    both.site.is_whole = True
    both.site.clock.advance(INTERVAL)
    assert both.poll("A").is_whole
    assert not both.poll("B").is_whole


def test_a_route_that_missed_more_looks_than_are_remembered_lists_everything(both: Routes) -> None:
    for _ in range(REMEMBERED_LOOKS + 1):
        both.poll("A")
        both.site.clock.advance(INTERVAL)
    assert not both.poll("B").is_whole


def test_a_part_of_a_look_moves_nothing_on(both: Routes) -> None:
    both.site.problem = Unknown("503")
    both.site.opened["9"] = "B"
    news = both.poll("B")
    assert (news.problem, {row.id for row in news.rows}) == (both.site.problem, {"2", "9"})
    both.site.problem = None
    del both.site.opened["2"]
    both.site.clock.advance(INTERVAL)
    assert both.poll("B").absent == {"2"}


def test_members_that_come_and_go_leave_a_look_unknown(both: Routes) -> None:
    both.shared.set_members([A, B, Member("C", "tag: C")])
    assert not both.poll("A").is_whole
    both.shared.set_members([A, B, Member("C", "tag: C"), Member("D", "tag: D", is_polled=False)])
    both.site.clock.advance(INTERVAL)
    assert both.poll("A").is_whole, "the list of those that stay together goes on"


def test_an_alert_is_found_by_the_time_of_its_creation() -> None:
    moment = at(1.5)
    exact, whole = (SEARCH.term(alert(created_at=each)) for each in (moment, at(1)))
    ms = int(moment.timestamp() * 1000)
    assert exact == f"(createdAt>={ms} AND createdAt<={ms})"
    assert whole == f"(createdAt>={ms - 500} AND createdAt<={ms + 499})"
    assert SEARCH.stamp(alert(created_at=at(1), updated_at=at(9))) == at(1)
