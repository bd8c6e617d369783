"""Every uncertain fact about the vendors, turned round: nothing is lost, done twice or silenced because of it."""

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import get_type_hints

import pytest

from reconciler.sandbox.settings import SandboxSettings
from tests.support import assumptions
from tests.support.assumptions import ASSUMPTIONS, ELSEWHERE
from tests.support.paths import ROOT
from tests.support.simulation.chance import random_history
from tests.support.simulation.drivers import drive_all
from tests.support.simulation.schedule import GLANCED, ODD, SPACED, STORY, Fault, History

PAGE = (ROOT / "docs" / "assumptions.md").read_text(encoding="utf-8")
MANY = int(os.environ.get("RECONCILER_ASSUMPTION_HISTORIES", "0"))
"""The number of random histories for each row, beside every canned one; 0: only the row's own."""
LONG = tuple(replace(act, text=act.text + " and so on" * 60) if act.verb == "note" else act for act in STORY.acts)
HISTORIES = {
    assumptions.STATES: SPACED,
    assumptions.WEBHOOKS: GLANCED,
    assumptions.STORY: STORY,
    assumptions.LONG_NOTES: replace(STORY, acts=LONG),
    assumptions.DOUBT: STORY.but(Fault("pd.create", 0, "500_after"), Fault("pd.create", 1, "drop_after")),
}
UNCERTAIN = {
    name
    for name, row in get_type_hints(SandboxSettings, include_extras=True).items()
    if "(uncertain)" in row.__metadata__[0]
}


def histories(name: str) -> Iterator[History]:
    """The histories that are run with a row's settings."""
    row = ASSUMPTIONS[name]
    found = (
        [*HISTORIES.values(), *ODD.values(), *map(random_history, range(MANY))]
        if MANY
        else [HISTORIES[row.history]]
    )
    for history in found:
        yield replace(history, assumption=name, source=row.source)


@pytest.fixture(scope="module")
def found() -> dict[str, list[str]]:
    """The findings of each row's histories, all of which run in parallel."""
    tally = drive_all([history for name in ASSUMPTIONS for history in histories(name)])
    lines: dict[str, list[str]] = {name: [] for name in ASSUMPTIONS}
    for history, wrong in tally.found:
        lines[history.assumption] += wrong
    return lines


@pytest.mark.parametrize("name", ASSUMPTIONS)
def test_nothing_that_matters_rests_on_an_assumption(name: str, found: dict[str, list[str]]) -> None:
    differs = ASSUMPTIONS[name].differs
    assert [line for line in found[name] if not any(fnmatchcase(line, each) for each in differs)] == []


@pytest.mark.parametrize("name", [name for name, row in ASSUMPTIONS.items() if row.differs])
def test_what_may_differ_does(name: str, found: dict[str, list[str]]) -> None:
    assert found[name]


def test_every_uncertain_setting_of_the_sandbox_is_turned_round() -> None:
    turned = {setting for row in ASSUMPTIONS.values() for setting in row.settings}
    assert UNCERTAIN - turned - set(ELSEWHERE) == set()
    assert set(ELSEWHERE) <= UNCERTAIN


@pytest.mark.parametrize(("setting", "path"), ELSEWHERE.items())
def test_what_is_turned_round_elsewhere_is(setting: str, path: str) -> None:
    assert setting in (ROOT / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ASSUMPTIONS)
def test_a_row_turns_its_settings_round(name: str) -> None:
    usual = SandboxSettings()
    changed = usual.changed(ASSUMPTIONS[name].settings)
    assert any(getattr(changed, setting) != getattr(usual, setting) for setting in ASSUMPTIONS[name].settings)


def test_the_page_names_every_uncertain_setting_and_no_other() -> None:
    named = set(re.findall(r"`(\w+)`", PAGE)) & set(SandboxSettings().as_json())
    turned = {setting for row in ASSUMPTIONS.values() for setting in row.settings}
    assert UNCERTAIN - named == set()
    assert named <= UNCERTAIN | turned
