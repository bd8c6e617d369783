"""One word for one thing: none of the words that were given up is in anything that a user reads.

The words in use are in docs/architecture.md. What is checked: every help text, every text in the product's code
(log lines, errors, `status`, `once`, metrics), README, the settings' template, examples, the status page's
templates, and the HTTP description.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from reconciler.cli.commands import cli
from reconciler.observability.metrics_table import metrics_table
from reconciler.observability.naming import STATES
from tests.support.paths import ROOT

GIVEN_UP = {
    r"\bglanc(?:e|es|ed|ing)\b": "a read, or a pair that is reconciled because of a hint",
    r"\b(?:in[ _]doubt|doubtful|doubts?)\b": "unknown: the outcome of a write",
    r"\b(?:a|an|the|its|our|next|last|each|every|one|another|first|further|early) looks?\b": "a read, a poll",
    r"\blooks (?:at|of) (?:a|the) (?:pair|alert|incident)\b": "reads",
    r"\bcrews?\b": "the worker pool",
    r"\bhands\b": "workers",
    r"\bbooks\b": "the tables, the outbox",
    r"\bledger\b": "the outbox",
    r"\b(?:status|state)\W{1,3}sent\b|\b\d+ sent\b|\bsent actions?\b": "in flight, or unknown",
    r"\bmend(?:s|ed|ing)?\b": "fix",
    r"\bbudgets?\b": "the rate limit",
    r"\bborn\b": "created",
    r"\b(?:convoy|sieve|inbox)\b": "the work queue",
}
"""Each word that was given up, as a pattern, and what is said instead."""
TEXTS = ("README.md", ".env-example", "docs/architecture.md", "docs/status-page.md", "reconciler/web/openapi.yaml")


def helps(group: click.Group, *words: str) -> Iterator[tuple[str, str]]:
    """Every command's help, by its words."""
    context = click.Context(group, info_name="reconciler")
    yield " ".join((*words, "--help")), group.get_help(context)
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from helps(command, *words, name)
        else:
            yield " ".join((*words, name, "--help")), command.get_help(click.Context(command, info_name=name))


def literals(source: Path) -> Iterator[tuple[str, str]]:
    """Every text in a module that is no docstring, by its place; `{}` stands for what an f-string fills in."""
    tree = ast.parse(source.read_text())
    silent: set[int] = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    silent |= {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if id(node) in silent:
            continue
        place = f"{source.relative_to(ROOT)}, line {getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield place, node.value
        elif isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
            yield place, "".join(map(str, parts))


@cache
def shown() -> tuple[tuple[str, str], ...]:
    """All that users read: where it stands, and the text."""
    examples = (path for path in (ROOT / "examples").rglob("*") if path.is_file() and "webhooks" not in path.parts)
    product = (path for path in (ROOT / "reconciler").rglob("*.py") if "sandbox" not in path.parts)
    pages = (ROOT / "reconciler" / "web" / "templates").iterdir()
    return (
        *helps(cli),
        ("metrics", metrics_table()),
        *((name, (ROOT / name).read_text()) for name in TEXTS),
        *((str(path.relative_to(ROOT)), path.read_text()) for path in (*examples, *pages)),
        *(found for path in product for found in literals(path)),
    )


@pytest.mark.parametrize("word", GIVEN_UP)
def test_no_text_has_a_word_that_was_given_up(word: str) -> None:
    pattern = re.compile(word, re.IGNORECASE)
    found = [(place, match[0]) for place, text in shown() for match in pattern.finditer(text)]
    assert found == [], f"say instead: {GIVEN_UP[word]}"


def test_the_states_of_an_action_are_those_of_the_documentation() -> None:
    readme = (ROOT / "README.md").read_text()
    told = re.search(r"An action is (.*?): the same words", readme, re.DOTALL)
    assert told
    assert re.findall(r"\*([a-z ]+)\*", told[0]) == [*STATES]


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("a daemon tries them at its next look", True),
        ("look for a proxy on the way", False),
        ("not looked at yet", False),
        ("status=sent", True),
        ("the request was sent twice", False),
        ("0 planned, 3 sent, 2 done", True),
        ("made by hand", False),
        ("with eight hands", True),
        ("the write is in doubt", True),
    ],
)
def test_a_pattern_finds_the_word_in_its_old_sense_only(text: str, *, is_found: bool) -> None:
    assert any(re.search(word, text, re.IGNORECASE) for word in GIVEN_UP) is is_found
