"""The database's file: its mode, and whether it is still the one that was opened."""

import os
from pathlib import Path

import pytest

from reconciler.store.files import PRIVATE, OpenedFile, create_private, exposed


def test_a_missing_file_is_created_for_its_owner_alone_and_one_that_is_there_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "some.db"
    before = os.umask(0)
    try:
        create_private(file)
    finally:
        os.umask(before)
    assert file.stat().st_mode & 0o777 == PRIVATE
    file.write_text("kept")
    create_private(file)
    create_private(tmp_path / "nowhere" / "some.db")
    assert file.read_text() == "kept"


@pytest.mark.parametrize(
    ("mode", "may"), [(0o600, ""), (0o660, ""), (0o644, "may read"), (0o646, "may change"), (0o602, "may change")]
)
def test_a_file_that_everybody_may_use_is_warned_of_and_left_so(tmp_path: Path, mode: int, may: str) -> None:
    file = tmp_path / "some.db"
    file.touch()
    file.chmod(mode)
    lines = exposed(file)
    assert len(lines) == bool(may)
    assert all(may in line and line.endswith(f"chmod 600 {file}*") for line in lines)
    assert file.stat().st_mode & 0o777 == mode


def test_there_is_no_warning_without_a_file(tmp_path: Path) -> None:
    assert exposed(None) == exposed(tmp_path / "none.db") == ()


def test_a_removed_and_a_replaced_file_are_gone_until_that_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    opened = OpenedFile(path)
    opened.opened()
    assert not opened.is_gone(), "nothing was opened"
    path.touch()
    opened.opened()
    assert not opened.is_gone()
    kept = path.rename(tmp_path / "moved.db")
    assert opened.is_gone()
    path.touch()
    opened.opened()
    assert opened.is_gone(), "what was opened first is another file, which earlier connections still have"
    opened.forget()
    assert not opened.is_gone()
    opened.opened()
    assert not opened.is_gone()
    kept.replace(path)
    assert opened.is_gone()
