"""Routes on one key: how many requests they make together, and which of them gets an alert."""

import math
import threading
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from reconciler.core.routing import LONGEST_QUERY, Member
from reconciler.errors import Missing, RefusedQuery, Unknown
from reconciler.sources.member_search import BATCH
from reconciler.sources.ownership import TAKEN_WITHIN, UNDECIDED_FOR
from reconciler.sources.shared_lists import MOST_ASKED
from reconciler.vendors.call_context import CallPriority
from tests.support.shared_key import INTERVAL, SWEEP, Account, Key, Request, routes


def key_of(*members: Member) -> Key:
    return Key(Account(), members)


def lists(requests: list[Request]) -> int:
    return sum(request.is_list for request in requests)


@pytest.mark.parametrize("count", [1, 2, 10, 100])
def test_an_idle_cycle_is_one_list_whatever_the_number_of_routes(count: int) -> None:
    key = key_of(*routes(count))
    for number in range(count):
        key.account.raise_alert(f"t{number}", age=600 + 60 * number)
    key.cycle()
    key.cycle()
    assert [len(key.cycle()) for _ in range(30)] == [1] * 30


def test_routes_that_begin_at_different_times_in_a_quiet_account_catch_up_once() -> None:
    key = key_of(*routes(10))
    for number in range(10):
        key.account.raise_alert(f"t{number}", age=86_400 + number)
        key.since[f"r{number}"] = key.account.clock.now() - timedelta(hours=number)
    key.cycle()
    key.cycle()
    assert [len(key.cycle()) for _ in range(5)] == [1] * 5


def test_a_route_that_is_far_behind_lists_its_own_alerts_once() -> None:
    key = key_of(A, B)
    key.cycle()
    missed = key.account.raise_alert("B")
    key.taken["A"] = [missed]
    for _ in range(60):
        key.account.clock.advance(INTERVAL)
        key.account.touch(key.account.raise_alert("A"))
        key.poll("A")
    del key.taken["A"]
    before = len(key.account.requests)
    assert missed in key.poll("B")
    assert len(key.account.requests) - before <= 2
    assert key.poll("A") == key.poll("A")
    key.account.clock.advance(INTERVAL)
    assert len(key.cycle()) == 1


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


A, B, C = (Member(name, f"tag: {name}") for name in "ABC")
ALL = Member("all")
SA, SB, SC = (Member(name, f"tag: {name}", is_shared=True) for name in ("SA", "SB", "SC"))


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


def test_a_route_whose_first_poll_comes_before_its_lead_is_known_gets_its_own_alerts_alone() -> None:
    key = key_of(A, B)
    theirs, ours = key.account.raise_alert("A", "B"), key.account.raise_alert("B")
    early = key.readers["B"]
    key.use([replace(A, is_polled=False), replace(B, is_polled=False)])
    assert [row.id for row in early.changes(key.account.clock.start, None).rows] == [ours]
    assert theirs not in [row.id for row in early.open_alerts_page(0)[0]]


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


def test_a_refused_query_stops_its_own_route_and_no_other() -> None:
    key = key_of(A, Member("bad", "tag: bad"), C)
    key.account.refused = {"tag: bad"}
    made = key.account.raise_alert("C")
    key.poll("A")
    with pytest.raises(RefusedQuery):
        key.poll("bad")
    key.poll("C")
    assert key.of(made) == ["C"]
    key.account.clock.advance(INTERVAL)
    before = len(key.account.requests)
    for name in ("A", "C"):
        key.poll(name)
    with pytest.raises(RefusedQuery):
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


def test_each_route_polls_alone_where_only_the_united_query_is_refused() -> None:
    key = key_of(A, B, ALL)
    key.use([A, B])
    key.account.refused = {" OR "}
    made = [key.account.raise_alert("A", "B"), key.account.raise_alert("B")]
    key.cycle()
    requests = key.cycle()
    assert [key.of(one) for one in made] == [["A"], ["B"]]
    assert len(requests) == 2
    key.account.refused = set()
    key.account.clock.advance(SWEEP)
    key.cycle()
    assert len(key.cycle()) == 1


def test_a_query_that_is_not_closed_is_listed_alone() -> None:
    odd = Member("odd", 'tag: "odd')
    key = key_of(A, odd, B)
    made = key.account.raise_alert("B")
    key.poll("A")
    key.poll("B")
    assert key.of(made) == ["B"]
    assert not any("odd" in request.query for request in key.account.requests)


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


