"""One list for several routes: each gets its part once, and never an old one."""

from datetime import timedelta

import pytest

from reconciler.core.routing import Member
from reconciler.errors import Transient
from reconciler.sources.member_search import RefusedQueries
from reconciler.sources.ownership import Ownership
from reconciler.sources.shared_lists import MOST_ASKED, KeyTools, SharedList
from reconciler.vendors.opsgenie.search import SEARCH
from reconciler.vendors.ports import PAGE
from tests.support.shared_key import INTERVAL, SWEEP, Account

A, B = (Member(name, f"tag: {name}") for name in "ab")


class Bench:
    """The list of two members."""

    def __init__(self) -> None:
        self.account = Account()
        clock, reader_for = self.account.clock, self.account.reader_for
        refused = RefusedQueries(reader_for, clock, SWEEP)
        self.woken: list[str] = []
        tools = KeyTools(reader_for, lambda _ids: {}, SEARCH, clock, refused, INTERVAL, SWEEP, self.woken.extend)
        self.list = SharedList((A, B), Ownership((A, B), reader_for, SEARCH, refused, clock), tools)
        self.since = clock.now() - timedelta(minutes=1)

    def part(self, name: str) -> list[str]:
        """The alerts that this route's poll shows."""
        look = self.list.look(name, self.since)
        assert look is not None
        return [row.id for row in self.list.part(name, look, None).rows]

    def lists(self) -> int:
        """How often the list was fetched since this was last asked."""
        found = sum(request.is_list for request in self.account.requests)
        self.account.requests.clear()
        return found


def test_the_first_fetches_the_others_are_told_and_get_their_part_from_memory() -> None:
    bench = Bench()
    mine, other = bench.account.raise_alert("a"), bench.account.raise_alert("b")
    assert bench.part("a") == [mine]
    assert bench.woken == ["b"]
    assert bench.part("b") == [other]
    assert bench.lists() == 1


@pytest.mark.parametrize("why", ["had", "old", "expired"])
def test_the_list_is_fetched_anew_where_what_is_there_will_not_do(why: str) -> None:
    bench = Bench()
    bench.part("a")
    bench.lists()
    if why == "old":
        bench.account.clock.advance(INTERVAL)
    elif why == "expired":
        bench.list.expire()
    bench.part("a" if why == "had" else "b")
    assert bench.lists() == 1


def test_in_a_storm_the_oldest_and_the_newest_alerts_are_decided_first() -> None:
    bench = Bench()
    raised = []
    for _ in range(2 * MOST_ASKED):
        raised.append(bench.account.raise_alert("a"))
        bench.account.clock.advance(0.001)
    last = bench.account.raise_alert("b")
    first = set(bench.part("a"))
    half = MOST_ASKED // 2
    assert first == {*raised[:half], *raised[-half + 1 :]}
    assert bench.part("b") == [last], "it does not wait for the storm of the other route"
    assert len(bench.part("a")) == 2 * MOST_ASKED
    assert bench.lists() == 1 + 2 * MOST_ASKED // PAGE


def test_a_failure_is_of_one_poll_only() -> None:
    bench = Bench()
    bench.account.failure = Transient("503")
    with pytest.raises(Transient):
        bench.part("a")
    bench.account.failure = None
    assert bench.part("a") == []


def test_members_whose_united_query_is_refused_poll_apart_for_a_while() -> None:
    bench = Bench()
    bench.account.refused.add(" OR ")
    assert bench.list.look("a", bench.since) is None
    assert bench.list.is_apart
    bench.account.refused.clear()
    bench.account.clock.advance(SWEEP)
    assert not bench.list.is_apart
    assert bench.list.look("a", bench.since) is not None
