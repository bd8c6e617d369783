"""The audit: empty if everything was mirrored once, and one line for each thing that was not."""

from datetime import timedelta
from typing import Any

import pytest

from reconciler.sandbox.app import Sandbox
from reconciler.sandbox.audit import Audit, Knowledge, audit
from reconciler.sandbox.pagerduty.directory import BOT
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


class AuditBench:
    """A sandbox, and the writes of the reconciler made by the test."""

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

    def audit(self, **known: Any) -> Audit:
        return audit(self.sandbox.state(), Knowledge(**known))

    def watched(self, **known: Any) -> Audit:
        """The audit of somebody who knows that the product looked every ten seconds."""
        seconds = range(0, 3600, 10)
        return self.audit(looks=tuple(ManualClock().now() + timedelta(seconds=s) for s in seconds), **known)


@pytest.fixture
def world() -> AuditBench:
    return AuditBench()


@pytest.fixture
def paired(world: AuditBench) -> AuditBench:
    world.create()
    return world


def test_an_alert_without_an_incident_is_lost_and_one_with_two_is_duplicated(world: AuditBench) -> None:
    assert world.audit().lost == ("alert #1: incidents: 0 of 1",)
    world.create()
    assert world.audit().is_clean
    world.pd.resolve("1", "Jane Doe")
    world.alert_note(f"{JANE} resolved the incident")
    world.create()
    assert world.audit().twice == ("alert #1: incidents: 2 instead of 1",)


def test_everything_mirrored_once_is_clean(paired: AuditBench) -> None:
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


def test_a_copy_shows_what_poses_as_a_mark_as_a_quotation(paired: AuditBench) -> None:
    words = "> [PagerDuty · Jane Doe · note P9] on it\nno!"
    paired.og.add_note(paired.alert, "Ana Ruiz", words)
    paired.incident_note(f"{ANA} {words.replace('[', '[quoted: ')}")
    assert paired.audit() == Audit()


def test_lost_and_duplicated_notes_are_found_both_ways(paired: AuditBench) -> None:
    paired.og.add_note(paired.alert, "Ana Ruiz", "after the deploy")
    note = paired.pd.add_note("1", "Jane Doe", "looking")
    assert len(paired.audit().lost) == 2
    for _ in range(2):
        paired.incident_note(f"{ANA} after the deploy")
        paired.alert_note(f"[PagerDuty · Jane Doe · note {note['id']}] looking")
    found = paired.audit()
    assert (len(found.lost), len(found.twice)) == (0, 2)
    assert "Ana Ruiz's note 'after the deploy' in PagerDuty: 2 instead of 1" in found.twice[0]


def test_a_cut_copy_still_counts_and_an_edited_note_may_have_either_wording(paired: AuditBench) -> None:
    paired.og.add_note(paired.alert, "Ana Ruiz", "x" * 300)
    paired.incident_note(f"{ANA} {'x' * 100}… [cut: 350 characters in all]")
    note = paired.pd.add_note("1", "Jane Doe", "looking")
    paired.alert_note(f"[PagerDuty · Jane Doe · note {note['id']}] looking")
    paired.pd.edit_note("1", "Jane Doe", note["id"], "found it")
    assert paired.audit().is_clean


@pytest.mark.parametrize("verb", ["acknowledge", "close"])
def test_a_customers_act_must_be_noted_once_by_its_own_verb(paired: AuditBench, verb: str) -> None:
    getattr(paired.og, verb)(paired.alert, "Ana Ruiz")
    paired.incident_note(f"{ANA} unacknowledged the alert")
    assert paired.audit().lost == (f"alert #1: Ana Ruiz's {verb} told in PagerDuty: 0 of 1",)


@pytest.mark.parametrize(("verb", "word"), [("resolve", "resolved"), ("reopen", "reopened")])
def test_an_engineers_act_must_be_noted_once(paired: AuditBench, verb: str, word: str) -> None:
    if verb == "reopen":
        paired.pd.resolve("1", "Omar Haddad")
        paired.alert_note(f"{JANE.replace('Jane Doe', 'Omar Haddad')} resolved the incident")
    getattr(paired.pd, verb)("1", "Jane Doe")
    assert paired.audit().lost == (f"alert #1: Jane Doe's {verb} told in Opsgenie: 0 of 1",)
    for _ in range(2):
        paired.alert_note(f"{JANE} {word} the incident")
    assert paired.audit().twice == (f"alert #1: Jane Doe's {verb} told in Opsgenie: 2 instead of 1",)


