"""Writes to PagerDuty over HTTP, and the meaning of its answers."""

from dataclasses import replace
from typing import Any

import pytest
import responses

from reconciler.core.model import Incident, Person
from reconciler.errors import (
    Duplicate,
    Forbidden,
    Missing,
    NotExecuted,
    Permanent,
    Refused,
    Unknown,
)
from reconciler.vendors.http import Answer, Http
from tests.support.wire.http import PAGERDUTY, body, sent_json
from tests.support.wire.pagerduty import (
    AT,
    BOT,
    BOT_ALONE,
    BOTH,
    INCIDENTS,
    JANE,
    NOT_FOUND,
    PAGING,
    SERVICE,
    UNREADABLE,
    US,
    WRITES,
    client,
    incident,
    page,
    user,
    writing,
)

# -- writing --


def test_an_incident_is_created(wire: responses.RequestsMock) -> None:
    expected = {
        "incident": {
            "type": "incident", "title": "Disk füll", "service": {"id": SERVICE, "type": "service_reference"},
            "incident_key": "alert-1", "urgency": "high",
            "body": {"type": "incident_body", "details": "All of it"},
        }
    }  # fmt: skip
    wire.post(INCIDENTS, status=201, json={"incident": incident(1)}, match=[body(expected), WRITES])
    assert writing().create_incident("alert-1", "Disk füll", "All of it", "high").id == "PINC1"


def test_an_empty_body_and_urgency_are_left_out(wire: responses.RequestsMock) -> None:
    expected = {
        "incident": {"type": "incident", "title": "Disk", "incident_key": "alert-1",
                     "service": {"id": SERVICE, "type": "service_reference"}}
    }  # fmt: skip
    wire.post(INCIDENTS, status=201, json={"incident": incident(1, status="acknowledged")}, match=[body(expected)])
    assert writing().create_incident("alert-1", "Disk", "", "").status == "acknowledged"


@pytest.mark.parametrize(
    "error",
    [
        {"message": "Arguments Caused Error", "code": 2002,
         "errors": ["Open incident with matching dedup key already exists on this service"]},
        {"message": "open incident with Matching Dedup Key already exists", "code": 2002},
    ],
)  # fmt: skip
def test_an_open_incident_with_the_key_is_a_duplicate(wire: responses.RequestsMock, error: Any) -> None:
    wire.post(INCIDENTS, status=400, json={"error": error})
    with pytest.raises(Duplicate):
        writing().create_incident("alert-1", "Disk", "", "high")


@pytest.mark.parametrize(
    "error",
    [
        {"message": "Arguments Caused Error", "code": 2002},
        {"message": "Invalid", "errors": ["Title cannot be empty."]},
    ],
)
def test_any_other_refusal_is_no_duplicate(wire: responses.RequestsMock, error: Any) -> None:
    wire.post(INCIDENTS, status=400, json={"error": error})
    with pytest.raises(Permanent) as caught:
        writing().create_incident("alert-1", "", "", "high")
    assert type(caught.value) is Permanent


@pytest.mark.parametrize("answer", [{}, {"incident": None}, {"incident": {"id": "P1"}}, []])
def test_a_creation_whose_answer_cannot_be_read_is_in_doubt(wire: responses.RequestsMock, answer: Any) -> None:
    wire.post(INCIDENTS, status=201, json=answer)
    with pytest.raises(Unknown):
        writing().create_incident("alert-1", "Disk", "", "high")


@pytest.mark.parametrize(("verb", "status"), [("acknowledge", "acknowledged"), ("resolve", "resolved")])
def test_a_status_is_written(wire: responses.RequestsMock, verb: str, status: str) -> None:
    expected = {"incident": {"type": "incident_reference", "status": status}}
    answer = {"incident": incident(1, status=status)}
    wire.put(f"{INCIDENTS}/PINC1", json=answer, match=[body(expected), WRITES])
    assert getattr(writing(), verb)("PINC1").status == status


