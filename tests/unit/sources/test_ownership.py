"""Which of the routes on one key gets an alert, and when it is decided anew."""

from typing import Any

import pytest

from reconciler.core.routing import Member
from reconciler.sources.ownership import TAKEN_WITHIN, UNDECIDED_FOR
from tests.support.shared_key import (
    ALL,
    INTERVAL,
    SA,
    SB,
    SC,
    SWEEP,
    A,
    B,
    C,
    key_of,
    routes,
)


@pytest.mark.parametrize(
    ("members", "tags", "expected"),
    [
        ((A, B), "AB", ["A"]),
        ((B, A), "AB", ["B"]),
        ((A, B, C), "BC", ["B"]),
        ((A, B, C), "ABC", ["A"]),
        ((SA, SB), ("SA", "SB"), ["SA", "SB"]),
        ((SA, B, SC), ("SA", "B", "SC"), ["SA", "SC"]),
        ((A, SB, SC), ("A", "SB", "SC"), ["A"]),
        ((SA, SB, SC), ("SB", "SC"), ["SB", "SC"]),
        ((A, ALL), "A", ["A"]),
        ((A, ALL), "x", ["all"]),
        ((ALL, A), "A", ["all"]),
    ],
)
@pytest.mark.parametrize("by", ["changes", "listing", "listing backwards", "first start"])
def test_an_alert_goes_to_the_first_match_or_to_all_that_share(
    members: tuple[Member, ...], tags: Any, expected: list[str], by: str
) -> None:
    key = key_of(*members)
    made = key.account.raise_alert(*tags)
    if by == "changes":
        key.cycle()
    elif by == "first start":
        for name, reader in key.readers.items():
            key.taken[name] += [row.id for page in reader.open_alerts() for row in page]
    else:
        if "backwards" in by:
            key.readers = dict(reversed(key.readers.items()))
        key.sweep()
    assert sorted(key.of(made)) == expected
    key.cycle()
    key.sweep()
    assert sorted(key.of(made)) == expected


def test_a_row_that_two_routes_know_goes_to_both() -> None:
    key = key_of(A, B, C)
    made = key.account.raise_alert("A")
    key.taken["A"], key.taken["B"] = [made], [made]
    assert key.poll("A") == key.poll("B") == [made]
    assert key.poll("C") == []


def test_a_route_keeps_the_alert_that_it_has_while_it_matches_and_another_gets_it_afterwards() -> None:
    key = key_of(A, B)
    made = key.account.raise_alert("B")
    key.cycle()
    key.account.tag(made, "A", "B")
    key.cycle()
    key.sweep()
    assert key.of(made) == ["B"]
    key.account.tag(made, "A")
    key.cycle()
    key.sweep()
    assert sorted(key.of(made)) == ["A", "B"]


def test_a_pair_of_a_route_that_is_gone_keeps_nobody_from_the_alert() -> None:
    key = key_of(A, B)
    made = key.account.raise_alert("A")
    key.taken["gone"] = [made]
    key.cycle()
    assert sorted(key.of(made)) == ["A", "gone"]


def test_a_route_of_another_process_counts_when_it_is_decided_whose_an_alert_is() -> None:
    elsewhere = Member("A", "tag: A", is_polled=False)
    key = key_of(elsewhere, B)
    theirs, ours = key.account.raise_alert("A", "B"), key.account.raise_alert("B")
    requests = key.cycle()
    key.sweep()
    assert key.of(theirs) == []
    assert key.of(ours) == ["B"]
    assert "tag: A" not in requests[0].query, "what is polled elsewhere is not listed here"
    key.account.tag(theirs, "B")
    for _ in range(int(TAKEN_WITHIN // INTERVAL) + 1):
        key.cycle()
    assert key.of(theirs) == ["B"], "it has become ours before its first match has taken it in"


def test_a_sweep_over_known_alerts_costs_no_request_but_its_list() -> None:
    key = key_of(A, ALL)
    for number in range(50):
        key.account.raise_alert("A" if number % 2 else "x", age=300)
    key.sweep()
    assert len(key.sweep()) == 2
    key.account.clock.advance(SWEEP)
    assert len(key.sweep()) == 2


def test_what_the_search_does_not_show_yet_is_asked_again_and_never_passed_over() -> None:
    key = key_of(*routes(4))
    key.cycle()
    made = key.account.raise_alert("t2")
    key.account.blind = "alertId"
    key.cycle(UNDECIDED_FOR / 3)
    key.taken["r3"] = [key.account.raise_alert("t3")]
    assert key.of(made) == []
    key.cycle(UNDECIDED_FOR / 3)
    assert key.news["r0"].newest == key.account.alerts.get(made).now.updated_at  # type: ignore[union-attr]
    key.account.blind = ""
    key.cycle()
    assert key.of(made) == ["r2"]


def test_each_routes_own_list_decides_where_the_search_finds_no_alert_by_its_id() -> None:
    key = key_of(A, B, SC)
    key.account.blind = "alertId"
    key.cycle()
    made = [key.account.raise_alert("B"), key.account.raise_alert("A", "B"), key.account.raise_alert("SC")]
    for _ in range(int(UNDECIDED_FOR // INTERVAL) + 2):
        key.cycle()
    assert [key.of(one) for one in made] == [["B"], ["A"], ["SC"]]


def test_an_alert_that_has_left_every_query_is_asked_about_no_more() -> None:
    key = key_of(A, B)
    key.cycle()
    made = key.account.raise_alert("A")
    listed = key.account.reader_for("(tag: A) OR (tag: B)").recent_alerts(None)
    key.account.tag(made)
    unknown = key.shared._setup.ownership
    assert unknown.of_unknown(listed, ()) == {}
    key.account.clock.advance(UNDECIDED_FOR)
    assert unknown.of_unknown(listed, ()) == {made: ()}
    before = len(key.account.requests)
    assert unknown.of_unknown(listed, ()) == {made: ()}
    assert len(key.account.requests) == before


def test_each_routes_own_list_decides_at_once_where_the_search_by_id_is_refused() -> None:
    key = key_of(A, B, C)
    key.account.refused = {"alertId"}
    made = key.account.raise_alert("B", "C")
    key.cycle()
    assert key.of(made) == ["B"]


def test_who_shares_gets_an_alert_with_the_next_poll_though_another_has_taken_it_in_before() -> None:
    key = key_of(A, SA, B, SB)
    alert, others = key.account.raise_alert("SA", "SB"), key.account.raise_alert("SA")
    key.taken["SA"] = [alert, others]
    requests = key.cycle()
    assert sorted(key.of(alert)) == ["SA", "SB"]
    assert key.of(others) == ["SA"]
    key.account.touch(others)
    assert len(requests) == 2
    assert len(key.cycle()) == 1
