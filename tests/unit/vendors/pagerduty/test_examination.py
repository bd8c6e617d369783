"""Reads of an examination, in PagerDuty's shapes."""

from datetime import UTC, datetime, timedelta

import pytest
import responses

from reconciler.vendors.pagerduty.examination import PagerDutyExamination
from reconciler.vendors.ports import KeyOwner, MaintenanceWindow, PagerDutyExaminer, ServiceFacts
from tests.support.wire.http import PAGERDUTY, asked, http, query
from tests.support.wire.pagerduty import (
    AT,
    BOT,
    DENIED,
    EMAIL,
    INCIDENTS,
    JANE,
    SERVICE,
    SOMEBODY,
    incident,
    page,
    user,
)

SERVICE_URL = f"{PAGERDUTY}/services/{SERVICE}"
POLICY = {"id": "PPOL1", "type": "escalation_policy_reference", "summary": "Operations"}


def examiner() -> PagerDutyExaminer:
    return PagerDutyExamination(http("PagerDuty"), SERVICE, EMAIL, BOT)


def test_the_clock_is_that_of_the_service_s_answer(wire: responses.RequestsMock) -> None:
    wire.get(SERVICE_URL, json={"service": {}}, headers={"Date": "Mon, 23 Nov 2026 09:00:05 GMT"})
    assert examiner().server_time() == datetime(2026, 11, 23, 9, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "answer", "owner"),
    [
        (
            400,
            {"error": "Because this request was made using an account-level access token, …"},
            KeyOwner("account"),
        ),
        (
            200,
            {"user": user("PJANE", "Jane Doe") | {"email": "j@x.example"}},
            KeyOwner("user", JANE, "j@x.example"),
        ),
        (200, {"user": None}, KeyOwner()),
        (403, DENIED, KeyOwner()),
    ],
)
def test_the_key_s_owner_is_what_pagerduty_says(
    wire: responses.RequestsMock, status: int, answer: object, owner: KeyOwner
) -> None:
    wire.get(f"{PAGERDUTY}/users/me", status=status, json=answer)
    assert examiner().key_owner() == owner


def test_the_service_s_facts_are_read(wire: responses.RequestsMock) -> None:
    service = {"name": "Ops", "status": "Active", "acknowledgement_timeout": 1800, "escalation_policy": POLICY}
    wire.get(SERVICE_URL, json={"service": service})
    assert examiner().service_facts() == ServiceFacts("Ops", "active", 1800, "PPOL1", "Operations")


@pytest.mark.parametrize("service", [{"acknowledgement_timeout": 0}, {"acknowledgement_timeout": None}, None])
def test_a_service_that_says_nothing_has_no_facts(wire: responses.RequestsMock, service: object) -> None:
    wire.get(SERVICE_URL, json={"service": service})
    assert examiner().service_facts() == ServiceFacts("", "", None, "", "")


def test_the_service_s_maintenance_windows_are_read(wire: responses.RequestsMock) -> None:
    rows = [
        {"start_time": "2026-11-23T09:00:00Z", "end_time": "2026-11-23T10:00:00Z", "description": "Upgrade"},
        {"start_time": "soon", "end_time": None},
    ]
    wanted = query(service_ids_=SERVICE, filter="open", limit="100", offset="0")
    wire.get(f"{PAGERDUTY}/maintenance_windows", json=page("maintenance_windows", rows), match=[wanted])
    assert examiner().maintenance_windows() == [
        MaintenanceWindow(AT, AT + timedelta(hours=1), "Upgrade"),
        MaintenanceWindow(None, None, ""),
    ]


def test_maintenance_windows_that_may_not_be_read_are_not_known(wire: responses.RequestsMock) -> None:
    wire.get(f"{PAGERDUTY}/maintenance_windows", status=403, json=DENIED)
    assert examiner().maintenance_windows() is None


def test_the_people_on_call_are_each_named_once(wire: responses.RequestsMock) -> None:
    rows = [{"user": user("PJANE", "Jane Doe")}, {"user": user("PJANE", "Jane Doe")}, {"user": None}]
    wire.get(f"{PAGERDUTY}/oncalls", json=page("oncalls", rows))
    assert examiner().people_on_call("PPOL1") == (JANE, SOMEBODY)


def test_people_on_call_that_cannot_be_read_are_not_known(wire: responses.RequestsMock) -> None:
    wire.get(f"{PAGERDUTY}/oncalls", status=403, json=DENIED)
    assert examiner().people_on_call("PPOL1") is None


def test_a_user_s_duties_are_schedules_and_policies_each_once(wire: responses.RequestsMock) -> None:
    nights = {"id": "PSCH1", "type": "schedule_reference", "summary": "Nights"}
    rows = [
        {"user": user(BOT, "Bot"), "schedule": nights, "escalation_policy": POLICY},
        {"user": user(BOT, "Bot"), "schedule": None, "escalation_policy": POLICY},
        {"user": user(BOT, "Bot")},
    ]
    wanted = query(
        user_ids_=BOT, time_zone="UTC", since="2026-11-23T09:00:00+00:00", until="2026-11-24T09:00:00+00:00",
        limit="100", offset="0",
    )  # fmt: skip
    wire.get(f"{PAGERDUTY}/oncalls", json=page("oncalls", rows), match=[wanted])
    wire.get(
        f"{PAGERDUTY}/escalation_policies",
        json=page("escalation_policies", [POLICY | {"name": "Operations"}]),
        match=[query(user_ids_=BOT, limit="100", offset="0")],
    )
    assert examiner().duties(BOT, AT, AT + timedelta(days=1)) == (
        'schedule PSCH1 "Nights"',
        'escalation policy PPOL1 "Operations"',
        "a schedule or an escalation policy whose id cannot be read",
    )


def test_policies_that_may_not_be_read_leave_those_on_call_now(wire: responses.RequestsMock) -> None:
    wire.get(f"{PAGERDUTY}/oncalls", json=page("oncalls", []))
    wire.get(f"{PAGERDUTY}/escalation_policies", status=403, json=DENIED)
    assert examiner().duties(BOT, AT, AT) == ()


def test_the_newest_incidents_come_first(wire: responses.RequestsMock) -> None:
    wire.get(INCIDENTS, json=page("incidents", [incident(3), incident(2), incident(1)]))
    assert [each.number for each in examiner().newest_incidents(2)] == [3, 2]
    assert asked(wire.calls[0])["sort_by"] == "incident_number:desc"
