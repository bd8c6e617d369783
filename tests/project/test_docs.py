"""What the documentation names exists, its links resolve, and each block is run, compared, or says why not."""

import importlib.util
import json
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest
import yaml
from dotenv import dotenv_values

from reconciler.cli.commands import cli
from reconciler.observability.metrics_table import METRICS, PROCESS_METRICS
from reconciler.settings import variables
from tests.support.docs.console import agrees, steps
from tests.support.docs.pages import Block, Page, pages, read
from tests.support.paths import ROOT

PAGES = pages()
CONFIG = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
FORMATS: dict[str, Callable[[str], Any]] = {
    "json": json.loads,
    "toml": tomllib.loads,
    "yaml": lambda text: list(yaml.safe_load_all(text)),
    "ini": str,
    "env": str,
}
"""How a block of each data format is read. A unit of systemd may repeat a name, which INI readers refuse."""
FOREIGN = {
    "HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
    "NO_COLOR", "SOURCE_DATE_EPOCH", "CREDENTIALS_DIRECTORY", "POSTGRES_PASSWORD", "POSTGRES_PASSWORD_FILE",
    "X_FILE",
}  # fmt: skip
"""Variables that others define and we or the tools that are named obey."""
CODE = ("reconciler/", "tests/support/", "tests/system/", "benchmarks/", "Makefile", "examples/")
"""Where a variable of the project's own tools may be defined."""
TOPS = ("reconciler", "tests", "docs", "examples", "benchmarks", "migrations")

CALL = re.compile(
    r"(?:^|[;|&(] ?|-- |[A-Z]=\S* |bin/|sudo )reconciler ((?:[a-z]+|--?[a-z][\w-]*)(?: [^|;&<>()`\n]*)?)",
    re.MULTILINE,
)
VARIABLE = re.compile(r"(?<![\w$…*-])[A-Z]{2,}(?:_[A-Z]+)+(?![\w*…])")
METRIC = re.compile(r"\breconciler_[a-z_]+\b")
RULE = re.compile(r"\bReconciler[A-Z][A-Za-z]+\b")
FILE = re.compile(r"(?:[\w.-]+/)+(?:[\w-]+\.(?:py|yaml|yml|json|md|toml|env|service|timer|conf|png))?|[\w-]+\.py")
TARGET = re.compile(r"\bmake ([a-z][a-z-]+)")


def words(page: Page) -> Iterator[str]:
    """All that a page sets as code: words within its text, its commands, and its shell blocks."""
    yield from page.words
    yield from (step.command for step in steps(page))
    yield from (block.text for block in page.blocks if block.language == "sh")


def named(pattern: re.Pattern[str]) -> dict[str, str]:
    """What the pattern finds on the pages, each with the page that names it first."""
    found: dict[str, str] = {}
    for page in PAGES:
        for text in words(page):
            for match in pattern.finditer(text):
                found.setdefault(match[match.re.groups and 1], page.name)
    return found


# -- blocks and links --


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_block_is_run_or_compared_or_says_why_not(page: Page) -> None:
    for block in page.blocks:
        place = f"{page.name}, line {block.line}"
        if block.language == "console":
            assert list(steps(page)), place
        elif block.language in FORMATS:
            assert FORMATS[block.language](block.text) is not None, place
            assert _is_in_the_file_that_it_names(block), f"{place}: differs from the file in its comment"
        else:
            assert block.language in {"sh", "text"}, f"{place}: its language must be console, sh, text or a format"
            assert re.match(r"not run: .", block.comment), f"{place}: needs `<!-- not run: REASON -->` before it"


def _is_in_the_file_that_it_names(block: Block) -> bool:
    source = re.match(r"from: (\S+)", block.comment)
    return source is None or block.text in (ROOT / source[1]).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_link_leads_somewhere(page: Page) -> None:
    for link in page.links:
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        path = (page.path.parent / target).resolve() if target else page.path
        assert path.exists(), f"{page.name}: {link}"
        if anchor and path.suffix == ".md":
            assert anchor in read(path).anchors, f"{page.name}: {link}"


def test_the_sites_navigation_has_every_page_once() -> None:
    listed = list(_files(CONFIG["nav"]))
    assert sorted(listed) == sorted(path.relative_to(ROOT / "docs").as_posix() for path in _markdown())


def _files(nav: Any) -> Iterator[str]:
    if isinstance(nav, str):
        yield nav
    else:
        for entry in nav.values() if isinstance(nav, dict) else nav:
            yield from _files(entry)


def _markdown() -> Iterator[Path]:
    return (ROOT / "docs").rglob("*.md")


def test_the_site_loads_nothing_from_elsewhere() -> None:
    assert CONFIG["theme"]["font"] is False
    assert not {"extra_javascript", "extra_css", "repo_url"} & set(CONFIG)


def test_a_link_out_of_the_documentation_is_plain_text_on_the_site() -> None:
    spec = importlib.util.spec_from_file_location("outside", ROOT / CONFIG["hooks"][0])
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    source = "[`a`](../../examples/a.yaml), [b](../b.md#c), [d](0001.md), ![e](../images/e.png)"
    page = SimpleNamespace(file=SimpleNamespace(src_uri="deploy/page.md"))
    shown = module.on_page_markdown(source, page=page)
    assert shown == "`a`, [b](../b.md#c), [d](0001.md), ![e](../images/e.png)"