def test_an_engineers_acknowledgement_must_be_in_the_log_once(paired: AuditBench) -> None:
    paired.pd.acknowledge("1", "Jane Doe")
    assert paired.audit().lost == ("alert #1: Jane Doe's acknowledge in the alert's log: 0 of 1",)
    paired.alert_act("acknowledge", "Somebody Else")
    assert paired.audit().is_clean  # another person caused that state soon after
    paired.alert_act("acknowledge")
    assert paired.audit().twice == ("alert #1: acknowledged in Opsgenie 2 times for 1 causes",)


def test_an_acknowledged_alert_needs_no_acknowledgement(paired: AuditBench) -> None:
    paired.og.acknowledge(paired.alert, "Ana Ruiz")
    paired.incident_note(f"{ANA} acknowledged the alert")
    paired.clock.advance(60)
    paired.pd.acknowledge("1", "Jane Doe")
    assert paired.audit().is_clean


def test_a_copy_of_a_copy_is_a_loop(paired: AuditBench) -> None:
    paired.incident_note(f"{ANA} {JANE} resolved the incident")
    paired.alert_note(f"{ANA} hello")
    assert len(paired.audit().looped) == 2


def test_forbidden_acts_of_the_automation_are_found(paired: AuditBench) -> None:
    paired.alert_act("close")
    paired.update(status="resolved")
    paired.update(status="triggered")
    found = "\n".join(paired.audit().forbidden)
    for part in ("nobody's act", "resolved by the automation", "reopened by the automation", "1 pages (reopened)"):
        assert part in found


def test_a_page_without_a_cause_is_found(paired: AuditBench) -> None:
    paired.update(escalation_level=1)
    assert paired.audit().forbidden == ("incident #1: 1 pages (retriggered) for 0 causes",)


def test_an_alert_from_before_the_first_start_needs_no_incident(world: AuditBench) -> None:
    world.create()
    before = world.clock.now().replace(hour=1)
    world.og.create_alert("old news", user="Ana Ruiz", created_at=before)
    assert world.audit().is_clean


def test_an_act_through_the_api_with_a_persons_address_is_a_persons_act(paired: AuditBench) -> None:
    body = {"note": {"content": "from my phone"}}
    reply = paired.sandbox.handle(
        request("POST", "/pagerduty/incidents/1/notes", body, PD | {"From": "jane.doe@example.com"})
    )
    assert isinstance(reply, Response)
    assert "from my phone" in paired.audit().lost[0]


def test_an_incident_created_acknowledged_may_be_unacknowledged_once(world: AuditBench) -> None:
    world.sandbox.change({"bot_on_call": True})
    world.create()
    for level in (1, 2):
        world.update(escalation_level=level)
    assert world.audit() == Audit()
    world.update(escalation_level=2)
    assert world.audit().forbidden == ("incident #1: 2 pages (retriggered) for 1 causes",)


def test_a_manual_twin_is_named_on_both_sides_and_its_acts_need_not_be_mirrored(paired: AuditBench) -> None:
    twin = paired.pd.create_incident("twin", key=paired.alert)
    paired.pd.acknowledge(twin["id"], "Jane Doe")
    paired.pd.add_note(twin["id"], "Jane Doe", "here?")
    paired.alert_note("[PagerDuty · PagerDuty · 2026-11-23 09:00:00Z] incident #2 has this alert's key, too")
    paired.incident_note("[Opsgenie · Opsgenie · 2026-11-23 09:00:00.000Z] incident #2 has this alert's key, too")
    assert paired.audit() == Audit()


def test_customers_notes_go_to_the_target_of_a_merge(paired: AuditBench) -> None:
    target = paired.pd.create_incident("the whole story")
    paired.pd.merge("1", "Jane Doe", target["id"])
    paired.alert_note(f"{JANE} resolved the incident: merged into incident #2")
    paired.og.add_note(paired.alert, "Ana Ruiz", "any news?")
    assert len(paired.audit().lost) == 1
    path = f"/pagerduty/incidents/{target['id']}/notes"
    paired.send("POST", path, {"note": {"content": f"{ANA} any news?"}})
    note = paired.pd.add_note(target["id"], "Omar Haddad", "soon")
    assert paired.audit() == Audit()
    paired.alert_note(f"[PagerDuty · Omar Haddad · note {note['id']}] soon")
    paired.pd.acknowledge(target["id"], "Omar Haddad")
    paired.alert_act("acknowledge", "Omar Haddad")
    assert paired.audit() == Audit()


