"""The lock file of an SQLite database on a volume that has no locks."""

import errno
import fcntl
import gc
import os
from pathlib import Path

import pytest

from reconciler.errors import Misconfigured
from reconciler.store.lock import FileLock, lock_is_free


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP])
def test_a_volume_without_locks_is_reported_with_a_remedy_and_no_file_stays_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    lock = FileLock(tmp_path / "reconciler.db")
    with pytest.raises(Misconfigured, match=r"^DATABASE_URL: the volume of .* has no file locks \(.*\): put the"):
        lock.acquire()
    gc.collect()  # a file left open would be reported here, as an error
    monkeypatch.undo()
    assert lock.acquire()
    lock.release()


def test_the_lock_file_can_be_opened_by_its_owner_alone_and_is_no_link(tmp_path: Path) -> None:
    database = tmp_path / "reconciler.db"
    lock = FileLock(database)
    lock.path.touch(mode=0o644)
    assert lock.acquire()
    assert lock.path.stat().st_mode & 0o777 == 0o600
    lock.release()
    lock.path.unlink()
    lock.path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Misconfigured, match="symbolic link"):
        lock.acquire()
    with lock_is_free(database) as is_free:
        assert not is_free
    assert not (tmp_path / "elsewhere").exists()
