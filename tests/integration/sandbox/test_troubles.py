"""Faults that users can rehearse: of the account, the service, a key, logs, the queue, one object, names."""

import http.client
import json
import re
import time
from typing import Any
from urllib.parse import urlsplit

import pytest

from reconciler.sandbox import control, faults
from reconciler.sandbox.app import Sandbox
from reconciler.sandbox.faults import Fault, Faults, from_json
from reconciler.sandbox.server import serve
from reconciler.sandbox.wire import ManualClock, Response, request
from tests.support.paths import ROOT

OG = {"Authorization": "GenieKey sandbox-opsgenie-key"}
PD = {
    "Authorization": "Token token=sandbox-pagerduty-key",
    "From": "reconciler@example.com",
    "Content-Type": "application/json",
}
NEW = {"type": "incident", "title": "disk full", "service": {"id": "PSVC001", "type": "service_reference"}}


class TroubleBench:
    """A sandbox used through its control API: settings and faults."""

    def __init__(self, **settings: Any) -> None:
        self.clock = ManualClock()
        self.sandbox = Sandbox(self.clock)
        self.set(noise=False, **settings)

    def call(self, method: str, path: str, body: Any = None, headers: Any = None) -> Response:
        known = PD if path.startswith("/pagerduty") else OG
        reply = self.sandbox.handle(request(method, path, body, known if headers is None else headers))
        assert isinstance(reply, Response)
        return reply

    def control(self, method: str, path: str, body: Any = None) -> Any:
        reply = self.call(method, f"/control{path}", body)
        assert reply.status == 200, reply.body
        return reply.json()

    def set(self, **settings: Any) -> None:
        self.control("PATCH", "/settings", settings)

    def fault(self, **values: Any) -> None:
        self.control("POST", "/faults", values)

    def alert(self, **more: Any) -> str:
        body = {"message": "disk full", "user": "Ana Ruiz"} | more
        return str(self.control("POST", "/opsgenie/alerts", body)["id"])

    def create(self, **more: Any) -> Response:
        return self.call("POST", "/pagerduty/incidents", {"incident": NEW | more})

    def created(self, **more: Any) -> str:
        response = self.create(**more)
        assert response.status == 201, response.body
        return str(response.json()["incident"]["id"])

    def incident(self, incident: str) -> Any:
        return self.call("GET", f"/pagerduty/incidents/{incident}").json()["incident"]

    def put(self, incident: str, **values: Any) -> Any:
        body = {"incident": {"type": "incident", **values}}
        response = self.call("PUT", f"/pagerduty/incidents/{incident}", body)
        assert response.status == 200, response.body
        return response.json()["incident"]

    def pages(self) -> list[str]:
        return [page["cause"] for page in self.control("GET", "/state")["pagerduty"]["pages"]]

    def status(self, path: str) -> int:
        return self.call("GET", path).status


def error(response: Response) -> tuple[int, Any]:
    return response.status, response.json()["error"]["code"]


# -- faults --


@pytest.mark.parametrize(
    ("fault", "status", "message", "code"),
    [
        ({"do": "400", "code": 1008}, 400, "Requester User Not Found", 1008),
        ({"do": "402"}, 402, "Missing Account Ability", 2014),
        ({"do": "403"}, 403, "Access Denied", 2010),
        ({"do": "404"}, 404, "Not Found", 2100),
        ({"do": "400", "code": 4711}, 400, "Something went wrong", 4711),
        ({"do": "400", "code": 2002, "message": "Service is disabled"}, 400, "Service is disabled", 2002),
    ],
)
def test_a_fault_answers_with_pagerdutys_own_error(fault: Any, status: int, message: str, code: int) -> None:
    world = TroubleBench()
    world.fault(**fault, errors=["one", "two"])
    response = world.create()
    assert response.status == status
    assert response.json() == {"error": {"message": message, "code": code, "errors": ["one", "two"]}}


def test_a_fault_answers_with_opsgenies_own_error() -> None:
    world = TroubleBench()
    world.fault(do="422", vendor="opsgenie", code=42201, message="Query is not valid")
    answer = world.call("GET", "/opsgenie/v2/alerts").json()
    assert (answer["message"], answer["code"]) == ("Query is not valid", 42201)


@pytest.mark.parametrize(
    ("do", "header", "value"),
    [
        ("html_302", "Location", "https://login.invalid/"),
        ("html_407", "Proxy-Authenticate", 'Basic realm="proxy"'),
        ("html_405", "Allow", "GET"),
        ("html_200", "Content-Type", "text/html"),
        ("429", "ratelimit-reset", "1"),
    ],
)
def test_an_answer_of_a_gateway_has_the_headers_of_its_kind(do: str, header: str, value: str) -> None:
    world = TroubleBench()
    world.fault(do=do)
    assert world.create().headers[header] == value


