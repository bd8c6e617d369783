"""One process works at a time: the lock, and the epoch, a fencing token that shuts earlier holders out."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from reconciler.core.model import Action, Kind, Settlement, Status
from reconciler.errors import Misconfigured
from reconciler.store import database as opening
from reconciler.store.cursors import Positions
from reconciler.store.database import Database, DatabaseDown, Superseded, open_database
from reconciler.store.lock import AdvisoryLock, FileLock, lock_for
from reconciler.store.migrate import upgrade
from tests.support.pooler import Pooler
from tests.support.postgres import Postgres, name_in

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
HOLDERS = """
    SELECT pid FROM pg_locks WHERE locktype = 'advisory'
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@pytest.fixture
def two(database_url: str) -> Iterator[tuple[Database, Database]]:
    """The same migrated database, opened twice."""
    databases = open_database(database_url), open_database(database_url)
    upgrade(databases[0])
    yield databases
    for database in databases:
        database.close()


def an_action(database: Database) -> Action:
    """An intent, as read from the outbox."""
    blank = Action("k1", Kind.PAGERDUTY_NOTE, "a1", "a note", NOW, "Ana Ruiz", "text", mark="mark")
    with database.writing() as unit:
        unit.outbox.add([blank], NOW)
    with database.reading() as unit:
        (action,) = unit.outbox.open()
    return action


def test_only_one_process_holds_the_lock_until_it_is_released(database_url: str) -> None:
    first, second = lock_for(database_url), lock_for(database_url)
    assert first.acquire()
    assert first.acquire()
    assert not second.acquire()
    first.release()
    assert second.acquire()
    assert not first.acquire()
    second.release()


def test_every_takeover_increments_the_epoch(two: tuple[Database, Database]) -> None:
    first, second = two
    assert [first.lead(), second.lead(), first.lead()] == [1, 2, 3]


def test_a_process_of_an_earlier_epoch_cannot_write(two: tuple[Database, Database]) -> None:
    zombie, leader = two
    zombie.lead()
    action = an_action(zombie)
    leader.lead()
    with pytest.raises(Superseded, match="taken over"), zombie.writing() as unit:
        unit.cursors.save(query="the plan's commit")
    with pytest.raises(Superseded), zombie.writing() as unit:
        unit.outbox.mark_sent(action, NOW)
    with pytest.raises(Superseded), zombie.writing() as unit:
        unit.outbox.settle(Settlement(action.id, Status.DONE), NOW)
    with leader.reading() as unit:
        assert unit.outbox.open() == [action]
        assert unit.cursors.load(NOW) == Positions()
    with leader.writing() as unit:
        assert unit.outbox.mark_sent(action, NOW)


def test_an_epoch_of_a_lost_database_is_not_valid_in_the_new_one(two: tuple[Database, Database]) -> None:
    zombie, leader = two
    zombie.lead()
    with leader.engine.begin() as connection:
        connection.execute(text("DELETE FROM leader"))
    with pytest.raises(Superseded), zombie.writing():
        pass
    assert leader.lead() == 1
    with pytest.raises(Superseded), zombie.writing():
        pass


def test_a_takeover_waits_for_the_transaction_that_is_being_committed(two: tuple[Database, Database]) -> None:
    first, second = two
    first.lead()
    inside, led = threading.Event(), threading.Event()

    def take_over() -> None:
        inside.wait(10)
        second.lead()
        led.set()

    thread = threading.Thread(target=take_over)
    thread.start()
    with first.writing() as unit:
        inside.set()
        assert not led.wait(0.5)
        unit.cursors.save(query="first")
    thread.join(10)
    assert led.is_set()
    with second.reading() as unit:
        assert unit.cursors.load(NOW).query == "first"


