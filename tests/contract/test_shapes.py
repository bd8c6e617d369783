"""Answers of our own, in the shapes of the vendors' real ones, are read to the right values.

They hold where the real ones of `test_samples.py` are not at hand, and have what those lack.
"""

from typing import Any

import pytest

from reconciler.core.model import SOMEBODY, Act, Actor, Alert, Incident, Note, Person
from reconciler.vendors.ports import AlertWrite, RequestStatus
from tests.support.contract.sampled import SITE, Given, Read, Readers, at, outcome

ANA, BOT = Person("ana@customer.example", "ana@customer.example"), Person("PBOT1", "Mirror Bot")
ID = "0b1c2d3e-0000-4000-8000-000000000001-1795424400000"
UP = {"id": ID, "tinyId": "7", "alias": "disk", "message": "disk full", "priority": "P1", "source": "probe",
      "createdAt": "2026-11-23T09:00:00Z", "updatedAt": "2026-11-23T09:00:41.03Z", "tags": ["ops"]}  # fmt: skip
ALERT: dict[str, Any] = {
    "id": ID, "tiny_id": "7", "alias": "disk", "message": "disk full", "priority": "P1", "source": "probe",
    "created_at": at("2026-11-23 09:00:00"), "updated_at": at("2026-11-23 09:00:41.030"), "tags": ("ops",),
}  # fmt: skip
OPSGENIE_PAGE = f"https://app.opsgenie.com/alert/detail/{ID}/details"
JSM_PAGE = f"{SITE}/jira/ops/alerts/{ID}"


def opsgenie_alert(readers: Readers) -> Any:
    return readers.opsgenie.alert(ID)


def jsm_alert(readers: Readers) -> Any:
    return readers.jsm.alert(ID)


def status(readers: Readers) -> Any:
    return readers.opsgenie.request_status("r")


def processed(**more: Any) -> dict[str, Any]:
    return {"data": {"action": "Acknowledge", "processedAt": "2026-11-23T09:01:00Z", "status": "words"} | more}