def test_a_list_is_given_to_each_route_once_and_never_when_it_is_old() -> None:
    key = key_of(A, B)
    key.poll("A")
    made = key.account.raise_alert("A")
    assert key.poll("A") == [made], "who has had it gets a new one"
    other = key.account.raise_alert("B")
    assert key.poll("B") == [], "what was fetched a moment ago"
    key.account.clock.advance(INTERVAL)
    assert key.poll("B") == [other]


def test_other_routes_are_told_of_what_a_poll_has_found_for_them_once() -> None:
    key = key_of(A, B, C)
    key.cycle()
    key.woken.clear()
    made = key.account.raise_alert("B")
    key.poll("A")
    assert key.woken == ["B"]
    assert key.poll("B") == [made]
    key.account.clock.advance(INTERVAL)
    key.poll("A")
    assert key.woken == ["B"]


def test_a_webhook_makes_the_next_poll_fetch_the_list() -> None:
    key = key_of(A, B)
    key.poll("A")
    key.account.clock.advance(1)
    made = key.account.raise_alert("B")
    key.shared.expire("B")
    key.account.clock.advance(1)
    assert key.poll("B") == [made]


def test_a_failed_fetch_is_tried_again_by_the_next_route() -> None:
    key = key_of(A, B)
    made = key.account.raise_alert("A")
    key.account.failure = Unknown("503")
    with pytest.raises(Unknown):
        key.poll("A")
    key.account.failure = None
    assert key.poll("B") == []
    assert key.poll("A") == [made]
    assert len(key.account.requests) == 3, "one that failed, one list, one question whose it is"


def test_what_cannot_be_asked_holds_back_no_row_of_a_known_alert_and_is_asked_again_by_the_next_route() -> None:
    key = key_of(A, B, C)
    known = key.account.raise_alert("A")
    key.cycle()
    key.account.touch(known)
    new = key.account.raise_alert("B")
    matching = key.account._matching

    def failing(query: str) -> Any:
        if "alertId" in query:
            raise Unknown("503")
        return matching(query)

    key.account._matching = failing  # type: ignore[method-assign]
    key.woken.clear()
    with pytest.raises(Unknown):
        key.poll("A")
    assert [row.id for row in key.news["A"].rows] == [known]
    assert "A" not in key.woken, "what fails is not repeated at once"
    key.account._matching = matching  # type: ignore[method-assign]
    assert key.poll("C") == []
    assert key.poll("B") == [new]


class Gate:
    """Holds the first request until another thread waits for the list."""

    def __init__(self, key: Key) -> None:
        self._lock = threading.Lock()
        self._other_waits = threading.Event()
        self._original = key.account._matching
        key.account._matching = self._matching  # type: ignore[method-assign]
        key.shared._setup.lists["A"]._lock = self  # type: ignore[assignment]

    def _matching(self, query: str) -> Any:
        assert self._other_waits.wait(30)
        return self._original(query)

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            self._other_waits.set()
            assert self._lock.acquire(timeout=30)

    def __exit__(self, *_: object) -> None:
        self._lock.release()


