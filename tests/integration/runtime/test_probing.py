"""The probe beside daemons on PostgreSQL: they share the routes, and none has a lock that is for all."""

import pytest

from reconciler.errors import Misconfigured
from reconciler.runtime.probing import on_trial
from reconciler.store.database import open_database
from reconciler.store.lock_session import LockSession
from reconciler.store.migrate import upgrade


def test_a_daemon_that_leads_other_routes_is_in_the_way(empty_postgres_url: str) -> None:
    database = open_database(empty_postgres_url)
    upgrade(database)
    daemon = LockSession(empty_postgres_url, "host:1:0123abcd")
    daemon.beat(["shop"], "")
    daemon.take(["shop"])
    with (
        pytest.raises(Misconfigured, match="stop it first"),
        on_trial(empty_postgres_url, "bank", in_production=True),
    ):
        pass
    daemon.close()
    with on_trial(empty_postgres_url, "bank", in_production=True):
        pass
    database.close()
