"""Opsgenie's traps, one test each."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.sandbox.opsgenie.api import OpsgenieApi
from reconciler.sandbox.settings import SandboxSettings
from reconciler.sandbox.wire import ManualClock, Refused, Response, iso_short, request

KEY = {"Authorization": "GenieKey sandbox-opsgenie-key", "Host": "og.example"}


class OpsgenieBench:
    def __init__(self, **settings: Any) -> None:
        self.clock = ManualClock()
        self.api = OpsgenieApi(self.clock, SandboxSettings(**settings))

    def get(self, target: str, headers: Mapping[str, str] = KEY) -> Response:
        return self.api.handle(request("GET", target, None, headers))

    def post(self, target: str, body: Any = None) -> Response:
        return self.api.handle(request("POST", target, {} if body is None else body, KEY))

    def alert(self, message: str = "disk full", **more: Any) -> str:
        return str(self.api.create_alert(message, **({"user": "Ana Ruiz"} | more))["id"])

    def ids(self, target: str) -> list[str]:
        return [row["id"] for row in self.get(target).json()["data"]]

    def detail(self, alert_id: str) -> Any:
        return self.get(f"/v2/alerts/{alert_id}").json()["data"]

    def outcome(self, response: Response) -> Any:
        return self.get(f"/v2/alerts/requests/{response.json()['requestId']}").json()["data"]


def test_times_drop_the_trailing_zeros_of_their_fraction() -> None:
    base = datetime(2026, 11, 23, 9, 14, 5, tzinfo=UTC)
    assert iso_short(base) == "2026-11-23T09:14:05Z"
    assert iso_short(base + timedelta(milliseconds=160)) == "2026-11-23T09:14:05.16Z"
    assert iso_short(base + timedelta(milliseconds=123)) == "2026-11-23T09:14:05.123Z"


def test_a_wrong_key_and_a_missing_one_are_401() -> None:
    world = OpsgenieBench()
    assert world.get("/v2/alerts", {"Authorization": "GenieKey wrong"}).status == 401
    assert world.get("/v2/alerts", {}).status == 401


def test_a_row_has_neither_description_nor_details_but_the_alert_has() -> None:
    world = OpsgenieBench()
    alert = world.alert(description="long story", details={"host": "db-1"})
    (row,) = world.get("/v2/alerts").json()["data"]
    assert "description" not in row
    assert "details" not in row
    assert world.detail(alert)["details"] == {"host": "db-1"}


def test_accepted_is_not_done_until_the_write_lag_has_passed() -> None:
    world = OpsgenieBench(write_lag=2.0)
    alert = world.alert()
    accepted = world.post(f"/v2/alerts/{alert}/acknowledge", {"user": "Jane Doe"})
    assert accepted.status == 202
    pending = world.get(f"/v2/alerts/requests/{accepted.json()['requestId']}")
    assert (pending.status, pending.headers["X-Opsgenie-Errortype"]) == (404, "RequestNotProcessed")
    assert not world.detail(alert)["acknowledged"]
    world.clock.advance(5)
    assert world.detail(alert)["acknowledged"]
    outcome = world.outcome(accepted)
    assert (outcome["isSuccess"], outcome["action"], outcome["status"]) == (
        True,
        "Acknowledge",
        "Acknowledged alert",
    )
    assert outcome["processedAt"] == "2026-11-23T09:00:02Z"
    unknown = world.get("/v2/alerts/requests/nothing")
    assert unknown.status == 404
    assert "X-Opsgenie-Errortype" not in unknown.headers


def test_acknowledging_makes_the_owner_and_reports_a_duration() -> None:
    world = OpsgenieBench()
    alert = world.alert()
    world.clock.advance(11.751)
    world.post(f"/v2/alerts/{alert}/acknowledge")
    shown = world.detail(alert)
    assert shown["owner"] == "Alert API"
    assert shown["report"] == {"ackTime": 11751, "acknowledgedBy": "Alert API"}


@pytest.mark.parametrize(
    ("verb", "before"), [("acknowledge", "close"), ("unacknowledge", None), ("close", "close")]
)
def test_what_is_not_possible_is_accepted_and_fails_later(verb: str, before: str | None) -> None:
    world = OpsgenieBench()
    alert = world.alert()
    if before:
        getattr(world.api, before)(alert, "Ana Ruiz")
    accepted = world.post(f"/v2/alerts/{alert}/{verb}")
    assert accepted.status == 202
    assert not world.outcome(accepted)["isSuccess"]


def test_an_action_on_a_missing_alert_is_accepted_too() -> None:
    world = OpsgenieBench()
    outcome = world.outcome(world.post("/v2/alerts/nothing/notes", {"note": "hello"}))
    assert (outcome["isSuccess"], outcome["status"], outcome["alertId"]) == (False, "Alert does not exist", "")


def test_a_closed_alert_stays_acknowledged_and_takes_notes() -> None:
    world = OpsgenieBench()
    alert = world.alert()
    world.api.acknowledge(alert, "Ana Ruiz")
    world.api.close(alert, "Ana Ruiz")
    assert world.outcome(world.post(f"/v2/alerts/{alert}/notes", {"note": "late"}))["status"] == "Added note"
    shown = world.detail(alert)
    assert (shown["status"], shown["acknowledged"]) == ("closed", True)


def test_the_list_is_behind_while_the_detail_is_not() -> None:
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
def test_what_the_list_does_not_understand_is_422(query: str) -> None:
    assert OpsgenieBench().get(f"/v2/alerts?{query}").status == 422


def test_the_search_language() -> None:
    world = OpsgenieBench()
    closed = world.alert("disk full", tags=["db"], priority="P1")
    world.api.close(closed, "Ana Ruiz")
    world.clock.advance(60)
    since = int(world.clock.now().timestamp() * 1000)
    fresh = world.alert("cpu hot", tags=["web", "prod"])
    found = {
        "status:open": [fresh], "status: closed": [closed], "tag:db": [closed], "tag:we*": [fresh],
        "priority:P1 OR tag:web": [fresh, closed], f"(status:open) AND (createdAt>={since})": [fresh],
        f"createdAt<{since}": [closed], "message:disk": [closed], 'message:"cpu hot"': [fresh],
        "NOT status:open": [closed], 'teams:"anything" AND acknowledged:false': [fresh, closed],
        f"alertId: {closed}": [closed],
    }  # fmt: skip
    for query, expected in found.items():
        assert world.ids(f"/v2/alerts?query={query.replace('+', '%2B')}") == expected, query
    assert world.get("/v2/alerts/count?query=status:open").json()["data"] == {"count": 1}


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


@pytest.mark.parametrize("bumps", [True, False])
def test_a_note_may_or_may_not_move_updated_at(bumps: bool) -> None:
    world = OpsgenieBench(notes_bump_updated_at=bumps)
    alert = world.alert()
    before = world.detail(alert)["updatedAt"]
    world.clock.advance(1)
    world.api.add_note(alert, "Ana Ruiz", "hello")
    assert (world.detail(alert)["updatedAt"] != before) == bumps


def test_an_escalation_step_moves_updated_at_of_an_acknowledged_alert_and_nothing_else() -> None:
    world = OpsgenieBench(noise_after=600.2)
    alert = world.alert()
    world.api.acknowledge(alert, "Ana Ruiz")
    before = world.detail(alert)
    world.clock.advance(700)
    after = world.detail(alert)
    assert after["updatedAt"] == "2026-11-23T09:10:00.2Z"
    assert after | {"updatedAt": before["updatedAt"]} == before


def test_a_snooze_that_ends_unacknowledges_without_a_person() -> None:
    world = OpsgenieBench(noise=False)
    alert = world.alert()
    world.api.acknowledge(alert, "Ana Ruiz")
    world.api.snooze(alert, "Ana Ruiz", 60)
    assert world.detail(alert)["snoozed"]
    world.clock.advance(61)
    shown = world.detail(alert)
    assert (shown["snoozed"], shown["acknowledged"], "report" in shown) == (False, False, False)
    assert [act.verb for act in world.api.journal.acts] == ["create", "acknowledge", "snooze"]


def test_acknowledging_ends_a_snooze() -> None:
    world = OpsgenieBench(noise=False)
    alert = world.alert()
    world.api.snooze(alert, "Ana Ruiz", 60)
    world.api.acknowledge(alert, "Ana Ruiz")
    world.clock.advance(61)
    assert world.detail(alert)["acknowledged"]


def test_an_alias_finds_only_the_open_alert_and_counts_it_up() -> None:
    world = OpsgenieBench()
    first = world.alert(alias="host/disk #1")
    assert world.alert(alias="host/disk #1") == first
    path = "/v2/alerts/host%2Fdisk%20%231?identifierType=alias"
    assert world.get(path).json()["data"]["count"] == 2
    world.api.close(first, "Ana Ruiz")
    assert world.get(path).status == 404
    assert world.alert(alias="host/disk #1") != first
    assert world.get("/v2/alerts/1?identifierType=tiny").json()["data"]["id"] == first


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [("/acknowledge", {"user": "x" * 101}, "user"), ("/notes", {"note": "x" * 25_001}, "note"),
     ("/notes", {}, "note"), ("", {"message": "x" * 131}, "message"), ("", {}, "message"),
     ("", {"message": "x", "priority": "P9"}, "priority")],
)  # fmt: skip
def test_what_is_too_long_or_missing_is_422_and_named(path: str, body: Any, field: str) -> None:
    world = OpsgenieBench()
    alert = world.alert()
    response = world.post(f"/v2/alerts/{alert}{path}" if path else "/v2/alerts", body)
    assert response.status == 422
    assert field in response.json()["errors"]


def test_malformed_json_is_400() -> None:
    assert OpsgenieBench().post("/v2/alerts", b"{").status == 400


def test_an_alert_can_be_created_through_the_api() -> None:
    world = OpsgenieBench()
    outcome = world.outcome(world.post("/v2/alerts", {"message": "from a script", "tags": ["x"], "user": "Ana"}))
    assert outcome["status"] == "Created alert"
    assert world.detail(outcome["alertId"])["tags"] == ["x"]
    assert world.api.journal.acts[0].who == "Ana"


def test_the_rate_limit_names_its_period_and_no_retry_after() -> None:
    world = OpsgenieBench(opsgenie_per_minute=1)
    assert world.get("/v2/alerts").headers["X-RateLimit-State"] == "OK"
    refused = world.get("/v2/alerts")
    assert refused.status == 429
    assert refused.headers["X-RateLimit-State"] == "THROTTLED"
    assert refused.headers["X-RateLimit-Period-In-Sec"] == "60"
    assert "Retry-After" not in refused.headers
    world.clock.advance(60)
    assert world.get("/v2/alerts").status == 200


def test_the_same_seed_gives_the_same_ids() -> None:
    assert OpsgenieBench(seed=7).alert() == OpsgenieBench(seed=7).alert() != OpsgenieBench(seed=8).alert()


def test_people_are_refused_at_once() -> None:
    world = OpsgenieBench()
    alert = world.alert()
    with pytest.raises(Refused, match="acknowledged"):
        world.api.unacknowledge(alert, "Ana Ruiz")
    with pytest.raises(Refused, match="no such alert"):
        world.api.close("nothing", "Ana Ruiz")
