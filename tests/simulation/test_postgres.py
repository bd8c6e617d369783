"""The same histories on PostgreSQL: no findings, and the same writes and actions as on SQLite."""

from contextlib import closing
from functools import partial

from reconciler.store.database import open_database
from tests.support.simulation.drivers import single_faults
from tests.support.simulation.oracle import findings
from tests.support.simulation.schedule import STORY, Fault
from tests.support.simulation.store import ServerDatabase
from tests.support.simulation.world import Parts, run

EVERY = 1600
"""Every n-th of all single faults is tried, beside every way in which the database itself fails."""
DATABASES_OWN = (
    Fault("db.plan", 4, "lost"),
    Fault("db.plan", 5, "crash_after"),
    Fault("db.sent", 3, "full"),
    Fault("db.accepted", 1, "crash_before"),
    Fault("db.settled", 2, "busy"),
    Fault("cycle", 4, "db_lost"),
    Fault("cycle", 3, "db_busy"),
)


def test_a_history_has_the_same_result_on_postgresql_as_on_sqlite(postgres_url: str) -> None:
    """Only the order of pairs that have waited equally long for the sweep may differ between the databases."""
    histories = [STORY, *(STORY.but(fault) for fault in DATABASES_OWN), *single_faults(STORY, full=True)[::EVERY]]
    with closing(open_database(postgres_url)) as kept:
        there = Parts(database=partial(ServerDatabase, engine=kept.engine))
        for history in histories:
            outcome, here = run(history, there), run(history)
            assert findings(outcome) == [], history
            assert (outcome.writes, outcome.ledger) == (here.writes, here.ledger), history
