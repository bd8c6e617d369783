"""Which routes' queries show the same alerts."""

from reconciler.core.routing import Member
from reconciler.sources.member_search import MemberSearch, RefusedQueries
from reconciler.sources.overlaps import Overlap, overlaps
from reconciler.vendors.opsgenie.search import SEARCH
from tests.support.shared_key import Account


def found(account: Account, *members: Member) -> list[Overlap]:
    refused = RefusedQueries(account.reader_for, account.clock, 300.0)
    return overlaps(members, MemberSearch(account.reader_for, SEARCH, refused), account.reader_for)


def test_each_pair_of_routes_is_named_with_what_both_show() -> None:
    account = Account()
    both = [account.raise_alert("a", "b") for _ in range(3)]
    account.raise_alert("a")
    account.raise_alert("b", "c")
    a, b, c = (Member(name, f"tag: {name}", is_shared=name != "c") for name in "abc")
    first, second = found(account, a, b, c)
    assert (first.first, first.other, first.count, first.is_for_both) == ("a", "b", 3, True)
    assert first.example.id in both
    assert (second.first, second.other, second.count, second.is_for_both) == ("b", "c", 1, False)


def test_routes_without_a_common_alert_do_not_overlap_and_cost_one_request_each() -> None:
    account = Account()
    account.raise_alert("a")
    account.raise_alert("b")
    assert found(account, Member("a", "tag: a"), Member("b", "tag: b")) == []
    assert len(account.requests) == 1
