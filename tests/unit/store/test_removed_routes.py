"""The mark of a removed route, and the deletion of its rows: of that route alone."""

import pytest
from sqlalchemy import event, func, select

from reconciler.core.work import WorkItem
from reconciler.store import removed_routes
from reconciler.store.database import Database
from reconciler.store.removed_routes import forget, mark_removed, unmark
from reconciler.store.routes import stored_routes
from reconciler.store.schema import metadata
from tests.support.builders import at, pair

ROUTED = [table for table in metadata.sorted_tables if "route" in table.c]


@pytest.fixture
def routes(database: Database) -> dict[str, Database]:
    found = {name: database.for_route(name) for name in ("gone", "kept")}
    for each in found.values():
        each.lead()
        with each.writing() as unit:
            unit.snapshot.save_pairs([pair(alert_id=f"a-{number}", swept_at=at(0)) for number in range(7)])
            unit.work.add([WorkItem("a-1", at(0)), WorkItem("without a pair", at(0))])
    return found


def rows(database: Database) -> dict[str, int]:
    """The number of rows of each table, of this route."""
    with database.connected(immediate=False) as connection:
        counts = {
            table.name: connection.execute(
                select(func.count()).select_from(table).where(table.c.route == database.route)
            ).scalar_one()
            for table in ROUTED
        }
    return {name: count for name, count in counts.items() if count}


def test_the_mark_keeps_its_first_time_until_the_route_is_back(routes: dict[str, Database]) -> None:
    gone = routes["gone"]
    mark_removed(gone, at(1))
    mark_removed(gone, at(9))
    assert stored_routes(gone).removed == {"gone": at(1)}
    unmark(gone)
    unmark(gone)
    assert stored_routes(gone).removed == {}


def test_a_route_without_a_mark_costs_one_read(routes: dict[str, Database]) -> None:
    """Each route takes its mark away whenever it begins to be led, also where there are hundreds."""
    asked: list[str] = []
    event.listen(routes["kept"].engine, "before_cursor_execute", lambda *a: asked.append(str(a[2])))
    unmark(routes["kept"])
    assert asked
    assert not any("DELETE" in each or "IMMEDIATE" in each for each in asked)


def test_all_rows_of_the_route_are_deleted_and_no_others(
    routes: dict[str, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removed_routes, "AT_ONCE", 3)
    mark_removed(routes["gone"], at(1))
    before = rows(routes["kept"])
    assert before["pairs"] == 7
    assert rows(routes["gone"]).keys() >= before.keys()
    left: list[int] = []

    def pause() -> bool:
        left.append(rows(routes["gone"]).get("pairs", 0))
        return False

    assert forget(routes["gone"], routes["kept"]._turn.locked, pause)  # the others wait for no more than one step
    assert left == [4, 1, 0]
    assert rows(routes["gone"]) == {}
    assert rows(routes["kept"]) == before
    assert forget(routes["gone"], lambda: True, pause)


def test_a_route_that_is_back_or_a_stop_ends_the_deletion(
    routes: dict[str, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removed_routes, "AT_ONCE", 3)
    assert not forget(routes["gone"], lambda: True, lambda: True)
    assert rows(routes["gone"])["pairs"] == 4
    assert not forget(routes["gone"], lambda: False, lambda: False)
    assert rows(routes["gone"])["pairs"] == 4