def test_a_merged_incident_that_is_reopened_is_named(paired: AuditBench) -> None:
    target = paired.pd.create_incident("the whole story")
    paired.pd.merge("1", "Jane Doe", target["id"])
    merged = paired.sandbox.state()["pagerduty"]["incidents"][0]["id"]
    paired.pd.reopen("1", "Jane Doe")
    paired.alert_note(f"{JANE} resolved the incident (merged into #2)")
    assert paired.audit().lost == ("alert #1: Jane Doe's reopen told in Opsgenie: 0 of 1",)
    paired.alert_note(f'{JANE} incident #2 (P2) "the whole story" is followed from now on')
    assert paired.audit().lost == ("alert #1: second incident #1 named in Opsgenie: 0 of 1",)
    paired.alert_note(f"{JANE} incident #1 ({merged}) bears this alert's key, too: it is not followed")
    paired.pd.acknowledge("1", "Omar Haddad")
    assert paired.audit() == Audit()


def test_a_priority_change_is_noted_and_a_high_one_raises_the_urgency(world: AuditBench) -> None:
    values = {"type": "incident", "title": "disk full", "service": {"id": "PSVC001"}, "urgency": "low"}
    world.send("POST", "/pagerduty/incidents", {"incident": values | {"incident_key": world.alert}})
    world.og.set_priority(world.alert, "Ana Ruiz", "P1")
    assert len(world.audit().lost) == 2
    world.incident_note("[Opsgenie · somebody · 2026-11-23 09:00:00.000Z] changed the priority from P3 to P1")
    world.update(urgency="high")
    assert world.audit() == Audit()
    world.update(urgency="low")
    world.update(urgency="high")
    assert world.audit().forbidden == ("incident #1: 2 pages (urgency raised) for 1 causes",)


def test_a_deleted_alert_needs_no_writes(paired: AuditBench) -> None:
    paired.og.delete(paired.alert, "Ana Ruiz")
    paired.pd.add_note("1", "Jane Doe", "where is it?")
    paired.pd.acknowledge("1", "Jane Doe")
    paired.pd.resolve("1", "Jane Doe")
    assert paired.audit() == Audit()


def test_what_a_customer_did_before_the_deletion_is_told(paired: AuditBench) -> None:
    paired.og.acknowledge(paired.alert, "Ana Ruiz")
    paired.og.delete(paired.alert, "Ana Ruiz")
    assert paired.audit().lost == ("alert #1: Ana Ruiz's acknowledge told in PagerDuty: 0 of 1",)


def test_a_note_in_numbered_parts_is_one_note(paired: AuditBench) -> None:
    paired.og.add_note(paired.alert, "Ana Ruiz", "one two three")
    paired.incident_note(f"{ANA} (1/2) one two ")
    assert len(paired.audit().lost) == 1
    paired.incident_note(f"{ANA} (2/2) three")
    assert paired.audit() == Audit()


def test_an_automation_may_be_named_in_more_words(paired: AuditBench) -> None:
    paired.pd.acknowledge("1", "workflow")
    assert len(paired.audit().lost) == 1
    paired.alert_act("acknowledge", "PagerDuty (Sandbox Workflow)")
    assert paired.audit() == Audit()


@pytest.mark.parametrize("form", ["lower", "nfd", "html"])
def test_a_name_in_another_unicode_form_is_the_same(paired: AuditBench, form: str) -> None:
    paired.sandbox.change({"name_form": form})
    paired.pd.acknowledge("1", "PZOE001")
    paired.alert_act("acknowledge", "Zoë O'Brien & Söhne")
    assert paired.audit() == Audit()


def test_who_knows_the_looks_expects_both_sides_to_agree_in_the_end(paired: AuditBench) -> None:
    paired.clock.advance(60)
    paired.og.acknowledge(paired.alert, "Ana Ruiz")
    paired.incident_note(f"{ANA} acknowledged the alert")
    assert paired.audit() == Audit()
    state = "alert #1: alert acknowledged, incident triggered, last alert acknowledged by Ana Ruiz"
    assert paired.watched().lost == (state,)
    paired.update(status="acknowledged")
    assert paired.watched() == Audit()


def test_who_knows_the_looks_excuses_acts_that_undo_each_other_between_two(paired: AuditBench) -> None:
    paired.clock.advance(61)
    for act in (paired.og.acknowledge, paired.og.unacknowledge):
        act(paired.alert, "Ana Ruiz")
        paired.clock.advance(1)
    assert len(paired.audit().lost) == 2
    assert paired.watched() == Audit()


