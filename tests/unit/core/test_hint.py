"""Hints are compared by value, so that many for one thing count once."""

from reconciler.core.hints import Hint
from reconciler.core.model import Side


def test_hints_for_the_same_thing_are_one() -> None:
    same = {Hint(Side.PAGERDUTY, "P1"), Hint(Side.PAGERDUTY, "P1", "")}
    assert len(same | {Hint(Side.OPSGENIE, "P1"), Hint(Side.PAGERDUTY, "P1", "a-1")}) == 3