@pytest.mark.parametrize("failure", [None, Unknown("503")])
def test_who_waits_for_anothers_fetch_shares_it_and_its_failure(failure: Exception | None) -> None:
    key = key_of(A, B)
    key.account.failure = failure
    Gate(key)
    failed: list[str] = []

    def poll(name: str) -> None:
        try:
            key.poll(name)
        except Unknown:
            failed.append(name)

    threads = [threading.Thread(target=poll, args=(name,)) for name in "AB"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(key.account.requests) == 1
    assert sorted(failed) == ([] if failure is None else ["A", "B"])


def test_overlaps_are_named_with_their_number_and_an_example() -> None:
    key = key_of(A, SB, B, SC)
    both = [key.account.raise_alert("A", "B"), key.account.raise_alert("A", "B")]
    key.account.raise_alert("A")
    shared = key.account.raise_alert("SB", "SC")
    first, second = key.shared.overlaps()
    assert (first.first, first.other, first.count, first.is_for_both) == ("A", "B", 2, False)
    assert first.example.id in both
    assert (second.first, second.other, second.count, second.is_for_both) == ("SB", "SC", 1, True)
    assert second.example.id == shared
    assert len(key.account.requests) < 12
    assert key_of(A, B, C).shared.overlaps() == []


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


def test_in_a_storm_too_the_first_match_gets_an_alert() -> None:
    key = key_of(A, B, C)
    key.cycle()
    theirs = [key.account.raise_alert("B") for _ in range(2 * BATCH)]
    key.account.clock.advance(1)
    first = [key.account.raise_alert("A", "B") for _ in range(BATCH)]
    key.cycle()
    assert sorted(key.taken["B"]) == sorted(theirs)
    assert sorted(key.taken["A"]) == sorted(first)


@pytest.mark.parametrize("refused", [set(), {" OR "}], ids=["one list", "each polls alone"])
def test_each_routes_own_list_decides_in_the_end_where_the_search_by_id_fails(refused: set[str]) -> None:
    key = key_of(A, B)
    key.account.refused = refused
    key.account.failure, key.account.failing = Unknown("503"), "alertId"
    both, theirs = key.account.raise_alert("A", "B"), key.account.raise_alert("B")
    for _ in range(1 + math.ceil(UNDECIDED_FOR / INTERVAL)):
        assert "B" not in key.of(both) + key.of(theirs)
        for name in ("A", "B"):
            with suppress(Unknown):
                key.poll(name)
        key.account.clock.advance(INTERVAL)
    assert key.of(both) == ["A"]
    assert key.of(theirs) == ["B"]
    key.account.clock.advance(INTERVAL)
    key.cycle()
    assert key.of(both) == ["A"], "what is taken in needs no search"


def test_each_routes_own_list_decides_at_once_where_the_search_by_id_is_refused() -> None:
    key = key_of(A, B, C)
    key.account.refused = {"alertId"}
    made = key.account.raise_alert("B", "C")
    key.cycle()
    assert key.of(made) == ["B"]


def test_a_query_that_is_not_closed_is_asked_for_no_alert_and_its_own_list_is_enough() -> None:
    odd = Member("odd", 'message: "a) b("')
    key = key_of(A, Member("other", "(tag: x"), odd)
    made = key.account.raise_alert("A")
    for name in ("A", "odd"):
        key.poll(name)
    assert key.of(made) == ["A"]
    assert not any("(tag: x" in request.query for request in key.account.requests)


def test_an_alert_that_moves_to_another_route_of_the_same_service_stays_where_its_incident_is() -> None:
    for service, expected in (("S", ["A"]), ("", ["A", "B"])):
        key = key_of(*(replace(member, service=service) for member in (A, B)))
        made = key.account.raise_alert("A")
        key.cycle()
        key.account.tag(made, "B")
        key.account.touch(made)
        key.cycle()
        key.sweep()
        assert sorted(key.of(made)) == expected


def test_an_incident_whose_alert_no_query_shows_belongs_to_the_first_route_of_its_service() -> None:
    members = [replace(member, service=service) for member, service in ((A, "S"), (B, "S"), (C, "T"))]
    key = key_of(*members)
    gone = key.account.raise_alert("nobody's")
    (row,) = key.account.reader_for("").recent_alerts(None)

    def alert(alert_id: str) -> Any:
        if alert_id != gone:
            raise Missing("404")
        return row

    own = SimpleNamespace(alert=alert)
    found = {name: key.shared.elsewhere(name, own, [gone, "deleted"]) for name in "ABC"}
    assert found == {"A": set(), "B": {gone, "deleted"}, "C": set()}


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


def test_where_every_query_is_refused_nobody_lists_everybodys_alerts() -> None:
    key = key_of(A, B)
    key.account.refused = {"tag:"}
    for name in ("A", "B", "A"):
        with pytest.raises(RefusedQuery):
            key.poll(name)
    assert not any(request.query == "" for request in key.account.requests)


def test_the_only_route_that_is_polled_here_asks_once_whether_an_alert_is_an_earlier_ones() -> None:
    *elsewhere, last = routes(64)
    key = key_of(*(replace(member, is_polled=False) for member in elsewhere), last)
    key.cycle()
    made = key.account.raise_alert("t63")
    assert len(key.cycle()) == 2
    assert key.of(made) == ["r63"]


def test_a_member_that_comes_counts_for_lists_that_go_on() -> None:
    key = key_of(A, B)
    key.cycle()
    key.use([Member("C", "tag: C", is_polled=False), A, B])
    made = key.account.raise_alert("B", "C")
    key.cycle()
    assert key.of(made) == []
