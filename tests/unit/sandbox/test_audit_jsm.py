"""The audit of alerts in JSM, and across their move from Opsgenie: each act counts once, wherever it shows."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from reconciler.sandbox.audit import Audit, Knowledge, audit
from reconciler.sandbox.wire import ManualClock, request
from tests.support.jsm import ACCOUNT, BASIC, GENIE, INTEGRATION, JsmBench
from tests.support.sandbox import OG, WRITE

ANA = "[Opsgenie · Ana Ruiz · 2026-11-23 09:00:00.000Z]"
ANA_IN_JSM = "[JSM · Ana Ruiz · 2026-11-23 09:00:00.000Z]"
JANE = "[PagerDuty · Jane Doe · 2026-11-23 09:00:00Z]"
START = ManualClock().now()


class Bench(JsmBench):
    """The writes of the reconciler are made by the test. `here` is the alert's id in JSM, `there` in Opsgenie."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.pd = self.sandbox.pagerduty
        self.here = self.there = self.alert("jsm" if settings.get("jsm_only", True) else "opsgenie")
        self.moves: tuple[tuple[datetime, str], ...] = ()

    def send(self, method: str, path: str, body: Any, headers: Any) -> Any:
        reply = self.sandbox.handle(request(method, path, body, headers))
        assert getattr(reply, "status", 0) < 300, reply
        return reply

    def create(self, key: str = "") -> None:
        service = {"id": "PSVC001"}
        values = {"type": "incident", "title": "disk full", "service": service, "incident_key": key or self.here}
        self.send("POST", "/pagerduty/incidents", {"incident": values}, WRITE)

    def update(self, **values: Any) -> None:
        self.send("PUT", "/pagerduty/incidents/1", {"incident": {"type": "incident", **values}}, WRITE)

    def incident_note(self, text: str) -> None:
        self.send("POST", "/pagerduty/incidents/1/notes", {"note": {"content": text}}, WRITE)

    def by_account(self, verb: str, text: str = "") -> None:
        self.send("POST", f"{ACCOUNT}/{self.here}/{verb}", {"note": text} if text else None, BASIC)

    def by_name(self, verb: str, **body: Any) -> None:
        self.send("POST", f"{INTEGRATION}/{self.here}/{verb}", {"user": "Jane Doe"} | body, GENIE)

    def in_opsgenie(self, verb: str, **body: Any) -> None:
        self.send("POST", f"/opsgenie/v2/alerts/{self.there}/{verb}", {"user": "Jane Doe"} | body, OG)

    def tick(self) -> None:
        """Let the product look, which it does every ten seconds."""
        self.clock.advance(20)

    def cut_over(self, **settings: Any) -> None:
        """Move the alerts, and let the product follow them in JSM from now on."""
        self.tick()
        self.move(**settings)
        state = self.sandbox.state()["jsm"]["alerts"]
        self.here = next((str(alert["id"]) for alert in state if alert["opsgenie_id"] == self.there), "")
        self.moves = ((self.clock.now(), "jsm"),)
        self.clock.advance(1)

    def audit(self, **known: Any) -> Audit:
        return audit(self.sandbox.state(), Knowledge(moves=self.moves, **known))

    def watched(self, **known: Any) -> Audit:
        looks = tuple(START + timedelta(seconds=seconds) for seconds in range(5, 3600, 10))
        return self.audit(looks=looks, **known)


@pytest.fixture
def jsm() -> Bench:
    world = Bench()
    world.create()
    return world


@pytest.fixture
def opsgenie() -> Bench:
    world = Bench(jsm_only=False)
    world.create()
    return world


def test_customers_of_jsm_are_named_by_its_mark(jsm: Bench) -> None:
    jsm.act("jsm", jsm.here, "notes", text="after the deploy")
    jsm.incident_note(f"{ANA_IN_JSM} after the deploy")
    jsm.tick()
    jsm.act("jsm", jsm.here, "acknowledge")
    jsm.incident_note(f"{ANA_IN_JSM} acknowledged the alert")
    jsm.update(status="acknowledged")
    assert jsm.watched() == jsm.audit() == Audit()
    jsm.incident_note(f"{ANA_IN_JSM} after the deploy")
    jsm.by_account("notes", f"{ANA_IN_JSM} after the deploy")
    assert (len(jsm.audit().twice), len(jsm.audit().looped)) == (1, 1)
    jsm.by_account("notes", f"{JANE} {ANA_IN_JSM} after the deploy")
    assert len(jsm.audit().looped) == 2


