"""One session for all locks of a process, over a real server."""

from collections.abc import Callable, Iterator

import pytest

from reconciler.core.sharing import Pod
from reconciler.errors import Misconfigured
from reconciler.store.database import DatabaseDown
from reconciler.store.lock import AdvisoryLock
from reconciler.store.lock_session import LockSession
from tests.support.pooler import Pooler
from tests.support.postgres import Postgres, name_in

ROUTES = ["a", "b", "c"]
LOCKS = """
    SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
Open = Callable[..., LockSession]


@pytest.fixture
def session(postgres_url: str) -> Iterator[Open]:
    """Opens sessions, each of a pod of its own."""
    opened: list[LockSession] = []

    def made(url: str = postgres_url, name: str = "") -> LockSession:
        opened.append(LockSession(url, name or f"host:{len(opened)}:{len(opened):08}"))
        return opened[-1]

    yield made
    for each in opened:
        each.close()


def test_a_session_has_many_locks_and_others_see_them(session: Open) -> None:
    first, second = session(), session()
    assert first.beat(ROUTES, "k").mine == frozenset()
    assert first.take(["a", "b"]) == {"a", "b"}
    seen = second.beat(ROUTES, "k")
    assert seen.mine == frozenset()
    assert seen.locked == {"a", "b"}
    assert second.take(ROUTES) == {"c"}
    seen = first.beat(ROUTES, "k")
    assert seen.mine == {"a", "b"}
    assert seen.locked == {"c"}
    first.release(["a"])
    assert second.take(["a", "b"]) == {"a"}
    assert first.beat(ROUTES, "k").mine == {"b"}


def test_beats_show_every_pod_with_what_it_holds_and_since_when_it_lives(session: Open) -> None:
    first, second = session(), session()
    first.beat(ROUTES, "k")
    first.take(["a", "b"])
    (mine,) = first.beat(ROUTES, "k").pods
    assert (mine.name, mine.routes, mine.knows, mine.lives) == (first.holder, 2, "k", True)
    assert 0 <= mine.age < 5
    view = second.beat(ROUTES, "other")
    assert [pod.name for pod in view.pods] == [first.holder, second.holder]
    assert view.pods[0].started_at == mine.started_at
    assert abs(view.now - mine.started_at.timestamp()) < 5


def test_a_pod_and_an_earlier_version_exclude_each_other(session: Open, postgres_url: str) -> None:
    pod, earlier = session(), [AdvisoryLock(postgres_url, route) for route in ROUTES]
    assert earlier[0].acquire()
    assert pod.beat(ROUTES, "k").locked == {"a"}
    assert pod.take(ROUTES) == {"b", "c"}
    assert not earlier[1].acquire()
    pod.close()
    assert earlier[1].acquire()
    for lock in earlier:
        lock.release()


def test_each_database_has_its_own_locks(session: Open, postgres: Postgres) -> None:
    first, second = session(), session(postgres.url(postgres.create(postgres.migrated)))
    for each in (first, second):
        assert each.beat(ROUTES, "k").locked == frozenset()
        assert each.take(ROUTES) == set(ROUTES)
    assert [pod.name for pod in second.beat(ROUTES, "k").pods] == [second.holder]


def test_an_ended_session_is_noticed_and_the_next_beat_opens_another(
    session: Open, postgres: Postgres, postgres_url: str
) -> None:
    pod = session()
    pod.beat(ROUTES, "k")
    pod.take(ROUTES)
    postgres.run(name_in(postgres_url), "SELECT pg_terminate_backend(session) FROM pods")
    with pytest.raises(DatabaseDown, match="terminat"):
        pod.beat(ROUTES, "k")
    view = pod.beat(ROUTES, "k")
    assert (view.mine, view.locked, len(view.pods)) == (frozenset(), frozenset(), 1)
    assert pod.take(ROUTES) == set(ROUTES)


def test_a_pod_can_end_the_session_of_another_and_take_its_locks_at_once(session: Open) -> None:
    stopped, other = session(), session()
    stopped.beat(ROUTES, "k")
    stopped.take(ROUTES)
    found = next(pod for pod in other.beat(ROUTES, "k").pods if pod.name == stopped.holder)
    assert other.end(found)
    view = other.beat(ROUTES, "k")
    assert (view.locked, [pod.name for pod in view.pods]) == (frozenset(), [other.holder])
    assert other.take(ROUTES) == set(ROUTES)
    with pytest.raises(DatabaseDown):
        stopped.take(ROUTES)


def test_a_later_session_with_the_same_number_is_neither_ended_nor_taken_for_the_pod(
    session: Open, postgres: Postgres, postgres_url: str
) -> None:
    pod, other = session(), session()
    (row,) = pod.beat(ROUTES, "k").pods
    assert other.end(Pod("host:9:99999999", row.session, row.started_at, 60.0, 0, "k"))
    assert pod.beat(ROUTES, "k").mine == frozenset()
    postgres.run(
        name_in(postgres_url), "INSERT INTO pods SELECT 'host:9:99999999', session, now(), now(), '' FROM pods"
    )
    assert [seen.name for seen in pod.beat(ROUTES, "k").pods] == [pod.holder]


def test_what_the_server_still_takes_for_an_earlier_session_of_this_process_is_ended(session: Open) -> None:
    pod = session()
    pod.beat(ROUTES, "k")
    pod.take(ROUTES)
    lost, pod._connection = pod._connection, None  # the network has lost it, and the server does not know yet
    assert pod.beat(ROUTES, "k").locked == frozenset()
    assert pod.take(ROUTES) == set(ROUTES)
    assert lost is not None
    lost.invalidate()
    lost.close()


def test_another_role_sees_the_pods_and_is_told_that_it_may_not_end_them(
    session: Open, postgres: Postgres, postgres_url: str
) -> None:
    name = name_in(postgres_url)
    postgres.run(name, "CREATE ROLE another_role LOGIN")
    postgres.run(name, "GRANT ALL ON pods TO another_role")
    try:
        pod, other = session(), session(postgres_url.replace("postgres@", "another_role@"))
        pod.beat(ROUTES, "k")
        found = other.beat(ROUTES, "k").pods
        assert [(seen.name, seen.lives) for seen in found] == [(pod.holder, True), (other.holder, True)]
        assert not other.end(found[0])
        assert other.beat(ROUTES, "k").pods[0].name == pod.holder
        other.close()
    finally:
        postgres.run(name, "DROP OWNED BY another_role")
        postgres.run(name, "DROP ROLE another_role")


def test_before_the_schema_has_the_table_locks_are_taken_all_the_same(
    session: Open, empty_postgres_url: str
) -> None:
    pod = session(empty_postgres_url)
    assert pod.beat(ROUTES, "k").pods == ()
    assert pod.take(ROUTES) == set(ROUTES)
    assert pod.beat(ROUTES, "k").mine == set(ROUTES)


def test_a_server_that_is_away_is_a_database_that_is_down(session: Open) -> None:
    with pytest.raises(DatabaseDown):
        session("postgresql+psycopg://user@/name?host=/nowhere").beat(ROUTES, "k")


@pytest.mark.parametrize("in_turn", [False, True])
@pytest.mark.parametrize("sessions", [2, 5])
def test_a_pooler_that_shares_sessions_is_refused_and_no_lock_is_left_in_it(
    postgres: Postgres, postgres_url: str, session: Open, sessions: int, *, in_turn: bool
) -> None:
    name = name_in(postgres_url)
    with Pooler(postgres.folder, name, sessions, in_turn=in_turn) as pooler:
        for _ in range(3):
            with pytest.raises(Misconfigured, match="pooler"):
                session(pooler.url).beat(ROUTES, "k")
        assert postgres.run(name, LOCKS) == [(0,)]


def test_a_pooler_that_is_introduced_later_is_refused_at_the_next_beat(
    postgres: Postgres, postgres_url: str, session: Open
) -> None:
    pod = session()
    pod.beat(ROUTES, "k")
    direct = pod._connection
    with Pooler(postgres.folder, name_in(postgres_url), 3, in_turn=True) as pooler:
        pod._connection = session(pooler.url)._engine.connect()
        with pytest.raises(Misconfigured, match="pooler"):
            pod.beat(ROUTES, "k")
    assert pod._connection is None
    assert direct is not None
    direct.close()


def test_without_a_pooler_no_session_is_refused(session: Open) -> None:
    for _ in range(10):
        pod = session()
        assert pod.beat(ROUTES, "k").mine == frozenset()
        assert pod.take(ROUTES) == set(ROUTES)
        pod.close()
