"""Transactions are atomic, and no update is lost to a concurrent one."""

import threading
from datetime import UTC, datetime

import pytest

from reconciler.store.cursors import Positions
from reconciler.store.database import Database, DatabaseDown

TIMES = 200


NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def stored(database: Database) -> Positions:
    with database.reading() as unit:
        return unit.cursors.load(NOW)


def test_a_committed_write_is_read_back(database: Database) -> None:
    with database.writing() as unit:
        unit.cursors.save(query="1", sweep=NOW)
    with database.writing() as unit:
        unit.cursors.save(query="2")
    assert stored(database) == Positions(query="2", sweep=NOW)


def test_an_error_leaves_nothing_behind(database: Database) -> None:
    def fail() -> None:
        with database.writing() as unit:
            unit.cursors.save(query="1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert stored(database) == Positions()


def test_a_failed_statement_rolls_back_the_whole_transaction(database: Database) -> None:
    def fail() -> None:
        with database.writing() as unit:
            unit.cursors.save(query="1")
            unit.snapshot.connection.exec_driver_sql("INSERT INTO cursors (route) VALUES (NULL)")

    with pytest.raises(DatabaseDown, match="DATABASE_URL: "):
        fail()
    assert stored(database) == Positions()


def test_uncommitted_changes_are_invisible_to_others(database: Database) -> None:
    with database.writing() as unit:
        unit.cursors.save(query="1")
        assert stored(database) == Positions()


def test_no_update_of_two_threads_is_lost(database: Database) -> None:
    """Read, add one, write: with the driver's own transactions a third of the updates is lost without an error."""
    failures: list[BaseException] = []

    def count() -> None:
        try:
            for _ in range(TIMES):
                with database.writing() as unit:
                    found = int(unit.cursors.load(NOW).query or "0")
                    unit.cursors.save(query=str(found + 1))
        except DatabaseDown as error:
            failures.append(error)

    threads = [threading.Thread(target=count) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert stored(database).query == str(2 * TIMES)


def test_a_commit_is_synced_to_disk(database: Database) -> None:
    """An action lost after its call would be sent twice."""
    with database.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2  # FULL