@pytest.mark.parametrize(("code", "words"), [(1001, "Incident Already Resolved"), (1002, "Already Acknowledged")])
def test_a_refused_status_is_permanent_with_its_code(wire: responses.RequestsMock, code: int, words: str) -> None:
    wire.put(f"{INCIDENTS}/PINC1", status=400, json={"error": {"message": words, "code": code}})
    with pytest.raises(Permanent, match=f"{words} .code {code}."):
        writing().acknowledge("PINC1")


HELD = Incident(
    id="PINC1", number=1, status="acknowledged", key="alert-1", title="Disk", service_id=SERVICE, created_at=AT,
    escalation_policy_id="PESC",
)  # fmt: skip
METHODS: list[dict[str, Any]] = [
    {"status": "triggered"},
    {"escalation_level": 1},
    {"escalation_policy": {"id": "PESC", "type": "escalation_policy_reference"}},
    {"escalation_level": 2},
]
NAMELESS_BOT = {"assignments": [{"assignee": {"summary": "mirror bot"}}]}
NOBODY_AT_ALL: dict[str, Any] = {"assignments": []}
NOT_SAID = {"assignments": None}


def answer_method(wire: responses.RequestsMock, n: int, outcome: Any) -> None:
    """Answers the n-th method: a refusal's status, a status of the incident, or assignments once triggered."""
    expected = body({"incident": {"type": "incident_reference", **METHODS[n]}})
    if isinstance(outcome, int):
        error = NOT_FOUND if outcome == 404 else {"error": {"message": "Cannot Escalate", "code": 1006}}
        wire.put(f"{INCIDENTS}/PINC1", status=outcome, json=error, match=[expected, WRITES])
        return
    row = incident(1, status=outcome, **PAGING) if isinstance(outcome, str) else incident(1, **outcome)
    wire.put(f"{INCIDENTS}/PINC1", json={"incident": row}, match=[expected, WRITES])


@pytest.mark.parametrize(
    "outcomes",
    [
        ["triggered"], ["acknowledged", "triggered"], [400, "triggered"], [404, "triggered"],
        ["acknowledged", 400, "triggered"], [400, "acknowledged", "triggered"], [400, 400, 404, "triggered"],
        [BOT_ALONE, "triggered"], [NAMELESS_BOT, NOBODY_AT_ALL, BOT_ALONE, "triggered"],
        [BOTH], [NOT_SAID], [UNREADABLE],
    ],
)  # fmt: skip
def test_retriggering_uses_the_first_method_that_pages_somebody(
    wire: responses.RequestsMock, outcomes: list[Any]
) -> None:
    for n, outcome in enumerate(outcomes):
        answer_method(wire, n, outcome)
    assert writing().retrigger(HELD, US).status == "triggered"
    assert len(wire.calls) == len(outcomes)


def test_retriggering_begins_with_the_method_that_worked_last_time(wire: responses.RequestsMock) -> None:
    to = writing()
    answer_method(wire, 0, "acknowledged")
    answer_method(wire, 1, "triggered")
    to.retrigger(HELD, US)
    to.retrigger(HELD, US)
    assert [sent_json(call)["incident"] for call in wire.calls] == [
        {"type": "incident_reference", **METHODS[n]} for n in (0, 1, 1)
    ]


def test_retriggering_skips_the_escalation_policy_where_none_is_known(wire: responses.RequestsMock) -> None:
    for n in (0, 1):
        answer_method(wire, n, 400)
    answer_method(wire, 3, "triggered")
    assert writing().retrigger(replace(HELD, escalation_policy_id=""), US).status == "triggered"


@pytest.mark.parametrize("outcomes", [[400, 400, 400, 400], ["acknowledged"] * 4, [400, "acknowledged", 404, 400]])
def test_retriggering_that_no_method_achieves_is_permanent(
    wire: responses.RequestsMock, outcomes: list[Any]
) -> None:
    for n, outcome in enumerate(outcomes):
        answer_method(wire, n, outcome)
    with pytest.raises(Permanent, match="incident PINC1 stays acknowledged after every known way"):
        writing().retrigger(HELD, US)


