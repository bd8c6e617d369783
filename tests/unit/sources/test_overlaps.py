"""Queries of several routes that show the same alerts."""

from tests.support.shared_key import (
    SB,
    SC,
    A,
    B,
    C,
    key_of,
)


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
