"""Routes on one key: their readers, their groups, and the requests that they make together."""

import math
from types import SimpleNamespace
from typing import Any

import pytest

from reconciler.core.routing import LONGEST_QUERY, Member
from reconciler.errors import Missing
from tests.support.shared_key import (
    ALL,
    SA,
    SB,
    A,
    B,
    C,
    key_of,
    routes,
)


@pytest.mark.parametrize("count", [1, 2, 10, 100])
def test_an_idle_cycle_is_one_list_whatever_the_number_of_routes(count: int) -> None:
    key = key_of(*routes(count))
    for number in range(count):
        key.account.raise_alert(f"t{number}", age=600 + 60 * number)
    key.cycle()
    key.cycle()
    assert [len(key.cycle()) for _ in range(30)] == [1] * 30


def test_a_list_that_does_not_fit_into_an_address_becomes_several() -> None:
    members = [Member(f"r{number}", f"tag: {'x' * 100}{number}") for number in range(150)]
    assert sum(len(member.query) for member in members) > 2 * LONGEST_QUERY
    key = key_of(*members)
    key.cycle()
    assert len(key.cycle()) == 3
    made = key.account.raise_alert(f"{'x' * 100}149")
    requests = key.cycle()
    assert key.of(made) == ["r149"]
    assert len(requests) <= 3 + 2 * math.ceil(math.log2(150)) + 3


def test_a_catch_all_route_needs_no_query_for_the_list() -> None:
    key = key_of(*routes(50), ALL)
    key.cycle()
    (request,) = key.cycle()
    assert request.query == ""


def test_members_that_change_take_effect_with_the_next_poll() -> None:
    key = key_of(A, B)
    key.cycle()
    key.use([C, B])
    made = key.account.raise_alert("B", "C"), key.account.raise_alert("A")
    key.cycle()
    assert key.of(made[0]) == ["C"]
    assert key.of(made[1]) == []
    key.use([A, B, C])
    key.cycle()
    assert key.of(made[1]) == ["A"]
    assert key.of(made[0]) == ["C"]


@pytest.mark.parametrize(
    ("method", "given"),
    [("alert", ("a",)), ("notes", ("a", None)), ("acts", ("a",)), ("request_status", ("r",)), ("confirm_key", ())],
)
def test_what_concerns_one_alert_is_read_by_the_routes_own_reader(method: str, given: tuple[object, ...]) -> None:
    key = key_of(A, B)
    asked: list[tuple[object, ...]] = []
    key.readers["A"]._own = SimpleNamespace(**{method: lambda *these: asked.append(these)})
    getattr(key.readers["A"], method)(*given)
    assert asked == [given]


def test_recent_alerts_are_those_of_the_routes_query_whosever_they_are() -> None:
    key = key_of(A, B)
    made = key.account.raise_alert("A", "B")
    key.cycle()
    assert [row.id for row in key.readers["B"].recent_alerts(None)] == [made]


def test_an_alert_is_elsewhere_if_another_route_has_it_or_gets_it_and_this_one_does_not() -> None:
    key = key_of(A, B, SA, SB)
    account = key.account
    held, theirs, ours, nobodys = (account.raise_alert(*tags) for tags in ("A", "A", "B", ""))
    shared = account.raise_alert("SA", "SB")
    key.taken["A"] = [held]
    known = {row.id: row for row in account.reader_for("").recent_alerts(None)}

    def alert(alert_id: str) -> Any:
        if alert_id not in known:
            raise Missing("404")
        return known[alert_id]

    own = SimpleNamespace(alert=alert)
    everything = [held, theirs, ours, nobodys, shared, "unknown"]
    assert key.shared.elsewhere("B", own, everything) == {held, theirs, shared}
    assert key.shared.elsewhere("SB", own, everything) == {held, theirs, ours}


def test_a_route_that_is_no_member_any_more_lists_its_own_alerts() -> None:
    key = key_of(A, B)
    made = key.account.raise_alert("A", "B")
    removed = key.readers["B"]
    key.use([A])
    assert [row.id for row in removed.changes(key.account.clock.start, None).rows] == [made]
    assert [row.id for row in removed.open_alerts_page(0)[0]] == [made]


def test_a_member_that_comes_counts_for_lists_that_go_on() -> None:
    key = key_of(A, B)
    key.cycle()
    key.use([Member("C", "tag: C", is_polled=False), A, B])
    made = key.account.raise_alert("B", "C")
    key.cycle()
    assert key.of(made) == []