@pytest.mark.parametrize(
    ("outcomes", "whom"),
    [
        ([BOT_ALONE] * 4, "only to the automation user Mirror Bot"),
        ([400, NOBODY_AT_ALL, 404, 400], "to nobody"),
    ],
)
def test_retriggering_that_pages_nobody_is_reported_with_a_remedy(
    wire: responses.RequestsMock, outcomes: list[Any], whom: str
) -> None:
    for n, outcome in enumerate(outcomes):
        answer_method(wire, n, outcome)
    with pytest.raises(Permanent, match=f"nobody is paged: incident PINC1 .* assigned {whom} .*every schedule"):
        writing().retrigger(HELD, US)


def test_an_incident_that_refuses_every_method_is_a_problem_of_the_incident(wire: responses.RequestsMock) -> None:
    for n in range(4):
        answer_method(wire, n, 404)
    with pytest.raises(Missing):
        writing().retrigger(HELD, US)


ON_CALLS = f"{PAGERDUTY}/oncalls"


def on_call(level: int, user_id: str) -> dict[str, Any]:
    return {
        "user": user(user_id, f"user {user_id}"), "escalation_level": level,
        "escalation_policy": {"id": "PESC", "type": "escalation_policy_reference"},
    }  # fmt: skip


def assigned(*people: str) -> Any:
    """Matches the assignment of an incident to these people."""
    each = [{"assignee": {"id": one, "type": "user_reference"}} for one in people]
    return body({"incident": {"type": "incident_reference", "assignments": each}})


@pytest.mark.parametrize(
    ("duty", "people"),
    [
        ([on_call(1, "PJANE"), on_call(2, "POMAR")], ["PJANE"]),
        ([on_call(1, BOT), on_call(3, "PZOE"), on_call(2, "POMAR"), on_call(2, "PJANE")], ["POMAR", "PJANE"]),
    ],
)
def test_retriggering_ends_with_an_assignment_to_the_first_people_on_call(
    wire: responses.RequestsMock, duty: list[dict[str, Any]], people: list[str]
) -> None:
    for n, outcome in enumerate([400, "acknowledged", BOT_ALONE, 404]):
        answer_method(wire, n, outcome)
    wire.get(ON_CALLS, json=page("oncalls", duty))
    wire.put(f"{INCIDENTS}/PINC1", json={"incident": incident(1, **PAGING)}, match=[assigned(*people), WRITES])
    assert writing().retrigger(HELD, US).status == "triggered"


@pytest.mark.parametrize("answer", [page("oncalls", [on_call(1, BOT)]), {"oncalls": "odd"}])
def test_retriggering_assigns_to_nobody_where_nobody_else_is_known_to_be_on_call(
    wire: responses.RequestsMock, answer: dict[str, Any]
) -> None:
    for n in range(4):
        answer_method(wire, n, 400)
    wire.get(ON_CALLS, json=answer)
    with pytest.raises(Permanent, match="incident PINC1 stays acknowledged after every known way"):
        writing().retrigger(HELD, US)


def test_a_forbidden_method_is_followed_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[Any] = []

    def write(_self: Http, _method: str, _path: str, sent: Any, *_more: Any) -> Answer:
        tried.append(sent["incident"])
        if len(tried) == 1:
            raise Forbidden("PagerDuty: PUT /incidents/{id}: 403: Access Denied (code 2010)")
        return Answer(200, {}, {"incident": incident(1, **PAGING)})

    monkeypatch.setattr(Http, "write", write)
    assert writing().retrigger(HELD, US).status == "triggered"
    assert len(tried) == 2


def test_retriggering_stops_once_the_incident_is_resolved(wire: responses.RequestsMock) -> None:
    answer_method(wire, 0, 400)
    answer_method(wire, 1, "resolved")
    with pytest.raises(Permanent, match="was resolved meanwhile"):
        writing().retrigger(HELD, US)


@pytest.mark.parametrize(
    ("status", "code", "kind"), [(429, 2020, NotExecuted), (500, 2000, Unknown), (401, 2006, Refused)]
)
def test_retriggering_stops_at_any_other_failure(
    wire: responses.RequestsMock, status: int, code: int, kind: type
) -> None:
    answer_method(wire, 0, "acknowledged")
    wire.put(f"{INCIDENTS}/PINC1", status=status, match=[body({"incident": {
        "type": "incident_reference", "escalation_level": 1}})],
        json={"error": {"message": "x", "code": code}})  # fmt: skip
    with pytest.raises(kind):
        writing().retrigger(HELD, US)
    assert len(wire.calls) == 2


