"""Whose an alert is that several routes' queries show, and how their queries are combined."""

from itertools import product

import pytest

from reconciler.core.routing import (
    LONGEST_QUERY,
    Member,
    grouped,
    is_closed,
    is_too_long,
    narrowed,
    recipients,
    united,
)

A, B, C = (Member(name, f"tag: {name}") for name in "ABC")
SA, SB, SC = (Member(name, f"tag: {name}", is_shared=True) for name in ("SA", "SB", "SC"))


@pytest.mark.parametrize(
    ("matching", "holders", "expected"),
    [
        ((), (), ()),
        ((A,), (), ("A",)),
        ((A, B), (), ("A",)),
        ((A, B), ("B",), ("B",)),
        ((A, B), ("A", "B"), ("A", "B")),
        ((A, SB), (), ("A",)),
        ((SA, B), (), ("SA",)),
        ((SA, SB), (), ("SA", "SB")),
        ((SA, B, SC), (), ("SA", "SC")),
        ((SA, B, SC), ("B",), ("B",)),
        ((SA, B, SC), ("SC",), ("SA", "SC")),
        ((A, SB, SC), ("SC",), ("SB", "SC")),
        ((A, B), ("gone",), ("A",)),
    ],
)
def test_an_alert_goes_to_its_holders_or_the_first_match_and_to_all_that_share(
    matching: tuple[Member, ...], holders: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert recipients(matching, holders) == expected


ONE, TWO, OTHER = (
    Member(name, is_shared=True, service=service) for name, service in (("1", "S"), ("2", "S"), ("3", "T"))
)


@pytest.mark.parametrize(
    ("matching", "holders", "expected"),
    [
        ((ONE, TWO), (), ("1",)),
        ((ONE, TWO, OTHER), (), ("1", "3")),
        ((ONE, TWO, OTHER), ("2",), ("2", "3")),
        ((OTHER, ONE, TWO), (), ("3", "1")),
    ],
)
def test_of_routes_that_share_only_one_to_a_service_gets_an_alert(
    matching: tuple[Member, ...], holders: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert recipients(matching, holders) == expected


def test_some_match_always_gets_the_alert() -> None:
    members = (A, SA, B, SB)
    for chosen in product((False, True), repeat=4):
        matching = [member for member, is_in in zip(members, chosen, strict=True) if is_in]
        assert bool(recipients(matching)) == bool(matching)


def test_queries_are_united_once_each_and_an_empty_one_selects_everything() -> None:
    assert united([A]) == "tag: A"
    assert united([A, B, Member("again", " tag: A ")]) == "(tag: A) OR (tag: B)"
    assert united([A, Member("all")]) == ""
    assert narrowed("tag: A OR tag: B", ["alertId: 1", "alertId: 2"]) == (
        "(tag: A OR tag: B) AND (alertId: 1 OR alertId: 2)"
    )
    assert narrowed("", ["alertId: 1"]) == "alertId: 1"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", True),
        ('message: "a) b("', True),
        ("(a: b) OR (c: d)", True),
        ("a: b) OR (c: d", False),
        ("(a: b", False),
        ('message: "a', False),
    ],
)
def test_only_a_closed_query_can_be_put_into_parentheses(query: str, expected: bool) -> None:
    assert is_closed(query) is expected


def test_members_are_grouped_as_far_as_an_address_allows() -> None:
    many = [Member(f"r{number}", f"tag: {'x' * 90}{number}") for number in range(150)]
    groups = grouped(many)
    assert len(groups) == 3
    assert [member for group in groups for member in group] == many
    assert all(not is_too_long(united(group)) for group in groups)
    assert grouped([A, B]) == [(A, B)]
    assert grouped([]) == []


def test_a_member_is_apart_whose_query_is_not_closed_or_too_long() -> None:
    odd, long = Member("odd", "a) OR (b"), Member("long", "x" * (LONGEST_QUERY + 1))
    assert grouped([A, odd, B]) == [(A, B), (odd,)]
    assert grouped([A, long, B]) == [(A,), (long,), (B,)]
    assert grouped([A, long, Member("all")]) == [(A, long, Member("all"))], "the united query is empty"