def test_a_lasting_fault_ends_by_itself_or_when_it_is_deleted() -> None:
    world = TroubleBench()
    world.fault(do="402", vendor="pagerduty", method="P*", for_seconds=3)
    assert [world.create().status for _ in range(2)] == [402, 402]
    assert world.status("/pagerduty/users") == 200
    world.clock.advance(3)
    assert world.control("GET", "/faults") == {"faults": []}
    assert world.create().status == 201
    world.fault(do="402", times=0)
    assert [world.create().status for _ in range(3)] == [402] * 3
    world.control("DELETE", "/faults")
    assert world.create().status == 201


def test_a_fault_may_last_and_still_count() -> None:
    some = Faults(ManualClock())
    some.add(from_json({"do": "500", "times": 1, "for_seconds": 60}))
    asked = request("GET", "/")
    assert [some.next("opsgenie", asked) is not None for _ in range(2)] == [True, False]


def test_a_fault_may_match_the_body_of_a_request() -> None:
    world = TroubleBench()
    incident = world.created()
    world.fault(do="html_403", contains="<script", times=0)
    path = f"/pagerduty/incidents/{incident}/notes"
    sent = [
        world.call("POST", path, {"note": {"content": text}}).status for text in ("<script>", "calm", "a <script")
    ]
    assert sent == [403, 200, 403]


@pytest.mark.parametrize(
    "wrong",
    [{"do": "600"}, {"do": "html_"}, {"do": "40"}, {"do": "403", "times": -1}, {"do": "403", "for_seconds": "3"},
     {"do": "403", "code": "1008"}, {"do": "403", "errors": "no list"}, {"do": "403", "contains": 7}],
)  # fmt: skip
def test_an_impossible_fault_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_json(wrong)


@pytest.mark.parametrize(("do", "prompt"), [("drip", False), ("drip_body", True)])
def test_a_fault_can_make_an_answer_drip(do: str, prompt: bool) -> None:
    with serve() as running:
        running.sandbox.faults.add(Fault(do, seconds=0.3))
        connection = http.client.HTTPConnection(str(urlsplit(running.url).netloc), timeout=5)
        started = time.perf_counter()
        connection.request("GET", "/opsgenie/v2/alerts", headers=OG)
        answer = connection.getresponse()
        assert (time.perf_counter() - started < 0.2) == prompt
        assert json.loads(answer.read())["data"] == []
        assert time.perf_counter() - started > 0.25
        connection.close()


# -- settings --


def test_settings_may_last_for_a_while() -> None:
    world = TroubleBench()
    world.control("PATCH", "/settings?for_seconds=5", {"blind": True, "log_lag": 3})
    world.set(list_lag=2)
    world.clock.advance(4)
    assert world.control("GET", "/settings")["blind"] is True
    world.clock.advance(1)
    settings = world.control("GET", "/settings")
    assert (settings["blind"], settings["log_lag"], settings["list_lag"]) == (False, 0, 2)


@pytest.mark.parametrize(
    "wrong",
    [{"name_form": "upside down"}, {"service_status": "on fire"}, {"bot_role": "king"}, {"team_tags": "ops"},
     {"refused_alerts": [1]}, {"blind": 1}],
)  # fmt: skip
def test_an_impossible_setting_is_refused(wrong: Any) -> None:
    assert TroubleBench().call("PATCH", "/control/settings", wrong).status == 400


def test_the_faults_and_settings_in_the_readme_exist() -> None:
    readme = (ROOT / "README.md").read_text()
    lines = re.findall(r"""^curl -s -X (\w+) (?:-d '(.*?)' )?"\$S/(\S+?)\"""", readme, re.MULTILINE)
    assert len(lines) == 6
    world = TroubleBench()
    for method, body, path in lines:
        world.control(method, f"/{path}", json.loads(body or "{}"))
    knobs = re.findall(r"`(\w+)`", readme[readme.index("| what can be rehearsed") : readme.index("## HTTP")])
    settings = world.control("GET", "/settings")
    assert len(knobs) > 20
    assert set(knobs) <= set(settings)
    assert (settings["user_gone"], settings["blind"], settings["service_status"]) == (True, True, "maintenance")


@pytest.mark.parametrize("module", [faults, control])
def test_every_call_named_in_a_table_exists(module: Any) -> None:
    world = TroubleBench()
    named = re.findall(r"(\{\"\w+\": .*?\})(?:[ ,|]|$)", module.__doc__ or "", re.MULTILINE)
    assert len(named) > 10
    for text in named:
        values = json.loads(text)
        if "do" in values:
            world.fault(**values)
        elif "title" not in values:
            world.set(**values)


