"""`make matrix` runs on the Pythons that are there and work, and runs tests that exist."""

import tomllib
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tools import matrix


def test_the_pythons_tried_are_those_that_the_package_declares() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = [line.rpartition(" ")[2] for line in project["classifiers"]]
    assert list(matrix.PYTHONS) == declared
    assert project["requires-python"] == f">={declared[0]}"


def test_what_is_run_exists() -> None:
    assert [name for name in matrix.TESTS if not (ROOT / name).exists()] == []


@pytest.mark.parametrize(
    ("program", "expected"),
    [(None, False), ('[ "$PYENV_VERSION" = 3.99 ]', True), ("exit 127", False)],
    ids=["absent", "works", "a shim of an absent version"],
)
def test_a_python_counts_only_if_it_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str | None, *, expected: bool
) -> None:
    if program is not None:
        (tmp_path / "python3.99").write_text(f"#!/bin/sh\n{program}\n")
        (tmp_path / "python3.99").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    assert matrix.works("3.99") is expected


def test_a_failure_anywhere_fails_the_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(matrix, "THIS", "3.11")
    monkeypatch.setattr(matrix, "works", {"3.12": True, "3.13": True, "3.14": False}.get)
    monkeypatch.setattr(matrix, "passes", {"3.12": False, "3.13": True}.get)
    with pytest.raises(SystemExit, match="1"):
        matrix.main()
    assert capsys.readouterr().out == "Ran on 3.12, 3.13; not on 3.14\n"


def test_the_newest_that_works_can_be_run_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(matrix, "THIS", "3.11")
    monkeypatch.setattr(matrix, "works", {"3.12": True, "3.13": True, "3.14": False}.get)
    prepared: list[str] = []
    monkeypatch.setattr(matrix, "prepared", prepared.append)
    monkeypatch.setattr(matrix, "passes", {"3.13": True}.get)
    matrix.main(["--newest", "--prepare"])
    matrix.main(["--newest"])
    assert prepared == ["3.13"]
    assert capsys.readouterr().out == "Ran on 3.13; not on 3.12, 3.14\n"
