"""PagerDuty's traps, one test each."""

from collections.abc import Mapping
from typing import Any

import pytest

from reconciler.sandbox.pagerduty.api import PagerDutyApi
from reconciler.sandbox.settings import SandboxSettings
from reconciler.sandbox.wire import ManualClock, Refused, Response, request

READ = {"Authorization": "Token token=sandbox-pagerduty-key"}
WRITE = READ | {"From": "reconciler@example.com", "Content-Type": "application/json"}
NEW = {"type": "incident", "title": "disk full", "service": {"id": "PSVC001", "type": "service_reference"}}


class PagerDutyBench:
    def __init__(self, **settings: Any) -> None:
        self.clock = ManualClock()
        self.api = PagerDutyApi(self.clock, SandboxSettings(**({"noise": False} | settings)))

    def get(self, target: str) -> Response:
        return self.api.handle(request("GET", target, None, READ))

    def send(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] = WRITE) -> Response:
        return self.api.handle(request(method, path, body, headers))

    def create(self, **more: Any) -> str:
        response = self.send("POST", "/incidents", {"incident": NEW | more})
        assert response.status == 201, response.body
        return str(response.json()["incident"]["id"])

    def put(self, incident: str, **values: Any) -> Response:
        return self.send("PUT", f"/incidents/{incident}", {"incident": {"type": "incident"} | values})

    def incident(self, incident: str) -> Any:
        return self.get(f"/incidents/{incident}").json()["incident"]

    def kinds(self, incident: str) -> list[str]:
        rows = self.get(f"/incidents/{incident}/log_entries").json()["log_entries"]
        return [row["type"].removesuffix("_log_entry") for row in reversed(rows)]

    def causes(self) -> list[str]:
        return [page["cause"] for page in self.api.pages]

    def list(self, query: str) -> Any:
        return self.get(f"/incidents?{query}").json()


def error(response: Response) -> tuple[int, Any]:
    return response.status, response.json()["error"].get("code")


def test_a_wrong_token_is_401() -> None:
    assert PagerDutyBench().send("GET", "/incidents", headers={"Authorization": "Token token=no"}).status == 401


def test_every_write_needs_a_known_from_and_a_content_type() -> None:
    world = PagerDutyBench()
    nobody = world.send("POST", "/incidents", {"incident": NEW}, READ | {"Content-Type": "application/json"})
    assert nobody.status == 400
    assert nobody.json()["error"]["message"] == (
        'You must specify a user\'s email address in the "From" header to perform this action'
    )
    assert error(world.send("POST", "/incidents", {}, WRITE | {"From": "x@example.com"})) == (400, 1008)
    bare = {name: value for name, value in WRITE.items() if name != "Content-Type"}
    response = world.send("POST", "/incidents", {"incident": NEW}, bare)
    assert response.json()["error"] == {
        "message": "Invalid Input Provided", "code": 2001, "errors": ["params must be a Hash"]
    }  # fmt: skip
    assert error(world.send("POST", "/incidents", NEW)) == (400, 2001)


def test_a_new_incident_is_triggered_pages_and_names_the_service() -> None:
    world = PagerDutyBench()
    shown = world.incident(world.create(incident_key="alert-1"))
    assert (shown["status"], shown["incident_key"], shown["incident_number"]) == ("triggered", "alert-1", 1)
    assert shown["last_status_change_by"]["type"] == "service_reference"
    assert "body" not in shown
    assert world.causes() == ["triggered"]


def test_a_key_is_taken_while_an_incident_with_it_is_open() -> None:
    world = PagerDutyBench()
    first = world.create(incident_key="alert-1")
    again = world.send("POST", "/incidents", {"incident": NEW | {"incident_key": "alert-1"}})
    assert again.status == 400
    assert again.json()["error"] == {
        "message": "Arguments Caused Error", "code": 2002,
        "errors": ["Open incident with matching dedup key already exists on this service"],
    }  # fmt: skip
    world.put(first, status="resolved")
    second = world.create(incident_key="alert-1")
    found = world.list("incident_key=alert-1&date_range=all&statuses[]=triggered&statuses[]=acknowledged")
    assert [row["id"] for row in found["incidents"]] == [second]


@pytest.mark.parametrize(
    "wrong", [{"title": " "}, {"title": "x" * 1025}, {"type": "x"}, {"urgency": "huge"}, {"body": {"details": {}}}]
)
def test_what_is_wrong_with_a_new_incident_is_400(wrong: Any) -> None:
    assert error(PagerDutyBench().send("POST", "/incidents", {"incident": NEW | wrong})) == (400, 2001)


