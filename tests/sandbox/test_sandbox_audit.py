"""The audit: silent when everything was mirrored once, one line for each thing that was not."""

from typing import Any

import pytest

from reconciler.sandbox.app import Sandbox
from reconciler.sandbox.audit import Audit, audit
from reconciler.sandbox.pagerduty_state import BOT
from reconciler.sandbox.settings import SandboxSettings
from reconciler.sandbox.wire import ManualClock, Response, request

OG = {"Authorization": "GenieKey sandbox-opsgenie-key"}
PD = {
    "Authorization": "Token token=sandbox-pagerduty-key",
    "From": BOT.email,
    "Content-Type": "application/json",
}
ANA = "[Opsgenie · Ana Ruiz · 2026-11-23 09:00:00.000Z]"
JANE = "[PagerDuty · Jane Doe · 2026-11-23 09:00:00Z]"


class World:
    """A sandbox, and by hand what the reconciler would write."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.sandbox = Sandbox(self.clock, SandboxSettings(noise=False))
        self.og, self.pd = self.sandbox.opsgenie, self.sandbox.pagerduty
        self.alert = str(self.og.create_alert("disk full", user="Ana Ruiz")["id"])

    def send(self, method: str, path: str, body: Any) -> Any:
        reply = self.sandbox.handle(request(method, path, body, PD if path.startswith("/pager") else OG))
        assert isinstance(reply, Response)
        assert reply.status < 300, reply.body
        return reply.json()

    def create(self) -> str:
        values = {
            "type": "incident", "title": "disk full", "service": {"id": "PSVC001"}, "incident_key": self.alert
        }  # fmt: skip
        return str(self.send("POST", "/pagerduty/incidents", {"incident": values})["incident"]["id"])

    def incident_note(self, text: str) -> None:
        self.send("POST", "/pagerduty/incidents/1/notes", {"note": {"content": text}})

    def update(self, **values: Any) -> None:
        self.send("PUT", "/pagerduty/incidents/1", {"incident": {"type": "incident", **values}})

    def alert_note(self, text: str) -> None:
        body = {"note": text, "user": "Jane Doe (PagerDuty)"}
        self.send("POST", f"/opsgenie/v2/alerts/{self.alert}/notes", body)

    def alert_act(self, verb: str, user: str = "Jane Doe") -> None:
        self.send("POST", f"/opsgenie/v2/alerts/{self.alert}/{verb}", {"user": user})

    def audit(self) -> Audit:
        return audit(self.sandbox.state())


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def paired(world: World) -> World:
    world.create()
    return world


def test_an_alert_without_an_incident_is_lost_and_two_are_twice(world: World) -> None:
    assert world.audit().lost == ("alert #1: incidents: 0 of 1",)
    world.create()
    assert world.audit().is_clean
    world.pd.resolve("1", "Jane Doe")
    world.alert_note(f"{JANE} resolved the incident")
    world.create()
    assert world.audit().twice == ("alert #1: incidents: 2 instead of 1",)


def test_everything_mirrored_once_is_clean(paired: World) -> None:
    for text in ("twin", "twin", "I acknowledged it by phone"):
        paired.og.add_note(paired.alert, "Ana Ruiz", text)
        paired.incident_note(f"{ANA} {text}")
    paired.og.acknowledge(paired.alert, "Ana Ruiz")
    paired.incident_note(f"{ANA} acknowledged the alert")
    paired.update(status="acknowledged")
    paired.og.unacknowledge(paired.alert, "Ana Ruiz")
    paired.incident_note(f"{ANA} unacknowledged the alert")
    paired.update(escalation_level=1)
    paired.clock.advance(60)
    paired.pd.acknowledge("1", "Jane Doe")
    paired.alert_act("acknowledge")
    note = paired.pd.add_note("1", "Jane Doe", "looking")
    paired.alert_note(f"[PagerDuty · Jane Doe · note {note['id']}] looking")
    paired.pd.resolve("1", "Jane Doe")
    paired.alert_note(f"{JANE} resolved the incident")
    paired.og.close(paired.alert, "Ana Ruiz")
    paired.incident_note(f"{ANA} closed the alert")
    assert paired.audit() == Audit()


def test_notes_lost_and_twice_both_ways(paired: World) -> None:
    paired.og.add_note(paired.alert, "Ana Ruiz", "after the deploy")
    note = paired.pd.add_note("1", "Jane Doe", "looking")
    assert len(paired.audit().lost) == 2
    for _ in range(2):
        paired.incident_note(f"{ANA} after the deploy")
        paired.alert_note(f"[PagerDuty · Jane Doe · note {note['id']}] looking")
    found = paired.audit()
    assert (len(found.lost), len(found.twice)) == (0, 2)
    assert "Ana Ruiz's note 'after the deploy' in PagerDuty: 2 instead of 1" in found.twice[0]


def test_a_cut_copy_still_counts_and_an_edited_note_may_have_either_wording(paired: World) -> None:
    paired.og.add_note(paired.alert, "Ana Ruiz", "x" * 300)
    paired.incident_note(f"{ANA} {'x' * 100}… [cut: 350 characters in all]")
    note = paired.pd.add_note("1", "Jane Doe", "looking")
    paired.alert_note(f"[PagerDuty · Jane Doe · note {note['id']}] looking")
    paired.pd.edit_note("1", "Jane Doe", note["id"], "found it")
    assert paired.audit().is_clean


@pytest.mark.parametrize("verb", ["acknowledge", "close"])
def test_a_customers_act_must_be_told_once_by_its_own_word(paired: World, verb: str) -> None:
    getattr(paired.og, verb)(paired.alert, "Ana Ruiz")
    paired.incident_note(f"{ANA} unacknowledged the alert")
    assert paired.audit().lost == (f"alert #1: Ana Ruiz's {verb} told in PagerDuty: 0 of 1",)


@pytest.mark.parametrize(("verb", "word"), [("resolve", "resolved"), ("reopen", "reopened")])
def test_an_engineers_act_must_be_told_once(paired: World, verb: str, word: str) -> None:
    if verb == "reopen":
        paired.pd.resolve("1", "Omar Haddad")
        paired.alert_note(f"{JANE.replace('Jane Doe', 'Omar Haddad')} resolved the incident")
    getattr(paired.pd, verb)("1", "Jane Doe")
    assert paired.audit().lost == (f"alert #1: Jane Doe's {verb} told in Opsgenie: 0 of 1",)
    for _ in range(2):
        paired.alert_note(f"{JANE} {word} the incident")
    assert paired.audit().twice == (f"alert #1: Jane Doe's {verb} told in Opsgenie: 2 instead of 1",)


def test_an_engineers_acknowledgement_must_be_in_the_log_once(paired: World) -> None:
    paired.pd.acknowledge("1", "Jane Doe")
    assert paired.audit().lost == ("alert #1: Jane Doe's acknowledge in the alert's log: 0 of 1",)
    paired.alert_act("acknowledge", "Somebody Else")
    assert paired.audit().is_clean  # it came into that state by somebody else soon after
    paired.alert_act("acknowledge")
    assert paired.audit().twice == ("alert #1: acknowledged in Opsgenie more often than the 1 times in PagerDuty",)


def test_what_was_acknowledged_already_needs_no_acknowledgement(paired: World) -> None:
    paired.og.acknowledge(paired.alert, "Ana Ruiz")
    paired.incident_note(f"{ANA} acknowledged the alert")
    paired.clock.advance(60)
    paired.pd.acknowledge("1", "Jane Doe")
    assert paired.audit().is_clean


def test_a_copy_of_a_copy_is_a_loop(paired: World) -> None:
    paired.incident_note(f"{ANA} {JANE} resolved the incident")
    paired.alert_note(f"{ANA} hello")
    assert len(paired.audit().looped) == 2


def test_what_the_automation_must_never_do(paired: World) -> None:
    paired.alert_act("close")
    paired.update(status="resolved")
    paired.update(status="triggered")
    found = "\n".join(paired.audit().forbidden)
    for part in ("nobody's act", "resolved by the automation", "reopened by the automation", "1 pages (reopened)"):
        assert part in found


def test_a_page_without_a_cause(paired: World) -> None:
    paired.update(escalation_level=1)
    assert paired.audit().forbidden == ("incident #1: 1 pages (retriggered) for 0 causes",)


def test_an_alert_that_was_there_before_needs_no_incident(world: World) -> None:
    world.create()
    before = world.clock.now().replace(hour=1)
    world.og.create_alert("old news", user="Ana Ruiz", created_at=before)
    assert world.audit().is_clean


def test_what_a_person_does_through_the_api_is_a_persons_act(paired: World) -> None:
    body = {"note": {"content": "from my phone"}}
    reply = paired.sandbox.handle(
        request("POST", "/pagerduty/incidents/1/notes", body, PD | {"From": "jane.doe@example.com"})
    )
    assert isinstance(reply, Response)
    assert "from my phone" in paired.audit().lost[0]
