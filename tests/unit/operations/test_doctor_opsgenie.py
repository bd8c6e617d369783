from datetime import timedelta
from pathlib import Path

from reconciler.errors import Unknown
from reconciler.operations.doctor_alerts import MANY, MOST_PAGES
from reconciler.operations.doctor_opsgenie import OpsgenieChecks
from reconciler.operations.findings import Verdict
from reconciler.store.cursors import Origin
from reconciler.store.database import Database
from tests.support.builders import pair
from tests.support.clock import NINE
from tests.support.examined import Patient


def checks(patient: Patient) -> OpsgenieChecks:
    return OpsgenieChecks(
        patient.opsgenie, patient.pagerduty, None, "", patient.settings, patient.database(), patient.clock
    )


def test_the_query_is_told_with_what_it_selects(tmp_path: Path) -> None:
    patient = Patient(tmp_path, opsgenie_query="tag: a")
    assert checks(patient).query().verdict is Verdict.WARNING
    patient.raise_alert(tags=("a",))
    patient.raise_alert(tags=("b",))
    assert checks(patient).query().found == "tag: a selects 1 alert, 1 open"
    volatile = checks(Patient(tmp_path, opsgenie_query="status: open")).query()
    assert volatile.verdict is Verdict.WARNING
    assert "it asks for status, which changes" in volatile.found


def test_reading_is_tried_on_an_alert_and_its_notes(tmp_path: Path) -> None:
    patient = Patient(tmp_path)
    assert "no open alert is seen" in checks(patient).reads().found
    patient.raise_alert()
    assert checks(patient).reads().found == "allowed: alerts, and the notes of #1"
    assert patient.asked[-1].endswith("/notes")


def test_before_a_first_start_young_alerts_would_page(tmp_path: Path) -> None:
    patient = Patient(tmp_path)
    patient.raise_alert(created_at=NINE - timedelta(minutes=59))
    patient.raise_alert(created_at=NINE - timedelta(minutes=61))
    assert checks(patient).pages().found == "1 open alert would page now"


def test_after_it_only_unknown_alerts_would_page(database: Database, tmp_path: Path) -> None:
    patient = Patient(tmp_path)
    known, _ = patient.raise_alert(), patient.raise_alert()
    old = timedelta(days=1)
    with database.writing() as unit:
        unit.cursors.save(origin=Origin(NINE - old, NINE - old))
        unit.snapshot.save_pairs([pair(alert_id=known, swept_at=NINE)])
    patient.raise_alert(created_at=NINE - timedelta(hours=5))
    assert checks(patient).pages().found == "2 open alerts would page now"


def test_an_alert_that_has_an_incident_would_page_nobody(tmp_path: Path) -> None:
    patient = Patient(tmp_path)
    alert = patient.raise_alert()
    patient.sandbox.pagerduty.create_incident("x", key=alert)
    assert checks(patient).pages().found == "0 open alerts would page now"

    def fails(_offset: int) -> object:
        raise Unknown("no answer")

    patient.pagerduty.open_incidents_page = fails  # type: ignore[method-assign,assignment]
    found = checks(patient).pages().found
    assert found.startswith("1 open alert would page now, those included that have an incident already")


def test_many_pages_at_once_are_warned_about(tmp_path: Path) -> None:
    patient = Patient(tmp_path)
    for number in range(MANY):
        patient.raise_alert(str(number))
    found = checks(patient).pages()
    assert (found.verdict, found.found) == (Verdict.WARNING, f"{MANY} open alerts would page now")


def test_endless_alerts_are_counted_only_so_far(tmp_path: Path) -> None:
    patient = Patient(tmp_path)
    patient.raise_alert()
    (alert,), _ = patient.opsgenie.open_alerts_page(0)
    patient.opsgenie.open_alerts_page = lambda _offset: ([alert], True)  # type: ignore[method-assign,assignment]
    assert checks(patient).pages().found.startswith(f"at least {MOST_PAGES} open alerts")


def test_without_the_database_it_is_not_known_what_would_page(tmp_path: Path) -> None:
    patient = Patient(tmp_path)
    mine = checks(patient)
    mine._database.lost = "the database cannot be read"
    assert mine.pages().found == "not checked: the database cannot be read"
