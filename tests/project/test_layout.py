"""Who changes a module finds its tests by its name, and no unit test needs a socket or time."""

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.paths import ROOT

PRODUCT, TESTS = ROOT / "reconciler", ROOT / "tests"
LEVELS = ("unit", "integration", "system")
WITHOUT = {
    "observability/events.py": "an interface whose every method does nothing",
    "store/stalled.py": "sessions of a server: tests/system/processes/test_lock.py",
    "vendors/ports.py": "protocols and the values that they return, without a decision",
}
"""Modules without a test of their own, and why."""
THREADS = {
    "operations/test_doctor.py": "a check hangs until the report is there without it",
    "reconcile/test_fetch.py": "two reads meet at a barrier, which proves that neither waits for the other",
    "runtime/test_daemon.py": "a route ends while another's write is still in flight",
    "runtime/test_retired.py": "routes end side by side while their reads hang",
    "runtime/test_schedule.py": "a job hangs until its test lets it go on",
    "runtime/test_worker.py": "a pair hangs until its test lets it go on, and a page is waited for",
    "store/test_group_commit.py": "writers meet in one transaction",
}
"""The unit tests in which threads wait for each other, and why: each wait ends as soon as the other has come."""


def modules() -> list[Path]:
    """The product's modules, as paths within it. The sandbox is tested by what it answers, as the vendors are."""
    found = (path.relative_to(PRODUCT) for path in PRODUCT.rglob("*.py"))
    return sorted(path for path in found if path.stem[:2] != "__" and path.parts[0] != "sandbox")


def owner(test: Path) -> Path | None:
    """The module or package that a test's file is named after: test_<module>.py, or test_<module>_<aspect>.py."""
    words = test.stem.removeprefix("test_").split("_")
    names = ("_".join(words[:most]) for most in range(len(words), 0, -1))
    paths = (test.parent / form for name in names for form in (f"{name}.py", name))
    return next(
        (path for path in paths if (PRODUCT / path).is_file() or (PRODUCT / path / "__init__.py").is_file()), None
    )


def files_of(level: str) -> Iterator[Path]:
    """The files of tests, as paths within their level."""
    return (path.relative_to(TESTS / level) for path in (TESTS / level).rglob("test_*.py"))


def test_each_module_has_tests_of_its_name() -> None:
    tested = {owner(test) for level in LEVELS for test in files_of(level)}
    assert [str(module) for module in modules() if module not in tested] == sorted(WITHOUT)


def test_each_unit_test_is_named_after_a_module() -> None:
    assert [str(test) for test in files_of("unit") if owner(test) is None] == []


def test_an_owner_is_the_module_with_the_longest_name() -> None:
    assert owner(Path("reconcile/test_pair_reader.py")) == Path("reconcile/pair_reader.py")
    assert owner(Path("reconcile/test_pair_at_night.py")) == Path("reconcile/pair.py")
    assert owner(Path("reconcile/test_pairs.py")) is None
    assert owner(Path("core/test_pair.py")) is None


# -- neither sleep nor socket --


def _waits(tree: ast.Module) -> bool:
    """Whether anything waits for an event or a barrier that this very file has made."""
    made: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and {"Event", "Barrier"} & _attributes(node.value):
            made |= {name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)}
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    waits = (call for call in calls if isinstance(call, ast.Attribute) and call.attr == "wait")
    return any(isinstance(call.value, ast.Name) and call.value.id in made for call in waits)


def _attributes(tree: ast.AST) -> set[str]:
    return {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def _imported(tree: ast.Module) -> set[str]:
    """The modules that are imported."""
    named = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return named | {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def _parsed() -> dict[str, ast.Module]:
    folder = TESTS / "unit"
    return {test.as_posix(): ast.parse((folder / test).read_text(encoding="utf-8")) for test in files_of("unit")}


@pytest.fixture
def guard() -> ModuleType:
    """What forbids sockets and sleep while unit tests are at work."""
    spec = importlib.util.spec_from_file_location("guard", TESTS / "unit" / "conftest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_only_the_listed_unit_tests_sleep(guard: ModuleType) -> None:
    sleeping = [name for name, tree in _parsed().items() if "sleep" in _attributes(tree)]
    assert sorted(sleeping) == sorted(guard.SLEEPERS)


def test_threads_wait_for_each_other_only_where_that_is_listed() -> None:
    assert sorted(name for name, tree in _parsed().items() if _waits(tree)) == sorted(THREADS)


def test_no_unit_test_knows_sockets() -> None:
    barred = {"socket", "socketserver", "http.server", "tests.support.servers", "tests.support.sockets"}
    assert {name: found for name, tree in _parsed().items() if (found := _imported(tree) & barred)} == {}
