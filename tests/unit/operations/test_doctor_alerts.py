"""That both products share their checks; what these find is in the tests of each product."""

from pathlib import Path

from reconciler.operations.doctor_alerts import MOST_PAGES, AlertChecks, listed_of
from reconciler.operations.doctor_jsm import JsmChecks
from reconciler.operations.doctor_opsgenie import OpsgenieChecks
from reconciler.vendors.ports import PAGE
from tests.support.examined import Patient


def test_both_products_say_what_hides_alerts_and_what_to_look_at() -> None:
    for checks in (OpsgenieChecks, JsmChecks):
        assert issubclass(checks, AlertChecks)
        assert all((checks.hides_alerts, checks.whose, checks.write_fix))


def test_only_so_many_pages_of_alerts_are_compared(tmp_path: Path) -> None:
    patient, offsets = Patient(tmp_path), []
    patient.raise_alert()
    assert [len(found) if isinstance(found, list) else found for found in listed_of(patient.opsgenie)] == [1, True]
    page, _ = patient.opsgenie.open_alerts_page(0)

    def endless(offset: int) -> tuple[list[object], bool]:
        offsets.append(offset)
        return list(page), True

    patient.opsgenie.open_alerts_page = endless  # type: ignore[method-assign,assignment]
    assert listed_of(patient.opsgenie)[1] is False
    assert offsets == [number * PAGE for number in range(MOST_PAGES)]