def test_what_the_user_on_call_creates_is_born_acknowledged_and_pages_nobody() -> None:
    world = PagerDutyBench(bot_on_call=True)
    response = world.send("POST", "/incidents", {"incident": NEW})
    assert response.json()["incident"]["status"] == "acknowledged"
    assert world.causes() == []


def test_acknowledging_a_resolved_incident_reopens_it() -> None:
    world = PagerDutyBench()
    incident = world.create()
    world.api.resolve(incident, "Jane Doe")
    shown = world.put(incident, status="acknowledged").json()["incident"]
    assert (shown["status"], shown["resolved_at"]) == ("acknowledged", None)


def test_triggering_a_resolved_incident_reopens_it_and_pages() -> None:
    world = PagerDutyBench()
    incident = world.create()
    world.put(incident, status="resolved")
    assert error(world.put(incident, status="resolved")) == (400, 1001)
    assert world.put(incident, status="triggered").json()["incident"]["status"] == "triggered"
    assert world.causes() == ["triggered", "reopened"]


def test_acknowledging_again_adds_an_acknowledger_and_restarts_the_timeout() -> None:
    world = PagerDutyBench(acknowledgement_timeout=60.0)
    incident = world.create()
    world.api.acknowledge(incident, "Jane Doe")
    world.clock.advance(40)
    world.put(incident, status="acknowledged")
    world.clock.advance(40)
    shown = world.incident(incident)
    assert [row["acknowledger"]["id"] for row in shown["acknowledgements"]] == ["PJANE01", "PBOT001"]
    assert shown["last_status_change_by"]["id"] == "PJANE01"
    assert world.kinds(incident) == ["trigger", "acknowledge", "acknowledge"]
    assert shown["pending_actions"] == [{"type": "unacknowledge", "at": "2026-11-23T09:01:40Z"}]


def test_an_acknowledgement_runs_out_by_the_service() -> None:
    world = PagerDutyBench(acknowledgement_timeout=60.0)
    incident = world.create()
    world.put(incident, status="acknowledged")
    world.clock.advance(100)
    shown = world.incident(incident)
    assert (shown["status"], shown["acknowledgements"]) == ("triggered", [])
    newest = world.get("/log_entries?include[]=channels").json()["log_entries"][0]
    assert (newest["type"], newest["agent"]["type"], newest["channel"]) == (
        "unacknowledge_log_entry", "service_reference", {"type": "timeout"}
    )  # fmt: skip
    assert newest["created_at"] == "2026-11-23T09:01:00Z"
    assert world.causes() == ["triggered", "acknowledgement timeout"]


def test_no_timeout_when_it_is_off() -> None:
    world = PagerDutyBench(acknowledgement_timeout=None)
    incident = world.create()
    world.put(incident, status="acknowledged")
    world.clock.advance(100_000)
    assert world.incident(incident)["status"] == "acknowledged"


@pytest.mark.parametrize(("works", "status"), [(False, "acknowledged"), (True, "triggered")])
def test_a_plain_triggered_may_be_ignored(works: bool, status: str) -> None:
    world = PagerDutyBench(status_triggered_works=works)
    incident = world.create()
    world.put(incident, status="acknowledged")
    response = world.put(incident, status="triggered")
    assert (response.status, response.json()["incident"]["status"]) == (200, status)


def test_an_escalation_level_triggers_again_but_not_with_low_urgency() -> None:
    world = PagerDutyBench()
    high, low = world.create(urgency="high"), world.create(urgency="low")
    for incident in (high, low):
        world.put(incident, status="acknowledged")
    assert world.put(high, escalation_level=1).json()["incident"]["status"] == "triggered"
    assert error(world.put(low, escalation_level=1)) == (400, 1006)
    policy = {"id": "PPOL001", "type": "escalation_policy_reference"}
    assert world.put(low, escalation_policy=policy).json()["incident"]["status"] == "triggered"
    assert "unacknowledge" not in world.kinds(low)
    assert world.causes()[2:] == ["escalated", "reassigned"]


def test_reassigning_by_hand_triggers_without_an_unacknowledge_entry() -> None:
    world = PagerDutyBench()
    incident = world.create()
    world.api.acknowledge(incident, "Jane Doe")
    world.api.reassign(incident, "Jane Doe", "Omar Haddad")
    assert world.incident(incident)["status"] == "triggered"
    assert world.kinds(incident) == ["trigger", "acknowledge", "assign"]


def test_unacknowledging_by_hand_names_the_person() -> None:
    world = PagerDutyBench()
    incident = world.create()
    world.api.acknowledge(incident, "Jane Doe")
    world.api.unacknowledge(incident, "omar.haddad@example.com")
    newest = world.get("/log_entries").json()["log_entries"][0]
    assert (newest["type"], newest["agent"]["summary"]) == ("unacknowledge_log_entry", "Omar Haddad")


