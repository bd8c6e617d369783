"""The table of pods, as a process that is none reads it."""

from reconciler.store import pods
from reconciler.store.database import Database, open_database
from reconciler.store.lock_session import LockSession


def seen(database: Database) -> list[tuple[str, int, bool]]:
    with database.connected(immediate=False) as connection:
        return [(pod.name, pod.routes, pod.lives) for pod in pods.known(connection)]


def test_a_pod_is_shown_until_it_leaves(postgres_url: str) -> None:
    database, session = open_database(postgres_url), LockSession(postgres_url, "host:1:0000000a")
    assert seen(database) == []
    session.beat(["a"], "k")
    session.take(["a"])
    assert seen(database) == [("host:1:0000000a", 1, True)]
    session.close()
    assert seen(database) == []
    database.close()


def test_a_pod_that_was_killed_is_shown_as_ended_until_another_beats(postgres_url: str) -> None:
    database = open_database(postgres_url)
    killed, other = LockSession(postgres_url, "host:1:0000000a"), LockSession(postgres_url, "host:2:0000000b")
    killed.beat(["a"], "k")
    assert killed._connection is not None
    killed._connection.close()
    while any(lives for _, _, lives in seen(database)):
        pass
    assert seen(database) == [("host:1:0000000a", 0, False)]
    other.beat(["a"], "k")
    assert seen(database) == [("host:2:0000000b", 0, True)]
    other.close()
    database.close()


def test_a_file_has_no_pods(database: Database) -> None:
    assert seen(database) == []
