"""What rows that are malformed in one field still say of people, receipts and incidents."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import responses

from reconciler.core.model import Actor, Incident, Person
from reconciler.errors import ReconcilerError
from reconciler.vendors.opsgenie.client import OpsgenieClient
from reconciler.vendors.pagerduty.client import PagerDutyClient
from tests.support.clock import SimClock
from tests.support.wire.http import OPSGENIE, PAGERDUTY, http
from tests.support.wire.mutations import ODD, mutations
from tests.support.wire.samples import ENTRY, INCIDENT, INCIDENT_NOTE, LINE, NOTE, SERVICE

pytestmark = pytest.mark.unmeasured  # many runs of lines that other tests cover, too: tracing doubles the time

SINCE = datetime(2026, 11, 23, tzinfo=UTC)
LATEST = SimClock(1000.0).now() + timedelta(hours=1)
ALERTS = f"{OPSGENIE}/v2/alerts"
INCIDENTS = f"{PAGERDUTY}/incidents"


def batches(sample: dict[str, Any], name: str) -> Iterator[list[tuple[Any, Any, dict[str, Any]]]]:
    """Mutated rows, 98 at a time, each with an identifier of its own unless that is the mutated field."""
    found = []
    for n, (path, value, row) in enumerate(mutations(sample)):
        if path != (name,):
            row[name] = f"{n}_{n}"
        found.append((path, value, row))
    for start in range(0, len(found), 98):
        yield found[start : start + 98]


def between(sample: dict[str, Any], name: str, rows: list[Any]) -> list[Any]:
    return [sample | {name: "first"}, *rows, sample | {name: "last"}]


def answer(wire: responses.RequestsMock, url: str, body: Any) -> None:
    wire.upsert("GET", url, body=json.dumps(body), content_type="application/json")


def reading_opsgenie(bad: list[str] | None = None) -> OpsgenieClient:
    reports: list[str] = bad if bad is not None else []
    return OpsgenieClient(http("Opsgenie"), "", OPSGENIE, on_bad_row=lambda _, what: reports.append(what))


def reading_pagerduty(bad: list[str] | None = None) -> PagerDutyClient:
    reports: list[str] = bad if bad is not None else []
    client = http("PagerDuty")
    return PagerDutyClient(client, SERVICE, "b@x.example", "Bot", on_bad_row=lambda _, what: reports.append(what))


def test_a_malformed_note_of_an_alert_hides_no_other_note(wire: responses.RequestsMock) -> None:
    for batch in batches(NOTE, "offset"):
        answer(wire, f"{ALERTS}/a/notes", {"data": between(NOTE, "offset", [row for *_, row in batch])})
        found = {note.id: note for note in reading_opsgenie().notes("a")}
        assert {"first", "last"} <= found.keys()
        for path, value, row in batch:
            if path in {("createdAt",), ("owner",)}:
                assert found[row["offset"]].text == "we look", (path, value)
        assert all(SINCE <= note.at <= LATEST for note in found.values())


def test_a_malformed_log_line_names_nobody(wire: responses.RequestsMock) -> None:
    for batch in batches(LINE, "offset"):
        answer(wire, f"{ALERTS}/a/logs", {"data": between(LINE, "offset", [row for *_, row in batch])})
        found = {act.id: act for act in reading_opsgenie().acts("a")}
        assert {"first", "last"} <= found.keys()
        for path, value, row in batch:
            act = None if path == ("offset",) else found.get(row["offset"])
            if path == ("log",) and act is not None:
                assert act.verb in {"other", "close"} or value == "Acknowledged", (path, value)
            if path == ("owner",) and act is not None:
                assert (act.person is None) == (act.actor is Actor.MACHINE), (path, value)


def test_a_malformed_status_of_a_request_is_never_a_failure_that_opsgenie_did_not_report(
    wire: responses.RequestsMock,
) -> None:
    said = {"success": True, "isSuccess": True, "status": "Added note", "processedAt": "2026-11-23T09:00:00Z"}
    for path, value, row in mutations({"data": said}):
        answer(wire, f"{ALERTS}/requests/r", row)
        status = reading_opsgenie().request_status("r")
        if path == ("data", "isSuccess") and value in (False, "FALSE") and not isinstance(value, int | float):
            assert status.done is False
        elif not (path == ("data", "isSuccess") and value is False):
            assert status.done is not False, (path, value)
        assert status.at is None or status.at <= LATEST


def test_an_incident_that_is_malformed_in_one_field_stays_an_incident_of_the_same_state(
    wire: responses.RequestsMock,
) -> None:
    for batch in batches(INCIDENT, "id"):
        bad: list[str] = []
        body = {"incidents": between(INCIDENT, "id", [row for *_, row in batch]), "more": False}
        answer(wire, INCIDENTS, body)
        found = {incident.id: incident for incident in reading_pagerduty(bad).open_incidents()}
        assert {"first", "last"} <= found.keys()
        for path, value, row in batch:
            if path == ("id",) or is_elsewhere(path, value):
                continue
            if path == ("status",) and value != "Acknowledged":
                assert row["id"] not in found, (path, value)
                continue
            assert row["id"] in found, (path, value)
            check_incident(found[row["id"]], path, value)


def is_elsewhere(path: Any, value: Any) -> bool:
    """Whether the row certainly names another service."""
    return path == ("service", "id") and isinstance(value, str) and bool(value.strip())


def check_incident(incident: Incident, path: Any, value: Any) -> None:
    where = (path, value)
    assert incident.status == "acknowledged", where
    assert incident.service_id == SERVICE, where
    assert incident.acknowledgers, where
    assert all(person.name for person in incident.acknowledgers), where
    assert incident.assignees is None or all(person.name for person in incident.assignees), where
    assert SINCE <= incident.created_at <= LATEST, where
    assert incident.changed_at is None or SINCE <= incident.changed_at <= LATEST, where
    assert incident.expires_at is None or incident.expires_at <= LATEST + timedelta(days=30), where
    assert incident.urgency in {"high", "low"}, where
    assert 0 <= incident.number < 2**31, where


def test_a_malformed_note_of_an_incident_hides_no_other_note(wire: responses.RequestsMock) -> None:
    for batch in batches(INCIDENT_NOTE, "id"):
        answer(wire, f"{INCIDENTS}/P/notes", {"notes": between(INCIDENT_NOTE, "id", [row for *_, row in batch])})
        found = {note.id: note for note in reading_pagerduty().notes("P")}
        assert {"first", "last"} <= found.keys()
        for path, value, row in batch:
            if path[0] in {"created_at", "user", "channel"}:
                assert found[row["id"]].text == "on it", (path, value)
                assert found[row["id"]].author.name, (path, value)


def test_a_malformed_log_entry_hides_no_other_and_names_nobody(wire: responses.RequestsMock) -> None:
    for batch in batches(ENTRY, "id"):
        body = {"log_entries": between(ENTRY, "id", [row for *_, row in batch]), "more": False}
        answer(wire, f"{PAGERDUTY}/log_entries", body)
        found = {act.id: act for act in reading_pagerduty().log_entries(SINCE, lambda _: False).acts}
        assert {"first", "last"} <= found.keys()
        assert found["first"].person == Person("PJANE", "Jane Doe")
        for act in found.values():
            assert (act.person is not None) == (act.actor is Actor.PERSON)
            assert SINCE <= act.at <= LATEST


@pytest.mark.parametrize("body", ODD)
def test_answers_of_another_shape_raise_errors_of_this_program(wire: responses.RequestsMock, body: Any) -> None:
    wire.assert_all_requests_are_fired = False
    for url in (ALERTS, f"{ALERTS}/a", f"{ALERTS}/a/notes", f"{ALERTS}/a/logs", f"{ALERTS}/requests/r"):
        answer(wire, url, body)
    for url in (
        INCIDENTS, f"{INCIDENTS}/P", f"{INCIDENTS}/P/notes", f"{INCIDENTS}/P/log_entries", f"{PAGERDUTY}/users",
        f"{PAGERDUTY}/log_entries", f"{PAGERDUTY}/services/{SERVICE}", f"{PAGERDUTY}/users/me",
    ):  # fmt: skip
        answer(wire, url, body)
    opsgenie, pagerduty = reading_opsgenie(), reading_pagerduty()
    readings = (
        lambda: opsgenie.recent_alerts(None), lambda: opsgenie.alert("a"), lambda: opsgenie.notes("a"),
        lambda: opsgenie.acts("a"), lambda: list(opsgenie.open_alerts()), pagerduty.open_incidents,
        lambda: pagerduty.incident("P"), lambda: pagerduty.notes("P"), lambda: pagerduty.acts("P"),
        lambda: pagerduty.log_entries(SINCE, lambda _: True), pagerduty.automation_user,
    )  # fmt: skip
    for read in readings:
        with pytest.raises(ReconcilerError):
            read()
    assert opsgenie.request_status("r").done is None
    assert pagerduty.check_service().objection == ""
    pagerduty.check_key()
