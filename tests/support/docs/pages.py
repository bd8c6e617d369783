"""The pages of the documentation as values: their fenced blocks, links, headings, and words set as code."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt  # rich brings it
from markdown_it.token import Token

from tests.support.paths import ROOT

_MARKDOWN = MarkdownIt("commonmark").enable("table")
_COMMENT = re.compile(r"<!-- (.*?) -->", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, its text, the comment before it, and its first line's number."""

    language: str
    text: str
    comment: str
    line: int


@dataclass(frozen=True, slots=True)
class Page:
    """A page. `words` are those set as code; `links` are targets as they are written."""

    path: Path
    blocks: tuple[Block, ...]
    links: tuple[str, ...]
    anchors: frozenset[str]
    words: tuple[str, ...]

    @property
    def name(self) -> str:
        """The page's path within the repository."""
        return self.path.relative_to(ROOT).as_posix()


@cache
def pages() -> tuple[Page, ...]:
    """Every page: README.md, and all of docs/."""
    return tuple(read(path) for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))))


def read(path: Path) -> Page:
    """One page."""
    source = path.read_text(encoding="utf-8")
    tokens = _MARKDOWN.parse(source)
    inline = [part for token in tokens for part in token.children or ()]
    pictures = [str(part.attrs["src"]) for part in inline if part.type == "image"]
    return Page(
        path,
        tuple(_blocks(tokens)),
        (*(str(part.attrs["href"]) for part in inline if part.type == "link_open"), *pictures),
        frozenset(_anchors(tokens)) | frozenset(re.findall(r'<a id="([^"]+)">', source)),
        tuple(part.content for part in inline if part.type == "code_inline"),
    )


def _blocks(tokens: list[Token]) -> Iterator[Block]:
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.type == "fence":
            comment = (
                _COMMENT.fullmatch(before.content.strip()) if before and before.type == "html_block" else None
            )
            line = token.map[0] + 1 if token.map else 0
            yield Block(token.info.strip(), token.content, comment[1] if comment else "", line)
        elif token.type == "code_block":
            yield Block("indented", token.content, "", token.map[0] + 1 if token.map else 0)


def _anchors(tokens: list[Token]) -> Iterator[str]:
    """The headings' anchors, as Python-Markdown names them."""
    seen: dict[str, int] = {}
    for opening, token in pairwise(tokens):
        if opening.type == "heading_open":
            explicit = re.search(r"\{ ?#([\w-]+) ?\}$", token.content)
            text = "".join(part.content for part in token.children or ())
            plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
            slug = re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", plain).strip().lower())
            seen[slug] = seen.get(slug, -1) + 1
            yield explicit[1] if explicit else f"{slug}_{seen[slug]}" if seen[slug] else slug
