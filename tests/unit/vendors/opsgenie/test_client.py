"""Reading lists, alerts and notes from Opsgenie over HTTP, including malformed answers."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import responses

from reconciler.core.model import Person
from reconciler.errors import Missing, Unknown
from tests.support.wire.http import OPSGENIE_KEY, query, sent
from tests.support.wire.opsgenie import (
    A1,
    ALERTS,
    AT,
    NOW,
    client,
    note,
    notes_page,
    page,
    row,
    writing,
)


def test_recent_alerts_are_requested_newest_first_without_an_empty_query(wire: responses.RequestsMock) -> None:
    exact = query(sort="updatedAt", order="desc", limit="100", offset="0")
    key = sent(Authorization=f"GenieKey {OPSGENIE_KEY}", Accept="application/json")
    wire.get(ALERTS, json=page([row(1)], more=True), match=[exact, key])
    assert [alert.id for alert in client().recent_alerts(None)] == ["alert-1"]


def test_recent_alerts_stop_at_the_watermark_and_never_follow_a_link(wire: responses.RequestsMock) -> None:
    base = {"query": "tag: prod", "sort": "updatedAt", "order": "desc", "limit": "100"}
    wire.get(ALERTS, json=page([row(1), row(2, age=5)], more=True), match=[query(**base, offset="0")])
    wire.get(ALERTS, json=page([row(2, age=5), row(3, age=90), row(4, age=200)], more=True),
             match=[query(**base, offset="100")])  # fmt: skip
    found = client(" tag: prod ").recent_alerts(AT - timedelta(seconds=100))
    assert [alert.id for alert in found] == ["alert-1", "alert-2", "alert-3"]
    assert len(wire.calls) == 2


@pytest.mark.parametrize(
    ("text", "expected"), [("", "status:open"), ("tag:a OR tag:b", "(tag:a OR tag:b) AND status:open")]
)
def test_open_alerts_are_requested_by_creation_and_checked(
    wire: responses.RequestsMock, text: str, expected: str
) -> None:
    base = {"query": expected, "sort": "createdAt", "order": "asc", "limit": "100"}
    wire.get(
        ALERTS, json=page([row(1), row(2, status="closed"), row(1)], more=True), match=[query(**base, offset="0")]
    )
    wire.get(ALERTS, json=page([row(1), row(3)]), match=[query(**base, offset="100")])
    pages = [[alert.id for alert in found] for found in client(text).open_alerts()]
    assert pages == [["alert-1"], ["alert-3"]]


def test_a_bad_row_is_reported_and_the_others_are_read(wire: responses.RequestsMock) -> None:
    bad: list[tuple[str, str]] = []
    broken: list[Any] = [None, 7, "x", [], {}, {"id": None}, {"id": ""}, {"id": True}]
    wire.get(ALERTS, json=page([row(1), *broken, row(2)]))
    assert [alert.id for alert in client(bad=bad).recent_alerts(None)] == ["alert-1", "alert-2"]
    assert len(bad) == len(broken)
    assert ("Opsgenie", "a row without 'id'") in bad


@pytest.mark.parametrize("answer", [{}, [], "x", {"data": "x"}, {"data": {}}, {"data": None}])
def test_an_answer_without_its_list_is_an_error_and_no_empty_list(
    wire: responses.RequestsMock, answer: Any
) -> None:
    wire.get(ALERTS, json=answer)
    with pytest.raises(Unknown, match="an answer without 'data': nothing can be concluded from it"):
        client().recent_alerts(None)


def test_everything_optional_may_be_null_missing_or_of_another_type(wire: responses.RequestsMock) -> None:
    names = [name for name in row(1) if name not in ("id", "createdAt")]
    values: tuple[Any, ...] = (None, 7, [], {}, True)
    odd = [row(1) | dict.fromkeys(names, value) for value in values]
    bare = {"id": 5, "createdAt": "2026-11-23T09:00:00.5Z", "new": {"thing": 1}}
    wire.get(ALERTS, json=page([*odd, bare, row(2, updatedAt=None)]) | {"paging": None})
    bad: list[tuple[str, str]] = []
    found = client(bad=bad).recent_alerts(AT - timedelta(seconds=1))
    assert [alert.id for alert in found] == ["alert-1", "5", "alert-2"]
    assert bad == []
    assert found[1].created_at == found[1].updated_at == AT + timedelta(milliseconds=500)
    assert (found[1].open, found[1].acknowledged, found[1].priority) == (None, None, "")


def test_an_alert_is_read_completely(wire: responses.RequestsMock) -> None:
    detail = row(
        7, status="closed", acknowledged=True, owner="ana@customer.example", snoozed=False, tags=["a", None, 3],
        snoozedUntil="2026-11-23T10:00:00Z", description="Full", details={"host": "db1", "n": 3, "none": None},
        report={"ackTime": 11_751, "closeTime": "20000", "acknowledgedBy": "bo@c.example", "closedBy": "c"},
    )  # fmt: skip
    wire.get(f"{ALERTS}/{A1}", json={"data": detail | {"id": A1}}, match=[query(identifierType="id")])
    alert = client().alert(A1)
    assert not alert.open
    assert alert.snoozed_until is None
    assert (alert.acknowledged_by, alert.acknowledged_at) == (
        "bo@c.example",
        AT + timedelta(seconds=11.751),
    )
    assert (alert.closed_by, alert.closed_at) == ("c", AT + timedelta(seconds=20))
    assert alert.tags == ("a", "3")
    assert alert.description == "Full"
    assert alert.details == (("host", "db1"), ("n", "3"))
    assert alert.url == f"https://app.opsgenie.com/alert/detail/{A1}/details"


def test_the_owner_is_named_where_the_acknowledger_is_not(wire: responses.RequestsMock) -> None:
    rows = [
        row(1, acknowledged=True, owner="ana"),
        row(2, owner="bo", snoozed=True, snoozedUntil="2026-11-23T10:00:00Z"),
    ]
    wire.get(ALERTS, json=page(rows))
    held, free = client().recent_alerts(None)
    assert (held.acknowledged_by, held.acknowledged_at) == ("ana", None)
    assert (free.acknowledged_by, free.snoozed_until) == ("", AT + timedelta(hours=1))
    assert held.description is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.eu.opsgenie.com/", "https://app.eu.opsgenie.com/alert/detail/alert-1/details"),
        ("http://127.0.0.1:8081", "http://127.0.0.1:8081/v2/alerts/alert-1"),
    ],
)
def test_an_alerts_web_address_follows_from_the_api_address(
    wire: responses.RequestsMock, url: str, expected: str
) -> None:
    wire.get(ALERTS, json=page([row(1)]))
    assert client(url=url).recent_alerts(None)[0].url == expected


def test_a_404_raises_missing(wire: responses.RequestsMock) -> None:
    wire.get(f"{ALERTS}/gone", status=404, json={"message": "Alert not found", "took": 0.001, "requestId": "r"})
    with pytest.raises(Missing, match="404: Alert not found"):
        client().alert("gone")


@pytest.mark.parametrize("answer", [{}, {"data": None}, {"data": {"count": 3}}, []])
def test_an_unreadable_alert_is_not_missing(wire: responses.RequestsMock, answer: Any) -> None:
    wire.get(f"{ALERTS}/x", json=answer)
    with pytest.raises(Unknown, match="Opsgenie: alert x: "):
        client().alert("x")


def test_ids_cannot_leave_their_place_in_the_path(wire: responses.RequestsMock) -> None:
    wire.get(f"{ALERTS}/a%2F..%2F%3Fb", json={"data": row(1)})
    client().alert("a/../?b")


@pytest.mark.parametrize("alert_id", ["", " ", ".", "..", "count", "Requests", "saved-searches"])
def test_an_id_that_addresses_another_path_is_missing_without_a_request(alert_id: str) -> None:
    asking: list[Callable[[str], object]] = [
        client().alert,
        client().notes,
        lambda one: writing().acknowledge(one, "Jane"),
    ]
    for ask in asking:
        with pytest.raises(Missing, match=f"Opsgenie: alert '{alert_id}': this cannot be an id"):
            ask(alert_id)
    assert client().acts(alert_id) == []


def test_a_request_id_that_addresses_another_path_is_missing_without_a_request() -> None:
    with pytest.raises(Missing, match=r"Opsgenie: request '\.\.': this cannot be an id"):
        client().request_status("..")


def test_notes_follow_the_token_to_the_end(wire: responses.RequestsMock) -> None:
    base = {"identifierType": "id", "limit": "100", "order": "desc"}
    wire.get(f"{ALERTS}/{A1}/notes", json=notes_page([note(1), note(2)], "o2"), match=[query(**base)])
    second = [note(2), note(3, owner=""), None, note(4, offset=None)]
    wire.get(f"{ALERTS}/{A1}/notes", json=notes_page(second, "o3"),
             match=[query(**base, offset="o2", direction="next")])  # fmt: skip
    wire.get(f"{ALERTS}/{A1}/notes", json=notes_page([], "o9"),
             match=[query(**base, offset="o3", direction="next")])  # fmt: skip
    bad: list[tuple[str, str]] = []
    found = client(bad=bad).notes(A1)
    assert [(n.id, n.text) for n in found] == [("o1", "note 1"), ("o2", "note 2"), ("o3", "note 3")]
    assert found[0].author == Person("ana@customer.example", "ana@customer.example")
    assert found[2].author == Person("", "somebody")
    assert len(bad) == 2


def test_notes_are_read_back_no_further_than_requested(wire: responses.RequestsMock) -> None:
    wire.get(f"{ALERTS}/{A1}/notes", json=notes_page([note(1), note(50)], "o50"))
    assert len(client().notes(A1, until=AT - timedelta(seconds=10))) == 2
    assert len(wire.calls) == 1


# -- long and endless lists --


def test_a_note_with_an_impossible_time_is_dated_by_its_token_or_now(wire: responses.RequestsMock) -> None:
    token = f"{int(AT.timestamp() * 1000)}_1795424400000000001"
    rows = [note(1, createdAt=0, offset=token), note(2, createdAt="2999-01-01T00:00:00Z", offset="o2")]
    wire.get(f"{ALERTS}/{A1}/notes", json=notes_page([*rows, note(3, createdAt=None, note=None)]))
    bad: list[tuple[str, str]] = []
    assert [(n.text, n.at) for n in client(bad=bad).notes(A1)] == [("note 2", NOW), ("note 1", AT)]
    assert bad == [("Opsgenie", "note o3 without a readable createdAt")]
