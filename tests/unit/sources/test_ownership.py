"""Whose an alert is, and for how long that is remembered."""

from collections.abc import Sequence

import pytest

from reconciler.core.model import Alert
from reconciler.core.routing import Member
from reconciler.errors import ReconcilerError, Unknown
from reconciler.sources.member_search import RefusedQueries
from reconciler.sources.ownership import REMEMBERED_FOR, TAKEN_WITHIN, UNDECIDED_FOR, Ownership, Recipients
from reconciler.vendors.opsgenie.search import SEARCH
from tests.support.shared_key import Account, converted

A, B, C = (Member(name, f"tag: {name}", is_shared=name != "c") for name in "abc")


class Bench:
    """Three members, the first two of which share."""

    def __init__(self) -> None:
        self.account = Account()
        refused = RefusedQueries(self.account.reader_for, self.account.clock, 300.0)
        self.ownership = Ownership((A, B, C), self.account.reader_for, SEARCH, refused, self.account.clock)

    def row(self, *tags: str) -> Alert:
        """The row of a new alert with these tags."""
        return self.present(self.account.raise_alert(*tags))

    def present(self, alert_id: str) -> Alert:
        stored = self.account.alerts.get(alert_id)
        assert stored is not None
        return converted(stored.now)

    def asks(self, after: float = 0.0) -> bool:
        """Whether anything has been asked since this was last called; then lets time pass."""
        found = bool(self.account.requests)
        self.account.requests.clear()
        self.account.clock.advance(after)
        return found


def test_an_alert_of_several_goes_to_all_that_share_and_else_to_the_first() -> None:
    bench = Bench()
    rows = [bench.row("a", "b", "c"), bench.row("b", "c"), bench.row("c"), bench.row("nobody")]
    found = bench.ownership.of_unknown(rows, ())
    assert [found.get(row.id) for row in rows] == [("a", "b"), ("b",), ("c",), None]


def test_a_decision_is_remembered_until_somebody_must_have_taken_the_alert_in() -> None:
    bench = Bench()
    row = bench.row("b")
    for after, asks in ((TAKEN_WITHIN - 1, True), (2.0, False), (0.0, True)):
        assert bench.ownership.of_unknown([row], ()) == {row.id: ("b",)}
        assert bench.asks(after) is asks


def test_an_alert_that_the_search_does_not_find_is_left_to_each_list_after_a_while() -> None:
    bench = Bench()
    row = bench.row("b")
    bench.account.blind = "alertId"
    assert bench.ownership.of_unknown([row], ()) == {}
    bench.account.clock.advance(UNDECIDED_FOR)
    assert bench.ownership.of_unknown([row], ()) == {row.id: ("b",)}


def decided(bench: Bench, kind: str, rows: Sequence[Alert]) -> Recipients:
    """Who gets these alerts, asked in one of the three ways."""
    if kind == "unknown":
        return bench.ownership.of_unknown(rows, ())
    if kind == "listed":
        return bench.ownership.of_listed(B, rows, {})
    return bench.ownership.of_shared(rows, {row.id: {"b"} for row in rows})


@pytest.mark.parametrize("kind", ["unknown", "listed", "shared"])
def test_an_alert_that_the_search_fails_to_decide_is_left_to_each_list_after_a_while(kind: str) -> None:
    bench = Bench()
    row = bench.row("a", "b")
    bench.account.failure, bench.account.failing = Unknown("503"), "alertId"
    with pytest.raises(Unknown):
        decided(bench, kind, [row])
    bench.account.clock.advance(UNDECIDED_FOR)
    later = bench.row("b")
    found = decided(bench, kind, [row, later])
    assert {alert_id: set(names) for alert_id, names in found.items()} == {row.id: {"a", "b"}}
    bench.account.failing = ""
    bench.account.clock.advance(UNDECIDED_FOR)
    with pytest.raises(Unknown):
        decided(bench, kind, [later])


def test_while_the_search_fails_a_route_takes_nothing_that_another_has() -> None:
    bench = Bench()
    row, taken = bench.row("b"), bench.row("a", "b")
    bench.account.failure, bench.account.failing = Unknown("503"), "alertId"
    for _ in range(2):
        with pytest.raises(ReconcilerError):
            bench.ownership.of_listed(B, [taken], {taken.id: {"a"}})
        bench.account.clock.advance(UNDECIDED_FOR)
    with pytest.raises(ReconcilerError):
        bench.ownership.of_listed(B, [row, taken], {taken.id: {"a"}})
    bench.account.clock.advance(UNDECIDED_FOR)
    assert bench.ownership.of_listed(B, [row, taken], {taken.id: {"a"}}) == {row.id: ("b",)}


def test_another_route_that_shares_gets_what_one_has_taken_in() -> None:
    bench = Bench()
    row = bench.row("a", "b")
    holders = {row.id: {"a"}}
    assert set(bench.ownership.of_shared([row], holders)[row.id]) == {"a", "b"}
    bench.asks()
    bench.ownership.of_shared([row], holders)
    assert not bench.asks(REMEMBERED_FOR)
    bench.ownership.of_shared([row], holders)
    assert bench.asks()


def test_a_listed_alert_that_another_has_is_not_taken_while_that_ones_query_shows_it() -> None:
    bench = Bench()
    row = bench.row("a", "c")
    holders = {row.id: {"a"}}
    assert "c" not in bench.ownership.of_listed(C, [row], holders)[row.id]
    bench.account.clock.advance(1)
    bench.account.tag(row.id, "c")
    assert "c" in bench.ownership.of_listed(C, [bench.present(row.id)], holders)[row.id]