# -- PagerDuty's account and service --


def test_a_deleted_user_cannot_write_and_is_not_listed() -> None:
    world = TroubleBench()
    incident = world.created()
    world.set(user_gone=True)
    assert error(world.create()) == (400, 1008)
    note = world.call("POST", f"/pagerduty/incidents/{incident}/notes", {"note": {"content": "x"}})
    assert error(note) == (400, 1008)
    assert "PBOT001" not in [user["id"] for user in world.call("GET", "/pagerduty/users").json()["users"]]
    assert world.status("/pagerduty/users/PBOT001") == 404
    assert world.status(f"/pagerduty/incidents/{incident}") == 200


def test_a_read_only_role_is_shown_and_its_writes_are_refused() -> None:
    world = TroubleBench(bot_role="read_only_user")
    assert world.call("GET", "/pagerduty/users/PBOT001").json()["user"]["role"] == "read_only_user"
    assert world.call("GET", "/pagerduty/users/PJANE01").json()["user"]["role"] == "user"
    assert error(world.create()) == (403, 1018)


def test_a_user_token_identifies_its_user_and_acts_as_that_user() -> None:
    world = TroubleBench()
    assert isinstance(world.call("GET", "/pagerduty/users/me").json()["error"], str)
    world.set(user_token="PJANE01")
    assert world.call("GET", "/pagerduty/users/me").json()["user"]["id"] == "PJANE01"
    assert world.incident(world.created())["acknowledgements"][0]["acknowledger"]["id"] == "PJANE01"


@pytest.mark.parametrize(
    ("settings", "answer", "read"),
    [
        ({"service_status": "gone"}, (400, 5002), 404),
        ({"service_status": "disabled"}, (400, 2001), 200),
        ({"service_status": "maintenance"}, (400, 2001), 200),
        ({"nobody_on_call": True}, (400, 1015), 200),
        ({"plan_lacks_ability": True}, (402, 2014), 200),
    ],
)
def test_an_unusable_service_creates_no_incident(settings: Any, answer: tuple[int, int], read: int) -> None:
    world = TroubleBench(**settings)
    assert error(world.create()) == answer
    response = world.call("GET", "/pagerduty/services/PSVC001")
    assert response.status == read
    if read == 200:
        assert response.json()["service"]["status"] == settings.get("service_status", "active")
    world.control("POST", "/reset")
    assert world.create().status == 201


@pytest.mark.parametrize("status", ["disabled", "maintenance"])
def test_a_quiet_service_accepts_incidents_and_pages_nobody(status: str) -> None:
    world = TroubleBench(service_status=status, quiet_service=True)
    assert world.create().status == 201
    assert world.pages() == []


def test_the_users_on_call_can_be_read() -> None:
    world = TroubleBench()

    def on_call(query: str = "") -> list[tuple[int, str]]:
        rows = world.call("GET", f"/pagerduty/oncalls?{query}").json()["oncalls"]
        return [(row["escalation_level"], row["user"]["id"]) for row in rows]

    def policy() -> list[list[str]]:
        body = world.call("GET", "/pagerduty/escalation_policies/PPOL001").json()["escalation_policy"]
        return [[target["id"] for target in rule["targets"]] for rule in body["escalation_rules"]]

    assert on_call("escalation_policy_ids[]=PPOL001") == [(1, "PJANE01"), (2, "POMAR01")]
    assert on_call("user_ids[]=PBOT001") == []
    assert policy() == [["PJANE01"], ["POMAR01"]]
    world.set(bot_on_call=True)
    assert on_call("user_ids[]=PBOT001") == [(1, "PBOT001")]
    world.set(nobody_on_call=True)
    assert (on_call(), policy()) == ([], [[]])
    assert world.status("/pagerduty/escalation_policies/PNONE") == 404


# -- PagerDuty's incidents --


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
    world = TroubleBench(ack_assigns=True, status_triggered_works=True)
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


# -- Opsgenie's key, queue and alerts --


def test_a_key_without_access_sees_no_alert_and_its_writes_fail_later() -> None:
    world = TroubleBench()
    alert = world.alert()
    world.set(blind=True)
    assert world.call("GET", "/opsgenie/v2/alerts").json()["data"] == []
    assert [world.status(f"/opsgenie/v2/alerts/{alert}{part}") for part in ("", "/notes", "/logs")] == [404] * 3
    accepted = world.call("POST", f"/opsgenie/v2/alerts/{alert}/notes", {"note": "x"})
    assert accepted.status == 202
    outcome = world.call("GET", f"/opsgenie/v2/alerts/requests/{accepted.json()['requestId']}").json()["data"]
    assert (outcome["isSuccess"], outcome["status"]) == (False, "Alert does not exist")
    world.set(blind=False)
    assert world.status(f"/opsgenie/v2/alerts/{alert}") == 200


