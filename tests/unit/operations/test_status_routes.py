"""Several routes in `status`: the worst first, and what a removed one still needs."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reconciler.core.model import Side
from reconciler.core.pause import Pause
from reconciler.operations import status_routes
from reconciler.operations.headline import LINES
from reconciler.operations.status_data import as_data as report_data
from reconciler.operations.status_routes import Overview, RouteReport
from reconciler.store.database import Database
from reconciler.store.routes import stored_routes
from tests.support.seeded_routes import LEGACY, SEARCH, SHOP, dead_note, pod, with_routes

INTERVAL = 10.0


@pytest.fixture
def seeded(database: Database) -> Database:
    with_routes(database)
    return database


def read(database: Database) -> Overview:
    return status_routes.read(stored_routes(database), "sqlite:///r.db")


def of(found: Overview, name: str) -> RouteReport:
    return next(each for each in found.routes if each.name == name)


def test_the_worst_route_comes_first_and_removed_ones_last(seeded: Database) -> None:
    found = read(seeded)
    assert [each.name for each in status_routes.worst_first(found, INTERVAL)] == [SEARCH, SHOP, LEGACY]
    assert [each.state(INTERVAL) for each in status_routes.worst_first(found, INTERVAL)] == [
        "dead", "in step", "removed",
    ]  # fmt: skip
    assert status_routes.headline(found, INTERVAL) == (
        "1 of 3 routes needs attention: search (dead); 4 open pairs"
    )


def test_a_removed_route_that_has_left_something_dead_comes_before_the_good_ones(seeded: Database) -> None:
    dead_note(seeded, LEGACY, "a-8")
    found = status_routes.worst_first(read(seeded), INTERVAL)
    assert [each.name for each in found] == [SEARCH, LEGACY, SHOP]


def test_every_state_has_its_place_in_the_order() -> None:
    assert set(status_routes._GRAVITY) == {*LINES, "removed"}


def test_a_row_counts_what_is_open_waits_and_is_dead(seeded: Database) -> None:
    found = read(seeded)
    assert status_routes.row(of(found, SEARCH), INTERVAL)[:5] == (SEARCH, "dead", "2", "0", "1")
    assert status_routes.row(of(found, LEGACY), INTERVAL)[:5] == (LEGACY, "removed", "0", "1", "0")
    holder = seeded.holder.rpartition(":")[0]
    cells = status_routes.row(of(found, SHOP), INTERVAL)
    assert (cells[5].endswith(" ago"), *cells[6:]) == (True, "no", holder)


def test_a_route_that_is_late_or_paused_says_so(seeded: Database) -> None:
    with seeded.for_route(SHOP).writing() as unit:
        unit.cursors.save(polled_alerts=datetime(2026, 11, 20, tzinfo=UTC))
        unit.pauses.save([Pause(Side.PAGERDUTY, datetime.now(UTC), "move", "ops@host", True, None)])
    cells = status_routes.row(of(read(seeded), SHOP), INTERVAL)
    assert cells[5].endswith(", late")
    assert cells[6] == "PagerDuty, pages too"
    with seeded.for_route("new").writing() as unit:
        unit.cursors.save(query="")
    assert status_routes.row(of(read(seeded), "new"), INTERVAL)[5:] == ("never, late", "no", "nobody yet")


def test_a_removed_route_tells_since_when_and_what_is_left(seeded: Database) -> None:
    with seeded.for_route(LEGACY).writing() as unit:
        unit.cursors.save(polled_alerts=datetime(2026, 11, 20, tzinfo=UTC))
    one = of(read(seeded), LEGACY)
    assert one.headline(INTERVAL) == "Removed from ROUTES_FILE since 2026-11-20 09:00 UTC: 1 planned left"
    assert not one.needs_attention(INTERVAL), "nobody has to poll it"
    assert "late" not in status_routes.row(one, INTERVAL)[5]
    dead_note(seeded, LEGACY, "a-8")
    one = of(read(seeded), LEGACY)
    assert one.headline(INTERVAL).endswith(": 1 planned, 1 dead left")
    assert one.needs_attention(INTERVAL)


def test_what_to_look_at_are_the_routes_that_need_attention_and_the_removed(seeded: Database) -> None:
    found = dict(status_routes.attention(read(seeded), INTERVAL))
    assert [*found] == [SEARCH, LEGACY]
    assert found[SEARCH].startswith("1 note dead")


def test_nothing_to_do_is_said_and_many_bad_routes_are_counted(seeded: Database) -> None:
    found = read(seeded)
    good = replace(found, routes=(of(found, SHOP),))
    assert status_routes.headline(good, INTERVAL) == "No route needs attention: 1 route, 2 open pairs"
    assert not good.needs_attention(INTERVAL)
    bad = of(found, SEARCH)
    many = replace(found, routes=tuple(replace(bad, name=f"r{number}") for number in range(5)))
    assert status_routes.headline(many, INTERVAL) == (
        "5 of 5 routes need attention: r0 (dead), r1 (dead), r2 (dead) and 2 more; 10 open pairs"
    )


def test_the_document_has_totals_and_the_document_of_each_route(seeded: Database) -> None:
    found = replace(read(seeded), pods=(pod("host:1", 2),))
    document = status_routes.as_data(found, INTERVAL)
    assert document["open_pairs"] == 4
    assert document["actions"] == {
        "planned": 1, "in flight": 0, "unknown": 0, "done": 0, "dropped": 0, "dead": 1,
    }  # fmt: skip
    assert document["states"] == {LEGACY: "removed", SEARCH: "dead", SHOP: "in step"}
    assert document["removed"] == {LEGACY: "2026-11-20T09:00:00+00:00"}
    assert document["pods"] == [{"holder": "host:1", "routes": 2}]
    assert document["routes"][SEARCH] == report_data(of(found, SEARCH).report, INTERVAL)
    assert status_routes.as_data(of(found, SEARCH), INTERVAL) == document["routes"][SEARCH]
