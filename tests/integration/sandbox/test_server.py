"""Faults, the control API and the HTTP server of the sandbox."""

import http.client
import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from reconciler.sandbox.app import Cut, Delayed, Dripped, Sandbox
from reconciler.sandbox.faults import CONNECTION, Fault, Faults, from_json
from reconciler.sandbox.server import RunningSandbox, environment, serve
from reconciler.sandbox.settings import SandboxSettings
from reconciler.sandbox.wire import ManualClock, Response, request

OG = {"Authorization": "GenieKey sandbox-opsgenie-key", "Host": "sandbox.example"}
PD = {"Authorization": "Token token=sandbox-pagerduty-key"}


class ControlBench:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.sandbox = Sandbox(self.clock)

    def call(self, method: str, target: str, body: Any = None) -> tuple[int, Any]:
        reply = self.sandbox.handle(request(method, f"/control{target}", body))
        assert isinstance(reply, Response)
        return reply.status, reply.json()

    def control(self, method: str, target: str, body: Any = None) -> Any:
        status, answer = self.call(method, target, body)
        assert status == 200, answer
        return answer

    def alert(self) -> str:
        return str(self.control("POST", "/opsgenie/alerts", {"message": "disk full", "user": "Ana Ruiz"})["id"])

    def note(self, alert: str, text: str = "hello") -> Any:
        return self.sandbox.handle(request("POST", f"/opsgenie/v2/alerts/{alert}/notes", {"note": text}, OG))

    def notes(self) -> list[Any]:
        notes: list[Any] = self.control("GET", "/state")["opsgenie"]["alerts"][0]["notes"]
        return notes


ANSWERS = (
    "500_after", "500_before", "503_before", "400", "401", "402", "403", "404", "405", "407", "410", "302", "422",
    "429", "429_bare", "404_bare", "200_after", "html_200", "html_302", "html_400", "html_403", "html_404",
    "html_502_after",
)  # fmt: skip


@pytest.mark.parametrize("do", [*sorted(CONNECTION - {"late"}), *ANSWERS])
def test_a_fault_happens_before_or_after_the_effect(do: str) -> None:
    world = ControlBench()
    alert = world.alert()
    world.control("POST", "/faults", {"do": do, "vendor": "opsgenie", "method": "POST", "path": "*/notes"})
    reply = world.note(alert)
    happens = do.endswith("_after") or do in ("slow", "drip", "drip_body")
    assert len(world.notes()) == (1 if happens else 0)
    if do in ("refuse_before", "drop_after", "hang", "truncate_after"):
        assert isinstance(reply, Cut)
    elif do == "slow":
        assert isinstance(reply, Delayed)
    elif do in ("drip", "drip_body"):
        assert isinstance(reply, Dripped)
    else:
        assert reply.status == (200 if do == "empty_after" else int(do.removeprefix("html_")[:3]))
        assert reply.headers.get("Content-Type") == _kind(do)
    assert isinstance(world.note(alert), Response)
    assert [call["fault"] for call in world.control("GET", "/requests")["requests"]] == [do, None]


def _kind(do: str) -> str | None:
    """The content type of an answer."""
    if do.endswith("_bare") or do == "empty_after":
        return None
    return "text/html" if do.startswith("html") else "application/json"


def test_a_late_effect_has_the_time_of_its_own_moment() -> None:
    world = ControlBench()
    alert = world.alert()
    world.control("POST", "/faults", {"do": "late", "seconds": 3})
    assert world.note(alert) == Cut()
    assert world.notes() == []
    world.clock.advance(60)
    assert [note["createdAt"] for note in world.notes()] == ["2026-11-23T09:00:03Z"]


def test_nth_and_times_choose_among_matching_calls() -> None:
    faults = Faults()
    faults.add(Fault("500_before", vendor="opsgenie", method="POST", nth=2, times=2))
    faults.add(Fault("401", vendor="opsgenie", path="/v2/*"))
    post, get = request("POST", "/v2/alerts"), request("GET", "/v2/alerts")
    fired = [faults.next("opsgenie", call) for call in (get, post, post, post, post)]
    assert [fault and fault.do for fault in fired] == ["401", None, "500_before", "500_before", None]
    faults.add(Fault("401", vendor="opsgenie"))
    assert faults.next("pagerduty", get) is None


def test_two_equal_faults_hit_two_calls() -> None:
    faults = Faults()
    faults.add(Fault("500_after"))
    faults.add(Fault("500_after"))
    fired = [faults.next("opsgenie", request("GET", "/")) for _ in range(3)]
    assert [fault is not None for fault in fired] == [True, True, False]


@pytest.mark.parametrize("wrong", [{}, {"do": "explode"}, {"do": "401", "nth": 0}, {"do": "401", "when": 1}])
def test_an_invalid_fault_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_json(wrong)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/opsgenie/alerts", {}),
        ("POST", "/opsgenie/alerts/none/close", {}),
        ("POST", "/pagerduty/incidents", {"title": 7}),
        ("POST", "/pagerduty/incidents/9/acknowledge", {"user": "Jane Doe"}),
        ("PATCH", "/settings", {"colour": 1}),
        ("PATCH", "/settings", {"list_lag": "long"}),
        ("PATCH", "/settings", {"noise": 1}),
        *(("PATCH", "/settings", {"latency": float(value)}) for value in ("nan", "inf", "-1")),
        ("POST", "/faults", {"do": "explode"}),
        ("POST", "/opsgenie/alerts", b"{"),
        ("GET", "/nothing", None),
    ],
)
def test_bad_input_is_answered_with_one_clear_line(method: str, path: str, body: Any) -> None:
    status, answer = ControlBench().call(method, path, body)
    assert 400 <= status < 500
    assert answer["error"]
    assert "\n" not in answer["error"]


