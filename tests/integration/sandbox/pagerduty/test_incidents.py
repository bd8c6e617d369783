"""Troubles of PagerDuty's incidents and their logs."""

import pytest

from tests.support.sandbox import READ, TroubleBench, error


def test_an_incident_assigned_to_the_automation_user_pages_nobody_until_reassigned() -> None:
    world = TroubleBench(bot_on_call=True)
    incident = world.created()
    assert (world.incident(incident)["status"], world.pages()) == ("acknowledged", [])
    first = world.put(incident, escalation_level=1)
    assert (first["status"], first["assignments"][0]["assignee"]["id"]) == ("triggered", "PBOT001")
    assert world.pages() == []
    assert world.put(incident, escalation_level=2)["assignments"][0]["assignee"]["id"] == "POMAR01"
    assert world.pages() == ["escalated"]


def test_the_acknowledger_may_become_the_assignee() -> None:
    world = TroubleBench(ack_assigns=True, unacknowledge_ways=["status"])
    incident = world.created()
    world.put(incident, status="acknowledged")
    shown = world.put(incident, status="triggered")
    assert [row["assignee"]["id"] for row in shown["assignments"]] == ["PBOT001"]
    assert world.pages() == ["triggered"]


def test_raising_the_urgency_notifies() -> None:
    world = TroubleBench()
    world.put(world.created(urgency="low"), urgency="high")
    assert world.pages() == ["triggered", "urgency raised"]


def test_acknowledgements_may_name_nobody() -> None:
    world = TroubleBench()
    incident = world.created()
    world.control("POST", f"/pagerduty/incidents/{incident}/acknowledge", {"user": "Jane Doe"})
    world.set(acknowledger_null=True)
    for shown in (world.incident(incident), world.call("GET", "/pagerduty/incidents").json()["incidents"][0]):
        assert (shown["status"], shown["last_status_change_by"]) == ("acknowledged", None)
        assert [row["acknowledger"] for row in shown["acknowledgements"]] == [None]


@pytest.mark.parametrize(
    ("word", "kind"),
    [("service", "service_reference"), ("workflow", "incident_workflow_reference"),
     ("integration", "events_api_v2_inbound_integration_reference")],
)  # fmt: skip
def test_an_automation_acts_by_itself(word: str, kind: str) -> None:
    world = TroubleBench()
    incident = world.created()
    world.control("POST", f"/pagerduty/incidents/{incident}/acknowledge", {"user": word})
    assert world.incident(incident)["acknowledgements"][0]["acknowledger"]["type"] == kind
    world.control("POST", f"/pagerduty/incidents/{incident}/unacknowledge", {"user": word})
    lines = world.call("GET", f"/pagerduty/incidents/{incident}/log_entries").json()["log_entries"]
    assert (lines[0]["type"], lines[0]["agent"]["type"]) == ("unacknowledge_log_entry", kind)
    assert lines[0]["channel"]["type"] == "auto"
    note = world.control("POST", f"/pagerduty/incidents/{incident}/notes", {"user": word, "text": "x"})
    assert note["user"]["type"] == "bot_user_reference"


def test_an_incident_may_be_triggered_again_without_any_log_entry() -> None:
    world = TroubleBench()
    incident = world.created()
    world.control("POST", f"/pagerduty/incidents/{incident}/acknowledge", {"user": "Jane Doe"})
    before = world.call("GET", f"/pagerduty/incidents/{incident}/log_entries").json()["log_entries"]
    world.control("POST", f"/pagerduty/incidents/{incident}/retrigger", {"user": "Jane Doe"})
    assert world.incident(incident)["status"] == "triggered"
    assert world.call("GET", f"/pagerduty/incidents/{incident}/log_entries").json()["log_entries"] == before


def test_logs_lag_and_catch_up() -> None:
    world = TroubleBench(own_log_lag=10, log_lag=20)
    incident = world.created()

    def seen() -> tuple[int, int]:
        own = world.call("GET", f"/pagerduty/incidents/{incident}/log_entries").json()["log_entries"]
        return len(own), len(world.call("GET", "/pagerduty/log_entries").json()["log_entries"])

    assert seen() == (0, 0)
    world.clock.advance(10)
    assert seen() == (1, 0)
    world.clock.advance(10)
    assert seen() == (1, 1)


def test_a_future_until_may_be_refused() -> None:
    world = TroubleBench(until_future_refused=True)
    path = "/pagerduty/log_entries?since=2026-11-23T08:00:00Z"
    assert world.status(path) == 200
    assert error(world.call("GET", f"{path}&until=2026-11-23T10:00:00Z")) == (400, 2004)


