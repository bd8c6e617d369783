from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.core.model import Kind, Person
from reconciler.operations.doctor_pagerduty import PagerDutyChecks
from reconciler.operations.findings import Verdict
from reconciler.store.database import Database
from reconciler.vendors.ports import AutomationUser, KeyOwner, ServiceFacts
from tests.support.builders import action
from tests.support.clock import NINE
from tests.support.examined import Patient

COPY = "[Opsgenie · Ana Ruiz · 2026-11-23 09:00:00.000Z] look"


def checks(patient: Patient) -> PagerDutyChecks:
    mine = PagerDutyChecks(patient.pagerduty, None, "", patient.settings, patient.database(), patient.clock)
    mine.user()
    return mine


def test_the_key_s_kind_is_told(tmp_path: Path) -> None:
    patient = Patient(tmp_path)
    assert "a key of the account" in checks(patient).owner().found
    patient.set(user_token="PBOT001")
    assert checks(patient).owner().found == "the automation user's own token: Reconciler Bot"
    patient.pagerduty.key_owner = KeyOwner  # type: ignore[method-assign]
    assert checks(patient).owner().verdict is Verdict.WARNING


def test_a_user_whose_id_cannot_be_read_is_warned_about(tmp_path: Path) -> None:
    patient = Patient(tmp_path)
    patient.pagerduty.automation_user = lambda: AutomationUser(Person("", "Bot"))  # type: ignore[method-assign]
    mine = checks(patient)
    assert mine.user().verdict is Verdict.WARNING
    assert mine.duties().found == "not checked: the automation user's id is not known"


@pytest.mark.parametrize(
    ("timeout", "says"), [(1800.0, "acknowledgements end after 30 min"), (None, "do not end by themselves")]
)
def test_the_service_is_told_with_its_acknowledgement_timeout(
    tmp_path: Path, timeout: float | None, says: str
) -> None:
    patient = Patient(tmp_path)
    patient.set(acknowledgement_timeout=timeout)
    found = checks(patient).service().found
    assert found.startswith('PSVC001 "Sandbox Service" is active; ')
    assert says in found


def test_windows_now_and_soon_are_warned_about(tmp_path: Path) -> None:
    patient = Patient(tmp_path)
    assert checks(patient).maintenance().verdict is Verdict.GOOD
    patient.set(maintenance_in=40 * 86400)
    assert checks(patient).maintenance().verdict is Verdict.GOOD
    patient.set(maintenance_in=3600)
    found = checks(patient).maintenance()
    assert (found.verdict, found.found) == (
        Verdict.WARNING,
        "nobody is paged from 11-23 10:00 to 11-23 11:00 UTC",
    )
    patient.pagerduty.maintenance_windows = lambda: None  # type: ignore[method-assign]
    assert checks(patient).maintenance().verdict is Verdict.WARNING


def test_who_is_on_call_is_told(tmp_path: Path) -> None:
    patient = Patient(tmp_path)
    found = checks(patient).on_call()
    assert found.found == 'Jane Doe, Omar Haddad on the policy PPOL001 "Sandbox Escalation Policy"'
    patient.pagerduty.people_on_call = lambda _policy_id: None  # type: ignore[method-assign,assignment]
    assert checks(patient).on_call().verdict is Verdict.WARNING
    patient.pagerduty.service_facts = lambda: ServiceFacts("", "", None, "", "")  # type: ignore[method-assign]
    assert checks(patient).on_call().found == "the service names no escalation policy"


def test_notes_that_this_database_has_not_written_are_another_reconciler_s(
    database: Database, tmp_path: Path
) -> None:
    patient = Patient(tmp_path)
    api = patient.sandbox.pagerduty
    incident = api.create_incident("x", key="a-1")
    api.add_note(incident["id"], "PJANE01", COPY)
    api.add_note(incident["id"], "PBOT001", "a note by hand")
    assert checks(patient).another().found == "no trace of one in 1 open incident"
    note = api.add_note(incident["id"], "PBOT001", COPY)
    found = checks(patient).another()
    assert found.verdict is Verdict.WARNING
    assert found.found.startswith("1 note of ours on #1 ")
    mine = replace(action(Kind.PAGERDUTY_NOTE), alert_id="a-1", result_id=note["id"], mark="[none]")
    with database.writing() as unit:
        unit.outbox.add([mine], NINE)
    assert checks(patient).another().verdict is Verdict.GOOD


def test_a_note_of_another_route_of_the_database_is_no_other_reconciler_s(
    database: Database, tmp_path: Path
) -> None:
    patient = Patient(tmp_path)
    incident = patient.sandbox.pagerduty.create_incident("x", key="a-1")
    note = patient.sandbox.pagerduty.add_note(incident["id"], "PBOT001", COPY)
    other = database.for_route("search")
    other.lead()
    with other.writing() as unit:
        unit.outbox.add([replace(action(Kind.PAGERDUTY_NOTE), result_id=note["id"])], NINE)
    assert checks(patient).another().verdict is Verdict.GOOD


def test_a_note_is_known_by_its_mark_too(database: Database, tmp_path: Path) -> None:
    patient = Patient(tmp_path)
    incident = patient.sandbox.pagerduty.create_incident("x", key="a-1")
    patient.sandbox.pagerduty.add_note(incident["id"], "PBOT001", COPY)
    mine = replace(action(Kind.PAGERDUTY_NOTE), alert_id="a-1", mark=COPY.removesuffix(" look"))
    with database.writing() as unit:
        unit.outbox.add([mine], NINE)
    assert checks(patient).another().verdict is Verdict.GOOD


def test_without_the_database_another_reconciler_is_not_looked_for(tmp_path: Path) -> None:
    mine = checks(Patient(tmp_path))
    mine._database.lost = "the database cannot be read"
    assert mine.another().found == "not checked: the database cannot be read"


NAMED = (("P1", "SEV-1"), ("P2", "sev-2"))


def test_priorities_are_examined_only_where_the_setting_names_some(tmp_path: Path) -> None:
    plain = checks(Patient(tmp_path))
    assert "pagerduty priorities" not in dict(plain.checks())
    named = checks(Patient(tmp_path, pagerduty_priorities=NAMED))
    found = dict(named.checks())["pagerduty priorities"]()
    assert (found.verdict, found.found) == (Verdict.GOOD, "PagerDuty has each: P1 is SEV-1, P2 is sev-2")


def test_a_priority_that_pagerduty_does_not_have_is_warned_about_with_those_it_has(tmp_path: Path) -> None:
    found = checks(Patient(tmp_path, pagerduty_priorities=(*NAMED, ("P3", "SEV-9")))).priorities()
    assert found.verdict is Verdict.WARNING
    assert 'PAGERDUTY_PRIORITIES: PagerDuty has no priority "SEV-9"' in found.found
    assert found.fix == 'give one of "SEV-1", "SEV-2", "SEV-3"'


@pytest.mark.parametrize("knob", ["none", "lacking"])
def test_an_account_without_priorities_is_warned_about(tmp_path: Path, knob: str) -> None:
    patient = Patient(tmp_path, pagerduty_priorities=NAMED)
    patient.set(priorities=knob)
    found = checks(patient).priorities()
    assert (found.verdict, bool(found.fix)) == (Verdict.WARNING, True)
