"""The audit of alerts that go to several services: each where it belongs, once."""

from typing import Any

import pytest

from reconciler.sandbox.app import Sandbox
from reconciler.sandbox.audit import audit
from reconciler.sandbox.pagerduty.directory import BOT
from reconciler.sandbox.settings import SandboxSettings
from reconciler.sandbox.wire import ManualClock, Response, request

OG = {"Authorization": "GenieKey sandbox-opsgenie-key"}
PD = {"Authorization": "Token token=sandbox-pagerduty-key", "From": BOT.email, "Content-Type": "application/json"}
ONE, TWO, THREE = "PSVC001", "PSVC002", "PSVC003"
ACME, GLOBEX = "tag: acme", "tag: globex"


class RoutesBench:
    """A sandbox of three services, and incidents that the test creates as the reconciler would."""

    def __init__(self) -> None:
        self.sandbox = Sandbox(ManualClock(), SandboxSettings(noise=False, services=3))

    def expect(self, **routes: Any) -> int:
        reply = self.sandbox.handle(request("POST", "/control/routes", routes))
        assert isinstance(reply, Response)
        return reply.status

    def alert(self, *tags: str) -> str:
        return str(self.sandbox.opsgenie.create_alert("disk full", user="Ana Ruiz", tags=list(tags))["id"])

    def page(self, alert: str, *services: str) -> None:
        for service in services:
            values = {"type": "incident", "title": "t", "service": {"id": service}, "incident_key": alert}
            self.send("POST", "/pagerduty/incidents", {"incident": values})

    def send(self, method: str, path: str, body: Any) -> None:
        reply = self.sandbox.handle(request(method, path, body, PD if path.startswith("/pager") else OG))
        assert isinstance(reply, Response)
        assert reply.status < 300, reply.body

    def note(self, incident: str, text: str) -> None:
        self.send("POST", f"/pagerduty/incidents/{incident}/notes", {"note": {"content": text}})

    def found(self) -> dict[str, list[str]]:
        return {name: lines for name, lines in audit(self.sandbox.state()).as_json().items() if lines}


@pytest.fixture
def world() -> RoutesBench:
    return RoutesBench()


def test_without_routes_an_alert_has_one_incident_wherever_it_is(world: RoutesBench) -> None:
    alert = world.alert("acme")
    world.page(alert, TWO)
    assert world.found() == {}
    world.page(alert, THREE)
    assert world.found()["twice"] == ["alert #1: incidents: 2 instead of 1"]
    assert "misrouted" not in audit(world.sandbox.state()).as_json()


def test_each_alert_on_the_service_of_its_query_is_clean(world: RoutesBench) -> None:
    assert world.expect(PSVC001=ACME, PSVC002=GLOBEX) == 200
    world.page(world.alert("acme"), ONE)
    world.page(world.alert("globex"), TWO)
    world.alert("nobodys")
    assert world.found() == {}
    assert audit(world.sandbox.state()).as_json()["misrouted"] == []


def test_an_alert_on_a_wrong_service_is_lost_and_misrouted(world: RoutesBench) -> None:
    world.expect(PSVC001=ACME, PSVC002=GLOBEX)
    world.page(world.alert("globex"), ONE)
    assert world.found() == {
        "lost": ["alert #1: incidents on PSVC002: 0 of 1"],
        "misrouted": ["alert #1: incident #1 is on PSVC001, and the alert is for PSVC002"],
    }


def test_an_alert_that_no_query_selects_must_have_no_incident(world: RoutesBench) -> None:
    world.expect(PSVC001=ACME)
    world.page(world.alert("nobodys"), ONE)
    assert world.found() == {"misrouted": ["alert #1: incident #1 is on PSVC001, and the alert is for no service"]}


def test_an_alert_of_two_queries_is_for_the_first_service_alone(world: RoutesBench) -> None:
    world.expect(PSVC002=GLOBEX, PSVC001=ACME)
    world.page(world.alert("acme", "globex"), TWO)
    assert world.found() == {}
    world.page(world.alert("acme", "globex"), ONE, TWO)
    assert world.found()["misrouted"] == ["alert #2: incident #2 is on PSVC001, and the alert is for PSVC002"]