OF_ALERTS: list[tuple[str, Read, Any, Any]] = [
    ("Opsgenie: acknowledged", opsgenie_alert,
     {"data": UP | {"status": "open", "acknowledged": True, "owner": "ana@customer.example", "description": "",
                    "details": {"host": "db-1", "empty": ""},
                    "report": {"ackTime": 41000, "acknowledgedBy": "Ana Ruiz"}}},
     Alert(**ALERT, open=True, acknowledged=True, acknowledged_by="Ana Ruiz", description="",
           acknowledged_at=at("2026-11-23 09:00:41"), details=(("host", "db-1"),), url=OPSGENIE_PAGE)),
    ("Opsgenie: closed after an acknowledgement, which stays", opsgenie_alert,
     {"data": UP | {"status": "closed", "acknowledged": True, "owner": "ana@customer.example",
                    "report": {"closeTime": 60500, "closedBy": "Ana Ruiz"}}},
     Alert(**ALERT, open=False, acknowledged=True, acknowledged_by="ana@customer.example", closed_by="Ana Ruiz",
           closed_at=at("2026-11-23 09:01:00.500"), description="", url=OPSGENIE_PAGE)),
    ("Opsgenie: snoozed", opsgenie_alert,
     {"data": UP | {"status": "open", "acknowledged": False, "snoozed": True,
                    "snoozedUntil": "2026-11-23T10:00:00.5Z"}},
     Alert(**ALERT, open=True, acknowledged=False, snoozed_until=at("2026-11-23 10:00:00.500"), description="",
           url=OPSGENIE_PAGE)),
    ("Opsgenie: a state that cannot be read", opsgenie_alert, {"data": UP | {"acknowledged": None}},
     Alert(**ALERT, open=None, acknowledged=None, description="", url=OPSGENIE_PAGE)),
    ("Opsgenie: notes", lambda r: r.opsgenie.notes(ID),
     {"data": [{"note": "on it", "owner": "ana@customer.example", "createdAt": "2026-11-23T09:00:41.03Z",
                "offset": "1795424441030_1795424441030000001"}, {"note": "without its token"}], "paging": {}},
     ([Note("1795424441030_1795424441030000001", ANA, "on it", at("2026-11-23 09:00:41.030"))],
      ["a row without 'offset'"])),
    ("Opsgenie: an un-acknowledgement in the log", lambda r: r.opsgenie.acts(ID),
     {"data": [{"log": "Alert unacknowledged via web", "type": "system", "owner": "ana@customer.example",
                "createdAt": "2026-11-23T09:02:00Z", "offset": "1_2"},
               {"log": "Alert acknowledged via API", "type": "system", "owner": "System",
                "createdAt": "2026-11-23T09:01:00Z", "offset": "1_1"}]},
     [Act("1_2", "unacknowledge", at("2026-11-23 09:02:00"), Actor.PERSON, ANA),
      Act("1_1", "other", at("2026-11-23 09:01:00"), Actor.MACHINE, None, agent="System")]),
    ("Opsgenie: a write that succeeded", status, processed(isSuccess=True, success=True),
     RequestStatus(True, "words", at("2026-11-23 09:01:00"))),
    ("Opsgenie: a write that failed", status, processed(isSuccess=False, success=False),
     RequestStatus(False, "words", at("2026-11-23 09:01:00"))),
    ("Opsgenie: an accepted write", lambda r: r.to_opsgenie.acknowledge(ID, "Jane"),
     {"result": "Request will be processed", "took": 0.1, "requestId": "r1"}, AlertWrite("r1")),
    ("JSM: acknowledged by its status", jsm_alert, UP | {"status": "acked", "owner": "ana@customer.example"},
     Alert(**ALERT, open=True, acknowledged=True, acknowledged_by="ana@customer.example", description="",
           url=JSM_PAGE)),
    ("JSM: acknowledged by a field", jsm_alert,
     UP | {"status": "open", "acknowledged": True, "owner": "ana@customer.example",
           "ackTime": "2026-11-23T09:00:41Z", "extraProperties": {"host": "db-1"}},
     Alert(**ALERT, open=True, acknowledged=True, acknowledged_by="ana@customer.example", description="",
           acknowledged_at=at("2026-11-23 09:00:41"), details=(("host", "db-1"),), url=JSM_PAGE)),
    ("JSM: resolved", jsm_alert,
     UP | {"status": "resolved", "acknowledged": False, "closeTime": "2026-11-23T09:05:00Z"},
     Alert(**ALERT, open=False, acknowledged=False, closed_at=at("2026-11-23 09:05:00"), description="",
           url=JSM_PAGE)),
    ("JSM: notes, whose ids begin with their time", lambda r: r.jsm.notes(ID),
     {"values": [{"id": "1795424441030000001", "note": "on it", "owner": "ana@customer.example"}], "links": {}},
     [Note("1795424441030000001", ANA, "on it", at("2026-11-23 09:00:41.030"))]),
    ("JSM: a write that failed", lambda r: r.jsm.request_status("a:r1"), processed(isSuccess=False)["data"],
     RequestStatus(False, "words", at("2026-11-23 09:01:00"))),
    ("JSM: a note that was added at once", lambda r: r.to_jsm.add_note(ID, "Jane", "text"),
     {"id": "1795424441030000001", "note": "text"}, AlertWrite(note_id="1795424441030000001")),
]  # fmt: skip

JANE = {"id": "PJANE", "type": "user_reference", "summary": "Jane Doe"}
SERVICE = {"id": "PSVC1", "type": "service_reference", "summary": "Checkout"}
INCIDENT = {"id": "Q1", "incident_number": 12, "title": "disk full", "created_at": "2026-11-23T09:00:00Z",
            "incident_key": "disk", "service": SERVICE, "urgency": "low", "assignments": [],
            "last_status_change_at": "2026-11-23T09:01:00Z", "last_status_change_by": JANE,
            "html_url": "https://acme.pagerduty.com/incidents/Q1",
            "escalation_policy": {"id": "PPOL1", "summary": "Default"}}  # fmt: skip
SHOWN: dict[str, Any] = {
    "id": "Q1", "number": 12, "key": "disk", "title": "disk full", "service_id": "PSVC1", "urgency": "low",
    "created_at": at("2026-11-23 09:00:00"), "escalation_policy_id": "PPOL1",
    "changed_by": Person("PJANE", "Jane Doe"), "changed_at": at("2026-11-23 09:01:00"), "assignees": (),
    "url": "https://acme.pagerduty.com/incidents/Q1",
}  # fmt: skip
TIMED_OUT = {"id": "R2", "type": "unacknowledge_log_entry", "created_at": "2026-11-23T09:31:00+00:00",
             "agent": SERVICE, "channel": {"type": "timeout"}, "incident": {"id": "Q1"}}  # fmt: skip