def test_an_urgency_is_set(wire: responses.RequestsMock) -> None:
    expected = {"incident": {"type": "incident_reference", "urgency": "high"}}
    wire.put(f"{INCIDENTS}/PINC1", json={"incident": incident(1)}, match=[body(expected), WRITES])
    assert writing().set_urgency("PINC1", "high").urgency == "high"


@pytest.mark.parametrize("status", [200, 201])
def test_a_note_is_added(wire: responses.RequestsMock, status: int) -> None:
    row = {
        "id": "PN1",
        "user": user(BOT, "Mirror Bot"),
        "content": "[mark] x",
        "created_at": "2026-11-23T09:00:00Z",
    }
    exact = [body({"note": {"content": "[mark] x"}}), WRITES]
    wire.post(f"{INCIDENTS}/PINC1/notes", status=status, json={"note": row}, match=exact)
    note = writing().add_note("PINC1", "[mark] x")
    assert (note.id, note.author, note.text, note.at) == ("PN1", Person(BOT, "Mirror Bot"), "[mark] x", AT)


@pytest.mark.parametrize("answer", [{}, {"note": None}, {"note": {"content": "x"}}, []])
def test_a_note_whose_answer_cannot_be_read_is_in_doubt(wire: responses.RequestsMock, answer: Any) -> None:
    wire.post(f"{INCIDENTS}/PINC1/notes", json=answer)
    with pytest.raises(Unknown, match="the answer to a new note on PINC1 cannot be read"):
        writing().add_note("PINC1", "x")


@pytest.mark.parametrize("incident_id", ["", " ", ".", "..", "count"])
def test_an_id_that_addresses_another_path_is_missing_without_a_request(incident_id: str) -> None:
    for ask in (client().incident, client().notes, writing().resolve):
        with pytest.raises(Missing, match=rf"PagerDuty: incident '{incident_id}': this cannot be an id"):
            ask(incident_id)
    assert client().acts(incident_id) == []


def test_an_acknowledged_incident_without_acknowledgements_names_who_changed_it(
    wire: responses.RequestsMock,
) -> None:
    jane = user("PJANE", "Jane Doe")
    row = incident(1, status="acknowledged", acknowledgements=None, last_status_change_by=jane)
    wire.get(f"{INCIDENTS}/PINC1", json={"incident": row})
    assert client().incident("PINC1").acknowledgers == (JANE,)


# -- priorities --

URGENT = {"id": "PPRI1", "type": "priority_reference"}


def test_an_incident_is_created_with_a_reference_to_its_priority(wire: responses.RequestsMock) -> None:
    expected = {
        "incident": {"type": "incident", "title": "Disk", "incident_key": "alert-1", "priority": URGENT,
                     "service": {"id": SERVICE, "type": "service_reference"}}
    }  # fmt: skip
    answer = incident(1, priority=URGENT | {"summary": "SEV-1"})
    wire.post(INCIDENTS, status=201, json={"incident": answer}, match=[body(expected), WRITES])
    assert writing().create_incident("alert-1", "Disk", "", "", "PPRI1").priority == "SEV-1"


@pytest.mark.parametrize(
    ("urgency", "priority_id", "change"),
    [("high", "PPRI1", {"urgency": "high", "priority": URGENT}), ("", "PPRI1", {"priority": URGENT})],
)
def test_urgency_and_priority_are_changed_by_one_call(
    wire: responses.RequestsMock, urgency: str, priority_id: str, change: dict[str, Any]
) -> None:
    expected = {"incident": {"type": "incident_reference", **change}}
    wire.put(f"{INCIDENTS}/PINC1", json={"incident": incident(1)}, match=[body(expected), WRITES])
    assert writing().set_urgency("PINC1", urgency, priority_id).id == "PINC1"
