"""Hints are values: two deliveries about the same record are one hint."""

from reconciler.core.hints import Hint
from reconciler.core.model import Side


def test_hints_about_the_same_record_are_the_same_hint() -> None:
    assert len({Hint(Side.PAGERDUTY, "PINC1", "a-1"), Hint(Side.PAGERDUTY, "PINC1", "a-1")}) == 1
    assert Hint(Side.ALERTS, "a-1") != Hint(Side.PAGERDUTY, "a-1")


def test_the_side_the_id_and_the_key_identify_a_hint() -> None:
    same = {Hint(Side.PAGERDUTY, "P1"), Hint(Side.PAGERDUTY, "P1", "")}
    assert len(same | {Hint(Side.ALERTS, "P1"), Hint(Side.PAGERDUTY, "P1", "a-1")}) == 3