def test_a_teams_key_sees_the_teams_alerts() -> None:
    world = TroubleBench()
    mine, other = world.alert(tags=["ops"]), world.alert()
    world.set(team_tags=["ops", "net"])
    assert [row["id"] for row in world.call("GET", "/opsgenie/v2/alerts").json()["data"]] == [mine]
    assert world.status(f"/opsgenie/v2/alerts/{other}") == 404


def test_requests_in_a_stopped_queue_are_pending_and_then_processed_in_order() -> None:
    world = TroubleBench(queue_halted=True)
    alert = world.alert()
    path = f"/opsgenie/v2/alerts/{alert}"
    ids = [world.call("POST", f"{path}/notes", {"note": text}).json()["requestId"] for text in "abc"]
    world.clock.advance(3000)
    answer = world.call("GET", f"/opsgenie/v2/alerts/requests/{ids[0]}")
    assert (answer.status, answer.headers["X-Opsgenie-Errortype"]) == (404, "RequestNotProcessed")
    assert world.call("GET", f"{path}/notes").json()["data"] == []
    world.set(queue_halted=False)
    assert [row["note"] for row in world.call("GET", f"{path}/notes?order=asc").json()["data"]] == ["a", "b", "c"]
    assert world.call("GET", f"/opsgenie/v2/alerts/requests/{ids[0]}").json()["data"]["isSuccess"] is True


def test_accepted_writes_may_fail_for_a_while() -> None:
    world = TroubleBench(writes_fail=True)
    alert = world.alert()
    accepted = world.call("POST", f"/opsgenie/v2/alerts/{alert}/acknowledge", {"user": "Jane Doe"})
    outcome = world.call("GET", f"/opsgenie/v2/alerts/requests/{accepted.json()['requestId']}").json()["data"]
    assert (outcome["isSuccess"], outcome["status"]) == (False, "Something went wrong")
    assert world.call("GET", f"/opsgenie/v2/alerts/{alert}").json()["data"]["acknowledged"] is False


def test_alerts_may_have_no_readable_state() -> None:
    world = TroubleBench(acknowledged_null=True)
    alert = world.alert()
    assert world.call("GET", f"/opsgenie/v2/alerts/{alert}").json()["data"]["acknowledged"] is None
    assert world.call("GET", "/opsgenie/v2/alerts").json()["data"][0]["acknowledged"] is None


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        ("", "Zoë O'Brien & Söhne"),
        ("lower", "zoë o'brien & söhne"),
        ("nfd", "Zoe\u0308 O'Brien & So\u0308hne"),
        ("nfc", "Zoë O'Brien & Söhne"),
        ("html", "Zo&#235; O&#x27;Brien &amp; S&#246;hne"),
        ("question", "Zo? O'Brien & S?hne"),
        ("cut", "Zoë O'Brie"),
        ("integration", "Sandbox"),
    ],
)
def test_names_may_be_returned_in_another_form(form: str, shown: str) -> None:
    world = TroubleBench(name_form=form)
    alert = world.alert()
    path = f"/opsgenie/v2/alerts/{alert}"
    world.call("POST", f"{path}/acknowledge", {"user": "Zoë O'Brien & Söhne"})
    detail = world.call("GET", path).json()["data"]
    assert (detail["owner"], detail["report"]["acknowledgedBy"]) == (shown, shown)


def test_a_priority_can_change_and_an_alert_can_be_deleted() -> None:
    world = TroubleBench(list_lag=5)
    alert = world.alert(priority="P4", details={"deep": {"list": [1, True]}})
    path = f"/opsgenie/v2/alerts/{alert}"
    assert world.call("GET", path).json()["data"]["details"] == {"deep": {"list": [1, True]}}
    world.control("POST", f"/opsgenie/alerts/{alert}/priority", {"user": "Ana Ruiz", "priority": "P1"})
    assert world.call("GET", path).json()["data"]["priority"] == "P1"
    wrong = world.call("POST", f"/control/opsgenie/alerts/{alert}/priority", {"priority": "P9"})
    assert wrong.status == 400
    world.clock.advance(5)
    world.control("DELETE", f"/opsgenie/alerts/{alert}", {"user": "Ana Ruiz"})
    assert world.status(path) == 404
    assert len(world.call("GET", "/opsgenie/v2/alerts").json()["data"]) == 1
    world.clock.advance(5)
    assert world.call("GET", "/opsgenie/v2/alerts").json()["data"] == []
    state = world.control("GET", "/state")
    assert state["opsgenie"]["alerts"][0]["deleted"] is True
    assert [act["verb"] for act in state["journal"]] == ["create", "priority", "delete"]