def test_a_shared_alert_is_for_all_services_that_share(world: RoutesBench) -> None:
    world.expect(PSVC001=ACME, PSVC002=GLOBEX, PSVC003="", shared=[ONE, TWO])
    world.page(world.alert("acme", "globex"), ONE, TWO)
    world.page(world.alert("acme"), ONE)
    world.page(world.alert(), THREE)
    assert world.found() == {}
    world.page(world.alert("acme", "globex"), TWO)
    assert world.found() == {"lost": ["alert #4: incidents on PSVC001: 0 of 1"]}


def test_two_incidents_on_one_service_are_one_too_many(world: RoutesBench) -> None:
    world.expect(PSVC001=ACME, PSVC002=GLOBEX, shared=[ONE, TWO])
    world.sandbox.change({"key_reuse": "allowed"})
    world.page(world.alert("acme", "globex"), ONE, TWO, TWO)
    assert world.found()["twice"] == ["alert #1: incidents on PSVC002: 2 instead of 1"]


def test_an_alert_stays_where_it_was_raised(world: RoutesBench) -> None:
    world.expect(PSVC001="status: open", PSVC002="")
    alert = world.alert()
    world.page(alert, ONE)
    world.sandbox.opsgenie.close(alert, "Ana Ruiz")
    assert "misrouted" not in world.found()


@pytest.mark.parametrize(
    "wrong", [{"PSVC001": "updatedAt > 3"}, {"PSVC001": 7}, {"TEAM": ACME}, {"PSVC001": ACME, "shared": [TWO]}]
)
def test_routes_that_make_no_sense_are_refused(world: RoutesBench, wrong: dict[str, Any]) -> None:
    assert world.expect(**wrong) == 400
    assert "routes" not in world.sandbox.state()


def test_routes_can_be_forgotten(world: RoutesBench) -> None:
    world.expect(PSVC001=ACME)
    world.expect()
    world.page(world.alert(), TWO)
    assert world.found() == {}


@pytest.fixture
def shared(world: RoutesBench) -> tuple[RoutesBench, str]:
    """An alert with an incident on each of two services; Jane has written and acknowledged on the first one."""
    world.expect(PSVC001=ACME, PSVC002=GLOBEX, shared=[ONE, TWO])
    alert = world.alert("acme", "globex")
    world.page(alert, ONE, TWO)
    note = world.sandbox.pagerduty.add_note("1", "Jane Doe", "on it")["id"]
    world.send(
        "POST", f"/opsgenie/v2/alerts/{alert}/notes", {"note": f"[PagerDuty · Jane Doe · note {note}] on it"}
    )
    world.sandbox.pagerduty.acknowledge("1", "Jane Doe")
    world.send("POST", f"/opsgenie/v2/alerts/{alert}/acknowledge", {"user": "Jane Doe"})
    return world, f"[PagerDuty · Jane Doe · note {note}] on it"


def test_what_one_routes_engineer_did_is_a_customers_act_to_the_other_route(
    shared: tuple[RoutesBench, str],
) -> None:
    world, copy = shared
    quoted = copy.replace("[", "[quoted: ")
    mark = "[Opsgenie · Jane Doe · 2026-11-23 09:00:00.000Z]"
    world.note("2", f"[Opsgenie · Jane Doe (PagerDuty) · 2026-11-23 09:00:00.000Z] {quoted}")
    world.note("2", f"{mark} acknowledged the alert")
    world.send("PUT", "/pagerduty/incidents/2", {"incident": {"type": "incident", "status": "acknowledged"}})
    assert world.found() == {}


def test_what_is_copied_back_to_the_route_that_it_came_from_is_a_loop(shared: tuple[RoutesBench, str]) -> None:
    world, copy = shared
    world.note("2", "[Opsgenie · Jane Doe · 2026-11-23 09:00:00.000Z] acknowledged the alert")
    assert world.found() == {}
    world.note("1", f"[Opsgenie · Jane Doe (PagerDuty) · 2026-11-23 09:00:00.000Z] {copy}")
    assert [line.partition(": ")[0] for line in world.found()["looped"]] == ["alert #1"]


def test_a_note_that_is_not_told_to_the_alert_is_lost_for_its_own_route_alone(world: RoutesBench) -> None:
    world.expect(PSVC001=ACME, PSVC002=GLOBEX, shared=[ONE, TWO])
    world.page(world.alert("acme", "globex"), ONE, TWO)
    world.sandbox.pagerduty.add_note("2", "Jane Doe", "on it")
    assert world.found() == {"lost": ["alert #1: Jane Doe's note 'on it' in Opsgenie: 0 of 1"]}
