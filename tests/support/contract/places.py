"""Places in the source, found by their form, and whether a run has come there."""

import ast
from collections.abc import Callable, Iterable
from pathlib import Path

from tests.support.paths import ROOT

Lines = tuple[str, int]
"""A file and the number of one of its lines."""
Wanted = Callable[[ast.AST], ast.expr | None]
"""Tells of a node of a syntax tree the expression that is looked for; None for any other node."""


def places(folder: Path, wanted: Wanted) -> list[tuple[Path, range]]:
    """Every such expression of a folder's modules: its file, and its lines."""
    found = []
    for path in sorted(folder.rglob("*.py")):
        nodes = map(wanted, ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        found += [
            (path, range(one.lineno, (one.end_lineno or one.lineno) + 1)) for one in nodes if one is not None
        ]
    return found


def missed(found: Iterable[tuple[Path, range]], reached: frozenset[Lines]) -> list[str]:
    """The places that a run has not reached, as `file:line`."""
    return [
        f"{path.relative_to(ROOT)}:{lines.start}"
        for path, lines in found
        if not any((str(path), line) in reached for line in lines)
    ]