def test_reads_by_id_may_be_outdated() -> None:
    world = TroubleBench(detail_lag=5)
    alert, incident = world.alert(), world.created()
    paths = [f"/opsgenie/v2/alerts/{alert}", f"/pagerduty/incidents/{incident}"]
    assert [world.status(path) for path in paths] == [404, 404]
    world.clock.advance(5)
    world.control("POST", f"/opsgenie/alerts/{alert}/close", {"user": "Ana Ruiz"})
    world.control("POST", f"/opsgenie/alerts/{alert}/notes", {"user": "Ana Ruiz", "text": "x"})
    world.control("POST", f"/pagerduty/incidents/{incident}/notes", {"user": "Jane Doe", "text": "x"})

    def seen() -> tuple[str, int, int]:
        return (
            world.call("GET", paths[0]).json()["data"]["status"],
            len(world.call("GET", f"{paths[0]}/notes").json()["data"]),
            len(world.call("GET", f"{paths[1]}/notes").json()["notes"]),
        )

    assert seen() == ("open", 0, 0)
    assert world.call("GET", "/opsgenie/v2/alerts").json()["data"][0]["status"] == "closed"
    world.clock.advance(5)
    assert seen() == ("closed", 1, 1)


def test_one_object_is_refused_and_others_are_not() -> None:
    world = TroubleBench()
    alerts, incidents = [world.alert() for _ in range(2)], [world.created() for _ in range(2)]
    world.set(refused_incidents=["1"], refused_alerts=["1"])
    for n, status in ((0, 403), (1, 200)):
        assert world.status(f"/opsgenie/v2/alerts/{alerts[n]}/notes") == status
        assert world.status(f"/pagerduty/incidents/{incidents[n]}") == status
        note = world.call("POST", f"/opsgenie/v2/alerts/{alerts[n]}/notes", {"note": "x"})
        assert note.status == (202 if status == 200 else 403)
    assert error(world.call("GET", f"/pagerduty/incidents/{incidents[0]}/notes")) == (403, 2010)
    assert len(world.call("GET", "/opsgenie/v2/alerts").json()["data"]) == 2


def test_a_twin_and_an_incident_with_the_key_on_a_child_alert_are_found_by_key() -> None:
    world = TroubleBench()
    alert = world.alert()
    world.created(incident_key=alert)
    twin = world.control("POST", "/pagerduty/incidents", {"title": "twin", "key": alert})["id"]
    found = world.call("GET", f"/pagerduty/incidents?incident_key={alert}").json()["incidents"]
    assert [row["id"] == twin for row in found] == [False, True]
    keys = [f"k{n}" for n in range(120)]
    child = world.control("POST", "/pagerduty/incidents", {"title": "grouped", "alert_keys": keys})
    assert (child["incident_key"], child["alert_counts"]["all"]) == (None, 120)
    found = world.call("GET", "/pagerduty/incidents?incident_key=k119").json()["incidents"]
    assert [row["id"] for row in found] == [child["id"]]
    assert error(world.create(incident_key="k119")) == (400, 2002)
    page = world.call("GET", f"/pagerduty/incidents/{child['id']}/alerts?limit=100&offset=100").json()
    assert ([row["alert_key"] for row in page["alerts"]], page["more"]) == (keys[100:], False)


def test_a_merge_moves_the_child_alerts_and_names_the_target() -> None:
    world = TroubleBench()
    source = world.control("POST", "/pagerduty/incidents", {"title": "source", "alert_keys": ["k"]})["id"]
    target = world.created()
    world.control("POST", f"/pagerduty/incidents/{source}/merge", {"user": "Jane Doe", "into": target})
    assert world.incident(source)["resolve_reason"]["incident"]["id"] == target
    found = world.call("GET", "/pagerduty/incidents?incident_key=k").json()["incidents"]
    assert [row["id"] for row in found] == [target]


@pytest.mark.parametrize(
    ("headers", "base"),
    [({}, "http://host.example:1"), ({"X-Forwarded-Proto": "https"}, "https://host.example:1")],
)
def test_self_is_where_the_client_has_asked(headers: dict[str, str], base: str) -> None:
    """PagerDuty's own client follows it to its own base alone; a text that looks like one stays as it is."""
    world = TroubleBench()
    incident = world.created()
    text = '"self":"https://api.pagerduty.com/incidents"'
    world.call("POST", f"/pagerduty/incidents/{incident}/notes", {"note": {"content": text}})
    known = READ | {"Host": "host.example:1"} | headers
    shown = world.call("GET", f"/pagerduty/incidents/{incident}", headers=known).json()["incident"]
    assert shown["self"] == f"{base}/pagerduty/incidents/{incident}"
    assert shown["service"]["self"] == f"{base}/pagerduty/services/PSVC001"
    notes = world.call("GET", f"/pagerduty/incidents/{incident}/notes", headers=known).json()["notes"]
    assert [note["content"] for note in notes] == [text]
