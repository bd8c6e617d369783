"""Several routes examined over the sandbox: each by itself, and what their keys share only once."""

from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.core.model import Side
from reconciler.operations import doctor_routes
from reconciler.operations.doctor_routes import OfRoute, RouteFindings, examine_routes
from reconciler.operations.findings import Verdict, bad, good
from tests.support.examined import Patient

PER_KEY = {
    "opsgenie key", "opsgenie region", "opsgenie clock", "pagerduty key", "pagerduty region", "pagerduty owner",
    "pagerduty user's duties", "pagerduty clock",
}  # fmt: skip
OF_ROUTE = {
    "database", "leader", "opsgenie query", "opsgenie reads", "opsgenie writes", "opsgenie pages",
    "pagerduty reads", "pagerduty writes", "pagerduty service", "pagerduty maintenance", "pagerduty on call",
    "another reconciler",
}  # fmt: skip


def route(patient: Patient, name: str, alerts: str = "k1", pagerduty: str = "k2") -> OfRoute:
    keys = {Side.ALERTS: alerts, Side.PAGERDUTY: pagerduty}
    return OfRoute(name, replace(patient.examined(), route=name), keys)


def examined(*routes: OfRoute) -> dict[str, dict[str, Verdict]]:
    found = examine_routes(routes, (), (), lambda _done, _every: None)
    return {one.route: {each.check: each.verdict for each in one.findings} for one in found}


def test_what_a_key_shows_is_told_with_the_first_of_its_routes(tmp_path: Path) -> None:
    patient = Patient(tmp_path)
    found = examined(route(patient, "shop"), route(patient, "search"))
    assert set(found) == {"", "shop", "search"}
    assert set(found["shop"]) >= PER_KEY | OF_ROUTE | {"variables", "network", "heartbeat", "pagerduty user"}
    assert set(found["search"]) == OF_ROUTE
    assert Verdict.BAD not in {*found["shop"].values(), *found["search"].values()}


@pytest.mark.parametrize(
    ("keys", "again"),
    [
        ({"alerts": "other"}, {each for each in PER_KEY if each.startswith("opsgenie")}),
        ({"pagerduty": "other"}, {each for each in PER_KEY if each.startswith("pagerduty")}),
    ],
)
def test_a_key_of_its_own_is_examined_by_itself(tmp_path: Path, keys: dict[str, str], again: set[str]) -> None:
    patient = Patient(tmp_path)
    found = examined(route(patient, "shop"), route(patient, "search", **keys))
    assert set(found["search"]) & PER_KEY == again


def test_another_automation_user_of_the_same_key_is_looked_at(tmp_path: Path) -> None:
    patient = Patient(tmp_path)
    other = Patient(tmp_path)
    other.settings = other.settings.model_copy(update={"pagerduty_user": "PJANE01"})
    found = examined(route(patient, "shop"), route(other, "search"))
    assert "pagerduty user's duties" in found["search"]
    assert set(found["search"]) & PER_KEY == {each for each in PER_KEY if each.startswith("pagerduty")}


def test_a_refused_key_is_told_once_and_what_depends_on_it_is_not_tried(tmp_path: Path) -> None:
    patient = Patient(tmp_path)
    patient.set(opsgenie_key="another")
    found = examine_routes((route(patient, "shop"), route(patient, "search")), (), (), lambda *_: None)
    _, shop, search = found
    assert [each.check for each in shop.findings if each.verdict is Verdict.BAD] == ["opsgenie key"]
    assert not [each for each in search.findings if each.verdict is Verdict.BAD]
    (query,) = [each for each in search.findings if each.check == "opsgenie query"]
    assert query.found == "not checked: Opsgenie refuses the key: see route shop"
    assert doctor_routes.is_bad(found)


def test_one_bad_route_keeps_no_other_from_being_examined(tmp_path: Path) -> None:
    patient, gone = Patient(tmp_path), Patient(tmp_path)
    gone.set(service_status="gone")
    found = examined(route(gone, "shop"), route(patient, "search", pagerduty="other"))
    assert found["shop"]["pagerduty service"] is Verdict.BAD
    assert found["search"]["pagerduty service"] is Verdict.GOOD


FOUND = (
    RouteFindings("", (good("services", "1 service"),)),
    RouteFindings("shop", (bad("database", "is away", "start it"), good("leader", "x leads"))),
)


def test_the_text_has_a_heading_for_each_route_and_one_sum() -> None:
    assert doctor_routes.as_text(FOUND).splitlines() == [
        "All routes",
        "good     services  1 service",
        "",
        "Route shop",
        "bad      database  is away; start it",
        "good     leader    x leads",
        "",
        "2 good, 0 warning, 1 bad",
    ]


def test_the_document_has_the_route_of_each_check() -> None:
    document = doctor_routes.as_data(FOUND)
    assert [(row["check"], row["route"]) for row in document["checks"]] == [
        ("services", None),
        ("database", "shop"),
        ("leader", "shop"),
    ]
    assert document["counts"] == {"good": 2, "warning": 0, "bad": 1}
