"""The pages about the probe name its steps, and each question has a step or the reason why it has none."""

import re

from reconciler.probe.report import NOT_ASKED
from reconciler.probe.steps import STEPS
from tests.support.docs.pages import read
from tests.support.paths import ROOT
from tests.support.probe_rows import ROWS

COLUMNS = 7
"""Columns of the tables of switches: the fourth names them, the last one the probe's steps."""
PROBE, ASSUMPTIONS = (ROOT / "docs" / name for name in ("probe.md", "assumptions.md"))


def numbers(text: str) -> set[int]:
    """The numbers of questions in a text: `questions 1 to 3`, `question 10`, `questions 4, 14`."""
    found: set[int] = set()
    for words in re.findall(r"questions? (\d+(?:(?:, | to )\d+)*)", text):
        each = [int(number) for number in re.findall(r"\d+", words)]
        found |= {*range(each[0], each[1] + 1)} if " to " in words else {*each}
    return found


def test_the_page_names_each_step_once_in_its_table() -> None:
    rows = [
        line
        for line in PROBE.read_text().splitlines()
        if re.match(r"\| `(?:pagerduty|alert|jsm|request|rates)", line)
    ]
    named = [name for row in rows for name in re.findall(r"`([a-z-]+)`", row.split("|")[1])]
    assert sorted(named) == sorted(step.name for step in STEPS)


def test_each_question_to_a_live_account_has_a_step_or_says_why_not() -> None:
    asked = {int(number) for number in re.findall(r"^(\d+)\. ", ASSUMPTIONS.read_text(), re.MULTILINE)}
    settled = numbers(" ".join(step.assumptions for step in STEPS))
    left = numbers(" ".join(NOT_ASKED))
    assert settled | left == asked
    assert settled & left == set()


def test_the_assumptions_page_names_steps_that_there_are() -> None:
    words = {word for word in read(ASSUMPTIONS).words if re.fullmatch(r"(?:pagerduty|alert|jsm)-[a-z-]+", word)}
    assert words
    assert words <= {step.name for step in STEPS}


def test_each_switch_has_the_steps_that_tell_it_from_its_opposite() -> None:
    order = [step.name for step in STEPS]
    checked = 0
    for line in ASSUMPTIONS.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        switches = set(re.findall(r"`(\w+)`", cells[3])) if len(cells) == COLUMNS else set()
        if switches:
            steps = {row.step for row in ROWS if switches & {*row.knobs}}
            assert re.findall(r"`([a-z-]+)`", cells[6]) == sorted(steps, key=order.index), line
            checked += 1
    assert checked > 25
