"""PagerDuty's lists, logs and single things, and how they lag."""

from tests.support.sandbox import READ, PagerDutyBench, error


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


def test_a_list_covers_the_last_month_of_creations_by_default() -> None:
    world = PagerDutyBench()
    incident = world.create()
    world.clock.advance(40 * 86_400)
    assert world.list("statuses[]=triggered")["incidents"] == []
    assert [row["id"] for row in world.list("statuses[]=triggered&date_range=all")["incidents"]] == [incident]
    since, until = "2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z"
    assert len(world.list(f"since={since}&until={until}")["incidents"]) == 1
    assert world.get("/incidents?since=2026-01-01T00:00:00Z&until=2026-12-01T00:00:00Z").status == 400


def test_the_list_may_lag_and_the_incident_does_not() -> None:
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


def test_an_incident_is_found_by_number() -> None:
    world = PagerDutyBench()
    incident = world.create()
    assert world.incident("1")["id"] == incident
    assert error(world.get("/incidents/999")) == (404, 2100)


def test_people_and_the_service_can_be_read() -> None:
    world = PagerDutyBench()
    assert [row["id"] for row in world.get("/users?query=reconciler").json()["users"]] == ["PBOT001"]
    assert world.get("/users/PJANE01").json()["user"]["email"] == "jane.doe@example.com"
    assert world.get("/users/me").status == 400
    assert isinstance(world.get("/users/me").json()["error"], str)
    assert world.get("/services/PSVC001").json()["service"]["status"] == "active"
    assert world.get("/services/PNONE").status == 404
