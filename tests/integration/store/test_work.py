"""The work queue on PostgreSQL, whose writers run at the same time: none overwrites what another requests."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from reconciler.core.work import ReadRequest, WorkItem
from reconciler.store.database import Database, UnitOfWork, open_database
from reconciler.store.migrate import upgrade
from tests.support.postgres import Postgres, name_in

NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
ALERT, NOTES, INCIDENT = ReadRequest(alert=True), ReadRequest(alert_notes=True), ReadRequest(incident=True)
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = '{}' AND wait_event_type = 'Lock'"
PATIENCE = 2.5
"""Seconds, less than PostgreSQL lets a session be idle inside a transaction."""


@pytest.fixture
def two(empty_postgres_url: str) -> Iterator[tuple[Database, Database]]:
    databases = open_database(empty_postgres_url), open_database(empty_postgres_url)
    upgrade(databases[0])
    yield databases
    for database in databases:
        database.close()


def item(request: ReadRequest, alert_id: str = "a", generation: int = 0) -> WorkItem:
    return WorkItem(alert_id, NOW, request, generation=generation)


def during(
    two: tuple[Database, Database],
    postgres: Postgres,
    earlier: Callable[[UnitOfWork], object],
    later: Callable[[UnitOfWork], object],
) -> object:
    """Run the later transaction while the earlier one is not committed yet; returns what the later one does."""
    name = name_in(two[0].engine.url.render_as_string(hide_password=False))

    def run() -> object:
        with two[1].writing() as unit:
            return later(unit)

    with ThreadPoolExecutor(1) as pool:
        with two[0].writing() as unit:
            earlier(unit)
            found = pool.submit(run)
            last = time.monotonic() + PATIENCE
            while postgres.run("postgres", WAITING.format(name))[0][0] < 1:
                assert time.monotonic() < last, "the later transaction does not wait"
                time.sleep(0.01)
        return found.result(10)


@pytest.mark.parametrize("is_there", [False, True], ids=["a new row", "a row that is there"])
def test_what_two_sources_request_at_the_same_time_is_merged(
    two: tuple[Database, Database], postgres: Postgres, is_there: bool
) -> None:
    if is_there:
        with two[0].writing() as unit:
            unit.work.add([item(ALERT)])
    during(two, postgres, lambda unit: unit.work.add([item(NOTES)]), lambda unit: unit.work.add([item(INCIDENT)]))
    with two[0].reading() as unit:
        (row,) = unit.work.all()
    first = ALERT if is_there else ReadRequest()
    assert row.request == first.merged(NOTES).merged(INCIDENT)
    assert row.generation == 2 + is_there


@pytest.mark.parametrize("is_there", [False, True], ids=["a new row", "a row that is there"])
def test_a_request_that_comes_while_a_pair_is_put_back_is_kept(
    two: tuple[Database, Database], postgres: Postgres, is_there: bool
) -> None:
    if is_there:
        with two[0].writing() as unit:
            unit.work.add([item(ALERT)])
    leased = item(ALERT, generation=int(is_there))
    kept = during(
        two,
        postgres,
        lambda unit: unit.work.add([item(NOTES)]),
        lambda unit: unit.work.put_back(leased),
    )
    assert kept is None
    with two[0].reading() as unit:
        (row,) = unit.work.all()
    assert row.request.alert_notes


def test_two_sources_that_find_the_same_alerts_in_another_order_do_not_block_each_other(
    two: tuple[Database, Database], postgres: Postgres
) -> None:
    def add(*alert_ids: str) -> Callable[[UnitOfWork], object]:
        return lambda unit: unit.work.add([item(ALERT, each) for each in alert_ids])

    during(two, postgres, add("a", "b"), add("b", "a"))
    with two[0].reading() as unit:
        assert sorted(row.alert_id for row in unit.work.all()) == ["a", "b"]
