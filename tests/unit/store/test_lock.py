"""The lock file of an SQLite database on a volume that has no locks."""

import errno
import fcntl
import gc
import os
from pathlib import Path

import pytest

from reconciler.errors import Misconfigured
from reconciler.store.lock import FileLock


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
