"""Opsgenie's lists, notes and alerts, and how they lag."""

import pytest

from tests.support.sandbox import OpsgenieBench


def test_the_list_lags_and_the_detail_does_not() -> None:
    world = OpsgenieBench(list_lag=10.0)
    alert = world.alert()
    assert world.ids("/v2/alerts") == []
    world.clock.advance(10)
    world.api.acknowledge(alert, "Ana Ruiz")
    (row,) = world.get("/v2/alerts").json()["data"]
    assert not row["acknowledged"]
    assert world.detail(alert)["acknowledged"]
    world.clock.advance(10)
    assert world.get("/v2/alerts").json()["data"][0]["acknowledged"]


def test_pages_are_absolute_and_the_last_has_no_next() -> None:
    world = OpsgenieBench()
    for _ in range(5):
        world.alert()
    first = world.get("/v2/alerts?limit=2&sort=updatedAt&order=asc").json()
    assert first["paging"]["next"] == "http://og.example/v2/alerts?sort=updatedAt&order=asc&limit=2&offset=2"
    last = world.get("/v2/alerts?limit=2&offset=4").json()
    assert len(last["data"]) == 1
    assert "next" not in last["paging"]


@pytest.mark.parametrize(
    "query",
    ["limit=101", "limit=0", "limit=100&offset=19900", "sort=colour", "query=updatedAt>1", "query=status:ajar",
     "query=status:open AND", "query=(status:open", "query=free text", "query=createdAt>yesterday"],
)  # fmt: skip
def test_an_unsupported_query_is_422(query: str) -> None:
    assert OpsgenieBench().get(f"/v2/alerts?{query}").status == 422


def test_notes_resume_after_their_token() -> None:
    world = OpsgenieBench()
    alert = world.alert()
    for text in ("one", "two", "three"):
        world.api.add_note(alert, "Ana Ruiz", text)
    page = world.get(f"/v2/alerts/{alert}/notes?order=asc&limit=2").json()
    assert [note["note"] for note in page["data"]] == ["one", "two"]
    token = page["data"][-1]["offset"]
    assert token in page["paging"]["next"]
    assert len(token.split("_")[1]) == len(token.split("_")[0]) + 6
    rest = world.get(f"/v2/alerts/{alert}/notes?order=asc&direction=next&offset={token}").json()
    assert [note["note"] for note in rest["data"]] == ["three"]
    assert "next" not in rest["paging"]
    newest = world.get(f"/v2/alerts/{alert}/notes?limit=1").json()["data"]
    assert [note["note"] for note in newest] == ["three"]
