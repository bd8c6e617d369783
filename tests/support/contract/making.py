"""Makes all calls, and notes which lines of the product make a request."""

import ast
import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from reconciler.vendors import ports
from reconciler.vendors.http import Http
from tests.support.contract.calls import CALLS, SCENES, Call, Scene
from tests.support.contract.exchange import Exchange
from tests.support.contract.places import Lines, places
from tests.support.paths import ROOT


@dataclass(frozen=True, slots=True)
class Made:
    """All calls made once. `sites` are the lines of the product that made a request: file and line."""

    exchanges: tuple[tuple[str, str, Exchange], ...]
    sites: frozenset[Lines]


@cache
def made() -> Made:
    """Every call of every scene, each with its scene's source and its name; once for each process."""
    found: list[tuple[str, str, Exchange]] = []
    with _sites() as sites:
        for source, scene, name, call in _calls():
            scene.recorder.exchanges.clear()
            call(scene)
            found += [(source, name, exchange) for exchange in scene.recorder.exchanges]
    return Made(tuple(found), frozenset(sites))


def _calls() -> Iterator[tuple[str, Scene, str, Call]]:
    for source, query, kinds in SCENES:
        scene = Scene(source, query)
        rows = [(kind, method, call) for kind in kinds for method, some in CALLS[kind].items() for call in some]
        yield from ((source, scene, f"{kind.__name__}.{method}", call) for kind, method, call in rows)


@contextmanager
def _sites() -> Iterator[set[Lines]]:
    """Note meanwhile which lines call `Http.get` and `Http.write`."""
    found: set[Lines] = set()

    def noting(original: Any) -> Any:
        def call(*given: Any, **named: Any) -> Any:
            caller = sys._getframe(1)
            found.add((caller.f_code.co_filename, caller.f_lineno))
            return original(*given, **named)

        return call

    with pytest.MonkeyPatch.context() as patched:
        for name in ("get", "write"):
            patched.setattr(Http, name, noting(getattr(Http, name)))
        yield found


def request_places() -> list[tuple[Path, range]]:
    """Each place of the product that makes a request of a vendor.

    But for the probe's: on a trial account it asks on purpose for what no description has.
    """

    def wanted(node: ast.AST) -> ast.expr | None:
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            return None
        owner = ast.unparse(node.func.value)
        return node if node.func.attr in ("get", "write") and owner.endswith("http") else None

    probe = ROOT / "reconciler" / "probe"
    return [place for place in places(ROOT / "reconciler", wanted) if probe not in place[0].parents]


def protocols() -> set[type]:
    """The protocols of `ports` that are about a vendor: all but the clock."""
    found = {kind for _, kind in inspect.getmembers(ports, inspect.isclass) if kind.__module__ == ports.__name__}
    return {kind for kind in found if getattr(kind, "_is_protocol", False)} - {ports.Clock}
