"""The database's file: its mode, and whether it is still the one that was opened."""

import os
from pathlib import Path

import pytest

from reconciler.errors import Misconfigured
from reconciler.store.files import (
    PRIVATE,
    OpenedFile,
    check_owner,
    check_private,
    create_private,
    exposed,
    open_private,
)


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


def another_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are of the user who runs the tests; the program believes to be run by another one."""
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    monkeypatch.setattr("reconciler.store.files._ROOT", -1)


def test_a_file_of_another_user_is_refused_whoever_may_use_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "some.db"
    check_owner(file)
    check_private(file)
    file.touch(mode=0o666)
    check_owner(file)
    another_user(monkeypatch)
    told = (
        rf"^DATABASE_URL: {file} belongs to user {os.getuid()}, and this is user {os.geteuid()}: run as that user"
    )
    for use in (check_owner, check_private, open_private):
        with pytest.raises(Misconfigured, match=told):
            use(file)
    monkeypatch.setattr("reconciler.store.files._ROOT", os.getuid())
    check_owner(file)


def test_a_private_file_is_its_owners_alone_whatever_it_was(tmp_path: Path) -> None:
    file = tmp_path / "some.lock"
    file.write_text("kept")
    file.chmod(0o666)
    os.close(open_private(file))
    assert (file.stat().st_mode & 0o777, file.read_text()) == (PRIVATE, "kept")
    new = tmp_path / "new.lock"
    os.close(open_private(new))
    assert new.stat().st_mode & 0o777 == PRIVATE


def test_a_link_and_a_pipe_are_refused_and_left_as_they_are(tmp_path: Path) -> None:
    link, pipe = tmp_path / "link", tmp_path / "pipe"
    link.symlink_to(tmp_path / "elsewhere")
    os.mkfifo(pipe)
    for file, told in (
        (link, "is a symbolic link, which is not followed: remove it"),
        (pipe, "is no file: remove"),
    ):
        for use in (check_private, open_private):
            with pytest.raises(Misconfigured, match=told):
                use(file)
    assert not (tmp_path / "elsewhere").exists()


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
