import pytest

from reconciler import __version__
from reconciler.probe.findings import as_assumed, differs, not_settled
from reconciler.probe.objects import Created, Kind
from reconciler.probe.report import as_data, as_text, is_good, left_line, listing, markdown
from reconciler.probe.run import Result
from reconciler.probe.steps import STEPS

LEFT = Created(Kind.INCIDENT, "reconciler probe 1 incident 1", "", "Q1", "https://acme.pagerduty.com/incidents/Q1")
ALL = (as_assumed("one", "yes"), differs("two", "a | b <c> @d `e`", "set X=2"), not_settled("three", "no answer"))


def result(*findings: object, left: tuple[Created, ...] = (), stopped: bool = False) -> Result:
    return Result(tuple(findings), left, 0, 30.0, {"PagerDuty": 60, "Opsgenie": 20}, stopped)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "good"),
    [
        (result(ALL[0]), True),
        (result(*ALL[:2]), False),
        (result(ALL[0], ALL[2]), False),
        (result(ALL[0], left=(LEFT,)), False),
        (result(ALL[0], stopped=True), False),
    ],
)
def test_a_run_is_good_if_all_is_as_assumed_and_all_is_removed(found: Result, good: bool) -> None:
    assert is_good(found) is good


def test_the_text_has_a_line_for_each_finding_the_sums_and_the_report() -> None:
    text = as_text(result(*ALL), "Opsgenie")
    assert "as assumed   : one: yes\n" in text
    assert "differs      : two: a | b <c> @d `e` -> set X=2\n" in text
    assert "not settled  : three -> no answer\n" in text
    assert "1 as assumed, 1 differs, 1 not settled" in text
    assert "80 requests in 30 s: Opsgenie 20 (40 a minute), PagerDuty 60 (120 a minute)" in text
    assert text.endswith(markdown(result(*ALL), "Opsgenie"))


def test_the_report_has_the_version_and_no_markup_of_others() -> None:
    report = markdown(result(*ALL, left=(LEFT,)), "JSM")
    assert report.startswith(f"### `reconciler probe` {__version__}: JSM and PagerDuty\n")
    assert "|  | two | a \\| b &lt;c&gt; &#64;d 'e' | differs: set X=2 |" in report
    assert "acme.pagerduty.com" not in report
    assert "Not removed: 1." in report


def test_what_is_left_is_named_with_its_address() -> None:
    assert left_line(LEFT).endswith("resolve it: https://acme.pagerduty.com/incidents/Q1")
    assert "close it: not found" in left_line(Created(Kind.ALERT, "t"))
    assert left_line(LEFT) in as_text(result(left=(LEFT,)), "JSM")


def test_the_data_has_all_of_it() -> None:
    data = as_data(result(*ALL, left=(LEFT,), stopped=True), "Opsgenie")
    assert data["counts"] == {"as assumed": 1, "differs": 1, "not settled": 1}
    assert data["findings"][1] == {
        "step": "",
        "question": "two",
        "verdict": "differs",
        "seen": "a | b <c> @d `e`",
        "follows": "set X=2",
    }
    assert (data["stopped"], data["left"][0]["url"]) == (True, LEFT.url)
    assert data["report"].startswith("### ")


def test_the_list_has_every_step() -> None:
    lines = listing(STEPS).splitlines()
    assert [line.split()[0] for line in lines[: len(STEPS)]] == [step.name for step in STEPS]
    assert sum("not with --quick" in line for line in lines) == sum(step.slow for step in STEPS)
