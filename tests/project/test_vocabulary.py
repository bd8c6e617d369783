"""One word for one thing: none of the words that were given up is in anything that a user reads.

The words in use are in the glossary of docs/architecture.md, which says where each is shown. What is checked:
every help text, every text in the product's code (log lines, errors, `status`, `once`, metrics), README, the
documentation but for the decisions, which are not rewritten, the settings' template, examples with the alert
rules, the status page's templates, and the HTTP description.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import click
import pytest
import yaml

from reconciler.cli.commands import cli
from reconciler.observability.metrics_table import METRICS, PROCESS_METRICS
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
    r"\bdiverg(?:es?|ed|ent|ing)\b|\bout of (?:sync|step)\b": "apart",
    r"\bin sync\b": "in step",
}
"""Each word that was given up, as a pattern, and what is said instead."""
WRITTEN = {".md", ".yaml", ".yml", ".json", ".env", ".service", ".timer", ".sh", ".toml"}
"""Endings of the files in docs/ and examples/ that are texts."""
TEXTS = ("README.md", ".env-example", "mkdocs.yml", "reconciler/web/openapi.yaml")


def helps(
    command: click.Command, parent: click.Context | None = None, name: str = "reconciler"
) -> Iterator[tuple[str, str]]:
    """Every command's help, by its words. Click caches parts of a context, so it is as on the command line."""
    context = click.Context(command, parent, name, **command.context_settings)
    yield f"{context.command_path} --help", command.get_help(context)
    for word, each in command.commands.items() if isinstance(command, click.Group) else ():
        yield from helps(each, context, word)


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
    files = (path for folder in ("docs", "examples") for path in (ROOT / folder).rglob("*"))
    written = (path for path in files if path.suffix in WRITTEN and not {"webhooks", "decisions"} & {*path.parts})
    product = (
        path for path in (ROOT / "reconciler").rglob("*.py") if "sandbox" not in path.relative_to(ROOT).parts
    )
    pages = (ROOT / "reconciler" / "web" / "templates").iterdir()
    return (
        *helps(cli),
        *((f"the help of {row.name}", row.help) for row in (*METRICS, *PROCESS_METRICS)),
        *((name, (ROOT / name).read_text()) for name in TEXTS),
        *((str(path.relative_to(ROOT)), path.read_text()) for path in (*written, *pages)),
        *(found for path in product for found in literals(path)),
    )


@pytest.mark.parametrize("word", GIVEN_UP)
def test_no_text_has_a_word_that_was_given_up(word: str) -> None:
    pattern = re.compile(word, re.IGNORECASE)
    found = [(place, match[0]) for place, text in shown() for match in pattern.finditer(text)]
    assert found == [], f"say instead: {GIVEN_UP[word]}"


def test_the_states_of_an_action_are_those_of_the_documentation() -> None:
    page = (ROOT / "docs" / "operating.md").read_text()
    told = re.search(r"An action is (.*?): the same words", page, re.DOTALL)
    assert told
    assert re.findall(r"\*([a-z ]+)\*", told[0]) == [*STATES]


# -- the glossary --


@dataclass(frozen=True)
class Word:
    """One row of the glossary: the word, and how `status`, metrics and alert rules show it."""

    word: str
    status: tuple[str, ...]
    metrics: tuple[str, ...]
    rules: tuple[str, ...]


def glossary() -> tuple[Word, ...]:
    text = (ROOT / "docs" / "architecture.md").read_text()
    found = re.findall(r"^\| \*\*(.+?)\*\* \|.*\|(.*)\|(.*)\|(.*)\|$", text, re.MULTILINE)
    named = re.compile(r"`(\w+)`")
    titles = [
        [title.strip() for title in re.split(r",(?= [A-Z])", status) if title.strip()] for _, status, *_ in found
    ]
    return tuple(
        Word(word, tuple(shown), tuple(named.findall(metrics)), tuple(named.findall(rules)))
        for (word, _, metrics, rules), shown in zip(found, titles, strict=True)
    )


RULES = yaml.safe_load((ROOT / "examples" / "prometheus" / "rules.yaml").read_text())["groups"][0]["rules"]
ABOUT_THE_PROCESS = {"ReconcilerAbsent", "ReconcilerRestartsOften"}
"""Alert rules that are about no word of ours."""


def test_the_glossary_has_each_word_once_and_among_them_every_state_of_an_action() -> None:
    words = [each.word for each in glossary()]
    assert len(words) == len(set(words))
    assert [word for word in words if word in STATES] == [*STATES]


def test_what_the_glossary_says_is_shown_is_shown() -> None:
    product = {text for place, text in shown() if place.startswith("reconciler/")}
    rows = glossary()
    assert [title for row in rows for title in row.status if not any(title in text for text in product)] == []
    assert {name for row in rows for name in row.metrics} <= {row.name for row in METRICS}
    assert {name for row in rows for name in row.rules} == {rule["alert"] for rule in RULES} - ABOUT_THE_PROCESS


def test_an_alert_rule_is_about_a_metric_of_its_word() -> None:
    """What fires under a word is computed from what is counted under it."""
    for rule in (rule for rule in RULES if rule["alert"] not in ABOUT_THE_PROCESS):
        counted = {name for row in glossary() if rule["alert"] in row.rules for name in row.metrics}
        assert counted & set(re.findall(r"\w+", rule["expr"])), rule["alert"]


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
