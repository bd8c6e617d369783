"""The runbook has a section for everything that can be wrong, and for nothing else; each says what to do."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

from reconciler.observability.health import Health
from reconciler.observability.naming import STATES
from reconciler.operations.headline import LINES
from reconciler.runtime import action_log, state_log
from tests.support.paths import ROOT

RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
RULES = yaml.safe_load((ROOT / "examples" / "prometheus" / "rules.yaml").read_text(encoding="utf-8"))
_PARTS = re.split(r"^### ", RUNBOOK, flags=re.MULTILINE)[1:]
SECTIONS = {part.partition("\n")[0]: part.partition("\n")[2] for part in _PARTS}
DYNAMIC = {
    "runtime/state_log.py": (*state_log.SUBJECTS, *state_log.OPTIONAL),
    "runtime/action_log.py": action_log.SUBJECTS,
}
"""Modules in which the subject of an ERROR line is not a literal, and their subjects."""


@cache
def errors() -> tuple[tuple[str, ast.Call | None], ...]:
    """Each `log.error` in the product: its module, and its call unless it is only passed on."""
    return tuple(found for path in sorted((ROOT / "reconciler").rglob("*.py")) for found in _errors(path))


def _errors(path: Path) -> Iterator[tuple[str, ast.Call | None]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = {id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in (node for node in ast.walk(tree) if isinstance(node, ast.Attribute)):
        if ast.unparse(node) in {"log.error", "log.exception", "log.critical"}:
            yield path.relative_to(ROOT / "reconciler").as_posix(), calls.get(id(node))


def literal_subject(call: ast.Call | None) -> str:
    """The subject that the call gives; empty if it is not written there."""
    given = [word.value for word in call.keywords if word.arg == "subject"] if call else []
    return next((str(value.value) for value in given if isinstance(value, ast.Constant)), "")


def subjects() -> set[str]:
    """Every subject that an ERROR line can have."""
    literal = {literal_subject(call) for _, call in errors()} - {""}
    return literal.union(*DYNAMIC.values())


def expected() -> set[str]:
    """The headings that the code and the rules ask for."""
    return {
        *(rule["alert"] for rule in RULES["groups"][0]["rules"]),
        *(f"subject: {subject}" for subject in subjects()),
        *(f"action: {state}" for state in STATES),
        *(f"headline: {name}" for name in LINES),
        *(f"readyz: {name}" for name in Health(1.0).reasons()),
        "healthz: 503",
    }


def test_everything_has_its_section_and_no_section_is_about_nothing() -> None:
    assert set(SECTIONS) == expected()
    assert len(re.findall(r"^### ", RUNBOOK, re.MULTILINE)) == len(SECTIONS), "each once"


@pytest.mark.parametrize("heading", SECTIONS)
def test_a_section_says_what_it_means_what_people_notice_what_to_do_and_when_it_ends(heading: str) -> None:
    parts = re.findall(r"^- \*\*(.+?)\*\* (\S)", SECTIONS[heading], re.MULTILINE)
    assert [name for name, _ in parts] == ["Means", "People notice", "Do", "Ends"]


def test_every_error_line_has_a_subject_to_search_for() -> None:
    without = {module for module, call in errors() if not literal_subject(call)}
    assert without == set(DYNAMIC)


def test_a_headline_is_in_the_order_of_its_gravity_and_so_is_readiness() -> None:
    told = [heading.partition(": ")[2] for heading in SECTIONS if heading.startswith("headline: ")]
    assert told == [*LINES]
    told = [heading.partition(": ")[2] for heading in SECTIONS if heading.startswith("readyz: ")]
    assert told == [*Health(1.0).reasons()]


def test_each_rule_points_to_its_section_and_has_its_severity_there() -> None:
    for rule in RULES["groups"][0]["rules"]:
        assert rule["annotations"]["runbook"] == f"docs/runbook.md#{rule['alert'].lower()}"
        assert f"- **Means** ({rule['labels']['severity']}) " in SECTIONS[rule["alert"]]