def test_an_act_without_a_name_needs_one_note_that_names_the_engineer(jsm: Bench) -> None:
    jsm.tick()
    jsm.pd.acknowledge("1", "Jane Doe")
    jsm.by_account("acknowledge")
    assert jsm.audit().lost == ("alert #1: Jane Doe's acknowledge in the alert's log: 0 of 1",)
    assert jsm.audit(names_may_be_lost=True).is_clean
    jsm.by_account("notes", f"{JANE} acknowledged the incident")
    assert jsm.watched() == jsm.audit() == Audit()
    jsm.by_account("notes", f"{JANE} acknowledged the incident")
    assert jsm.audit().twice == ("alert #1: Jane Doe's acknowledge in the alert's log: 2 instead of 1",)


def test_a_note_alone_does_not_acknowledge(jsm: Bench) -> None:
    jsm.pd.acknowledge("1", "Jane Doe")
    jsm.by_account("notes", f"{JANE} acknowledged the incident")
    assert jsm.audit().lost == ("alert #1: acknowledge in the alert's log: 0 of 1",)


def test_acts_without_a_name_are_ours_and_at_most_one_for_each_cause(jsm: Bench) -> None:
    jsm.by_account("acknowledge")
    jsm.by_account("close")
    found = jsm.audit()
    assert found.twice == ("alert #1: acknowledged in Opsgenie 1 times for 0 causes",)
    assert found.forbidden == ("alert #1: closed by Ops Robot, which is nobody's act",)


def test_acts_in_the_engineers_name_need_no_note(jsm: Bench) -> None:
    jsm.tick()
    jsm.pd.acknowledge("1", "Jane Doe")
    jsm.by_name("acknowledge")
    note = jsm.pd.add_note("1", "Jane Doe", "looking")
    jsm.by_name("notes", note=f"[PagerDuty · Jane Doe · note {note['id']}] looking", user="Jane Doe (PagerDuty)")
    jsm.tick()
    jsm.pd.unacknowledge("1", "Jane Doe")
    jsm.by_account("unacknowledge")
    assert jsm.audit().lost == ("alert #1: Jane Doe's unacknowledge in the alert's log: 0 of 1",)
    jsm.by_name("notes", note=f"{JANE} unacknowledged the incident", user="Jane Doe (PagerDuty)")
    assert jsm.watched() == jsm.audit() == Audit()


def test_a_second_engineer_is_not_excused_by_an_act_without_a_name(jsm: Bench) -> None:
    jsm.by_account("notes", "[PagerDuty · reconciler · hello] hello")
    jsm.pd.acknowledge("1", "Jane Doe")
    assert len(jsm.audit().lost) == 2
    jsm.by_account("acknowledge")
    jsm.by_account("notes", f"{JANE} acknowledged the incident")
    jsm.pd.acknowledge("1", "Omar Haddad")
    assert jsm.audit().is_clean


def test_customers_may_be_named_by_their_address(jsm: Bench) -> None:
    jsm.act("jsm", jsm.here, "notes", text="after the deploy")
    jsm.act("jsm", jsm.here, "close")
    for text in ("after the deploy", "closed the alert"):
        jsm.incident_note(f"[JSM · ana.ruiz@customer.example · 2026-11-23 09:00:00.000Z] {text}")
    assert jsm.watched() == jsm.audit() == Audit()


def test_an_edited_note_may_have_either_wording_and_a_deleted_one_none(jsm: Bench) -> None:
    for text in ("wrong", "gone"):
        jsm.act("jsm", jsm.here, "notes", text=text)
    wrong, gone = (note["id"] for note in reversed(jsm.get(f"/{jsm.here}/notes")["values"]))
    jsm.control("PUT", f"/jsm/alerts/{jsm.here}/notes/{wrong}", {"text": "right", "user": "Ben Okafor"})
    jsm.control("DELETE", f"/jsm/alerts/{jsm.here}/notes/{gone}")
    assert jsm.audit().lost == ("alert #1: Ana Ruiz's edited note in PagerDuty: 0 of 1",)
    jsm.incident_note(f"{ANA_IN_JSM} right")
    assert jsm.audit().is_clean
    jsm.incident_note(f"{ANA_IN_JSM} right")
    assert len(jsm.audit().twice) == 1


# -- across the move --


