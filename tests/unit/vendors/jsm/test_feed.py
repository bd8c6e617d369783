"""The difference between two looks at the open alerts."""

from datetime import timedelta

import pytest

from reconciler.vendors.jsm.feed import Created, Difference, Listed, compared
from tests.support.wire.jsm import AT


def ids(text: str) -> Created:
    """Alerts that are named by a letter, each a minute younger than the letter before."""
    return {letter: AT + timedelta(minutes=ord(letter)) for letter in text}


def look(unacknowledged: str = "", acknowledged: str = "", beyond: int = 0, floor: str = "") -> Listed:
    return Listed(
        ids(unacknowledged), ids(acknowledged), beyond, AT + timedelta(minutes=ord(floor)) if floor else None
    )


@pytest.mark.parametrize(
    ("before", "after", "absent", "is_whole"),
    [
        (None, look("a"), "", False),
        (look("ab", "cd"), look("ab", "cd"), "", True),
        (look("ab"), look("b"), "a", True),
        (look("ab"), look("b", "a"), "", True),
        (look("", "ab"), look("", "b"), "a", True),
        (look("", "ab"), look("a", "b"), "", True),
        (look(""), look("a", "b"), "", True),
        # beyond the page, which here begins at c
        (look("", "cd", 2), look("", "cd", 2), "", True),
        (look("", "cd", 2), look("", "cd", 1), "", False),
        (look("", "cd", 2), look("", "cd", 3), "", False),
        (look("", "cd", 2), look("a", "cd", 1), "", True),
        (look("a", "cd", 2), look("", "cd", 3), "a", True),
        (look("a", "cd", 2), look("", "cd", 2), "a", True),
        (look("e", "cd", 2), look("", "de", 3), "", True),
        (look("e", "cd", 2), look("", "de", 2), "c", True),
        (look("e", "cd", 2), look("", "cd", 2), "e", True),
        (look("", "cd", 2), look("", "bd", 1), "c", True),
        (look("", "cd", 2), look("c", "bd", 1), "", True),
        (look("", "cd", 2), look("", "bd", 2), "c", False),
        (look("", "cd", 1), look("", "bd", 0), "c", True),
        # the number is not said
        (look("", "cd", -1), look("", "cd", -1), "", True),
        (look("e", "cd", -1), look("", "de", -1), "c", True),
        # more unacknowledged alerts than can be listed: those up to b are not
        (look("abcd"), look("cd", floor="b"), "", True),
        (look("abcd"), look("d", floor="b"), "c", True),
    ],
)
def test_what_left_is_absent_and_what_is_unexplained_makes_it_incomplete(
    before: Listed | None, after: Listed, absent: str, *, is_whole: bool
) -> None:
    assert compared(before, after) == Difference(frozenset(absent), is_whole)