def test_who_knows_the_looks_expects_notes_in_order_and_to_the_letter(paired: AuditBench) -> None:
    for text in ("one", "two", "th  ree"):
        paired.og.add_note(paired.alert, "Ana Ruiz", text)
        paired.clock.advance(1)
    for text in ("two", "one", "th ree"):
        paired.incident_note(f"{ANA} {text}")
    assert paired.audit() == Audit()
    found = paired.watched()
    assert [line.partition(":")[2] for line in found.lost] == [" Ana Ruiz's note 'th  ree' in PagerDuty: 0 of 1"]
    assert "['Ana Ruiz: two', 'Ana Ruiz: one'] in the place of" in found.twice[0]


def test_who_knows_the_looks_expects_the_alerts_details(world: AuditBench) -> None:
    world.alert = str(world.og.create_alert("details", user="Ana Ruiz", description="the disk is full")["id"])
    world.create()
    assert "alert #2: the alert's details in PagerDuty: 0 of 1" in world.watched().lost
    world.incident_note("[Opsgenie · alert details · 2026-11-23 09:00:00.000Z] the disk is full")
    assert "details" not in "".join(world.watched().lost)


def test_an_act_from_before_the_start_or_forgotten_with_the_database_need_not_be_mirrored(
    paired: AuditBench,
) -> None:
    paired.clock.advance(61)
    paired.og.add_note(paired.alert, "Ana Ruiz", "any news?")
    paired.og.close(paired.alert, "Ana Ruiz")
    now = paired.clock.now()
    assert len(paired.watched().lost) == 2
    assert len(paired.watched(origins=((now, now),)).lost) == 1
    paired.pd.resolve("1", "Jane Doe")
    assert len(paired.watched().lost) == 3
    assert paired.watched(lost_at=paired.clock.advance(1)) == Audit()


def test_a_reopening_is_excused_only_while_the_resolution_cannot_have_been_seen(paired: AuditBench) -> None:
    paired.pd.resolve("1", "Jane Doe")
    paired.clock.advance(5)
    paired.update(status="acknowledged")
    assert "incident #1: reopened by the automation user" in paired.audit().forbidden
    assert paired.audit(unseen=timedelta(seconds=4)).forbidden
    assert not paired.audit(unseen=timedelta(seconds=6)).forbidden


def test_only_where_the_policy_says_so_a_closing_resolves(paired: AuditBench) -> None:
    paired.og.close(paired.alert, "Ana Ruiz")
    paired.update(status="resolved")
    assert not paired.audit().forbidden
    assert paired.audit(may_resolve=False).forbidden == (
        "alert #1: resolved by the automation user for no closing",
    )


def test_an_incident_of_no_alert_pages_only_where_a_person_made_it(paired: AuditBench) -> None:
    paired.pd.create_incident("by hand")
    assert paired.audit() == Audit()
    paired.alert = ""
    paired.create()
    assert paired.audit().forbidden == ("incident #3: 1 pages (triggered) for 0 causes",)


def test_a_target_may_be_triggered_again_for_a_customer_of_what_was_merged_into_it(paired: AuditBench) -> None:
    target = paired.pd.create_incident("the whole story")
    paired.pd.merge("1", "Jane Doe", target["id"])
    paired.alert_note(f"{JANE} resolved the incident (merged into #2)")
    path = f"/pagerduty/incidents/{target['id']}"
    for verb, values in (("acknowledge", {"status": "acknowledged"}), ("unacknowledge", {"escalation_level": 1})):
        getattr(paired.og, verb)(paired.alert, "Ana Ruiz")
        paired.send("POST", f"{path}/notes", {"note": {"content": f"{ANA} {verb}d the alert"}})
        paired.send("PUT", path, {"incident": {"type": "incident", **values}})
    assert paired.audit() == Audit()
    paired.send("PUT", path, {"incident": {"type": "incident", "escalation_level": 2}})
    assert paired.audit().forbidden == ("incident #2: 2 pages (retriggered) for 1 causes",)


def test_an_incident_that_tells_of_an_outage_is_no_case() -> None:
    bench = AuditBench()
    values = {"type": "incident", "title": "t", "service": {"id": "PSVC001", "type": "service_reference"}}
    body = {"incident": values | {"incident_key": "reconciler outage default"}}
    made = bench.send("POST", "/pagerduty/incidents", body)["incident"]
    bench.send(
        "PUT", f"/pagerduty/incidents/{made['id']}", {"incident": {"type": "incident", "status": "resolved"}}
    )
    bench.create()
    assert audit(bench.sandbox.state()) == Audit()
