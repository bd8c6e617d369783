"""The pages for contributors and auditors name commands and files that exist; hooks run what `make test` runs."""

import re
from pathlib import Path

import pytest
import yaml

from tests.support.paths import ROOT

PAGES = ("CONTRIBUTING.md", "SECURITY.md", "docs/supply-chain.md", "docs/architecture.md", "tests/README.md")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", "")


def targets() -> set[str]:
    """What `make` can be asked for."""
    (line,) = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    return set(line.split())


def recipe(target: str) -> str:
    """The commands of a target."""
    (found,) = re.findall(rf"^{target}:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    return str(found)


@pytest.mark.parametrize("page", PAGES)
def test_every_make_command_that_is_named_exists(page: str) -> None:
    named = set(re.findall(r"\bmake ([a-z]+)\b", " ".join(_code(page))))
    assert named <= targets()


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    folder = (ROOT / page).parent
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", (ROOT / page).read_text(encoding="utf-8"))
    assert [link for link in links if not (folder / link).exists()] == []


def test_every_path_that_contributors_are_given_exists() -> None:
    paths = [
        word
        for text in _code("CONTRIBUTING.md")
        for word in text.split()
        if re.fullmatch(r"[\w.-]+(/[\w.-]+)*(/|\.py|\.md)", word) and "NNNN" not in word
    ]
    assert len(paths) > 15
    roots = (ROOT, ROOT / "reconciler")
    made = (Path("dist"), Path("reconciler/_migrations"))
    missing = [
        path for path in paths if not any((root / path).exists() for root in roots) and Path(path) not in made
    ]
    assert missing == []


def test_every_target_of_make_is_described_to_contributors_or_users() -> None:
    described = (ROOT / "CONTRIBUTING.md").read_text() + (ROOT / "README.md").read_text()
    parts = {"check", "lint", "types", "suite", "collect", "matrix-prepare", "clean"}
    assert {target for target in targets() if f"make {target}" not in described} == parts


def test_the_hooks_of_pre_commit_run_what_make_test_runs_and_download_nothing() -> None:
    configured = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert [repo["repo"] for repo in configured["repos"]] == ["local"]
    for hook in configured["repos"][0]["hooks"]:
        assert hook["language"] == "system"
        program = hook["entry"].removeprefix(".venv/bin/").split()[0]
        assert f"$(BIN)/{program}" in recipe("lint") + recipe("types")
    for target in ("lint", "types", "suite"):
        assert re.search(rf"--jobs=2 .*\b{target}\b", recipe("test"))


def _code(page: str) -> list[str]:
    """What is set as code on a page."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [*re.findall(r"```\w*\n(.*?)```", text, re.DOTALL), *re.findall(r"`([^`\n]+)`", text)]
