"""Reading a row of PagerDuty: stated, missing and malformed values."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import responses

from reconciler.core.model import Incident
from tests.support.clock import SimClock
from tests.support.wire.pagerduty import (
    API,
    AT,
    BOTH,
    INCIDENTS,
    JANE,
    LOG,
    PAGING,
    SERVICE,
    SOMEBODY,
    UNREADABLE,
    US,
    WORKFLOW,
    client,
    entry,
    incident,
    page,
    user,
)

# -- stated, missing and malformed values --


def read(wire: responses.RequestsMock, **more: Any) -> Incident:
    wire.upsert("GET", f"{INCIDENTS}/PINC1", json={"incident": incident(1, **more)})
    return client().incident("PINC1")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://acme.pagerduty.com/incidents/PINC1", "https://acme.pagerduty.com/incidents/PINC1"),
        (None, ""),
        ("javascript:alert(1)", ""),
        ("http://acme.pagerduty.com/", ""),
        ("https://acme.pagerduty.com/a b", ""),
        ("https://" + "a" * 301, ""),
        (17, ""),
    ],
)
def test_the_incidents_page_is_read_if_it_is_one(
    wire: responses.RequestsMock, address: Any, expected: str
) -> None:
    assert read(wire, html_url=address).url == expected


@pytest.mark.parametrize(
    "held",
    [
        None, [], "x", [None], [{}], [{"at": "2026-11-23T09:00:00Z", "acknowledger": None}],
        [{"acknowledger": {}}], [{"acknowledger": {"type": "user_reference", "id": None, "summary": None}}],
        [{"acknowledger": {"id": "", "summary": " "}}], [{"acknowledger": 7}],
    ],
)  # fmt: skip
@pytest.mark.parametrize("by", [None, {}, {"id": None, "summary": None}, "x"])
def test_an_acknowledger_without_a_readable_name_is_somebody(
    wire: responses.RequestsMock, held: Any, by: Any
) -> None:
    found = read(wire, status="acknowledged", acknowledgements=held, last_status_change_by=by)
    assert found.acknowledgers == (SOMEBODY,)
    assert read(wire, status="triggered", acknowledgements=held, last_status_change_by=by).acknowledgers == ()


def test_an_unreadable_acknowledger_beside_a_readable_one_is_ignored(wire: responses.RequestsMock) -> None:
    held = [{"acknowledger": None}, {"acknowledger": user("PJANE", "Jane Doe")}]
    assert read(wire, status="acknowledged", acknowledgements=held).acknowledgers == (JANE,)


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        (API, "API Service (automation)"),
        (WORKFLOW, "Night shift (automation)"),
        ({"id": "PI1", "type": "integration_reference", "summary": None}, "PI1 (automation)"),
        ({"id": "PJANE", "type": "user", "summary": "Jane Doe"}, "Jane Doe"),
        ({"id": "PJANE", "summary": "Jane Doe"}, "Jane Doe"),
    ],
)
def test_an_automation_that_acknowledged_is_named_as_automation(
    wire: responses.RequestsMock, reference: Any, name: str
) -> None:
    held = [{"acknowledger": reference}]
    assert read(wire, status="acknowledged", acknowledgements=held).acknowledgers[0].name == name


def test_an_acknowledgement_has_a_time_where_it_and_its_holder_are_readable(wire: responses.RequestsMock) -> None:
    stamp = "2026-11-23T09:00:00Z"
    held = [
        {"at": stamp, "acknowledger": user("PJANE", "Jane Doe")},
        {"at": "soon", "acknowledger": user("PBOB", "Bob Ray")},
        {"at": stamp, "acknowledger": None},
    ]
    at = datetime.fromisoformat(stamp)
    assert read(wire, status="acknowledged", acknowledgements=held).acknowledged_at == ((JANE, at),)


def test_assignees_are_read_and_unreadable_ones_are_not_guessed(wire: responses.RequestsMock) -> None:
    assert read(wire, **PAGING).assignees == (JANE,)
    assert read(wire, **BOTH).assignees == (US, JANE)
    assert read(wire, assignments=[]).assignees == ()
    assert read(wire, **UNREADABLE).assignees == (SOMEBODY,)
    unreadable: tuple[Any, ...] = (None, {}, "x", 7)
    for odd in unreadable:
        assert read(wire, assignments=odd).assignees is None


@pytest.mark.parametrize(
    ("pending", "expected"),
    [
        ([{"type": "escalate", "at": "2026-11-23T09:20:00Z"},
          {"type": "unacknowledge", "at": "2026-11-23T09:30:00Z"}], AT + timedelta(minutes=30)),
        ([{"type": "unacknowledge", "at": "2026-11-29T09:00:00Z"}], AT + timedelta(days=6)),
        ([{"type": "unacknowledge", "at": "2999-11-29T09:00:00Z"}], None),
        ([{"type": "unacknowledge", "at": None}, None, 7], None), ([], None), (None, None), ("x", None),
    ],
)  # fmt: skip
def test_the_announced_end_of_an_acknowledgement_is_read(
    wire: responses.RequestsMock, pending: Any, expected: datetime | None
) -> None:
    assert read(wire, status="acknowledged", pending_actions=pending).expires_at == expected


ODD_STAMPS: list[Any] = [
    None, 0, -1, 0.5, True, "", "soon", "1970-01-01T00:00:00Z", "1999-12-31T23:59:59Z", "2999-01-01T00:00:00Z",
    10**30, [], {}, "2026-11-23T12:00:00Z",
]  # fmt: skip


@pytest.mark.parametrize("odd", ODD_STAMPS)
def test_an_incident_with_an_impossible_time_is_read(wire: responses.RequestsMock, odd: Any) -> None:
    assert read(wire, created_at=odd).created_at == AT + timedelta(minutes=5)  # updated_at
    assert read(wire, created_at=odd, updated_at=odd).created_at == AT + timedelta(minutes=1)
    found = read(wire, created_at=odd, updated_at=odd, last_status_change_at=odd)
    assert (found.created_at, found.changed_at) == (SimClock(1000.0).now(), None)


@pytest.mark.parametrize("odd", ODD_STAMPS)
def test_a_log_entry_with_an_impossible_time_is_skipped(wire: responses.RequestsMock, odd: Any) -> None:
    bad: list[tuple[str, str]] = []
    wire.get(LOG, json=page("log_entries", [entry(2, created_at=odd), entry(1)]))
    assert [act.id for act in client(bad=bad).log_entries(AT, lambda _: False).acts] == ["R1"]
    assert bad == [("PagerDuty", "log entry R2 without a readable created_at")]


def test_a_note_with_an_impossible_time_is_read(wire: responses.RequestsMock) -> None:
    row = {"id": "PN1", "user": None, "content": "read me", "created_at": 0}
    wire.get(f"{INCIDENTS}/PINC1/notes", json={"notes": [row]})
    assert [(note.text, note.at) for note in client().notes("PINC1")] == [("read me", SimClock(1000.0).now())]


@pytest.mark.parametrize("odd", [None, {}, [], "x", {"id": None}, {"id": 7}, {"id": ""}, {"id": " "}, {"id": {}}])
def test_a_listed_incident_that_names_no_service_is_kept_and_reported_once(
    wire: responses.RequestsMock, odd: Any
) -> None:
    bad: list[tuple[str, str]] = []
    wire.get(INCIDENTS, json=page("incidents", [incident(1, service=odd), incident(2)]))
    reader = client(bad=bad)
    for _ in range(2):
        assert [(one.id, one.service_id) for one in reader.open_incidents()] == [
            ("PINC1", SERVICE), ("PINC2", SERVICE),
        ]  # fmt: skip
    assert bad == [("PagerDuty", "incident PINC1 names no service: taken for PSERVICE's")]


@pytest.mark.parametrize("rows", [[None, {}, 7], []])
def test_a_list_continues_past_a_page_without_a_readable_row(
    wire: responses.RequestsMock, rows: list[Any]
) -> None:
    wire.get(INCIDENTS, json=page("incidents", rows, more=True))
    wire.get(INCIDENTS, json=page("incidents", [incident(1)]))
    assert [one.id for one in client().open_incidents()] == ["PINC1"]


def test_the_reading_of_an_endless_list_ends(wire: responses.RequestsMock) -> None:
    wire.get(INCIDENTS, json=page("incidents", [], more=True))
    assert client().open_incidents() == []
    assert len(wire.calls) == 2
