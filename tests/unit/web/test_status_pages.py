"""The status page of several routes: a list, and below /routes/NAME/ the pages of one."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.operations import status, status_routes
from reconciler.operations.status_data import as_data
from reconciler.store.database import Database, DatabaseDown
from reconciler.store.routes import stored_routes
from reconciler.web.status_app import HEADERS
from reconciler.web.status_pages import SHARE
from tests.support.desk import Desk
from tests.support.seeded_routes import LEGACY, SEARCH, SHOP, with_routes

PASSWORD = "open-sesame"
PATHS = (
    "/", "/status.json", "/pairs/18", "/pairs/17", "/routes/shop/", "/routes/shop/status.json",
    "/routes/shop/pairs/17", "/routes/nothing/", "/routes/shop",
)  # fmt: skip


@pytest.fixture
def seeded(database: Database) -> Database:
    with_routes(database)
    return database


@pytest.fixture
def desk(seeded: Database) -> Desk:
    return Desk(seeded)


def links(html: str) -> set[str]:
    return set(re.findall(r'href="([^"]+)"', html)) - {"/status.css", "/icon.svg", "#main"}


def test_the_first_page_lists_every_route_with_a_link(desk: Desk) -> None:
    answer = desk.ask()
    assert answer.status_code == 200
    assert "1 of 3 routes needs attention: search (dead)" in answer.text
    assert links(answer.text) == {"/", "/status.json", *(f"/routes/{name}/" for name in (LEGACY, SEARCH, SHOP))}


def test_the_pages_of_a_route_lead_to_its_own_pages_and_back_to_all(desk: Desk) -> None:
    page = desk.ask("/routes/search/")
    assert page.status_code == 200
    assert "reconciler retry --all --route search" in page.text
    assert links(page.text) >= {"/", "/routes/search/", "/routes/search/status.json", "/routes/search/pairs/a-3"}
    assert not [each for each in links(page.text) if each != "/" and not each.startswith("/routes/search/")]
    one = desk.ask("/routes/search/pairs/a-3")
    assert (one.status_code, "reconciler retry 19 --route search" in one.text) == (200, True)
    assert "/routes/search/" in links(one.text)
    for each in links(page.text):
        assert desk.ask(each).status_code == 200


def test_the_json_is_that_of_the_command(desk: Desk) -> None:
    found = json.loads(desk.ask("/status.json").text)
    expected = status_routes.as_data(status_routes.read(stored_routes(desk.database), "sqlite:///r.db"), 10)
    assert [*found] == [*expected]
    assert found["states"] == expected["states"]
    one = json.loads(desk.ask("/routes/search/status.json").text)
    expected = as_data(status.read(desk.database.for_route(SEARCH), "sqlite:///r.db"), 10)
    assert [*one] == [*expected, "decisions"]
    assert one["dead"][0]["alert_id"] == "a-3"


def test_a_pair_is_found_in_whichever_route_it_is(desk: Desk) -> None:
    answer = desk.ask("/pairs/18")
    assert (answer.status_code, "/routes/shop/" in links(answer.text)) == (200, True)
    answer = desk.ask("/pairs/17")
    assert (answer.status_code, "17 is known to the routes search, shop" in answer.text) == (300, True)
    assert desk.ask("/pairs/99").status_code == 404
    answer = desk.ask("/routes/shop/pairs/19")
    assert (answer.status_code, "reconciler explain 19 --route shop" in answer.text) == (404, True)


def test_a_removed_route_is_shown_as_such(desk: Desk) -> None:
    text = desk.ask("/routes/legacy/").text
    assert "Removed from ROUTES_FILE since 2026-11-20 09:00 UTC: 1 planned left" in text
    assert "Nothing to do" in text


@pytest.mark.parametrize("path", ["/routes/nothing/", "/routes/%3Cscript%3E/", "/routes/nothing/status.json"])
def test_an_unknown_route_is_not_found_and_not_repeated(desk: Desk, path: str) -> None:
    answer = desk.ask(path)
    assert answer.status_code == 404
    assert "nothing" not in answer.text
    assert "script" not in answer.text


def test_what_is_no_id_is_looked_up_in_no_route(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Database, "connected", _away)
    for path in ("/pairs/%3Cb%3E", "/routes/shop/pairs/%3Cb%3E"):
        assert desk.ask(path).status_code == 404


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_has_the_headers_and_needs_the_password(seeded: Database, path: str) -> None:
    assert set(HEADERS) <= set(Desk(seeded).ask(path).headers.items())
    guarded = Desk(seeded, STATUS_LISTEN="0.0.0.0:0", STATUS_PASSWORD=PASSWORD)
    assert guarded.ask(path).status_code == 401
    assert guarded.ask(path, auth=("any", PASSWORD)).status_code != 401
    assert Desk(seeded).ask(path, headers={"Host": "evil.example"}).status_code == 421


def test_where_there_is_one_route_there_are_no_pages_of_routes(database: Database) -> None:
    desk = Desk(database)
    assert desk.ask("/routes/default/").status_code == 404
    assert "route" not in desk.ask("/").text.lower().partition("settings in force")[0]


def test_all_routes_are_read_at_most_once_in_a_second_and_a_slow_reading_counts_for_longer(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, took, count = status_routes.read, [0.0], [0]

    def counted(*given: Any) -> Any:
        count[0] += 1
        desk.now += took[0]
        return read(*given)

    monkeypatch.setattr(status_routes, "read", counted)
    for passed, expected in ((0.0, 1), (0.5, 1), (0.6, 2)):
        desk.now += passed
        desk.ask()
        assert count[0] == expected
    took[0] = 2.0
    desk.now += 10
    desk.ask()
    desk.now += 2.0 * (SHARE - 1) - 0.1
    desk.ask()
    assert count[0] == 3
    desk.now += 0.2
    desk.ask()
    assert count[0] == 4


def test_a_route_that_appears_is_there_at_the_next_reading(desk: Desk) -> None:
    desk.ask()
    desk.database.for_route("new").lead()
    desk.now += 2
    assert "/routes/new/" in links(desk.ask().text)


def test_while_the_database_is_away_nothing_older_is_shown(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert desk.ask().status_code == 200
    monkeypatch.setattr(Database, "connected", _away)
    desk.now += 2
    for path in ("/", "/routes/shop/", "/status.json"):
        assert desk.ask(path).status_code == 503


def _away(*_: Any, **__: Any) -> Iterator[None]:
    raise DatabaseDown("DATABASE_URL: the database cannot be reached", "away")
