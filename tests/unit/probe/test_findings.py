import pytest

from reconciler.probe.findings import Verdict, as_assumed, counts, differs, is_settled, judged, not_settled


def test_a_finding_is_judged_by_whether_the_assumption_holds() -> None:
    assert judged("q", "seen", "set X", holds=True) == as_assumed("q", "seen")
    assert judged("q", "seen", "set X", holds=False) == differs("q", "seen", "set X")


@pytest.mark.parametrize("other", [differs("q", "seen", "set X"), not_settled("q", "no answer")])
def test_anything_but_as_assumed_is_not_settled(other: object) -> None:
    assert is_settled([as_assumed("q", "seen")])
    assert not is_settled([as_assumed("q", "seen"), other])  # type: ignore[list-item]


def test_verdicts_are_counted_with_those_that_no_finding_has() -> None:
    assert counts([differs("q", "s", "f")]) == {"as assumed": 0, "differs": 1, "not settled": 0}
    assert [*Verdict] == ["as assumed", "differs", "not settled"]
