"""The account API's lists, alerts, notes, log entries and outcomes of writes."""

import pytest

from tests.support.jsm import ACCOUNT, JsmBench


def messages(world: JsmBench, query: str) -> list[str]:
    return [row["message"] for row in world.get(f"?{query}")["values"]]


def test_a_list_has_pages_with_relative_paths_and_the_number_of_all() -> None:
    world = JsmBench()
    for number in range(5):
        world.alert(message=f"alert {number}")
    first = world.get("?query=status:open&size=2&sort=createdAt&order=asc")
    assert [row["message"] for row in first["values"]] == ["alert 0", "alert 1"]
    assert first["count"] == 5
    assert first["links"]["next"] == "/v1/alerts?query=status%3Aopen&sort=createdAt&order=asc&offset=2&size=2"
    last = world.get("?size=2&offset=4")
    assert [row["message"] for row in last["values"]] == ["alert 0"]
    assert last["links"] == {}


def test_twenty_rows_are_a_page_and_a_limit_is_ignored() -> None:
    world = JsmBench()
    for _ in range(21):
        world.alert()
    assert len(world.get("?limit=100")["values"]) == 20


def test_rows_are_sorted_by_what_the_description_names() -> None:
    world = JsmBench()
    world.alert(message="early", priority="P1", alias="a")
    world.alert(message="older", priority="P5", created_at="2026-11-23T08:00:00Z")
    world.clock.advance(1)
    world.alert(alias="a")
    assert messages(world, "") == ["older", "early"]
    assert messages(world, "sort=createdAt") == ["early", "older"]
    assert messages(world, "sort=lastOccurredAt&order=asc") == ["older", "early"]
    assert messages(world, "sort=priority&order=asc") == ["early", "older"]


def test_an_update_is_no_sort_unless_the_site_honours_it() -> None:
    world = JsmBench()
    for name in ("first", "second"):
        world.alert(message=name)
    world.clock.advance(1)
    world.act("jsm", "1", "acknowledge")
    assert world.status("?sort=updatedAt") == 422
    world.set(jsm_sort_updated_at="ignore")
    assert messages(world, "sort=updatedAt") == ["second", "first"]
    world.set(jsm_sort_updated_at="work")
    assert messages(world, "sort=updatedAt") == ["first", "second"]


@pytest.mark.parametrize(
    "query",
    ["size=101", "size=0", "size=x", "size=100&offset=19900", "sort=colour", "order=up", "query=updatedAt>1",
     "query=status:ajar"],
)  # fmt: skip
def test_an_unsupported_query_is_422(query: str) -> None:
    reply = JsmBench().call("GET", f"{ACCOUNT}?{query}")
    assert reply.status == 422
    assert reply.json()["errors"][0]["code"]


def test_the_list_lags_and_the_alert_does_not() -> None:
    world = JsmBench(list_lag=10.0)
    alert = world.alert()
    assert world.get()["count"] == 0
    assert world.get(f"/{alert}")["message"] == "disk full"
    world.clock.advance(10)
    assert world.get()["count"] == 1
    world.set(detail_lag=20)
    assert world.status(f"/{alert}") == 404


def test_an_alert_is_found_by_its_full_id_and_by_its_alias_while_it_is_open() -> None:
    world = JsmBench()
    alert = world.alert(alias="disk")
    assert world.status("/1") == 404
    assert world.get("/alias?alias=disk")["id"] == alert
    world.act("jsm", alert, "close")
    assert world.status("/alias?alias=disk") == 404
    assert world.get(f"/{alert}")["status"] == "closed"


@pytest.mark.parametrize(("order", "shown"), [("desc", ["three", "two", "one"]), ("asc", ["one", "two", "three"])])
def test_notes_and_log_entries_follow_their_key(order: str, shown: list[str]) -> None:
    world = JsmBench(jsm_notes_order=order)
    alert = world.alert()
    for text in ("one", "two", "three"):
        world.act("jsm", alert, "notes", text=text)
    page = world.get(f"/{alert}/notes?size=2")
    assert [note["note"] for note in page["values"]] == shown[:2]
    assert page["links"]["next"] == f"/v1/alerts/{alert}/notes?after={page['values'][1]['id']}&size=2"
    rest = world.get(page["links"]["next"].removeprefix("/v1/alerts"))
    assert ([note["note"] for note in rest["values"]], rest["links"]) == (shown[2:], {})
    logs = world.get(f"/{alert}/logs?size=3")
    rest = world.get(logs["links"]["next"].removeprefix("/v1/alerts"))
    assert len(logs["values"]) + len(rest["values"]) == 4
    assert world.status(f"/{alert}/notes?after=1") == 422


def test_a_pending_write_looks_like_an_unknown_one() -> None:
    world = JsmBench(write_lag=2.0)
    accepted = world.post(f"/{world.alert()}/acknowledge")
    assert world.status(f"/requests/{accepted.json()['requestId']}") == world.status("/requests/nothing") == 404
    world.clock.advance(2)
    outcome = world.outcome(accepted)
    assert (outcome["isSuccess"], outcome["integrationId"], "success" in outcome) == (True, "", False)
    assert outcome["processedAt"] == "2026-11-23T09:00:02Z"
    world.set(jsm_request_404=True)
    assert world.status(f"/requests/{accepted.json()['requestId']}") == 404


def test_a_state_may_be_unreadable() -> None:
    world = JsmBench(acknowledged_null=True)
    assert world.get(f"/{world.alert()}")["acknowledged"] is None
