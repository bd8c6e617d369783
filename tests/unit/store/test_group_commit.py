"""Concurrent writers share a transaction, continue after its commit, and fail together."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError

from reconciler.core.work import WorkItem
from reconciler.store.database import Database, DatabaseDown, UnitOfWork
from reconciler.store.group_commit import GroupCommit

WRITERS = 12


def item(name: str) -> WorkItem:
    return WorkItem(name, datetime(2026, 11, 23, tzinfo=UTC))


def queued(unit: UnitOfWork) -> set[str]:
    return {each.alert_id for each in unit.work.all()}


def commits(database: Database) -> Counter[str]:
    count: Counter[str] = Counter()
    event.listen(database.engine, "commit", lambda _: count.update(["commit"]))
    return count


def write_together(database: Database, names: list[str], then: dict[str, BaseException]) -> dict[str, object]:
    """Writers that wait while the first one writes; the outcome of each, as stored in the database."""
    outcomes: dict[str, object] = {}
    inside, go = threading.Event(), threading.Event()

    def write(name: str) -> None:
        try:
            with database.writing() as unit:
                if name == names[0]:
                    inside.set()
                    go.wait(10)
                unit.work.add([item(name)])
                if name in then:
                    raise then[name]  # noqa: TRY301 - the failure must happen inside the transaction
        except Exception as error:  # noqa: BLE001 - the tests assert the error of each writer
            outcomes[name] = error
        else:
            with database.reading() as unit:
                outcomes[name] = "written" if name in queued(unit) else "lost"

    threads = [threading.Thread(target=write, args=(name,)) for name in names]
    threads[0].start()
    assert inside.wait(10)
    for thread in threads[1:]:
        thread.start()
    group: GroupCommit = database._write.__self__  # type: ignore[attr-defined]
    while group._waiting < len(names) - 1:
        time.sleep(0.001)
    go.set()
    for thread in threads:
        thread.join(10)
    return outcomes


def test_concurrent_writers_share_a_commit_and_continue_after_it(database: Database) -> None:
    names, count = [f"writer {n}" for n in range(WRITERS)], commits(database)
    outcomes = write_together(database, names, {})
    assert outcomes == dict.fromkeys(names, "written")
    assert count["commit"] == 1 + WRITERS  # one for the writers, and one for the read of each


def test_a_failing_writer_fails_the_whole_group_and_nothing_is_stored(database: Database) -> None:
    names = [f"writer {n}" for n in range(WRITERS)]
    trouble = IntegrityError("…", None, Exception("UNIQUE constraint failed"))
    outcomes = write_together(database, names, {names[-1]: trouble})
    failed = {name for name, outcome in outcomes.items() if isinstance(outcome, DatabaseDown)}
    with database.reading() as unit:
        left = queued(unit)
    assert failed
    assert failed | left == set(names)
    assert not failed & left


def test_a_defect_in_one_writer_is_reported_to_the_others_as_such(database: Database) -> None:
    outcomes = write_together(database, ["first", "second"], {"second": ZeroDivisionError()})
    assert {type(outcome) for outcome in outcomes.values()} == {ZeroDivisionError, RuntimeError}


def test_the_next_writer_succeeds_after_a_failure(database: Database) -> None:
    write_together(database, ["first", "second"], {"first": ZeroDivisionError()})
    assert write_together(database, ["third", "fourth"], {}) == {"third": "written", "fourth": "written"}


def test_a_transaction_that_cannot_begin_fails_only_its_own_writer() -> None:
    tries = []

    @contextmanager
    def begin() -> Iterator[str]:
        tries.append(1)
        if len(tries) == 1:
            raise DatabaseDown("locked")
        yield "connection"

    group = GroupCommit(begin)  # type: ignore[arg-type]
    with pytest.raises(DatabaseDown), group.write():
        pass
    with group.write() as connection:
        assert str(connection) == "connection"


def test_no_update_of_many_concurrent_writers_is_lost(database: Database) -> None:
    def count_up() -> None:
        for _ in range(25):
            with database.writing() as unit:
                unit.work.add([item("count")])

    threads = [threading.Thread(target=count_up) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as unit:
        assert [each.generation for each in unit.work.all()] == [200]