@pytest.mark.parametrize("sync", ["both", "to_jsm", "none"])
@pytest.mark.parametrize("ids", ["same", "new"])
@pytest.mark.parametrize("note_ids", ["token_half", "fresh"])
def test_everything_mirrored_once_across_the_move_is_clean(
    ids: str, note_ids: str, sync: str, opsgenie: Bench
) -> None:
    world = opsgenie
    world.act("opsgenie", world.there, "notes", text="before")
    world.incident_note(f"{ANA} before")
    world.tick()
    world.pd.acknowledge("1", "Jane Doe")
    world.in_opsgenie("acknowledge")
    note = world.pd.add_note("1", "Jane Doe", "looking")
    world.in_opsgenie("notes", note=f"[PagerDuty · Jane Doe · note {note['id']}] looking")
    world.cut_over(jsm_ids=ids, jsm_note_ids=note_ids, jsm_sync=sync)
    world.act("jsm", world.here, "notes", text="after")
    world.incident_note(f"{ANA_IN_JSM} after")
    world.tick()
    world.pd.unacknowledge("1", "Jane Doe")
    world.by_account("unacknowledge")
    world.by_account("notes", f"{JANE} unacknowledged the incident")
    world.tick()
    world.act("jsm", world.here, "close")
    world.incident_note(f"{ANA_IN_JSM} closed the alert")
    assert world.watched() == world.audit() == Audit()


@pytest.mark.parametrize("ids", ["same", "new"])
def test_a_second_page_for_a_moved_alert_is_found(ids: str, opsgenie: Bench) -> None:
    opsgenie.cut_over(jsm_ids=ids)
    opsgenie.pd.resolve("1", "Jane Doe")
    opsgenie.by_account("notes", f"{JANE} resolved the incident")
    assert opsgenie.audit().is_clean
    opsgenie.create(opsgenie.here)
    assert opsgenie.audit().twice == ("alert #1: incidents: 2 instead of 1",)


@pytest.mark.parametrize("sync", ["both", "none"])
@pytest.mark.parametrize("note_ids", ["token_half", "fresh"])
def test_a_note_that_is_copied_again_after_the_move_is_found(note_ids: str, sync: str, opsgenie: Bench) -> None:
    world = opsgenie
    world.act("opsgenie", world.there, "notes", text="after the deploy")
    world.incident_note(f"{ANA} after the deploy")
    note = world.pd.add_note("1", "Jane Doe", "looking")
    words = f"[PagerDuty · Jane Doe · note {note['id']}] looking"
    world.in_opsgenie("notes", note=words)
    world.cut_over(jsm_note_ids=note_ids, jsm_sync=sync)
    assert world.audit().is_clean
    world.incident_note(f"{ANA_IN_JSM} after the deploy")
    world.by_account("notes", words)
    found = world.audit().twice
    assert "alert #1: Ana Ruiz's note 'after the deploy' in PagerDuty: 2 instead of 1" in found
    assert "alert #1: Jane Doe's note 'looking' in Opsgenie: 2 instead of 1" in found


def test_an_acknowledgement_that_is_mirrored_again_after_the_move_is_found(opsgenie: Bench) -> None:
    opsgenie.pd.acknowledge("1", "Jane Doe")
    opsgenie.in_opsgenie("acknowledge")
    opsgenie.cut_over()
    opsgenie.by_account("acknowledge")
    assert opsgenie.audit().twice == ("alert #1: acknowledged in Opsgenie 2 times for 1 causes",)


@pytest.mark.parametrize(("sync", "is_due"), [("both", True), ("to_jsm", True), ("none", False)])
def test_an_act_in_opsgenie_after_the_move_is_due_if_jsm_shows_it(
    sync: str, is_due: bool, opsgenie: Bench
) -> None:
    opsgenie.cut_over(jsm_sync=sync, jsm_ids="new")
    opsgenie.act("opsgenie", opsgenie.there, "notes", text="in the wrong place")
    opsgenie.act("opsgenie", opsgenie.there, "acknowledge")
    opsgenie.alert("opsgenie", message="a new one")
    expected = 4 if is_due else 0  # the note, the acknowledgement, told and as a state, and a page
    assert len(opsgenie.watched().lost) == expected
    opsgenie.moves = ()
    assert len(opsgenie.audit().lost) == (3 if is_due else 0)


@pytest.mark.parametrize(("sync", "is_due"), [("both", True), ("to_jsm", False), ("none", False)])
def test_an_act_in_jsm_before_it_is_followed_is_due_if_opsgenie_shows_it(
    sync: str, is_due: bool, opsgenie: Bench
) -> None:
    opsgenie.tick()
    opsgenie.move(jsm_sync=sync)
    opsgenie.act("jsm", opsgenie.here, "notes", text="early")
    opsgenie.tick()
    opsgenie.moves = ((opsgenie.clock.now(), "jsm"),)
    assert len(opsgenie.watched().lost) == is_due
    opsgenie.incident_note(f"{ANA_IN_JSM} early")
    assert opsgenie.watched().is_clean


