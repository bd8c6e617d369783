"""Which shares go with which database, and how the routes of an SQLite file share its lock."""

from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.core.sharing import timing
from reconciler.errors import Misconfigured
from reconciler.runtime.pod_shares import Change, PodShares
from reconciler.runtime.shares import FileShares, shares_for
from reconciler.store.lock import FileLock
from tests.support.clock import SimClock

INTERVAL = timedelta(seconds=10)


def shares(folder: Path) -> FileShares:
    return FileShares(FileLock(folder / "reconciler.db"), INTERVAL)


def test_the_database_decides(tmp_path: Path) -> None:
    on_file = shares_for(f"sqlite:///{tmp_path / 'reconciler.db'}", "me", SimClock(), INTERVAL)
    assert isinstance(on_file, FileShares)
    assert on_file.beat_every == 10
    on_server = shares_for("postgresql+psycopg://user@/name?host=/nowhere", "me", SimClock(), INTERVAL)
    assert isinstance(on_server, PodShares)
    assert on_server.beat_every == timing(10).beat


def test_one_process_leads_every_route_of_a_file(tmp_path: Path) -> None:
    first, second = shares(tmp_path), shares(tmp_path)
    locks = [first.lock(route) for route in ("a", "b")]
    assert all(lock.acquire() for lock in locks)
    assert not second.lock("a").acquire()
    assert first.beat() == Change()
    assert first.to_hand_over() == frozenset()
    locks[0].release()
    assert not second.lock("a").acquire()
    locks[1].release()
    assert second.lock("a").acquire()
    assert not locks[1].acquire()
    second.close()


def test_closing_releases_the_file(tmp_path: Path) -> None:
    first, second = shares(tmp_path), shares(tmp_path)
    assert first.lock("a").acquire()
    first.close()
    assert second.lock("b").acquire()
    second.close()


def test_a_lock_that_is_lost_is_lost_for_every_route(tmp_path: Path) -> None:
    first, second = shares(tmp_path), shares(tmp_path)
    assert first.lock("a").acquire()
    (tmp_path / "reconciler.db.lock").unlink()
    assert second.lock("a").acquire()
    assert not first.lock("b").acquire()
    assert not first.lock("a").acquire()
    second.close()
    assert first.lock("b").acquire()
    first.close()


def test_a_file_that_cannot_be_locked_is_an_error_of_the_setting(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="cannot write beside the database"):
        FileShares(FileLock(tmp_path / "missing" / "reconciler.db"), INTERVAL).lock("a").acquire()
