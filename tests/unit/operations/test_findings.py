from reconciler.errors import Transient
from reconciler.operations.findings import (
    Check,
    Finding,
    Verdict,
    as_data,
    as_text,
    attempted,
    bad,
    good,
    is_bad,
    made,
    warning,
)

ALL = (good("a", "fine"), warning("bb", "odd", "look"), bad("c", "broken: x; fix it; now"))


class Some:
    lost = ""

    def checks(self) -> tuple[Check, ...]:
        return (("first", self.first), ("second", lambda: good("second", "fine")))

    def first(self) -> Finding:
        self.lost = "there is no network"
        raise Transient("not reached; see the network")


def test_what_follows_the_first_semicolon_is_the_mend_unless_another_is_given() -> None:
    assert bad("c", "a; b; c") == Finding("c", Verdict.BAD, "a", "b; c")
    assert bad("c", "a; b", "d") == Finding("c", Verdict.BAD, "a; b", "d")


def test_an_error_is_a_finding_and_a_defect_is_one_too() -> None:
    def fails() -> Finding:
        raise ValueError("secret words")

    assert attempted(("c", Some().first)) == Finding("c", Verdict.BAD, "not reached", "see the network")
    found = attempted(("c", fails))
    assert found.verdict is Verdict.BAD
    assert "ValueError" in found.found
    assert "secret" not in found.found


def test_once_something_is_lost_the_other_checks_of_its_group_are_not_made() -> None:
    first, second = made(Some())
    assert first.verdict is Verdict.BAD
    assert second == warning("second", "not checked: there is no network")


def test_only_what_is_bad_must_be_mended() -> None:
    assert is_bad(ALL)
    assert not is_bad(ALL[:2])


def test_the_report_has_a_line_for_each_check_and_the_sum() -> None:
    assert as_text(ALL).splitlines() == [
        "good     a   fine",
        "warning  bb  odd; look",
        "bad      c   broken: x; fix it; now",
        "",
        "1 good, 1 warning, 1 bad",
    ]
    assert as_data(ALL) == {
        "checks": [
            {"check": "a", "verdict": "good", "found": "fine", "fix": ""},
            {"check": "bb", "verdict": "warning", "found": "odd", "fix": "look"},
            {"check": "c", "verdict": "bad", "found": "broken: x", "fix": "fix it; now"},
        ],
        "counts": {"good": 1, "warning": 1, "bad": 1},
    }
