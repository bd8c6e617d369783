from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.core.model import Kind, Settlement, Status
from reconciler.store import evidence
from reconciler.store.database import Database
from reconciler.store.lock import FileLock
from tests.support.database import url
from tests.support.stored import ACTION, NOW, stored_actions


def test_the_newest_write_that_succeeded_is_found_by_kind(database: Database) -> None:
    sent = replace(ACTION, status=Status.SENT)
    rows = [replace(sent, key=str(n), alert_id=str(n)) for n in range(3)]
    unsent = replace(ACTION, key="unsent", alert_id="unsent", status=Status.PLANNED, sent_at=None)
    for number, row in enumerate(stored_actions(database, *rows, unsent)):
        status = Status.DEAD if row.key == "2" else Status.DONE
        with database.writing() as unit:
            unit.outbox.settle(Settlement(row.id, status, ""), NOW + timedelta(minutes=number))
    with database.reading() as unit:
        assert evidence.last_written(unit, [Kind.ALERT_NOTE]) == NOW + timedelta(minutes=1)
        assert evidence.last_written(unit, [Kind.CREATE_INCIDENT]) is None


def test_whether_a_reconciler_is_at_work_is_seen_by_its_lock(tmp_path: Path) -> None:
    assert evidence.is_at_work(url(tmp_path)) is False
    assert list(tmp_path.iterdir()) == []
    lock = FileLock(tmp_path / "reconciler.db")
    assert lock.acquire()
    assert evidence.is_at_work(url(tmp_path)) is True
    lock.release()
    assert evidence.is_at_work(url(tmp_path)) is False
    assert evidence.is_at_work("postgresql+psycopg://nowhere/x") is None


def test_a_file_or_folder_that_may_not_be_written_to_is_named(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert database.engine
    assert evidence.obstacle(url(tmp_path)) == ""
    for denied in (tmp_path, tmp_path / "reconciler.db"):
        monkeypatch.setattr("os.access", lambda path, _mode, denied=denied: path != denied)
        assert evidence.obstacle(url(tmp_path)) == f"{denied} may not be written to"