def test_settings_change_at_run_time_and_reset_restores_them() -> None:
    world = ControlBench()
    world.alert()
    changed = world.control("PATCH", "/settings", {"list_lag": 5, "acknowledgement_timeout": None})
    assert (changed["list_lag"], changed["acknowledgement_timeout"]) == (5, None)
    world.control("POST", "/reset")
    assert world.control("GET", "/settings") == SandboxSettings().as_json()
    state = world.control("GET", "/state")
    assert (state["opsgenie"]["alerts"], state["journal"]) == ([], [])


def test_an_incident_is_addressed_by_its_alerts_id_and_acts_are_journalled() -> None:
    world = ControlBench()
    alert = world.alert()
    world.control("POST", "/pagerduty/incidents", {"title": "x", "key": alert, "user": "Omar Haddad"})
    world.control("POST", f"/pagerduty/incidents/{alert}/acknowledge", {"user": "Jane Doe"})
    note = world.control("POST", "/pagerduty/incidents/1/notes", {"user": "PJANE01", "text": "looking"})
    world.control("PUT", f"/pagerduty/incidents/1/notes/{note['id']}", {"user": "PJANE01", "text": "found"})
    world.control("DELETE", f"/pagerduty/incidents/1/notes/{note['id']}", {"user": "PJANE01"})
    acts = world.control("GET", "/state")["journal"]
    assert [(act["verb"], act["who"]) for act in acts] == [
        ("create", "Ana Ruiz"), ("create", "Omar Haddad"), ("acknowledge", "Jane Doe"), ("note", "Jane Doe"),
        ("edit_note", "Jane Doe"), ("delete_note", "Jane Doe"),
    ]  # fmt: skip
    assert {act["alert_id"] for act in acts} == {alert}


def test_paging_links_carry_the_prefix_and_the_host() -> None:
    world = ControlBench()
    world.alert()
    reply = world.sandbox.handle(request("GET", "/opsgenie/v2/alerts", None, OG))
    assert isinstance(reply, Response)
    assert reply.json()["paging"]["first"].startswith("http://sandbox.example/opsgenie/v2/alerts?")


class Wire:
    def __init__(self, running: RunningSandbox) -> None:
        self.running = running
        self.connection = http.client.HTTPConnection(str(urlsplit(running.url).netloc), timeout=5)

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        data = None if body is None else json.dumps(body)
        self.connection.request(method, path, data, OG | PD if path.startswith("/pagerduty") else OG)
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def fault(self, **values: Any) -> None:
        assert self.call("POST", "/control/faults", values)[0] == 200


@pytest.fixture
def wire() -> Iterator[Wire]:
    with serve() as running:
        wire = Wire(running)
        yield wire
        wire.connection.close()


def test_the_wire_keeps_a_connection_and_answers_without_delay(wire: Wire) -> None:
    assert wire.call("GET", "/opsgenie/v2/alerts")[0] == 200
    first = wire.connection.sock
    started = time.perf_counter()
    for _ in range(20):
        assert wire.call("GET", "/pagerduty/users")[0] == 200
    assert time.perf_counter() - started < 0.6  # 20 delayed acknowledgements would be 0.8
    assert wire.connection.sock is first


@pytest.mark.parametrize("do", ["refuse_before", "drop_after", "hang"])
def test_a_fault_can_cut_the_connection(wire: Wire, do: str) -> None:
    wire.fault(do=do, vendor="opsgenie", seconds=0.05)
    with pytest.raises(http.client.RemoteDisconnected):
        wire.call("GET", "/opsgenie/v2/alerts")
    assert wire.call("GET", "/opsgenie/v2/alerts")[0] == 200


def test_a_fault_can_cut_an_answer_in_its_middle(wire: Wire) -> None:
    wire.fault(do="truncate_after", vendor="opsgenie")
    with pytest.raises(http.client.IncompleteRead):
        wire.call("GET", "/opsgenie/v2/alerts")


def test_a_204_has_no_body(wire: Wire) -> None:
    created = json.loads(wire.call("POST", "/control/pagerduty/incidents", {"title": "x"})[1])
    path = f"pagerduty/incidents/{created['id']}/notes"
    note = json.loads(wire.call("POST", f"/control/{path}", {"text": "x"})[1])
    assert wire.call("DELETE", f"/{path}/{note['id']}") == (204, b"")
    assert wire.call("GET", "/pagerduty/users")[0] == 200


def test_stopping_closes_keep_alive_connections() -> None:
    running = serve()
    wire = Wire(running)
    assert wire.call("GET", "/opsgenie/v2/alerts")[0] == 200
    running.stop()
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        wire.call("GET", "/opsgenie/v2/alerts")
    wire.connection.close()


def test_the_environment_points_at_the_sandbox() -> None:
    env = environment("http://127.0.0.1:1", SandboxSettings(opsgenie_key="k"))
    assert env["OPSGENIE_API_URL"] == "http://127.0.0.1:1/opsgenie"
    assert (env["OPSGENIE_API_KEY"], env["PAGERDUTY_USER"]) == ("k", "PBOT001")
