from typing import get_type_hints

from reconciler.probe.run import LONGEST
from reconciler.probe.steps import STEPS, chosen, estimate
from reconciler.sandbox.settings import SandboxSettings
from tests.support.probe_rows import NOT_PROBED, ROWS


def uncertain() -> set[str]:
    """The sandbox's settings whose meaning calls a fact uncertain."""
    table = get_type_hints(SandboxSettings, include_extras=True)
    return {name for name, kind in table.items() if "(uncertain)" in kind.__metadata__[0]}


def test_each_uncertain_setting_is_told_from_its_opposite_or_says_why_not() -> None:
    turned = {name for row in ROWS for name in row.knobs}
    assert uncertain() - turned == {*NOT_PROBED}
    assert {*NOT_PROBED} <= uncertain()


def test_each_step_has_a_fact_that_changes_what_it_finds() -> None:
    assert {step.name for step in STEPS} == {row.step for row in ROWS}


def test_steps_are_chosen_by_product_by_name_and_by_patience() -> None:
    every = {step.name for step in STEPS}
    opsgenie = {step.name for step in chosen("opsgenie")}
    assert every - opsgenie == {"jsm-states", "jsm-owner", "jsm-integration", "jsm-sort"}
    assert {step.name for step in chosen("jsm")} == every
    assert [step.name for step in chosen("opsgenie", ["rates", "pagerduty-log"])] == ["pagerduty-log", "rates"]
    assert chosen("opsgenie", ["jsm-sort"]) == ()
    quick = chosen("jsm", quick=True)
    assert {*chosen("jsm")} - {*quick} == {step for step in STEPS if step.slow}
    assert chosen("jsm", ["alert-delay"], quick=True)


def test_names_are_unique_and_the_estimate_leaves_time() -> None:
    assert len({step.name for step in STEPS}) == len(STEPS)
    assert estimate(chosen("jsm")) <= LONGEST
