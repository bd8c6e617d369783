"""Which members' queries show an alert, asked of many at a time; and queries that the vendor refuses."""

import math

import pytest

from reconciler.core.model import Alert
from reconciler.core.routing import Member
from reconciler.errors import RefusedQuery, Transient
from reconciler.sources.member_search import BATCH, MemberSearch, RefusedQueries, batches
from reconciler.vendors.opsgenie.search import SEARCH
from tests.support.builders import alert
from tests.support.shared_key import Account, converted, routes

RETRY = 300.0


class Bench:
    """Eight members, and an account."""

    def __init__(self) -> None:
        self.account, self.members = Account(), routes(8)
        self.refused = RefusedQueries(self.account.reader_for, self.account.clock, RETRY)
        self.search = MemberSearch(self.account.reader_for, SEARCH, self.refused)

    def row(self, *tags: str) -> Alert:
        """The row of a new alert with these tags."""
        stored = self.account.alerts.get(self.account.raise_alert(*tags))
        assert stored is not None
        return converted(stored.now)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_an_alert_is_found_by_halves(bench: Bench) -> None:
    row = bench.row("t5")
    assert bench.search.first(bench.members, [row], is_sure=False) == {row.id: 5}
    assert len(bench.account.requests) == 4
    assert bench.search.first(bench.members[:5], [row], is_sure=False) == {}


def test_all_members_that_show_an_alert_are_found_in_their_order(bench: Bench) -> None:
    row = bench.row("t6", "t1")
    found = bench.search.every(bench.members, [row])
    assert [member.name for member in found[row.id]] == ["r1", "r6"]


def test_a_query_that_is_empty_shows_everything_without_a_request(bench: Bench) -> None:
    row = bench.row("whatever")
    assert bench.search.shown([Member("all", "")], [row]) == {row.id}
    assert bench.account.requests == []


def test_a_refused_query_is_set_aside_and_asked_again_later(bench: Bench) -> None:
    bench.account.refused.add("tag: t3")
    assert bench.refused.sort_out(bench.members)
    assert [member.name for member in bench.refused.without(bench.members)] == [
        f"r{number}" for number in range(8) if number != 3
    ]
    assert isinstance(bench.refused.error(bench.members[3]), RefusedQuery)
    bench.account.refused.clear()
    assert bench.refused.error(bench.members[3]) is not None
    bench.account.clock.advance(RETRY)
    assert bench.refused.error(bench.members[3]) is None


@pytest.mark.parametrize("place", [0, 37, 63])
def test_a_refused_query_among_many_is_found_by_halves(bench: Bench, place: int) -> None:
    members = routes(64)
    members[place] = Member("bad", "tag: bad")
    bench.account.refused.add("tag: bad")
    assert bench.refused.sort_out(members)
    assert set(members) - set(bench.refused.without(members)) == {members[place]}
    assert len(bench.account.requests) == 1 + 2 * math.log2(64)


def test_what_was_found_before_an_interruption_is_not_asked_again(bench: Bench) -> None:
    bench.account.refused.add("tag: t5")
    bench.account.failure = Transient("503")
    matching = bench.account._matching

    def interrupted(query: str) -> list[Alert]:
        bench.account.failing = "" if len(bench.account.requests) == 5 else "nothing"
        return matching(query)

    bench.account._matching = interrupted  # type: ignore[method-assign]
    with pytest.raises(Transient):
        bench.refused.sort_out(bench.members)
    assert bench.refused.sort_out(bench.members)
    again = [request.query for request in bench.account.requests[6:]]
    assert again == ["(tag: t5) OR (tag: t6) OR (tag: t7)", "tag: t5", "(tag: t6) OR (tag: t7)"]


def test_queries_that_are_refused_together_only_are_asked_anew_the_next_time(bench: Bench) -> None:
    bench.account.refused.add(" OR ")
    assert not bench.refused.sort_out(bench.members)
    asked = len(bench.account.requests)
    bench.account.refused.add("tag: t3")
    assert bench.refused.sort_out(bench.members)
    assert len(bench.account.requests) == 2 * asked


def test_a_vendor_that_does_not_answer_leaves_a_refusal_as_it_is(bench: Bench) -> None:
    bench.account.refused.add("tag: t3")
    bench.refused.sort_out(bench.members)
    bench.account.failure = Transient("503")
    bench.account.clock.advance(RETRY)
    assert isinstance(bench.refused.error(bench.members[3]), RefusedQuery)
    with pytest.raises(Transient):
        bench.refused.sort_out(bench.members[:1])


def test_alerts_are_asked_for_in_batches() -> None:
    rows = [alert(id=str(number)) for number in range(2 * BATCH + 1)]
    assert [len(batch) for batch in batches(rows)] == [BATCH, BATCH, 1]