# -- what is named exists --


@pytest.mark.parametrize(("call", "page"), named(CALL).items())
def test_each_command_and_option_named_exists(call: str, page: str) -> None:
    at: click.Command = cli
    options = set(_options(cli))
    for word in call.split():
        if word.startswith("-"):
            assert re.split(r"[=\]|…]", word)[0] in options, f"{page}: reconciler {call}"
        elif isinstance(at, click.Group) and re.fullmatch(r"[a-z]+", word):
            assert word in at.commands, f"{page}: reconciler {call}"
            at = at.commands[word]
            options |= set(_options(at))


def _options(command: click.Command) -> Iterator[str]:
    for parameter in command.params:
        yield from (*parameter.opts, *parameter.secondary_opts)
    yield from ("--help", "-h", "--version")


def test_each_variable_named_exists() -> None:
    known = {name + end for name in variables() for end in ("", "_FILE")} | FOREIGN
    elsewhere = "\n".join(_texts(CODE))
    found = named(VARIABLE).items()  # the end of a name is one that `grep` is given
    strange = {name: page for name, page in found if not any(each.endswith(name) for each in known)}
    assert {name: page for name, page in strange.items() if not re.search(rf"\b{name}\b", elsewhere)} == {}


def _texts(places: tuple[str, ...]) -> Iterator[str]:
    for place in places:
        path = ROOT / place
        files = path.rglob("*") if path.is_dir() else [path]
        yield from (
            file.read_text(encoding="utf-8")
            for file in files
            if file.is_file() and file.suffix in {".py", ".yaml", ".env", ".service", ""}
        )


def test_each_metric_and_rule_named_exists() -> None:
    ends = {"histogram": ("", "_bucket", "_count", "_sum")}
    known = {row.name + end for row in (*METRICS, *PROCESS_METRICS) for end in ends.get(row.kind, ("",))}
    assert {name: page for name, page in named(METRIC).items() if name not in known} == {}
    rules = yaml.safe_load((ROOT / "examples/prometheus/rules.yaml").read_text(encoding="utf-8"))
    alerts = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    assert {name: page for name, page in named(RULE).items() if name not in alerts} == {}


def test_each_file_and_target_named_exists() -> None:
    there = [
        "/" + path.relative_to(ROOT).as_posix()
        for top in TOPS
        for path in ((ROOT / top), *(ROOT / top).rglob("*"))
    ]
    tops = (*(f"{top}/" for top in TOPS), *(f"{path.name}/" for path in (ROOT / "reconciler").iterdir()))
    for page in PAGES:
        for word in page.words:
            if FILE.fullmatch(word) and (word.startswith(tops) or "/" not in word):
                assert any(path.endswith(f"/{word.rstrip('/')}") for path in there), f"{page.name}: {word}"
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = {name for line in re.findall(r"^([a-z][a-z -]*):", makefile, re.MULTILINE) for name in line.split()}
    assert {name: page for name, page in named(TARGET).items() if name not in targets} == {}


def test_each_endpoint_named_exists() -> None:
    described = yaml.safe_load((ROOT / "reconciler/web/openapi.yaml").read_text(encoding="utf-8"))["paths"]
    there = {f"{method.upper()} {path}" for path, methods in described.items() for method in methods}
    named_there = {word for page in PAGES for word in page.words if re.fullmatch(r"(?:GET|POST) /[a-z-]+", word)}
    assert named_there == there


def test_the_documentations_own_samples_of_settings_have_the_real_names() -> None:
    blocks = [block for page in PAGES for block in page.blocks if block.language == "env"]
    given = {name for block in blocks for name in dotenv_values(stream=block.text.splitlines(keepends=True))}  # type: ignore[arg-type]
    assert given <= {name + end for name in variables() for end in ("", "_FILE")} | FOREIGN


# -- the runner of the console blocks --


@pytest.mark.parametrize(
    ("expected", "printed", "is_good"),
    [
        ((), "", True),
        ((), "a surprise\n", False),
        (("a", "b"), "a\nb\n", True),
        (("a", "b"), "a\nx\nb\n", False),
        (("a", "…", "b"), "a\nx\ny\nb\n", True),
        (("a", "…", "b"), "a\nb\n", True),
        (("at … UTC",), "at 09:14 UTC\n", True),
        (("at … UTC",), "at 09:14\nUTC\n", False),
        (("a.b",), "axb\n", False),
        (("a", ""), "a", True),
    ],
)
def test_what_is_printed_is_compared_with_what_is_shown(
    expected: tuple[str, ...], printed: str, *, is_good: bool
) -> None:
    assert agrees(expected, printed) is is_good


def test_commands_and_their_outputs_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("```console\n$ cat <<END\n> a\n> END\na\n\n$ reconciler status\n```\n\n```sh\nno\n```\n")
    found = list(steps(read(path)))
    assert [(step.command, step.expected) for step in found] == [
        ("cat <<END\na\nEND", ("a", "")),
        ("reconciler status", ()),
    ]
    assert [step.line for step in found] == [2, 7]
    assert [step.is_reading for step in found] == [True, True]
