"""How many requests it takes to find out which routes an alert matches."""

import math
from dataclasses import replace

import pytest

from reconciler.core.routing import Member
from reconciler.errors import Permanent
from reconciler.sources.member_search import BATCH
from reconciler.sources.shared_lists import MOST_ASKED
from reconciler.vendors.call_context import CallPriority
from tests.support.shared_key import (
    INTERVAL,
    SWEEP,
    A,
    B,
    C,
    key_of,
    lists,
    routes,
)


@pytest.mark.parametrize("count", [1, 2, 3, 10, 100])
def test_a_new_alert_costs_one_request_for_each_halving_and_one_to_confirm(count: int) -> None:
    for place in {0, count // 2, count - 1}:
        key = key_of(*routes(count))
        key.cycle()
        made = key.account.raise_alert(f"t{place}")
        requests = key.cycle()
        assert key.of(made) == [f"r{place}"]
        most = math.ceil(math.log2(count)) + (count > 1)
        assert lists(requests) == 1
        assert len(requests) - 1 <= most
        assert {request.priority for request in requests if not request.is_list} <= {CallPriority.PAGE}
        key.account.touch(made)
        assert len(key.cycle()) == 1, "a known alert costs nothing"


def test_a_storm_on_one_of_many_routes_costs_about_two_requests_for_twenty_alerts() -> None:
    key = key_of(*routes(100))
    key.cycle()
    made = [key.account.raise_alert("t70") for _ in range(1_000)]
    before = len(key.account.requests)
    key.woken.clear()
    key.poll("r70")
    assert len(key.taken["r70"]) == MOST_ASKED, "the first ones page before the last ones are decided"
    while "r70" in key.woken:
        key.woken.clear()
        key.poll("r70")
    requests = key.account.requests[before:]
    assert sorted(key.taken["r70"]) == sorted(made)
    assert lists(requests) == 1 + 1_000 // 100
    assert len(requests) - lists(requests) <= 2 * math.ceil(1_000 / BATCH) + 10


def test_a_refused_query_stops_its_own_route_and_no_other() -> None:
    key = key_of(A, Member("bad", "tag: bad"), C)
    key.account.refused = {"tag: bad"}
    made = key.account.raise_alert("C")
    key.poll("A")
    with pytest.raises(Permanent):
        key.poll("bad")
    key.poll("C")
    assert key.of(made) == ["C"]
    key.account.clock.advance(INTERVAL)
    before = len(key.account.requests)
    for name in ("A", "C"):
        key.poll(name)
    with pytest.raises(Permanent):
        key.poll("bad")
    assert len(key.account.requests) - before == 1, "it is not asked again with every poll"
    key.account.refused = set()
    key.account.clock.advance(SWEEP)
    theirs = key.account.raise_alert("bad")
    key.cycle()
    key.cycle()
    assert key.of(theirs) == ["bad"]


def test_a_refused_query_of_another_process_stops_no_decision() -> None:
    key = key_of(Member("bad", "tag: bad", is_polled=False), A, B)
    key.account.refused = {"tag: bad"}
    made = key.account.raise_alert("B")
    key.cycle()
    assert key.of(made) == ["B"]


def test_a_query_that_is_not_closed_is_listed_alone() -> None:
    odd = Member("odd", 'tag: "odd')
    key = key_of(A, odd, B)
    made = key.account.raise_alert("B")
    key.poll("A")
    key.poll("B")
    assert key.of(made) == ["B"]
    assert not any("odd" in request.query for request in key.account.requests)


def test_in_a_storm_too_the_first_match_gets_an_alert() -> None:
    key = key_of(A, B, C)
    key.cycle()
    theirs = [key.account.raise_alert("B") for _ in range(2 * BATCH)]
    key.account.clock.advance(1)
    first = [key.account.raise_alert("A", "B") for _ in range(BATCH)]
    key.cycle()
    assert sorted(key.taken["B"]) == sorted(theirs)
    assert sorted(key.taken["A"]) == sorted(first)


def test_a_query_that_is_not_closed_is_asked_for_no_alert_and_its_own_list_is_enough() -> None:
    odd = Member("odd", 'message: "a) b("')
    key = key_of(A, Member("other", "(tag: x"), odd)
    made = key.account.raise_alert("A")
    for name in ("A", "odd"):
        key.poll(name)
    assert key.of(made) == ["A"]
    assert not any("(tag: x" in request.query for request in key.account.requests)


def test_the_only_route_that_is_polled_here_asks_once_whether_an_alert_is_an_earlier_ones() -> None:
    *elsewhere, last = routes(64)
    key = key_of(*(replace(member, is_polled=False) for member in elsewhere), last)
    key.cycle()
    made = key.account.raise_alert("t63")
    assert len(key.cycle()) == 2
    assert key.of(made) == ["r63"]