def test_a_bulk_update_is_all_or_nothing() -> None:
    world = PagerDutyBench()
    incident = world.create()
    good = {"id": incident, "type": "incident_reference", "status": "acknowledged"}
    assert world.send("PUT", "/incidents", {"incidents": [good, good | {"status": "odd"}]}).status == 400
    assert world.incident(incident)["status"] == "triggered"
    assert world.send("PUT", "/incidents", {"incidents": [good]}).status == 200
    assert world.send("PUT", "/incidents", {"incidents": [good] * 251}).status == 413


def test_a_note_has_an_id_that_the_log_does_not_tell() -> None:
    world = PagerDutyBench()
    incident = world.create()
    created = world.send("POST", f"/incidents/{incident}/notes", {"note": {"content": "looking"}})
    assert created.status == 200
    note = created.json()["note"]
    assert note["created_at"].endswith("-05:00")
    bare = world.get("/log_entries").json()["log_entries"][0]
    assert (bare["type"], bare["channel"]) == ("annotate_log_entry", {"type": "note"})
    full = world.get("/log_entries?include[]=channels").json()["log_entries"][0]
    assert full["channel"] == {"type": "note", "summary": "looking"}
    assert note["id"] not in str(full)
    assert error(world.send("POST", f"/incidents/{incident}/notes", {"note": {"content": ""}})) == (400, 2001)


def test_notes_come_newest_first_and_can_be_edited_and_deleted() -> None:
    world = PagerDutyBench()
    incident = world.create()
    for text in ("one", "two"):
        world.api.add_note(incident, "Jane Doe", text)
    newest, oldest = world.get(f"/incidents/{incident}/notes").json()["notes"]
    assert (newest["content"], oldest["content"]) == ("two", "one")
    world.clock.advance(5)
    path = f"/incidents/{incident}/notes/{oldest['id']}"
    edited = world.send("PUT", path, {"note": {"content": "uno"}}).json()["note"]
    assert edited["updated_at"] != edited["created_at"] == oldest["created_at"]
    assert world.send("DELETE", path, headers=READ).status == 204
    assert world.send("DELETE", path, headers=READ).status == 404


def test_the_log_has_whole_seconds_and_both_ends_of_a_window_belong_to_it() -> None:
    world = PagerDutyBench()
    world.clock.advance(0.7)
    world.create()
    assert world.get("/log_entries").json()["log_entries"][0]["created_at"] == "2026-11-23T09:00:00Z"
    at = "2026-11-23T09:00:00Z"
    assert len(world.get(f"/log_entries?since={at}&until={at}").json()["log_entries"]) == 1
    later = "2026-11-23T09:00:01Z"
    assert world.get(f"/log_entries?since={later}&until={later}").json()["log_entries"] == []


def test_the_account_log_may_lag_but_the_incidents_own_does_not() -> None:
    world = PagerDutyBench(log_lag=5.0)
    incident = world.create()
    assert world.get("/log_entries").json()["log_entries"] == []
    assert world.kinds(incident) == ["trigger"]
    world.clock.advance(5)
    assert len(world.get("/log_entries").json()["log_entries"]) == 1


def test_noise_has_no_agent_no_incident_or_an_unknown_kind() -> None:
    world = PagerDutyBench(noise=True, noise_every=1)
    incident = world.create()
    for text in ("a", "b", "c"):
        world.api.add_note(incident, "Jane Doe", text)
    rows = world.get("/log_entries").json()["log_entries"]
    noise = {row["type"]: row for row in rows if row["summary"] == "Noise"}
    assert "agent" not in noise["notify_log_entry"]
    assert "incident" not in noise["priority_change_log_entry"]
    assert "link_log_entry" in noise


def test_paging_stops_at_a_hundred_rows_and_at_ten_thousand() -> None:
    world = PagerDutyBench()
    for _ in range(3):
        world.create()
    page = world.list("limit=2&sort_by=incident_number:desc&date_range=all")
    assert ([row["incident_number"] for row in page["incidents"]], page["more"], page["total"]) == (
        [3, 2],
        True,
        None,
    )
    assert world.list("limit=1000")["limit"] == 100
    assert world.get("/incidents?limit=100&offset=9901").status == 400
    assert world.get("/log_entries?limit=100&offset=9901").status == 400