def test_what_was_not_seen_excuses_no_act_and_has_no_place_in_the_order(opsgenie: Bench) -> None:
    opsgenie.tick()
    opsgenie.move(jsm_sync="none")
    opsgenie.act("jsm", opsgenie.here, "notes", text="early")
    opsgenie.tick()
    opsgenie.act("opsgenie", opsgenie.there, "notes", text="seen at once")
    opsgenie.tick()
    opsgenie.moves = ((opsgenie.clock.now(), "jsm"),)
    for text in ("seen at once", "early"):
        opsgenie.incident_note(f"{ANA} {text}")
    assert opsgenie.watched().is_clean
    opsgenie.clock.advance(1)
    opsgenie.act("opsgenie", opsgenie.there, "acknowledge")
    opsgenie.tick()
    opsgenie.pd.acknowledge("1", "Jane Doe")
    assert "alert #1: Jane Doe's acknowledge in the alert's log: 0 of 1" in opsgenie.watched().lost


def test_a_state_of_jsms_own_counts_from_the_move_on(opsgenie: Bench) -> None:
    opsgenie.tick()
    opsgenie.move(jsm_sync="none")
    opsgenie.act("jsm", opsgenie.here, "acknowledge")
    for verb, change in (("acknowledge", {"status": "acknowledged"}), ("unacknowledge", {"escalation_level": 1})):
        opsgenie.tick()
        opsgenie.act("opsgenie", opsgenie.there, verb)
        opsgenie.incident_note(f"{ANA} {verb}d the alert")
        opsgenie.update(**change)
    opsgenie.tick()
    opsgenie.moves = ((opsgenie.clock.now(), "jsm"),)
    assert len(opsgenie.watched().lost) == 2
    opsgenie.clock.advance(1)
    opsgenie.incident_note(f"{ANA_IN_JSM} acknowledged the alert")
    opsgenie.update(status="acknowledged")
    assert opsgenie.watched().is_clean


@pytest.mark.parametrize("is_seen", [True, False])
def test_an_act_just_before_a_move_without_sync_is_due_if_it_was_seen(is_seen: bool, opsgenie: Bench) -> None:
    opsgenie.tick()
    opsgenie.move(jsm_sync="none")
    opsgenie.act("opsgenie", opsgenie.there, "notes", text="late")
    opsgenie.clock.advance(15 if is_seen else 1)
    opsgenie.moves = ((opsgenie.clock.now(), "jsm"),)
    assert len(opsgenie.watched().lost) == is_seen


def test_an_alert_that_was_left_behind_needs_nothing_after_the_move(opsgenie: Bench) -> None:
    opsgenie.pd.add_note("1", "Jane Doe", "before")
    opsgenie.cut_over(jsm_migrated="none")
    opsgenie.pd.add_note("1", "Jane Doe", "after")
    opsgenie.pd.acknowledge("1", "Jane Doe")
    assert opsgenie.watched().lost == ("alert #1: Jane Doe's note 'before' in Opsgenie: 0 of 1",)


def test_the_states_of_the_followed_product_count(opsgenie: Bench) -> None:
    opsgenie.cut_over(jsm_sync="none")
    opsgenie.tick()
    opsgenie.act("jsm", opsgenie.here, "acknowledge")
    opsgenie.incident_note(f"{ANA_IN_JSM} acknowledged the alert")
    assert [line for line in opsgenie.watched().lost if "incident triggered" in line]
    opsgenie.update(status="acknowledged")
    assert opsgenie.watched().is_clean
    opsgenie.tick()
    opsgenie.moves = (*opsgenie.moves, (opsgenie.clock.now(), "opsgenie"))
    assert [line for line in opsgenie.watched().lost if "alert not acknowledged, incident acknowledged" in line]


def test_what_appears_late_is_in_order_where_it_appears(opsgenie: Bench) -> None:
    opsgenie.cut_over(sync_lag=5)
    opsgenie.act("opsgenie", opsgenie.there, "notes", text="first")
    opsgenie.clock.advance(2)
    opsgenie.act("jsm", opsgenie.here, "notes", text="second")
    opsgenie.clock.advance(10)
    for text in ("second", "first"):
        opsgenie.incident_note(f"{ANA_IN_JSM} {text}")
    assert opsgenie.watched().is_clean


def test_a_snooze_ends_once(opsgenie: Bench) -> None:
    opsgenie.tick()
    opsgenie.act("opsgenie", opsgenie.there, "acknowledge")
    opsgenie.act("opsgenie", opsgenie.there, "snooze", seconds=60)
    opsgenie.incident_note(f"{ANA} acknowledged the alert")
    opsgenie.update(status="acknowledged")
    opsgenie.cut_over()
    opsgenie.clock.advance(60)
    opsgenie.update(escalation_level=1)
    assert opsgenie.audit().is_clean
    opsgenie.update(status="acknowledged")
    opsgenie.update(escalation_level=1)
    assert opsgenie.audit().forbidden == ("incident #1: 2 pages (retriggered) for 1 causes",)
