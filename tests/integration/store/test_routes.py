"""The routes of a PostgreSQL database, and the pods that share them, as `status` shows both."""

from reconciler.operations import status_routes
from reconciler.store.database import DEFAULT_ROUTE, open_database
from reconciler.store.lock_session import LockSession
from reconciler.store.routes import stored_routes
from tests.support.seeded_routes import LEGACY, REMOVED_AT, SEARCH, SHOP, follow, with_routes


def test_routes_and_pods_are_shown(postgres_url: str) -> None:
    database = open_database(postgres_url)
    assert stored_routes(database).names == (DEFAULT_ROUTE,)
    with_routes(database)
    follow(database, "only-a-pair", "a-1", "1")
    found = stored_routes(database)
    assert (found.names, found.removed) == ((LEGACY, "only-a-pair", SEARCH, SHOP), {LEGACY: REMOVED_AT})
    session = LockSession(postgres_url, "host:1:0000000a")
    session.beat(found.names, "k")
    session.take([SHOP, SEARCH])
    seen = status_routes.read(found, "postgresql://db")
    assert [(pod.name, pod.routes) for pod in seen.pods] == [("host:1:0000000a", 2)]
    assert seen.open_pairs == 5
    session.close()
    assert status_routes.read(found, "postgresql://db").pods == ()
    database.close()