def incident(readers: Readers) -> Any:
    return readers.pagerduty.incident("Q1")


OF_PAGERDUTY: list[tuple[str, Read, Any, Any]] = [
    ("acknowledged, until it times out", incident,
     {"incident": INCIDENT | {
         "status": "acknowledged", "acknowledgements": [{"at": "2026-11-23T09:01:00Z", "acknowledger": JANE}],
         "pending_actions": [{"type": "resolve", "at": "2026-11-23T10:00:00Z"},
                             {"type": "unacknowledge", "at": "2026-11-23T09:31:00Z"}]}},
     Incident(**SHOWN, status="acknowledged", acknowledgers=(Person("PJANE", "Jane Doe"),),
              acknowledged_at=((Person("PJANE", "Jane Doe"), at("2026-11-23 09:01:00")),),
              expires_at=at("2026-11-23 09:31:00"))),
    ("acknowledged by an automation", incident,
     {"incident": INCIDENT | {"status": "acknowledged", "acknowledgements": [{"acknowledger": SERVICE}]}},
     Incident(**SHOWN, status="acknowledged", acknowledgers=(Person("PSVC1", "Checkout (automation)"),))),
    ("merged into another", incident,
     {"incident": INCIDENT | {"status": "resolved", "resolve_reason": {
         "type": "merge_resolve_reason", "incident": {"id": "Q9", "summary": "[#9] all disks full"}}}},
     Incident(**SHOWN, status="resolved", merged_into="Q9", merged_name="[#9] all disks full")),
    ("notes, one by nobody who is named", lambda r: r.pagerduty.notes("Q1"),
     {"notes": [
         {"id": "N2", "user": None, "content": "restarted", "created_at": "2026-11-23T04:02:00-05:00"},
         {"id": "N1", "user": JANE, "content": "on it", "created_at": "2026-11-23T09:01:00Z"}]},
     [Note("N1", Person("PJANE", "Jane Doe"), "on it", at("2026-11-23 09:01:00")),
      Note("N2", SOMEBODY, "restarted", at("2026-11-23 09:02:00"))]),
    ("a time-out, a note, and an entry of an unknown kind", lambda r: r.pagerduty.acts("Q1"),
     {"log_entries": [
         TIMED_OUT,
         {"id": "R1", "type": "annotate_log_entry", "created_at": "2026-11-23T09:02:00Z", "agent": JANE,
          "channel": {"type": "note", "summary": "on it"}},
         {"id": "R0", "type": "priority_change_log_entry", "created_at": "2026-11-23T09:01:00Z"}]},
     [Act("R2", "unacknowledge", at("2026-11-23 09:31:00"), Actor.TIMEOUT, None, "Q1", "Checkout"),
      Act("R1", "annotate", at("2026-11-23 09:02:00"), Actor.PERSON, Person("PJANE", "Jane Doe"), "Q1"),
      Act("R0", "priority_change", at("2026-11-23 09:01:00"), Actor.MACHINE, None, "Q1")]),
    ("a new note", lambda r: r.to_pagerduty.add_note("Q1", "text"),
     {"note": {"id": "N3", "user": {"id": "PBOT1", "summary": "Mirror Bot"}, "content": "text",
               "created_at": "2026-11-23T09:03:00Z"}},
     Note("N3", BOT, "text", at("2026-11-23 09:03:00"))),
]  # fmt: skip


@pytest.mark.parametrize(
    ("read", "body", "expected"), [row[1:] for row in OF_ALERTS], ids=[r[0] for r in OF_ALERTS]
)
def test_an_answer_about_an_alert_is_read(read: Read, body: Any, expected: Any) -> None:
    assert outcome(read, Given(body)) == expected


@pytest.mark.parametrize(
    ("read", "body", "expected"), [row[1:] for row in OF_PAGERDUTY], ids=[row[0] for row in OF_PAGERDUTY]
)
def test_an_answer_about_an_incident_is_read(read: Read, body: Any, expected: Any) -> None:
    assert outcome(read, Given(body)) == expected