def test_a_transaction_of_a_stopped_process_does_not_block_a_takeover(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(opening.SESSION_LIMITS, "idle_in_transaction_session_timeout", "300ms")
    stopped, second = open_database(postgres_url), open_database(postgres_url)
    stopped.lead()
    with pytest.raises(DatabaseDown), stopped.writing() as unit:  # noqa: PT012 - it is stopped inside
        started = time.monotonic()
        assert second.lead() == 2
        assert time.monotonic() - started < 5
        unit.cursors.save(query="too late")
    with second.reading() as unit:
        assert unit.cursors.load(NOW) == Positions()
    stopped.close()
    second.close()


def test_a_takeover_ends_a_transaction_that_the_server_does_not_end(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the server, a process suspended inside a pipeline is not idle, however long it does nothing."""
    monkeypatch.setitem(opening.SESSION_LIMITS, "lock_timeout", "1s")
    first, second = open_database(postgres_url), open_database(postgres_url)
    first.lead()
    monkeypatch.setitem(opening.SESSION_LIMITS, "idle_in_transaction_session_timeout", "0")
    stopped = open_database(postgres_url)
    epochs = []
    with pytest.raises(DatabaseDown, match="terminating connection"), stopped.writing() as unit:  # noqa: PT012 - it is stopped inside
        monkeypatch.setitem(opening.SESSION_LIMITS, "idle_in_transaction_session_timeout", "2s")
        stopped._leader(unit.cursors.connection)
        with pytest.raises(DatabaseDown, match="lock timeout"):
            second.lead()  # the other session has not been inactive for long enough yet
        time.sleep(2)
        epochs.append(second.lead())
        unit.cursors.save(query="too late")
    assert epochs == [2]
    with second.reading() as unit:
        assert unit.cursors.load(NOW) == Positions()
    for database in (first, second, stopped):
        database.close()


def test_a_takeover_leaves_long_transactions_of_other_routes_alone(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(opening.SESSION_LIMITS, "idle_in_transaction_session_timeout", "500ms")
    first, second, third = (open_database(postgres_url) for _ in range(3))
    slow, stopped = first.for_route("slow"), third.for_route("stopped")
    slow.lead()
    stopped.lead()
    asleep, ended = threading.Event(), threading.Event()

    def sleep_inside() -> None:
        with pytest.raises(DatabaseDown, match="terminating connection"), stopped.writing() as unit:  # noqa: PT012 - it is stopped inside
            asleep.set()
            unit.cursors.connection.execute(text("SELECT pg_sleep(60)"))
        ended.set()

    thread = threading.Thread(target=sleep_inside)
    thread.start()
    with slow.writing() as unit:
        connection = unit.cursors.connection
        unit.cursors.save(query="slow")
        assert asleep.wait(10)
        connection.execute(text("SELECT pg_sleep(1)"))
        taken: list[int] = []
        leading = threading.Thread(target=lambda: taken.append(second.for_route("stopped").lead()))
        leading.start()
        while not ended.is_set():  # this session works all the while: the server would end it for idleness
            connection.execute(text("SELECT pg_sleep(0.1)"))
    leading.join(10)
    thread.join(10)
    assert taken == [2]
    with slow.reading() as unit:
        assert unit.cursors.load(NOW).query == "slow"
    for database in (first, second, third):
        database.close()


# -- SQLite --


def test_the_removal_of_a_lock_file_is_detected(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "reconciler.db"), FileLock(tmp_path / "reconciler.db")
    assert first.acquire()
    first.path.unlink()
    assert second.acquire()
    assert not first.acquire()
    second.release()
    assert first.acquire()
    first.release()


# -- PostgreSQL --


def test_the_end_of_the_locks_session_is_detected_at_the_next_check(postgres: Postgres, postgres_url: str) -> None:
    lock = lock_for(postgres_url)
    assert lock.acquire()
    ((session,),) = postgres.run(name_in(postgres_url), HOLDERS)
    postgres.run("postgres", f"SELECT pg_terminate_backend({session})")
    other = lock_for(postgres_url)
    assert other.acquire()
    with pytest.raises(DatabaseDown, match="terminat"):
        lock.acquire()
    assert not lock.acquire()
    other.release()
    assert lock.acquire()
    lock.release()


def test_a_session_that_lost_its_lock_does_not_claim_to_hold_it(postgres_url: str) -> None:
    lock, other = AdvisoryLock(postgres_url, "default"), AdvisoryLock(postgres_url, "default")
    assert lock.acquire()
    assert lock._connection is not None
    with lock._connection.begin():
        lock._connection.execute(text("SELECT pg_advisory_unlock_all()"))
    assert other.acquire()
    assert not lock.acquire()
    other.release()


def test_each_route_and_each_database_has_its_own_lock(postgres: Postgres, postgres_url: str) -> None:
    elsewhere = postgres.url(postgres.create())
    locks = [lock_for(postgres_url), lock_for(postgres_url, "another route"), lock_for(elsewhere)]
    assert all(lock.acquire() for lock in locks)
    for lock in locks:
        lock.release()


@pytest.mark.parametrize("in_turn", [False, True])
@pytest.mark.parametrize("sessions", [2, 5])
def test_a_pooler_that_shares_sessions_is_refused_and_no_lock_is_left_in_it(
    postgres: Postgres, postgres_url: str, sessions: int, *, in_turn: bool
) -> None:
    name = name_in(postgres_url)
    with Pooler(postgres.folder, name, sessions, in_turn=in_turn) as pooler:
        for _ in range(3):
            with pytest.raises(Misconfigured, match="pooler"):
                lock_for(pooler.url).acquire()
        assert postgres.run(name, HOLDERS) == []


def test_a_pooler_that_is_introduced_later_is_refused_at_the_next_check(
    postgres: Postgres, postgres_url: str
) -> None:
    with Pooler(postgres.folder, name_in(postgres_url), 3, in_turn=True) as pooler:
        lock = AdvisoryLock(pooler.url, "default")
        lock._is_shared = lambda *_: False  # type: ignore[method-assign]
        assert lock.acquire()
        with pytest.raises(Misconfigured, match="pooler"):
            lock.acquire()


def test_without_a_pooler_a_lock_is_never_refused(postgres_url: str) -> None:
    for _ in range(20):
        lock = lock_for(postgres_url)
        while not lock.acquire():  # the previous session is still ending
            time.sleep(0.01)
        assert lock.acquire()
        lock.release()