def test_a_list_covers_the_last_month_of_creations_unless_told_otherwise() -> None:
    world = PagerDutyBench()
    incident = world.create()
    world.clock.advance(40 * 86_400)
    assert world.list("statuses[]=triggered")["incidents"] == []
    assert [row["id"] for row in world.list("statuses[]=triggered&date_range=all")["incidents"]] == [incident]
    since, until = "2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z"
    assert len(world.list(f"since={since}&until={until}")["incidents"]) == 1
    assert world.get("/incidents?since=2026-01-01T00:00:00Z&until=2026-12-01T00:00:00Z").status == 400


def test_a_list_may_lag_and_the_incident_does_not() -> None:
    world = PagerDutyBench(list_lag=5.0)
    incident = world.create()
    assert world.list("date_range=all")["incidents"] == []
    assert world.incident(incident)["status"] == "triggered"
    world.clock.advance(5)
    assert len(world.list("date_range=all")["incidents"]) == 1


def test_rows_repeat_when_resolved_is_mixed_with_open() -> None:
    world = PagerDutyBench()
    for _ in range(12):
        world.create()
    ids = [row["id"] for row in world.list("limit=100")["incidents"]]
    assert len(ids) > len(set(ids))
    ids = [row["id"] for row in world.list("limit=100&statuses[]=triggered&statuses[]=acknowledged")["incidents"]]
    assert len(ids) == len(set(ids)) == 12
    assert error(world.get("/incidents?statuses[]=open")) == (400, 2001)


def test_a_snooze_needs_an_acknowledgement_and_ends_in_a_page() -> None:
    world = PagerDutyBench()
    incident = world.create()
    path = f"/incidents/{incident}/snooze"
    assert error(world.send("POST", path, {"duration": 60})) == (400, 1012)
    world.put(incident, status="acknowledged")
    assert error(world.send("POST", path, {"duration": 0})) == (400, 1013)
    assert world.send("POST", path, {"duration": 60}).status == 201
    world.clock.advance(61)
    assert world.incident(incident)["status"] == "triggered"
    assert world.causes()[-1] == "snooze ended"


def test_a_merge_resolves_for_another_reason() -> None:
    world = PagerDutyBench()
    target, source = world.create(), world.create()
    body = {"source_incidents": [{"id": source, "type": "incident_reference"}]}
    assert world.send("PUT", f"/incidents/{target}/merge", body).status == 200
    shown = world.incident(source)
    assert shown["status"] == "resolved"
    assert shown["resolve_reason"]["type"] == "merge_resolve_reason"
    assert shown["resolve_reason"]["incident"]["id"] == target


def test_an_incident_is_found_by_number() -> None:
    world = PagerDutyBench()
    incident = world.create()
    assert world.incident("1")["id"] == incident
    assert error(world.get("/incidents/999")) == (404, 2100)


def test_the_rate_limit_slides_and_its_reset_is_in_seconds() -> None:
    world = PagerDutyBench(pagerduty_per_minute=2)
    assert world.get("/users").headers["ratelimit-remaining"] == "1"
    world.clock.advance(20)
    world.get("/users")
    refused = world.get("/users")
    assert refused.json() == {"error": {"message": "Rate Limit Exceeded", "code": 2020}}
    assert refused.headers["ratelimit-reset"] == "40"
    assert "Retry-After" not in refused.headers
    world.clock.advance(40)
    assert world.get("/users").status == 200


def test_creations_have_a_limit_of_their_own() -> None:
    world = PagerDutyBench(creations_per_minute=1)
    world.create()
    refused = world.send("POST", "/incidents", {"incident": NEW})
    assert (refused.status, refused.headers["ratelimit-limit"]) == (429, "1")
    assert world.get("/incidents").status == 200


def test_people_and_the_service() -> None:
    world = PagerDutyBench()
    assert [row["id"] for row in world.get("/users?query=reconciler").json()["users"]] == ["PBOT001"]
    assert world.get("/users/PJANE01").json()["user"]["email"] == "jane.doe@example.com"
    assert world.get("/users/me").status == 400
    assert isinstance(world.get("/users/me").json()["error"], str)
    assert world.get("/services/PSVC001").json()["service"]["status"] == "active"
    assert world.get("/services/PNONE").status == 404


def test_people_are_refused_at_once() -> None:
    world = PagerDutyBench()
    incident = world.create()
    with pytest.raises(Refused, match="not acknowledged"):
        world.api.unacknowledge(incident, "Jane Doe")
    with pytest.raises(Refused, match="no such PagerDuty user"):
        world.api.acknowledge(incident, "Nobody")
    world.api.resolve(incident, "Jane Doe")
    with pytest.raises(Refused, match="resolved"):
        world.api.acknowledge(incident, "Jane Doe")
